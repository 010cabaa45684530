import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** One process, told apart from every other one that ever had its number. */
export interface ProcessIdentity {
  host: string;
  /** Equal for processes that can see each other: this boot of this machine, in this container. */
  machine: string;
  pid: number;
  /** Start time in clock ticks since boot (proc(5), field 22 of stat); null where there is no /proc. */
  processStarted: string | null;
}

/** What stands in the lock: who is at work, and since when. */
export interface LockRecord extends ProcessIdentity {
  /** Never used twice. */
  id: string;
  /** In words for people, for example `ann@admin apply`. */
  holder: string;
  /** UTC, ISO 8601. */
  started: string;
  renewed: string;
}

/** Seconds without a sign of life after which a lock of another machine is free. */
export const lockExpiry = 60;

export const serializeLock = (record: LockRecord): Buffer => Buffer.from(`${JSON.stringify(record)}\n`);

/** Null for a text that is not a lock record. */
export function parseLock(text: string): LockRecord | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const record = parsed as Record<string, unknown>;
  const isText = (name: string): boolean => typeof record[name] === 'string';
  const whole =
    ['id', 'holder', 'host', 'machine', 'started', 'renewed'].every(isText) &&
    /^[0-9a-f-]{8,64}$/.test(record.id as string) &&
    Number.isInteger(record.pid) &&
    (record.processStarted === null || isText('processStarted'));
  return whole ? (parsed as LockRecord) : null;
}

/**
 * Whether the owner of a lock may still be at work. On this machine the process table says so; elsewhere
 * only time does.
 * @param silence seconds since the lock was last renewed, by the clock of the file system that holds it
 */
export function mayBeAlive(
  record: LockRecord,
  silence: number,
  self: ProcessIdentity,
  isAlive: (process: ProcessIdentity) => boolean,
): boolean {
  return record.machine === self.machine ? isAlive(record) : silence <= lockExpiry;
}

/** This very process. */
export function thisProcess(): ProcessIdentity {
  const host = hostname();
  const boot = orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = orEmpty(() => readlinkSync('/proc/self/ns/pid'));
  return {
    host,
    machine: [host, boot, namespace].join(' '),
    pid: process.pid,
    processStarted: processStat(process.pid)?.started ?? null,
  };
}

/** True while this process of this machine runs; false also where its number has gone to another one. */
export function processIsAlive(owner: ProcessIdentity): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: there, but another user's.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const stat = processStat(owner.pid);
  if (stat === null) return true;
  if (stat.state === 'Z' || stat.state === 'X') return false;
  return owner.processStarted === null || owner.processStarted === stat.started;
}

// proc(5): `pid (name) state …`; the name may hold blanks and brackets, so fields count from its last one.
function processStat(pid: number): { state: string; started: string } | null {
  const text = orEmpty(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  return state && started ? { state, started } : null;
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
