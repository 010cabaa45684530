import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, open, readdir, realpath, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SipctlError } from '../errors.ts';
import { explained } from './failure.ts';
import { orNull } from './operations.ts';
import { below, isWithin } from './paths.ts';
import type { FolderEntry, RecordingFolder } from './recording-folder.ts';

const fileMode = 0o640;
const folderMode = 0o750;
const chunkBytes = 256 * 1024;

/** Recordings in a folder of this machine. */
export function localRecordings(folder: string): RecordingFolder {
  /** The path without links. @throws SipctlError `notFound`, or `refused` where a link leads out */
  const inside = async (path: string): Promise<string> => {
    const wanted = below(folder, path);
    const [root, real] = [await orNull(realpath(folder)), await orNull(realpath(wanted))];
    if (root === null || real === null) throw missing(wanted);
    if (!isWithin(root, real)) throw leadsOut(wanted, real);
    return real;
  };
  const opened = async <T>(
    path: string,
    work: (file: FileHandle, size: number) => Promise<T>,
  ): Promise<T> => {
    const file = await openFile(await inside(path));
    try {
      return await work(file, (await file.stat()).size);
    } finally {
      await file.close();
    }
  };
  const present = async <T>(path: string, work: (real: string) => Promise<T>): Promise<T | null> => {
    try {
      return await work(await inside(path));
    } catch (error) {
      const isAbsent =
        error instanceof SipctlError &&
        (error.outcome === 'notFound' || error.problems[0]?.code === 'link_leads_out');
      if (isAbsent) return null;
      throw error;
    }
  };
  return {
    place: folder,
    localPath: (path) => below(folder, path),
    list: (under) => explained('list recordings', () => entriesBelow(folder, under)),
    read: (path, from) => readFrom(() => inside(path), from),
    head: (path, bytes) =>
      explained('read', () =>
        opened(path, async (file) => {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
          return buffer.subarray(0, bytesRead);
        }),
      ),
    digests: (paths) => explained('read', () => inOrder(paths, (path) => present(path, digestIfFile))),
    protect: (paths) =>
      explained('protect recordings', async () => {
        if ((await orNull(lstat(folder))) !== null) await chmod(folder, folderMode);
        for (const path of paths) await present(path, (real) => chmod(real, fileMode));
        for (const parent of foldersOf(paths)) await present(parent, (real) => chmod(real, folderMode));
      }),
    remove: (paths) =>
      explained('remove recordings', async () => {
        const removed = await inOrder(paths, async (path) => (await present(path, removeFile)) ?? false);
        // A folder that still holds something stays.
        for (const parent of foldersOf(paths))
          await present(parent, (real) => rmdir(real).catch(() => undefined));
        return removed;
      }),
  };
}

async function inOrder<T>(paths: readonly string[], work: (path: string) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const path of paths) results.push(await work(path));
  return results;
}

/** `acme/2026-11-21` and `acme`, for files in them; the deeper ones first. */
function foldersOf(paths: readonly string[]): string[] {
  const parents = paths.flatMap((path) => {
    const parts = path.split('/').slice(0, -1);
    return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
  });
  return [...new Set(parents)].sort((one, other) => other.length - one.length);
}

async function entriesBelow(folder: string, under: string): Promise<FolderEntry[]> {
  const start = under === '' ? folder : below(folder, under);
  const entries: FolderEntry[] = [];
  const open = [start];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const entry of (await orNull(readdir(at, { withFileTypes: true }))) ?? []) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) open.push(path);
      else {
        const found = await orNull(lstat(path));
        if (found !== null) {
          entries.push({
            path: path.slice(folder.length + 1),
            kind: found.isFile() ? 'file' : 'other',
            ...{ size: found.size, modifiedAt: Math.round(found.mtimeMs), mode: found.mode & 0o777 },
            idleMs: Math.max(0, Date.now() - found.mtimeMs),
          });
        }
      }
    }
  }
  return entries.sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function* readFrom(locate: () => Promise<string>, from: number): AsyncGenerator<Buffer> {
  const file = await explained('read', async () => openFile(await locate()));
  try {
    for (let at = from; ; ) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function openFile(real: string): Promise<FileHandle> {
  // A pipe that somebody put there would hold the reader for ever.
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new SipctlError('refused', {
    code: 'not_a_file',
    message: `${real} is not a regular file`,
    hint: `look at it with ls -ld ${real}`,
  });
}

// What stands in the place of one recording, a pipe or a folder, must not hide the others.
async function digestIfFile(real: string): Promise<string | null> {
  try {
    return await digestOf(real);
  } catch (error) {
    if (error instanceof SipctlError && error.problems[0]?.code === 'not_a_file') return null;
    throw error;
  }
}

async function digestOf(real: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readFrom(async () => real, 0)) hash.update(chunk);
  return hash.digest('hex');
}

async function removeFile(real: string): Promise<boolean> {
  await unlink(real);
  return true;
}

const missing = (path: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'recording_missing',
    message: `there is no ${path}`,
    hint: `ls -l ${dirname(path)} shows what there is`,
  });

const leadsOut = (path: string, real: string): SipctlError =>
  new SipctlError('refused', {
    code: 'link_leads_out',
    message: `${path} is a link that leads out of the folder of recordings, to ${real}`,
    hint: 'no link is followed that leads out: look at it, and remove it',
  });
