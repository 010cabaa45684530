import { dirname, join } from 'node:path';
import {
  adopt,
  discard,
  ensureFolder,
  fileMode,
  inParallel,
  placeFile,
  planted,
  type Writer,
} from './durable.ts';
import type { WriteCount } from './generations.ts';
import { orNull } from './operations.ts';
import { checkedStorePath } from './paths.ts';

interface StoreFile {
  path: string;
  data: Buffer;
}

/** What was written, and the way back for the case that the rest of the generation cannot be. */
export interface WrittenFiles {
  count: WriteCount;
  undo(): Promise<void>;
}

/**
 * Writes the store files that are missing, many at a time, and syncs each folder once at the end. A file
 * that is there with the right bytes is left alone; one that somebody changed is replaced in one step.
 * A failed write takes away again what it added.
 */
export async function writeStoreFiles(
  writer: Writer,
  root: string,
  store: ReadonlyMap<string, Buffer>,
): Promise<WrittenFiles> {
  const files = [...store].map(([path, data]) => ({ path: join(root, checkedStorePath(path)), data }));
  const folders = foldersOf([...store.keys()]).map((folder) => join(root, folder));

  const count: WriteCount = { files: 0, bytes: 0 };
  const added: string[] = [];
  const undo = (): Promise<void> => inParallel(added, (path) => discard(writer.operations, path));
  try {
    for (const level of byDepth(folders)) await inParallel(level, (folder) => ensureFolder(writer, folder));
    await inParallel(files, async (file) => {
      const state = await stateOf(writer, file);
      if (state === 'right') return;
      if (state === 'missing') added.push(file.path);
      await placeFile(writer, file.path, file.data);
      count.files += 1;
      count.bytes += file.data.length;
    });
    // Also the folders that got nothing new: a killed run may have filled them and not come this far.
    await inParallel(folders, (folder) => writer.operations.syncFolder(folder));
  } catch (error) {
    await undo();
    throw error;
  }
  return { count, undo };
}

// The size is asked first: only a file that could be right is read.
async function stateOf(writer: Writer, file: StoreFile): Promise<'missing' | 'right' | 'altered'> {
  const found = await orNull(writer.operations.lstat(file.path));
  if (found === null) return 'missing';
  if (!found.isFile()) throw planted(file.path, 'file');
  if (found.size !== file.data.length) return 'altered';
  if (!(await writer.operations.readFile(file.path)).equals(file.data)) return 'altered';
  await adopt(writer, file.path, found, fileMode);
  return 'right';
}

/** `store`, `store/acme`, … : every folder on the way to the files, each once. */
function foldersOf(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); folder !== '.' && !folders.has(folder); folder = dirname(folder)) {
      folders.add(folder);
    }
  }
  return [...folders];
}

function byDepth(folders: readonly string[]): string[][] {
  const levels = new Map<number, string[]>();
  for (const folder of folders) {
    const depth = folder.split('/').length;
    const level = levels.get(depth) ?? [];
    level.push(folder);
    levels.set(depth, level);
  }
  return [...levels].sort(([a], [b]) => a - b).map(([, level]) => level);
}
