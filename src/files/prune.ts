import { join } from 'node:path';
import { inParallel } from './durable.ts';
import {
  completeGenerations,
  generationNumber,
  removeGeneration,
  sweepLeftovers,
} from './generation-folders.ts';
import { generationFolder } from './generations.ts';
import { type FileOperations, orNull } from './operations.ts';
import { isStorePath, isTemporary } from './paths.ts';

/**
 * Removes the generations not in `keep`, then the store files that no kept generation names, then empty folders and leftovers. What sipctl did not name is never touched.
 * Returns the number of generations removed.
 */
export async function pruneGenerations(
  operations: FileOperations,
  root: string,
  keep: ReadonlySet<number>,
): Promise<number> {
  await sweepLeftovers(operations, root);
  const kept = await completeGenerations(operations, root);
  const doomed = kept.filter((number) => !keep.has(number));
  for (const number of doomed) await removeGeneration(operations, folderOf(root, number));
  await removeHalves(operations, root, new Set(kept));
  const generations = join(root, 'generations');
  // First on disk: after a power failure no generation may come back without its files.
  if ((await orNull(operations.lstat(generations))) !== null) await operations.syncFolder(generations);

  const needed = new Set<string>();
  for (const number of kept) {
    if (keep.has(number)) await addMentioned(operations, folderOf(root, number), needed);
  }
  await pruneFolder(operations, root, 'store', needed);
  return doomed.length;
}

const folderOf = (root: string, number: number): string =>
  join(root, 'generations', generationFolder(number));

// A folder with a generation's name and no manifest: a copy or a restore that broke off.
async function removeHalves(
  operations: FileOperations,
  root: string,
  complete: ReadonlySet<number>,
): Promise<void> {
  for (const entry of (await orNull(operations.readdir(join(root, 'generations')))) ?? []) {
    const number = generationNumber(entry.name);
    if (number === null || complete.has(number) || !entry.isDirectory()) continue;
    await removeGeneration(operations, folderOf(root, number));
  }
}

// The generation's own include lines say what it needs, whichever way an engine wants them written.
async function addMentioned(operations: FileOperations, folder: string, needed: Set<string>): Promise<void> {
  for (const entry of await operations.readdir(folder)) {
    if (!entry.isFile()) continue;
    const text = (await operations.readFile(join(folder, entry.name))).toString('utf8');
    for (const path of storePathsIn(text)) needed.add(path);
  }
}

/** The store files that the text of an index names. */
export const storePathsIn = (text: string): string[] =>
  [...text.matchAll(/\bstore\/[A-Za-z0-9._@+/-]+/g)].map(([path]) => path);

async function pruneFolder(
  operations: FileOperations,
  root: string,
  folder: string,
  needed: ReadonlySet<string>,
): Promise<void> {
  const path = join(root, folder);
  const found = await orNull(operations.lstat(path));
  if (found === null || !found.isDirectory()) return;
  const entries = await operations.readdir(path);
  await inParallel(
    entries,
    async (entry) => {
      const child = `${folder}/${entry.name}`;
      if (entry.isDirectory()) await pruneFolder(operations, root, child, needed);
      else if (isTemporary(entry.name) || (isStorePath(child) && !needed.has(child))) {
        await orNull(operations.unlink(join(root, child)));
      }
    },
    folder === 'store' ? 16 : 1,
  );
  if (folder === 'store') return;
  if ((await operations.readdir(path)).length === 0) await orNull(operations.rmdir(path));
}
