import { randomUUID } from 'node:crypto';
import { farFailure } from './far-failure.ts';
import { codes } from './far-shell.ts';
import { busy, claimOn, lockedBy, machineTag } from './lock.ts';
import { type LockRecord, mayBeAlive, parseLock } from './lock-record.ts';
import type { Answer } from './shell-answers.ts';
import { type ShellSession, startedIn } from './shell-session.ts';
import { quoted } from './ssh.ts';
import type { TarEntry } from './tar.ts';

/** How the lock of a far place is taken. */
export interface FarLockRequest {
  /** As people know it. */
  place: string;
  holder: string;
  now: () => Date;
  /** The generation whose manifest is known already: it is not sent again. */
  known: string;
}

/** A lock that the shell at the other end has. */
export interface FarLock {
  id: string;
  /** True where its last owner did not give it back. */
  inherited: boolean;
  /** What stands there, read under the lock. */
  state: Answer;
}

/** What of a lock can be seen from outside. */
interface Seen {
  entries: readonly TarEntry[];
  /** Name → its inode. */
  inodes: ReadonlyMap<string, string>;
  /** Seconds, by the clock of the file system. */
  now: number;
  self: LockRecord;
}

/**
 * Takes the lock of `lock.ts` for the shell at the other end: it ends with its connection, and its machine's process table
 * says so to everybody, whether they come by SSH or run there. Only where somebody has it, more than one request is made.
 * @throws SipctlError `conflict` naming the holder
 */
export async function takeFarLock(session: ShellSession, request: FarLockRequest): Promise<FarLock> {
  const { place, holder, now, known } = request;
  const started = now().toISOString();
  const id = randomUUID();
  const self: LockRecord = { ...session.process, id, holder, started, renewed: started };
  const draft = `lock.draft-${machineTag(self)}-${self.pid}-${id}`;
  let state = await session.ask(`seize ${draft} ${id} ${quoted(JSON.stringify(self))} ${quoted(known)}`);
  let inherited = false;
  try {
    for (let round = 0; state.code !== 0; round++) {
      if (round === 50) throw busy(`${place}/sipctl`);
      if (state.code !== codes.contended && state.code !== codes.again)
        throw farFailure(state, { doing: 'lock', place });
      const line =
        state.code === codes.again ? [] : await deadLine(session, request, seen(state, draft, self));
      const last = line.at(-1);
      inherited = last !== undefined;
      state = await session.ask(
        last === undefined
          ? `claim ${quoted(known)}`
          : `follow ${claimOn(last)} ${quoted(known)} ${line.join(' ')}`,
      );
    }
  } catch (error) {
    await session.ask('abandon').catch(() => undefined);
    throw error;
  }
  // Leftovers disturb nobody: whether they can be removed decides nothing.
  await sweepDead(session, self, state).catch(() => undefined);
  return { id, inherited, state };
}

const seen = ({ entries, lines }: Answer, draft: string, self: LockRecord): Seen => ({
  entries,
  inodes: new Map(lines.map((line) => line.split(' ', 2).reverse() as [string, string])),
  now: entries.find(({ path }) => path === draft)?.modifiedAt ?? 0,
  self,
});

/** The owner of the lock and all who followed it and died. @throws SipctlError `conflict` where one of them is alive */
async function deadLine(session: ShellSession, { place }: FarLockRequest, all: Seen): Promise<string[]> {
  const line: string[] = [];
  for (let name = 'lock'; ; name = claimOn(line.at(-1) ?? '')) {
    const entry = all.entries.find(({ path }) => path === name);
    if (entry === undefined) return line;
    const record = parseLock(entry.data.toString('utf8'));
    if (await isAlive(session, record, all.now - entry.modifiedAt, all.self))
      throw lockedBy(`${place}/sipctl`, record, all.self.machine);
    line.push(record?.id ?? `unknown-${all.inodes.get(name) ?? ''}`);
  }
}

async function isAlive(
  session: ShellSession,
  record: LockRecord | null,
  silence: number,
  self: LockRecord,
): Promise<boolean> {
  if (record?.machine === self.machine) return processRuns(session, record.pid, record.processStarted);
  const other = record ?? { ...self, machine: '' };
  return mayBeAlive(other, silence, self, () => false);
}

/** False also where the process has ended and another one has its number. */
async function processRuns(session: ShellSession, pid: number, started: string | null): Promise<boolean> {
  const [told = ''] = (await session.ask(`alive ${pid}`)).lines;
  if (told === 'gone' || told === 'alive') return told === 'alive';
  if (/^[ZX]$/.test(told.slice(told.lastIndexOf(')') + 2, told.lastIndexOf(')') + 3))) return false;
  return started === null || startedIn(told) === null || startedIn(told) === started;
}

// Drafts and claims of processes that were killed. A claim on our own lock is somebody's who thinks us dead.
async function sweepDead(session: ShellSession, self: LockRecord, { lines }: Answer): Promise<void> {
  const left = lines.filter((line) => line.startsWith('left ')).map((line) => line.slice(5));
  const others = left.filter((name) => name !== claimOn(self.id) && /^[\w.-]+$/.test(name));
  if (others.length === 0) return;
  const { entries } = await session.ask(`files ours lock ${others.join(' ')}`);
  const now = entries.find(({ path }) => path === 'lock')?.modifiedAt ?? 0;
  const dead: string[] = [];
  for (const { path, data, modifiedAt } of entries) {
    if (path === 'lock') continue;
    const record = parseLock(data.toString('utf8'));
    const [, tag, pid] = /^lock\.draft-([0-9a-f]+)-([0-9]+)-/.exec(path) ?? [];
    // A draft without content: its process was killed between making and writing it, or is just about to.
    const runs =
      record === null && tag === machineTag(self)
        ? await processRuns(session, Number(pid), null)
        : await isAlive(session, record, now - modifiedAt, self);
    if (!runs) dead.push(path);
  }
  if (dead.length > 0) await session.ask(`discard ${dead.join(' ')}`);
}
