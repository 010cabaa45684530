import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { SipctlError } from '../errors.ts';
import { about } from './failure.ts';
import { errorCode, type FileOperations, type OpenFile, orNull } from './operations.ts';
import { temporaryPath } from './paths.ts';

/** Owner and group of what is delivered; -1 leaves one as the system made it. */
export interface Ownership {
  uid: number;
  gid: number;
}

/** What every write needs: the system calls, and whom the result belongs to. */
export interface Writer {
  operations: FileOperations;
  ownership: Ownership;
}

const folderMode = 0o750;
export const fileMode = 0o640;

/**
 * Makes a folder where it is missing, and gives it our mode and owner. Returns whether it was made.
 * @throws SipctlError `refused` where a link or another thing has its name
 */
export async function ensureFolder(writer: Writer, path: string): Promise<boolean> {
  const { operations } = writer;
  let made = true;
  try {
    await operations.mkdir(path, folderMode);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    made = false;
  }
  const found = await operations.lstat(path);
  if (!found.isDirectory()) throw planted(path, 'folder');
  // Also where it was there before: a run killed after mkdir left it with the mode of its umask.
  await adopt(writer, path, found, folderMode);
  return made;
}

/** Gives an existing file or folder our mode and owner where they differ. */
export async function adopt(writer: Writer, path: string, found: Stats, mode: number): Promise<void> {
  const { uid, gid } = writer.ownership;
  if ((uid !== -1 && found.uid !== uid) || (gid !== -1 && found.gid !== gid)) {
    await writer.operations.chown(path, uid, gid);
  }
  if ((found.mode & 0o777) !== mode) await writer.operations.chmod(path, mode);
}

/**
 * A new file, complete and on disk, under exactly this name, which must be free. Nobody else can read it
 * before it has its owner. A failed write leaves nothing.
 */
export async function createFile(writer: Writer, path: string, data: Buffer, mode = fileMode): Promise<void> {
  const file = await writer.operations.create(path, 0o600);
  try {
    await about(
      path,
      fill(writer, file, data, mode).finally(() => file.close()),
    );
  } catch (error) {
    await discard(writer.operations, path);
    throw error;
  }
}

async function fill(writer: Writer, file: OpenFile, data: Buffer, mode: number): Promise<void> {
  const { uid, gid } = writer.ownership;
  await file.write(data);
  if (uid !== -1 || gid !== -1) await file.chown(uid, gid);
  await file.chmod(mode);
  await file.sync();
}

/**
 * Puts a file in place, or replaces it, in one step: readers see the old one or the whole new one. The name
 * is durable once the caller has synced the folder.
 */
export async function placeFile(writer: Writer, path: string, data: Buffer, mode = fileMode): Promise<void> {
  const draft = temporaryPath(path);
  await createFile(writer, draft, data, mode);
  try {
    await writer.operations.rename(draft, path);
  } catch (error) {
    await discard(writer.operations, draft);
    throw error;
  }
}

/** `placeFile` for a single file, folder included. */
export async function placeFileDurably(writer: Writer, path: string, data: Buffer): Promise<void> {
  await placeFile(writer, path, data);
  await writer.operations.syncFolder(dirname(path));
}

/** Removes a folder and what is in it; follows no link. Missing is as good as removed. */
export async function removeTree(operations: FileOperations, path: string): Promise<void> {
  const entries = await orNull(operations.readdir(path));
  if (entries === null) return;
  for (const entry of entries) {
    const child = `${path}/${entry.name}`;
    if (entry.isDirectory()) await removeTree(operations, child);
    else await orNull(operations.unlink(child));
  }
  await orNull(operations.rmdir(path));
}

/** Removes what a failed step left; its own failure would only hide the first one. */
export async function discard(operations: FileOperations, path: string): Promise<void> {
  await operations.unlink(path).catch(() => undefined);
}

/**
 * Works through the items, `width` at a time. After the first failure nothing new is begun, and it is thrown
 * when all that was under way has ended, so that the caller can clean up in peace.
 */
export async function inParallel<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<unknown>,
  width = 16,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let next = rest.next(); !next.done && failures.length === 0; next = rest.next()) {
      await work(next.value).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  if (failures.length > 0) throw failures[0];
}

/** The refusal to work through a link, or on a thing of another kind, that stands where ours belongs. */
export function planted(path: string, expected: string): SipctlError {
  return new SipctlError('refused', {
    code: 'planted',
    message: `${path} is not a ${expected} that sipctl made`,
    hint: `look at it with ls -ld ${path}, and move it away`,
  });
}
