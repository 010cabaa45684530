/** The codecs that a test call can offer. */
export type CodecName = 'PCMU' | 'PCMA' | 'G722' | 'opus';

/** A codec under the number that one session gives it (RFC 3551, RFC 7587). */
export interface Codec {
  /** As in `a=rtpmap`; of a codec that we do not know, as the peer spelt it. */
  name: string;
  payloadType: number;
  /** Hz of the RTP timestamps: 8000 for G722 too (RFC 3551 §4.5.2). */
  clockRate: number;
  channels: number;
}

/** What we offer, under the numbers of RFC 3551 or a usual dynamic one. */
export const knownCodecs: Readonly<Record<CodecName, Codec>> = {
  PCMU: { name: 'PCMU', payloadType: 0, clockRate: 8_000, channels: 1 },
  PCMA: { name: 'PCMA', payloadType: 8, clockRate: 8_000, channels: 1 },
  G722: { name: 'G722', payloadType: 9, clockRate: 8_000, channels: 1 },
  opus: { name: 'opus', payloadType: 107, clockRate: 48_000, channels: 2 },
};

export const telephoneEvent: Codec = {
  name: 'telephone-event',
  payloadType: 101,
  clockRate: 8_000,
  channels: 1,
};

/** Milliseconds of audio in a packet. */
export const packetMs = 20;

const samplesPerPacket = 160;
/** 440 Hz repeats itself after 11 periods, which are 200 samples at 8 kHz. */
const toneSamples = 200;
const toneHz = 440;
/** -12 dB of full scale: plain to hear, and far from clipping. */
const toneAmplitude = 8_000;

/**
 * The payloads of one stream, one after the other: a 440 Hz tone, or silence. For codecs that need a real encoder it is
 * always silence: opus has a frame for it, and G.722 comes near it with the smallest step of both of its bands.
 */
export function payloadSource(codec: Codec, signal: 'tone' | 'silence'): () => Buffer {
  const name = codec.name.toUpperCase();
  if (name === 'OPUS') return () => Buffer.from([0xf8, 0xff, 0xfe]);
  if (name === 'G722') return () => Buffer.alloc(samplesPerPacket, 0xfd);
  const encode = name === 'PCMA' ? toALaw : toMuLaw;
  if (signal === 'silence') return () => Buffer.alloc(samplesPerPacket, encode(0));
  const tone = Buffer.from(
    Array.from({ length: toneSamples }, (_, at) =>
      encode(Math.round(toneAmplitude * Math.sin((2 * Math.PI * toneHz * at) / codec.clockRate))),
    ),
  );
  const twice = Buffer.concat([tone, tone]);
  let at = 0;
  return () => {
    const payload = twice.subarray(at, at + samplesPerPacket);
    at = (at + samplesPerPacket) % toneSamples;
    return payload;
  };
}

/** G.711 µ-law of a 16-bit sample. */
export function toMuLaw(sample: number): number {
  const scaled = sample >> 2;
  const sign = scaled < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(scaled), 8_158) + 33;
  const exponent = 31 - Math.clz32(magnitude) - 5;
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 1)) & 0x0f)) & 0xff;
}

/** G.711 A-law of a 16-bit sample. */
export function toALaw(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  const magnitude = (sample < 0 ? ~sample : sample) >> 3;
  const exponent = Math.max(31 - Math.clz32(magnitude | 1) - 4, 0);
  const mantissa = (exponent < 2 ? magnitude >> 1 : magnitude >> exponent) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}
