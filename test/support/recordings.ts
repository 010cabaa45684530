import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Files as engines leave them. */

/** A WAV of so many seconds, whose sound is this byte over and over. */
export function wave(seconds: number, byte = 7): Buffer {
  const data = Buffer.alloc(Math.round(seconds * 16_000), byte);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

/** Puts a file into a folder of recordings, last written so many seconds ago. */
export function leave(
  folder: string,
  path: string,
  data: Buffer | string = wave(1),
  secondsAgo = 3600,
): string {
  const file = join(folder, 'sipctl', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, data);
  const at = Date.now() / 1000 - secondsAgo;
  utimesSync(file, at, at);
  return file;
}
