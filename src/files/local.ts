import { dirname, join } from 'node:path';
import { SipctlError } from '../errors.ts';
import { type Accounts, localAccounts } from './accounts.ts';
import { discard, ensureFolder, type Ownership, placeFileDurably, planted, type Writer } from './durable.ts';
import { explained } from './failure.ts';
import {
  completeGenerations,
  currentGeneration,
  isComplete,
  sweepAfterKill,
  sweepLeftovers,
  writeGenerationFolder,
} from './generation-folders.ts';
import { type Generations, generationFolder, type NewGeneration, type WriteCount } from './generations.ts';
import { hostStat, readWithin, writeHostFile } from './host-files.ts';
import { type HeldLock, takeLock } from './lock.ts';
import { type ProcessIdentity, processIsAlive } from './lock-record.ts';
import { type FileOperations, fileSystem, orNull } from './operations.ts';
import { temporaryPath } from './paths.ts';
import { pruneGenerations } from './prune.ts';
import { writeStoreFiles } from './store-files.ts';

/** Settings of a local place; everything outside it comes in here. */
export interface LocalOptions {
  /** User name; the process’s own when not set. */
  owner?: string;
  /** Group name; the configuration folder’s when not set. */
  group?: string;
  now: () => Date;
  operations?: FileOperations;
  /** Asked for processes of this machine that hold the lock. */
  processIsAlive?: (process: ProcessIdentity) => boolean;
  /** Milliseconds between two signs of life of a held lock. */
  renewEvery?: number;
}

/**
 * Generations in a folder of this machine. Nothing is touched before the first call; each call finds out
 * anew what is there, so that a run carries on where a killed one stopped.
 */
export function localGenerations(dir: string, options: LocalOptions): Generations {
  const operations = options.operations ?? fileSystem;
  const accounts = localAccounts();
  let held: HeldLock | null = null;

  /** The configuration folder with its links resolved: an operator may well have put it elsewhere. */
  const home = async (): Promise<string> => {
    const path = await orNull(operations.realpath(dir));
    if (path === null || !(await operations.lstat(path)).isDirectory()) throw noFolder(dir);
    return path;
  };
  /** Our own folder; it must not be a link, whoever made it. Missing is allowed. */
  const ours = async (): Promise<string> => {
    const root = join(await home(), 'sipctl');
    for (const folder of [root, join(root, 'store'), join(root, 'generations')]) {
      const found = await orNull(operations.lstat(folder));
      if (found !== null && !found.isDirectory()) throw planted(folder, 'folder');
    }
    return root;
  };
  const writer = async (): Promise<Writer> => ({
    operations,
    ownership: await ownershipFor(options, operations, accounts, await home()),
  });
  const prepare = async (): Promise<{ root: string; as: Writer }> => {
    const [root, as] = [await ours(), await writer()];
    if (await ensureFolder(as, root)) await operations.syncFolder(dirname(root));
    return { root, as };
  };
  /** What every change begins with: the folder is there and ours, and the lock is, if it was taken. */
  const begin = async (): Promise<{ root: string; as: Writer }> => {
    await held?.assertHeld();
    return prepare();
  };

  const generations: Generations = {
    place: dir,
    folder: dir,
    current: () => explained('current', async () => currentGeneration(operations, await ours())),
    list: () => explained('list', async () => completeGenerations(operations, await ours())),
    // Reads are many, and no link that leads out of our folder gets past this one: no need to look at each.
    read: (path) => explained('read', async () => readWithin(operations, join(await home(), 'sipctl'), path)),
    readAll: async (paths) => {
      const texts: (Buffer | null)[] = [];
      for (const path of paths) texts.push(await generations.read(path));
      return texts;
    },
    write: (generation) =>
      explained('write', async () => {
        const { root, as } = await begin();
        await sweepLeftovers(operations, root);
        return write(as, root, generation);
      }),
    flip: (generation) =>
      explained('flip', async () => {
        const { root } = await begin();
        if (!(await isComplete(operations, root, generation))) throw noGeneration(root, generation);
        await pointCurrentAt(operations, root, generation);
      }),
    verified: () => explained('verified', async () => verifiedGeneration(operations, await ours())),
    markVerified: (generation) =>
      explained('mark verified', async () => {
        const { root, as } = await begin();
        await placeFileDurably(as, join(root, 'verified'), Buffer.from(`${generation ?? 'none'}\n`));
      }),
    prune: (keep) =>
      explained('prune', async () => {
        const { root } = await begin();
        const inForce = [
          await currentGeneration(operations, root),
          await verifiedGeneration(operations, root),
        ];
        const wanted = new Set([...keep, ...inForce.filter((number) => number !== null)]);
        return pruneGenerations(operations, root, wanted);
      }),
    lock: (holder) =>
      explained('lock', async () => {
        const { root, as } = await prepare();
        const { now, renewEvery = 5000, processIsAlive: isAlive = processIsAlive } = options;
        const lock = await takeLock({ writer: as, root, holder, now, renewEvery, processIsAlive: isAlive });
        held = lock;
        if (lock.inherited) await sweepAfterKill(operations, root);
        return async () => {
          if (held === lock) held = null;
          await explained('unlock', () => lock.release());
        };
      }),
    readHost: (name) => explained('read', async () => readWithin(operations, await home(), name)),
    writeHost: (name, text) =>
      explained('write', async () =>
        writeHostFile(
          await writer(),
          await home(),
          name,
          typeof text === 'string' ? Buffer.from(text) : text,
          options.now(),
        ),
      ),
    stat: (path) => explained('look', async () => hostStat(operations, accounts, await home(), path)),
  };
  return generations;
}

async function write(as: Writer, root: string, generation: NewGeneration): Promise<WriteCount> {
  const store = await writeStoreFiles(as, root, generation.store);
  try {
    const folder = await writeGenerationFolder(as, root, generation.number, generation.files);
    return { files: store.count.files + folder.files, bytes: store.count.bytes + folder.bytes };
  } catch (error) {
    // A generation that has its name keeps its files, even when it is not wanted any more.
    const named = await isComplete(as.operations, root, generation.number).catch(() => true);
    if (!named) await store.undo();
    throw error;
  }
}

// The one step that the PBX can see. The link is relative: it holds wherever the folder is mounted.
async function pointCurrentAt(operations: FileOperations, root: string, generation: number): Promise<void> {
  const current = join(root, 'current');
  const draft = temporaryPath(current);
  await operations.symlink(`generations/${generationFolder(generation)}`, draft);
  try {
    const found = await orNull(operations.lstat(current));
    if (found !== null && !found.isSymbolicLink()) throw planted(current, 'link');
    await operations.rename(draft, current);
  } catch (error) {
    await discard(operations, draft);
    throw error;
  }
  await operations.syncFolder(root);
}

async function verifiedGeneration(operations: FileOperations, root: string): Promise<number | null> {
  const text = (await readWithin(operations, root, 'verified'))?.toString('utf8') ?? '';
  return /^[0-9]{1,15}\n$/.test(text) ? Number(text) : null;
}

/**
 * Asterisk must be able to read what is delivered, so the group is that of the configuration folder unless
 * one is set; and where root delivers into another user's folder of group root, so is the owner.
 */
async function ownershipFor(
  options: LocalOptions,
  operations: FileOperations,
  accounts: Accounts,
  folder: string,
): Promise<Ownership> {
  const { owner, group } = options;
  const found = await operations.lstat(folder);
  const asRoot = process.geteuid?.() === 0;
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  const ownUid = asRoot && found.gid === 0 && found.uid !== 0 ? found.uid : -1;
  const ownGid = asRoot || groups.includes(found.gid) ? found.gid : -1;
  return {
    uid: owner === undefined ? ownUid : await accounts.userId(owner),
    gid: group === undefined ? ownGid : await accounts.groupId(group),
  };
}

function noFolder(dir: string): SipctlError {
  return new SipctlError('notFound', {
    code: 'folder_missing',
    message: `the configuration folder ${dir} does not exist, or is not a folder`,
    field: 'dir',
    hint: `is the PBX installed here? Otherwise name its folder: sipctl node set <node> --dir <folder>`,
  });
}

function noGeneration(root: string, generation: number): SipctlError {
  return new SipctlError('notFound', {
    code: 'no_generation',
    message: `${root} holds no complete generation ${generation}`,
    hint: 'sipctl history names those that are there',
  });
}
