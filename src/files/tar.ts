/** One entry of an archive. */
export interface TarEntry {
  path: string;
  kind: 'file' | 'other';
  /** Seconds since 1970. */
  modifiedAt: number;
  data: Buffer;
}

const block = 512;
/** What tar(1) reads at once; an archive is a multiple of it, so that nobody waits for the rest. */
const record = 10_240;
const fileMode = '0000640';

/** Files as an archive of the form that every tar(1) reads (POSIX ustar), each 0640 and of whoever unpacks it. */
export function archived(files: Iterable<readonly [path: string, data: Buffer]>): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
  };
  for (const [path, data] of files) {
    add(header(path, data.length));
    add(data);
    add(Buffer.alloc(padding(data.length, block)));
  }
  add(Buffer.alloc(2 * block));
  add(Buffer.alloc(padding(length, record)));
  return Buffer.concat(parts);
}

const padding = (length: number, unit: number): number => (unit - (length % unit)) % unit;

function header(path: string, size: number): Buffer {
  const head = Buffer.alloc(block);
  const { name, prefix } = split(path);
  head.write(name, 0);
  head.write(fileMode, 100);
  for (const at of [108, 116]) head.write('0000000', at);
  head.write(size.toString(8).padStart(11, '0'), 124);
  head.write('00000000000', 136);
  head.write('        ', 148);
  head.write('0', 156);
  head.write('ustar\0', 257);
  head.write('00', 263);
  head.write(prefix, 345);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return head;
}

// A name of more than 100 bytes is parted at a slash.
function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  const slash = path.indexOf('/', Math.max(0, path.length - 101));
  const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
  if (slash < 1 || Buffer.byteLength(prefix) > 155 || Buffer.byteLength(name) > 100)
    throw new Error(`${path} is too long for an archive`);
  return { name, prefix };
}

/** Reads an archive as it comes in; knows where it ends without being told. */
export class TarReader {
  readonly entries: TarEntry[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #zeros = 0;
  #longName: string | null = null;

  /** Takes more of it. Answers what comes after its end, without the zeros that fill it up; null while it goes on. */
  push(chunk: Buffer): Buffer | null {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (this.#zeros < 2 && at + block <= this.#rest.length) {
      const head = this.#rest.subarray(at, at + block);
      if (head.every((byte) => byte === 0)) {
        this.#zeros += 1;
        at += block;
        continue;
      }
      const size = sizeIn(head);
      const whole = block + size + padding(size, block);
      if (at + whole > this.#rest.length) break;
      this.#take(head, this.#rest.subarray(at + block, at + block + size));
      at += whole;
    }
    this.#rest = this.#rest.subarray(at);
    return this.#zeros < 2 ? null : this.#afterZeros();
  }

  #afterZeros(): Buffer | null {
    const from = this.#rest.findIndex((byte) => byte !== 0);
    const after = from === -1 ? null : this.#rest.subarray(from);
    if (after === null) this.#rest = Buffer.alloc(0);
    return after;
  }

  // `L` is the name of the next entry as GNU tar writes a long one, `x` as pax does.
  #take(head: Buffer, data: Buffer): void {
    const type = String.fromCharCode(head[156] ?? 0);
    if (type === 'L') this.#longName = textIn(data);
    else if (type === 'x') this.#longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(data.toString())?.[1] ?? null;
    else if (type !== 'g') {
      const prefix = textIn(head.subarray(345, 500));
      const short = textIn(head.subarray(0, 100));
      // GNU's own form has other things in the place of the prefix.
      const isUstar = head.subarray(257, 263).toString('latin1') === 'ustar\0';
      const path = this.#longName ?? (isUstar && prefix !== '' ? `${prefix}/${short}` : short);
      this.#longName = null;
      const kind = type === '0' || type === '\0' ? 'file' : 'other';
      this.entries.push({ path, kind, modifiedAt: octal(head.subarray(136, 148)), data: Buffer.from(data) });
    }
  }
}

const textIn = (field: Buffer): string => {
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? field.length : end).toString('utf8');
};

const octal = (field: Buffer): number => Number.parseInt(textIn(field).trim() || '0', 8);

/** @throws Error for what is no header */
function sizeIn(head: Buffer): number {
  const size = octal(head.subarray(124, 136));
  const sum = head.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (!Number.isInteger(size) || octal(head.subarray(148, 156)) !== sum)
    throw new Error('this is no archive of tar');
  return size;
}
