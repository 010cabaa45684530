import { createCipheriv, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManyOpener, type SealedValue } from '../../src/store/gcm.ts';

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const place = fc.stringMatching(/^[a-z]{1,10}\/[0-9]{1,9}\/[a-z_]{1,20}$/);
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 70 }),
  fc.constant(''),
  fc.constant('x'.repeat(5000)),
);
const secrets = fc.array(fc.record({ nonce: bytesOf(12), place, text }), { maxLength: 20 });

/** Sealed by OpenSSL, each after some other bytes: `nonce | tag | text`. */
function sealed(key: Uint8Array, values: readonly { nonce: Uint8Array; place: string; text: string }[]) {
  const pieces: Buffer[] = [];
  let length = 0;
  const places = values.map(({ nonce, place, text }): SealedValue => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    pieces.push(Buffer.from('?'), Buffer.from(nonce), cipher.getAuthTag(), body);
    const at = length + 1;
    length = at + 28 + body.length;
    return { nonce: at, tag: at + 12, text: at + 28, end: length, place };
  });
  return { bytes: Buffer.concat(pieces), places };
}

describe('values that are opened together', () => {
  it('are what OpenSSL sealed', () => {
    fc.assert(
      fc.property(bytesOf(32), secrets, (key, values) => {
        const { bytes, places } = sealed(key, values);
        const opener = new ManyOpener(createSecretKey(key));
        const expected = values.map(({ text }) => Buffer.from(text).toString());
        expect(opener.open(bytes, places)).toEqual(expected);
        expect(opener.open(bytes, places), 'a second time').toEqual(expected);
      }),
    );
  });

  it('do not open with one bit changed, in another place, or with another key', () => {
    const one = fc.record({ nonce: bytesOf(12), place, text: fc.string({ minLength: 1, maxLength: 40 }) });
    fc.assert(
      fc.property(bytesOf(32), one, one, fc.nat(), (key, victim, other, bit) => {
        const { bytes, places } = sealed(key, [victim, other]);
        const [first, second] = places as [SealedValue, SealedValue];
        const opener = new ManyOpener(createSecretKey(key));
        const at = first.nonce + (bit % (first.end - first.nonce));
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ (1 << (bit % 8));
        expect(opener.open(changed, places)).toEqual([null, Buffer.from(other.text).toString()]);
        expect(opener.open(bytes, [{ ...first, place: `${first.place}x` }, second])[0]).toBeNull();
        expect(opener.open(bytes, [{ ...first, end: first.end - 1 }])).toEqual([null]);
        const another = Buffer.from(key);
        another[0] = (another[0] as number) ^ 1;
        expect(new ManyOpener(createSecretKey(another)).open(bytes, places)).toEqual([null, null]);
      }),
    );
  });
});
