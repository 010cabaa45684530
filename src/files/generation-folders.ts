import { join } from 'node:path';
import { SipctlError } from '../errors.ts';
import { createFile, ensureFolder, inParallel, planted, removeTree, type Writer } from './durable.ts';
import { generationFolder, type WriteCount } from './generations.ts';
import { errorCode, type FileOperations, orNull } from './operations.ts';
import { checkedName, isTemporary, temporaryPath } from './paths.ts';

/** In every generation, and the proof that a folder is a whole one. */
export const manifestFile = 'manifest.json';

/** The number that a folder's name means; null where it is not the name of a generation. */
export function generationNumber(name: string): number | null {
  if (!/^[0-9]{6,15}$/.test(name)) return null;
  const number = Number(name);
  return generationFolder(number) === name ? number : null;
}

/** True where the folder was delivered to its end; it gets its name only then. */
export async function isComplete(operations: FileOperations, root: string, number: number): Promise<boolean> {
  const folder = join(root, 'generations', generationFolder(number));
  const found = await orNull(operations.lstat(folder));
  if (found === null || !found.isDirectory()) return false;
  return (await orNull(operations.lstat(join(folder, manifestFile))))?.isFile() ?? false;
}

/** Numbers of all complete generations, ascending. */
export async function completeGenerations(operations: FileOperations, root: string): Promise<number[]> {
  const entries = (await orNull(operations.readdir(join(root, 'generations')))) ?? [];
  const complete: number[] = [];
  for (const entry of entries) {
    const number = generationNumber(entry.name);
    if (number !== null && (await isComplete(operations, root, number))) complete.push(number);
  }
  return complete.sort((a, b) => a - b);
}

/** The complete generation that `current` names. @throws SipctlError `refused` where `current` is not ours */
export async function currentGeneration(operations: FileOperations, root: string): Promise<number | null> {
  const path = join(root, 'current');
  const target = await orNull(operations.readlink(path)).catch((error: unknown) => {
    // EINVAL is readlink(2)'s word for "this is not a link".
    throw errorCode(error) === 'EINVAL' ? planted(path, 'link') : error;
  });
  if (target === null) return null;
  const number = target.startsWith('generations/') ? generationNumber(target.slice(12)) : null;
  if (number === null) throw planted(path, 'link to a generation');
  return (await isComplete(operations, root, number)) ? number : null;
}

/**
 * Writes a generation under a temporary name and gives it its own when all of it is on disk.
 * @throws SipctlError `conflict` where another generation has the number
 */
export async function writeGenerationFolder(
  writer: Writer,
  root: string,
  number: number,
  files: ReadonlyMap<string, string>,
): Promise<WriteCount> {
  const { operations } = writer;
  if (!files.has(manifestFile)) throw new Error(`generation ${number} has no ${manifestFile}`);
  const contents = new Map([...files].map(([name, text]) => [checkedName(name), Buffer.from(text)] as const));

  const generations = join(root, 'generations');
  const folder = join(generations, generationFolder(number));
  await ensureFolder(writer, generations);
  await operations.syncFolder(root);
  if (await isComplete(operations, root, number)) {
    if (await holdsExactly(operations, folder, contents)) {
      await operations.syncFolder(generations);
      return { files: 0, bytes: 0 };
    }
    // While none is in force, what has the number was left by a first run that was killed before its flip.
    if ((await currentGeneration(operations, root)) !== null) throw numberTaken(number, folder);
  }

  const draft = temporaryPath(folder);
  let named = false;
  try {
    await ensureFolder(writer, draft);
    await inParallel(contents, ([name, data]) => createFile(writer, join(draft, name), data));
    await operations.syncFolder(draft);
    await removeGeneration(operations, folder);
    await operations.rename(draft, folder);
    named = true;
    await operations.syncFolder(generations);
  } catch (error) {
    await (named ? removeGeneration(operations, folder) : removeTree(operations, draft)).catch(
      () => undefined,
    );
    throw error;
  }
  const bytes = [...contents.values()].reduce((sum, data) => sum + data.length, 0);
  return { files: contents.size, bytes };
}

/** Removes a generation's folder; a kill on the way leaves no half of it under its name. */
export async function removeGeneration(operations: FileOperations, folder: string): Promise<void> {
  const doomed = temporaryPath(folder);
  if ((await orNull(operations.lstat(folder))) === null) return;
  await operations.rename(folder, doomed);
  await removeTree(operations, doomed);
}

/** Removes what killed runs left in the sipctl folder and beside the generations. */
export async function sweepLeftovers(operations: FileOperations, root: string): Promise<void> {
  for (const folder of [root, join(root, 'generations')]) {
    for (const entry of (await orNull(operations.readdir(folder))) ?? []) {
      if (!isTemporary(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await removeTree(operations, path);
      else await orNull(operations.unlink(path));
    }
  }
}

/**
 * The same for the whole store, which takes a look into each of its folders: for whoever follows a run that was killed.
 * Leftovers disturb nobody, so whether they can be removed decides nothing.
 */
export async function sweepAfterKill(operations: FileOperations, root: string): Promise<void> {
  const sweep = async (folder: string): Promise<void> => {
    const entries = (await orNull(operations.readdir(folder))) ?? [];
    await inParallel(entries, async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await sweep(path);
      else if (isTemporary(entry.name)) await orNull(operations.unlink(path));
    });
  };
  await sweepLeftovers(operations, root)
    .then(() => sweep(join(root, 'store')))
    .catch(() => undefined);
}

async function holdsExactly(
  operations: FileOperations,
  folder: string,
  contents: ReadonlyMap<string, Buffer>,
): Promise<boolean> {
  const entries = await operations.readdir(folder);
  if (entries.length !== contents.size) return false;
  for (const { name } of entries) {
    const wanted = contents.get(name);
    if (wanted === undefined || !(await operations.readFile(join(folder, name))).equals(wanted)) return false;
  }
  return true;
}

function numberTaken(number: number, folder: string): SipctlError {
  return new SipctlError('conflict', {
    code: 'generation_exists',
    message: `${folder} exists and holds something else; a generation is never rewritten`,
    hint: `plan again: the next run takes a number after ${number}`,
  });
}
