import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { SipctlError } from '../errors.ts';
import { discard, fileMode, type Writer } from './durable.ts';
import { about } from './failure.ts';
import {
  type LockRecord,
  lockExpiry,
  mayBeAlive,
  type ProcessIdentity,
  parseLock,
  serializeLock,
  thisProcess,
} from './lock-record.ts';
import { errorCode, type OpenFile, orNull } from './operations.ts';

/*
 * The lock is the file `lock`, and it comes into being whole: a draft is written and synced under its own
 * name, and link(2) gives it the name `lock`, which only one process can get.
 *
 *   draft ──link──▶ lock                                nobody held it
 *   draft ──link──▶ lock.taken-<id> ──rename──▶ lock    its owner <id> is dead
 *
 * Only the one process that gets the name `lock.taken-<id>` may replace the lock <id>. If that process dies
 * too, `lock.taken-<its id>` decides who follows it, and so on. Having the claim, one looks at `lock` again:
 * from then on nobody else may change it while it is <id>'s, and if it is no longer <id>'s (another one took
 * it, and perhaps gave it back) the claim is void. Ids are never used twice, so a void claim harms nobody.
 */

/** A lock that this process has. */
export interface HeldLock {
  /** True where its last owner did not give it back: that run was killed, and may have left things behind. */
  readonly inherited: boolean;
  /** @throws SipctlError `conflict` where another run has taken the lock since: this process slept too long */
  assertHeld(): Promise<void>;
  /** Gives the lock back; leaves one that is no longer ours. */
  release(): Promise<void>;
}

/** How a lock is taken. */
export interface LockRequest {
  writer: Writer;
  /** The folder of the lock file. */
  root: string;
  holder: string;
  now: () => Date;
  /** Milliseconds between two signs of life. */
  renewEvery: number;
  processIsAlive: (process: ProcessIdentity) => boolean;
}

interface Draft {
  path: string;
  file: OpenFile;
  record: LockRecord;
  /** Of the file, to know it again: its place in the file system, and its clock. */
  ino: number;
  mtimeMs: number;
}

interface FoundLock {
  id: string;
  /** Null where the file is not one of ours. */
  record: LockRecord | null;
  alive: boolean;
}

/** @throws SipctlError `conflict` naming the holder, since when, and what to do */
export async function takeLock(request: LockRequest): Promise<HeldLock> {
  const draft = await makeDraft(request);
  try {
    // Each round another run came first and went away again; that cannot go on.
    for (let round = 0; round < 50; round++) {
      if (await linkedAs(request, draft, 'lock')) return await hold(request, draft, false);
      if (await replaceDead(request, draft)) return await hold(request, draft, true);
    }
    throw busy(request.root);
  } catch (error) {
    await draft.file.close().catch(() => undefined);
    await discard(request.writer.operations, draft.path);
    throw error;
  }
}

async function makeDraft({ writer, root, holder, now }: LockRequest): Promise<Draft> {
  const started = now().toISOString();
  const record = { ...thisProcess(), id: randomUUID(), holder, started, renewed: started };
  // The name says whose it is, for the case that the process is killed before the content does.
  const path = join(root, `lock.draft-${machineTag(record)}-${record.pid}-${record.id}`);
  const file = await writer.operations.create(path, 0o600);
  try {
    await about(path, file.write(serializeLock(record)));
    const { uid, gid } = writer.ownership;
    if (uid !== -1 || gid !== -1) await about(path, file.chown(uid, gid));
    await about(path, file.chmod(fileMode));
    await about(path, file.sync());
    const { ino, mtimeMs } = await file.stat();
    return { path, file, record, ino, mtimeMs };
  } catch (error) {
    await file.close().catch(() => undefined);
    await discard(writer.operations, path);
    throw error;
  }
}

async function linkedAs({ writer, root }: LockRequest, draft: Draft, name: string): Promise<boolean> {
  try {
    await writer.operations.link(draft.path, join(root, name));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** True when the lock was a dead owner's and is ours now; false when all is to be looked at anew. */
async function replaceDead(request: LockRequest, draft: Draft): Promise<boolean> {
  const { operations } = request.writer;
  const line: string[] = [];
  for (let name = 'lock'; ; ) {
    const found = await look(request, draft, name);
    if (found === null) break;
    if (found.alive) throw lockedBy(request.root, found.record, thisProcess().machine);
    line.push(found.id);
    name = claimOn(found.id);
  }
  const last = line.at(-1);
  if (last === undefined || !(await linkedAs(request, draft, claimOn(last)))) return false;

  const owner = await look(request, draft, 'lock');
  if (owner === null || !line.includes(owner.id)) {
    await discard(operations, join(request.root, claimOn(last)));
    return false;
  }
  await operations.rename(draft.path, join(request.root, 'lock'));
  for (const id of line) await discard(operations, join(request.root, claimOn(id)));
  return true;
}

/** The name that decides who follows the owner of this lock. */
export const claimOn = (id: string): string => `lock.taken-${id}`;

async function look(request: LockRequest, draft: Draft, name: string): Promise<FoundLock | null> {
  const { writer, root, processIsAlive } = request;
  const path = join(root, name);
  const text = await orNull(writer.operations.readFile(path));
  const stat = await orNull(writer.operations.lstat(path));
  if (text === null || stat === null) return null;
  const record = parseLock(text.toString('utf8'));
  // Against the draft's own time stamp: both come from the clock of the file system, whoever wrote them.
  const silence = (draft.mtimeMs - stat.mtimeMs) / 1000;
  if (record === null) return { id: `unknown-${stat.ino}`, record, alive: silence <= lockExpiry };
  return { id: record.id, record, alive: mayBeAlive(record, silence, draft.record, processIsAlive) };
}

// Drafts and claims of processes that were killed. A claim on our own lock is somebody's who thinks us dead.
async function sweepDead(request: LockRequest, draft: Draft): Promise<void> {
  const { operations } = request.writer;
  for (const { name } of await operations.readdir(request.root)) {
    if (!/^lock\.(draft|taken)-/.test(name) || name === claimOn(draft.record.id)) continue;
    const found = await look(request, draft, name);
    if (found === null) continue;
    const abandoned = found.record === null && isAbandonedDraft(request, draft, name);
    if (abandoned || !found.alive) await discard(operations, join(request.root, name));
  }
}

// A draft without content: its process was killed between making and writing it, or is just about to.
function isAbandonedDraft({ processIsAlive }: LockRequest, draft: Draft, name: string): boolean {
  const [, tag, pid] = /^lock\.draft-([0-9a-f]+)-([0-9]+)-/.exec(name) ?? [];
  const onThisMachine = tag === machineTag(draft.record);
  return onThisMachine && !processIsAlive({ ...draft.record, pid: Number(pid), processStarted: null });
}

/** Tells machines apart in names of drafts. */
export const machineTag = ({ machine }: ProcessIdentity): string =>
  createHash('sha256').update(machine).digest('hex').slice(0, 8);

async function hold(request: LockRequest, draft: Draft, inherited: boolean): Promise<HeldLock> {
  const { writer, root, now, renewEvery } = request;
  const path = join(root, 'lock');
  await discard(writer.operations, draft.path);
  // Leftovers disturb nobody: whether they can be removed decides nothing.
  await sweepDead(request, draft).catch(() => undefined);

  // Written into the open file, never to the name: what another run has put there stays as it is. A failed
  // renewal costs nothing on this machine, and elsewhere the next one comes in time.
  let renewal = Promise.resolve();
  const renew = (): void => {
    const record = { ...draft.record, renewed: now().toISOString() };
    renewal = renewal.then(() => draft.file.write(serializeLock(record))).catch(() => undefined);
  };
  const timer = setInterval(renew, renewEvery);
  timer.unref();

  const isOurs = async (): Promise<boolean> =>
    (await orNull(writer.operations.lstat(path)))?.ino === draft.ino;
  let released = false;
  return {
    inherited,
    assertHeld: async () => {
      if (!(await isOurs())) throw lost(root);
    },
    release: async () => {
      if (released) return;
      released = true;
      clearInterval(timer);
      await renewal;
      // The open file keeps its inode number from being given to another lock while we compare.
      try {
        if (await isOurs()) await orNull(writer.operations.unlink(path));
      } finally {
        await draft.file.close();
      }
    },
  };
}

/**
 * The refusal to work where another run is at work.
 * @param machine that on whose processes one can look
 */
export function lockedBy(root: string, record: LockRecord | null, machine: string): SipctlError {
  const path = join(root, 'lock');
  if (record === null) {
    return new SipctlError('conflict', {
      code: 'locked',
      message: `${path} is there, and is not a lock that sipctl wrote`,
      hint: `wait: it is replaced ${lockExpiry} s after its last change; or remove it when no run is at work`,
    });
  }
  const sameMachine = record.machine === machine;
  return new SipctlError('conflict', {
    code: 'locked',
    message: `${root} is locked by ${record.holder} (process ${record.pid} on ${record.host}) since ${record.started}`,
    hint: sameMachine
      ? `wait until it has finished; ps -p ${record.pid} shows it, and when it is ended the next run takes over`
      : `wait until it has finished; when it is dead the lock is free ${lockExpiry} s after its last sign of life, ${record.renewed}`,
  });
}

/** Each time one looked, another run came first. */
export function busy(root: string): SipctlError {
  return new SipctlError('conflict', {
    code: 'locked',
    message: `${root}: other runs took the lock again and again`,
    hint: 'run again when they have finished',
  });
}

/** The lock went to another run. */
export function lost(root: string): SipctlError {
  return new SipctlError('conflict', {
    code: 'lock_lost',
    message: `${join(root, 'lock')} was taken over by another run while this one stood still`,
    hint: 'nothing was changed by this step; run again',
  });
}
