import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Telephone audio: 8000 samples a second, 16 bit, one channel. */
const rate = 8000;
/** 50 ms: whole periods of every multiple of 20 Hz. */
const block = 400;
/** Part of a block's power that a tone has to have: two may be mixed, and a voice has no tone that stands out so. */
const share = 0.3;
/** Mean square below which a block is silence. */
const quiet = 100 ** 2;

/** Samples of a RIFF file whose header is complete; null while it is still written. */
export function readWav(path: string): Int16Array | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return null;
  }
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (bytes.toString('latin1', at, at + 4) === 'data') {
      // Asterisk writes the length when it closes the file.
      if (length === 0 || start + length > bytes.length) return null;
      return Int16Array.from({ length: length >> 1 }, (_, index) => bytes.readInt16LE(start + index * 2));
    }
    at = start + length + (length % 2);
  }
  return null;
}

/** Seconds. */
export const lengthOf = (samples: Int16Array): number => samples.length / rate;

/** Seconds in which this tone (a multiple of 20 Hz) is to be heard, alone or among others. */
export function secondsOf(samples: Int16Array, hertz: number): number {
  let blocks = 0;
  for (let at = 0; at + block <= samples.length; at += block) {
    if (holds(samples.subarray(at, at + block), hertz)) blocks += 1;
  }
  return (blocks * block) / rate;
}

// Goertzel's algorithm: the power at one frequency, against the power of all.
function holds(samples: Int16Array, hertz: number): boolean {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / rate);
  let [before, last, power] = [0, 0, 0];
  for (const sample of samples) {
    [before, last] = [last, sample + turn * last - before];
    power += sample * sample;
  }
  const atTone = (2 * (before * before + last * last - turn * before * last)) / block;
  return power / block > quiet && atTone / power > share;
}

/** A file with nothing but a tone, to be recognised where a greeting is played. */
export function writeTone(path: string, hertz: number, seconds: number): void {
  const data = Buffer.alloc(Math.round(seconds * rate) * 2);
  for (let at = 0; at < data.length / 2; at += 1) {
    data.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * hertz * at) / rate)), at * 2);
  }
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  // 16 bytes of format: PCM, one channel.
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data.length, 40);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.concat([header, data]));
}
