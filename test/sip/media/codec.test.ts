import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { knownCodecs, payloadSource, toALaw, toMuLaw } from '../../../src/sip/media/codec.ts';

const samples = Array.from({ length: 0x1_0000 }, (_, at) => at - 0x8000);
const sha256 = (values: number[]): string => createHash('sha256').update(Buffer.from(values)).digest('hex');

describe('G.711', () => {
  it('encodes every sample as another encoder does', () => {
    // The digests are of what Python's audioop makes of all 65,536 samples.
    expect(sha256(samples.map(toMuLaw))).toBe(
      '81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a',
    );
    expect(sha256(samples.map(toALaw))).toBe(
      '38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b',
    );
  });

  it.each([
    ['PCMU', toMuLaw],
    ['PCMA', toALaw],
  ] as const)('%s: the tone goes on from packet to packet', (name, encode) => {
    const next = payloadSource(knownCodecs[name], 'tone');
    const payload = Buffer.concat(Array.from({ length: 50 }, next));
    const wanted = Array.from({ length: 8_000 }, (_, at) =>
      encode(Math.round(8_000 * Math.sin((2 * Math.PI * 440 * (at % 200)) / 8_000))),
    );
    expect(payload.equals(Buffer.from(wanted))).toBe(true);
  });

  it('is silent where asked', () => {
    expect(payloadSource(knownCodecs.PCMU, 'silence')()).toEqual(Buffer.alloc(160, 0xff));
    expect(payloadSource(knownCodecs.PCMA, 'silence')()).toEqual(Buffer.alloc(160, 0xd5));
  });
});

it('other codecs send frames of their own length', () => {
  expect(payloadSource(knownCodecs.G722, 'tone')()).toHaveLength(160);
  expect(payloadSource(knownCodecs.opus, 'tone')()).toHaveLength(3);
});
