import { createCipheriv, type KeyObject } from 'node:crypto';

/** A value sealed with AES-256-GCM, by its places in a buffer that holds many. */
export interface SealedValue {
  /** Where its nonce of 12 bytes, its tag of 16 and its ciphertext start. */
  nonce: number;
  tag: number;
  text: number;
  /** Where its ciphertext ends. */
  end: number;
  /** Its associated data: ASCII. */
  place: string;
}

const blockBytes = 16;
const nonceBytes = 12;

const blocksOf = (bytes: number): number => Math.ceil(bytes / blockBytes);

/**
 * Opens values that one key sealed with AES-256-GCM (NIST SP 800-38D, algorithm 5), many at a time. Setting up a cipher
 * of Node's for each value costs far more than the encryption of its few blocks; here one cipher encrypts the counter
 * blocks of them all. Answers null for a value that is not authentic.
 */
export class ManyOpener {
  readonly #key: KeyObject;
  readonly #hash: Ghash;

  constructor(key: KeyObject) {
    this.#key = key;
    this.#hash = new Ghash(this.#encrypt(Buffer.alloc(blockBytes)));
  }

  open(bytes: Buffer, values: readonly SealedValue[]): (string | null)[] {
    const masks = this.#encrypt(counterBlocks(bytes, values));
    let at = 0;
    return values.map((value) => {
      const tagMask = at;
      at += blockBytes * (1 + blocksOf(value.end - value.text));
      if (!this.#isAuthentic(bytes, value, masks, tagMask)) return null;
      for (let from = value.text, to = tagMask + blockBytes; from < value.end; from++, to++)
        masks[to] = (masks[to] as number) ^ (bytes[from] as number);
      const text = tagMask + blockBytes;
      return masks.toString('utf8', text, text + value.end - value.text);
    });
  }

  #isAuthentic(bytes: Buffer, { text, end, tag, place }: SealedValue, masks: Buffer, mask: number): boolean {
    const expected = this.#hash.of(place, bytes, text, end);
    let differing = 0;
    for (let at = 0; at < blockBytes; at++) {
      const byte = (expected[at >> 2] as number) >> (24 - 8 * (at & 3));
      differing |= (byte ^ (masks[mask + at] as number) ^ (bytes[tag + at] as number)) & 0xff;
    }
    return differing === 0;
  }

  // Block by block: GCM is counter mode, which is made of nothing but the encryption of single blocks (§6.5).
  #encrypt(blocks: Buffer): Buffer {
    const cipher = createCipheriv('aes-256-ecb', this.#key, null).setAutoPadding(false);
    return cipher.update(blocks);
  }
}

/** For each value the block that masks its tag, and then those that mask its text: nonce and a counter from 1 on. */
function counterBlocks(bytes: Buffer, values: readonly SealedValue[]): Buffer {
  const count = values.reduce((sum, { text, end }) => sum + 1 + blocksOf(end - text), 0);
  const blocks = Buffer.alloc(count * blockBytes);
  let at = 0;
  for (const { nonce, text, end } of values) {
    const last = 1 + blocksOf(end - text);
    for (let counter = 1; counter <= last; counter++, at += blockBytes) {
      for (let byte = 0; byte < nonceBytes; byte++) blocks[at + byte] = bytes[nonce + byte] as number;
      for (let byte = 0; byte < 4; byte++) blocks[at + nonceBytes + byte] = counter >>> (24 - 8 * byte);
    }
  }
  return blocks;
}

/** GHASH (§6.4): a polynomial over GF(2^128). A table for each byte of a block holds that byte's 256 multiples of H. */
class Ghash {
  readonly #table: Int32Array;
  /** The hash so far, as four words. */
  readonly #state = new Int32Array(4);

  constructor(subkey: Buffer) {
    this.#table = multiplesOf(subkey);
  }

  /** Of associated data and ciphertext, each filled up to whole blocks, and of their lengths. Valid until the next call. */
  of(associated: string, bytes: Uint8Array, from: number, to: number): Int32Array {
    this.#state.fill(0);
    for (let at = 0; at < associated.length; at += blockBytes) this.#addText(associated, at);
    for (let at = from; at < to; at += blockBytes) this.#addBytes(bytes, at, to);
    this.#add(0, associated.length * 8, 0, (to - from) * 8);
    return this.#state;
  }

  #addText(text: string, at: number): void {
    const word = (from: number): number =>
      (code(text, from) << 24) |
      (code(text, from + 1) << 16) |
      (code(text, from + 2) << 8) |
      code(text, from + 3);
    this.#add(word(at), word(at + 4), word(at + 8), word(at + 12));
  }

  #addBytes(bytes: Uint8Array, at: number, end: number): void {
    const byte = (from: number): number => (from < end ? (bytes[from] as number) : 0);
    const word = (from: number): number =>
      (byte(from) << 24) | (byte(from + 1) << 16) | (byte(from + 2) << 8) | byte(from + 3);
    this.#add(word(at), word(at + 4), word(at + 8), word(at + 12));
  }

  #add(a: number, b: number, c: number, d: number): void {
    const [state, table] = [this.#state, this.#table];
    const block0 = (state[0] as number) ^ a;
    const block1 = (state[1] as number) ^ b;
    const block2 = (state[2] as number) ^ c;
    const block3 = (state[3] as number) ^ d;
    state.fill(0);
    addMultiples(state, table, 0, block0);
    addMultiples(state, table, 4, block1);
    addMultiples(state, table, 8, block2);
    addMultiples(state, table, 12, block3);
  }
}

const code = (text: string, at: number): number => (at < text.length ? text.charCodeAt(at) : 0);

/** Adds the product of H and of the four bytes that stand from `at` on in a block. */
function addMultiples(sum: Int32Array, table: Int32Array, at: number, bytes: number): void {
  const one = (at * 256 + (bytes >>> 24)) * 4;
  const two = ((at + 1) * 256 + ((bytes >>> 16) & 0xff)) * 4;
  const three = ((at + 2) * 256 + ((bytes >>> 8) & 0xff)) * 4;
  const four = ((at + 3) * 256 + (bytes & 0xff)) * 4;
  for (let word = 0; word < 4; word++)
    sum[word] =
      (sum[word] as number) ^
      (table[one + word] as number) ^
      (table[two + word] as number) ^
      (table[three + word] as number) ^
      (table[four + word] as number);
}

/** For byte `at` of a block and its value `byte`: byte · x^(8·at) · H, as four words from (at · 256 + byte) · 4 on. */
function multiplesOf(subkey: Buffer): Int32Array {
  const table = new Int32Array(blockBytes * 256 * 4);
  let a = subkey.readInt32BE(0);
  let b = subkey.readInt32BE(4);
  let c = subkey.readInt32BE(8);
  let d = subkey.readInt32BE(12);
  for (let at = 0; at < blockBytes; at++) {
    // The most significant bit of a byte stands for the lowest power (§6.3).
    for (let bit = 0x80; bit > 0; bit >>= 1) {
      table.set([a, b, c, d], (at * 256 + bit) * 4);
      // Times x: one to the right, and where a bit falls out, the field's polynomial is taken away.
      const reduction = (d & 1) * 0xe1000000;
      d = (d >>> 1) | (c << 31);
      c = (c >>> 1) | (b << 31);
      b = (b >>> 1) | (a << 31);
      a = (a >>> 1) ^ reduction;
    }
    for (let byte = 1; byte < 256; byte++) {
      const [bit, rest] = [(at * 256 + (byte & -byte)) * 4, (at * 256 + (byte & (byte - 1))) * 4];
      for (let word = 0; word < 4; word++)
        table[(at * 256 + byte) * 4 + word] = (table[bit + word] as number) ^ (table[rest + word] as number);
    }
  }
  return table;
}
