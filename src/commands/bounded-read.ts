import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** What an open of a process's own descriptors is called, such as `<(command)` of a shell: it never waits. */
const ownDescriptor = /^\/(dev\/(fd\/|stdin$)|proc\/)/;

const chunk = 1024 * 1024;

/**
 * The bytes of a file, at most so many. A named pipe that nobody writes to would hold the process, deaf to Ctrl-C, and a
 * device may never end: neither is opened. /dev/null is empty.
 * @throws the system's error; `EFBIG` where it is larger, `ENXIO` where it is a device or a named pipe
 */
export function readBounded(path: string, most: number): Buffer {
  if (path === '/dev/null') return Buffer.alloc(0);
  const kind = statSync(path);
  if (!(kind.isFile() || kind.isDirectory() || (kind.isFIFO() && ownDescriptor.test(path))))
    throw failure('ENXIO');
  if (kind.size > most) throw failure('EFBIG');
  const handle = openSync(path, 'r');
  try {
    if (fstatSync(handle).isDirectory()) throw failure('EISDIR');
    return readAll(handle, most);
  } finally {
    closeSync(handle);
  }
}

// What stands in /proc has no size, and a file may grow meanwhile: what is read is counted.
function readAll(handle: number, most: number): Buffer {
  const parts: Buffer[] = [];
  for (let total = 0; ; ) {
    const part = Buffer.allocUnsafe(Math.min(chunk, most + 1));
    const size = readSync(handle, part);
    if (size === 0) return Buffer.concat(parts, total);
    total += size;
    if (total > most) throw failure('EFBIG');
    parts.push(part.subarray(0, size));
  }
}

/** Why a file was not read, in words where the system's code says little. */
export function unreadBecause(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENXIO') return 'it is a device or a named pipe';
  if (code === 'EFBIG') return 'it is too large';
  return code === 'EISDIR' ? 'it is a folder' : (code ?? 'error');
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });
