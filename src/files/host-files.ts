import { basename, dirname, join } from 'node:path';
import { SipctlError } from '../errors.ts';
import type { Accounts } from './accounts.ts';
import { placeFile, type Writer } from './durable.ts';
import type { HostStat } from './generations.ts';
import { errorCode, type FileOperations, orNull } from './operations.ts';
import { below, isTemporary, isWithin } from './paths.ts';

/**
 * The path with its links resolved, or null where it is missing.
 * @throws SipctlError `refused` where a link leads out of `folder`, which must itself be free of links
 */
async function resolveWithin(
  operations: FileOperations,
  folder: string,
  path: string,
): Promise<string | null> {
  const wanted = below(folder, path);
  const real = await orNull(operations.realpath(wanted));
  if (real === null || isWithin(folder, real)) return real;
  throw new SipctlError('refused', {
    code: 'link_leads_out',
    message: `${wanted} is a link that leads out of ${folder}, to ${real}`,
    hint: `put the file itself in its place: cp --remove-destination ${real} ${wanted}`,
  });
}

/** The bytes of a regular file below `folder`, or null where it is missing. */
export async function readWithin(
  operations: FileOperations,
  folder: string,
  path: string,
): Promise<Buffer | null> {
  const real = await resolveWithin(operations, folder, path);
  if (real === null) return null;
  const found = await orNull(operations.lstat(real));
  if (found === null) return null;
  // A pipe that somebody put there would hold the reader for ever.
  if (!found.isFile()) throw notAFile(real);
  return orNull(operations.readFile(real));
}

/**
 * Adds a file of the configuration folder or replaces it in one step. The new one has the old one's mode and
 * owner, and the old one stays beside it as `<name>.sipctl-backup-<UTC time>`.
 */
export async function writeHostFile(
  writer: Writer,
  folder: string,
  name: string,
  data: Buffer,
  time: Date,
): Promise<void> {
  const { operations } = writer;
  const before = await readWithin(operations, folder, name);
  if (before?.equals(data)) return;
  await sweepDrafts(operations, below(folder, name));
  if (before === null) {
    const path = below(folder, name);
    await assertNoDanglingLink(operations, folder, path);
    await placeFile(writer, path, data);
    await operations.syncFolder(dirname(path));
    return;
  }
  const path = (await resolveWithin(operations, folder, name)) ?? below(folder, name);
  const { uid, gid, mode } = await operations.lstat(path);
  const sameOwner: Writer = { operations, ownership: { uid, gid } };
  await placeFile(sameOwner, await freeBackupPath(operations, path, time), before, mode & 0o7777);
  await placeFile(sameOwner, path, data, mode & 0o7777);
  await operations.syncFolder(dirname(path));
}

/** Owner, group and mode of a path below `folder` (`.` is the folder itself), or null where it is missing. */
export async function hostStat(
  operations: FileOperations,
  accounts: Accounts,
  folder: string,
  path: string,
): Promise<HostStat | null> {
  const wanted = path === '.' ? folder : below(folder, path);
  const real = await orNull(operations.realpath(wanted));
  // What a link out of the folder leads to is not ours to look at: the link itself is the answer.
  const seen = real !== null && isWithin(folder, real) ? real : wanted;
  const found = await orNull(operations.lstat(seen));
  if (found === null) return null;
  return {
    kind: found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other',
    owner: await accounts.userName(found.uid),
    group: await accounts.groupName(found.gid),
    mode: found.mode & 0o7777,
    writable: !found.isSymbolicLink() && (await isWritable(operations, seen)),
  };
}

async function isWritable(operations: FileOperations, path: string): Promise<boolean> {
  try {
    await operations.assertWritable(path);
    return true;
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return false;
  }
}

async function assertNoDanglingLink(operations: FileOperations, folder: string, path: string): Promise<void> {
  if ((await orNull(operations.lstat(path))) !== null) throw notAFile(path);
  const parent = dirname(path);
  if (parent !== folder) await resolveWithin(operations, folder, parent.slice(folder.length + 1));
}

// What a killed run left of this very file, and of its backup; the folder is not ours to tidy up.
async function sweepDrafts(operations: FileOperations, path: string): Promise<void> {
  for (const entry of (await orNull(operations.readdir(dirname(path)))) ?? []) {
    if (!entry.isFile() || !isTemporary(entry.name) || !entry.name.startsWith(`${basename(path)}.`)) continue;
    await orNull(operations.unlink(join(dirname(path), entry.name)));
  }
}

async function freeBackupPath(operations: FileOperations, path: string, time: Date): Promise<string> {
  const stamp = time.toISOString().replace(/[-:]|\.[0-9]+/g, '');
  const first = `${path}.sipctl-backup-${stamp}`;
  for (let count = 1; ; count++) {
    const backup = count === 1 ? first : `${first}-${count}`;
    if ((await orNull(operations.lstat(backup))) === null) return backup;
  }
}

function notAFile(path: string): SipctlError {
  return new SipctlError('refused', {
    code: 'not_a_file',
    message: `${path} is not a regular file`,
    hint: `look at it with ls -ld ${path}; it may be a link to nothing`,
  });
}
