import type { FileOperations, OpenFile } from '../../../src/files/operations.ts';
import { type Call, intercept, isKillPoint } from './intercept.ts';

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/**
 * Operations under which this process ends by SIGKILL at its n-th change of the file system, counted from 1:
 * just before the call, and in the middle of it where it is a write. Calls already under way in other
 * threads may or may not come to their end, as in life.
 */
export function killAt(operations: FileOperations, n: number): FileOperations {
  return stopAt(operations, n, () => process.kill(process.pid, 'SIGKILL'));
}

/** What a run that was stopped like a killed one leaves to those who look at it. */
export interface Crash {
  operations: FileOperations;
  /** Settles when the n-th change was reached and nothing is under way any more. */
  crashed: Promise<void>;
}

/**
 * The same within a living process: from the n-th change on no call ever settles, so nothing that stands
 * behind it is run, no clean-up either. Much faster than a process of its own.
 */
export function crashAt(operations: FileOperations, n: number): Crash {
  let report = (): void => undefined;
  const crashed = new Promise<void>((resolve) => {
    report = resolve;
  });
  // As the kernel does for a killed process.
  const open = new Set<OpenFile>();
  const create: FileOperations['create'] = async (path, mode) => {
    const file = await operations.create(path, mode);
    open.add(file);
    const close = (): Promise<void> => (open.delete(file) ? file.close() : Promise.resolve());
    return { ...file, close };
  };
  const underWay = new Set<Promise<unknown>>();
  const tracked = intercept({ ...operations, create }, (_call, run) => {
    const call = run();
    underWay.add(call);
    const forget = (): boolean => underWay.delete(call);
    call.then(forget, forget);
    return call;
  });
  const settled = async (): Promise<void> => {
    while (underWay.size > 0) await Promise.allSettled([...underWay]);
    await Promise.allSettled([...open].map((file) => file.close()));
    report();
  };
  return { operations: stopAt(tracked, n, () => void settled()), crashed };
}

/** Operations whose n-th change fails with this errno, and with it all that would need room on the disk. */
export function failAt(operations: FileOperations, n: number, code: string): FileOperations {
  let count = 0;
  return intercept(operations, (call, run) => {
    if (needsRoom.has(call.name)) count += 1;
    return count >= n && needsRoom.has(call.name) ? Promise.reject(errno(code, call)) : run();
  });
}

const needsRoom = new Set(['mkdir', 'symlink', 'create', 'write', 'sync', 'syncFolder']);

function errno(code: string, call: Call): Error {
  const message = `${code}: ${call.name} '${call.path}'`;
  return Object.assign(new Error(message), { code, syscall: call.name, path: call.path });
}

function stopAt(operations: FileOperations, n: number, stop: () => void): FileOperations {
  let count = 0;
  return intercept(operations, async (call, run) => {
    if (count >= n) return never();
    if (!isKillPoint(call)) return run();
    count += 1;
    if (count < n) return run();
    await call.half?.();
    stop();
    return never();
  });
}
