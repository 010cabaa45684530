import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';

/** The master key of one direction: 16 bytes, and a salt of 14 (RFC 4568 §6.2). */
export interface SrtpKey {
  key: Buffer;
  salt: Buffer;
}

const tagBytes = 10;
const rtcpHeaderBytes = 8;
const encrypted = 0x8000_0000;
/** RFC 3711 §4.3.1 and §4.3.2: what each session key is derived for. */
const labels = { rtp: [0, 1, 2], rtcp: [3, 4, 5] } as const;

interface SessionKeys {
  cipher: Buffer;
  auth: Buffer;
  salt: Buffer;
}

/**
 * The session keys of RTP or RTCP (RFC 3711 §4.3), for a key derivation rate of zero.
 */
export function deriveKeys({ key, salt }: SrtpKey, kind: 'rtp' | 'rtcp'): SessionKeys {
  const derive = (label: number, length: number): Buffer => {
    const counter = Buffer.concat([salt, Buffer.alloc(2)]);
    counter.writeUInt8(counter.readUInt8(7) ^ label, 7);
    return createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(length));
  };
  const [cipher, auth, saltLabel] = labels[kind];
  return { cipher: derive(cipher, 16), auth: derive(auth, 20), salt: derive(saltLabel, 14) };
}

/** AES in counter mode, which encrypts and decrypts alike (RFC 3711 §4.1.1). */
function crypt({ cipher, salt }: SessionKeys, ssrc: number, index: number, data: Buffer): Buffer {
  const counter = Buffer.concat([salt, Buffer.alloc(2)]);
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(ssrc, 4);
  mask.writeUIntBE(index, 8, 6);
  for (const [at, byte] of mask.entries()) counter.writeUInt8(counter.readUInt8(at) ^ byte, at);
  return createCipheriv('aes-128-ctr', cipher, counter).update(data);
}

function tagOf({ auth }: SessionKeys, ...parts: readonly Buffer[]): Buffer {
  const hmac = createHmac('sha1', auth);
  for (const part of parts) hmac.update(part);
  return hmac.digest().subarray(0, tagBytes);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The bytes before the payload of an RTP packet (RFC 3550 §5.1); null where it is cut short. */
export function rtpHeaderLength(packet: Buffer): number | null {
  if (packet.length < 12) return null;
  const fixed = 12 + 4 * (packet.readUInt8(0) & 0x0f);
  if ((packet.readUInt8(0) & 0x10) === 0) return fixed <= packet.length ? fixed : null;
  if (fixed + 4 > packet.length) return null;
  const all = fixed + 4 + 4 * packet.readUInt16BE(fixed + 2);
  return all <= packet.length ? all : null;
}

/**
 * AES_CM_128_HMAC_SHA1_80 for one direction of one call (RFC 3711): every packet goes through here once, in the order
 * in which it is sent or came.
 */
export class SrtpStream {
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  /** By SSRC: how often its 16-bit sequence numbers began again, and the highest so far. */
  readonly #sources = new Map<number, { rollovers: number; highest: number }>();
  #rtcpIndex = 0;

  constructor(key: SrtpKey) {
    this.#rtp = deriveKeys(key, 'rtp');
    this.#rtcp = deriveKeys(key, 'rtcp');
  }

  protect(packet: Buffer): Buffer {
    const header = rtpHeaderLength(packet) ?? packet.length;
    const [sequence, ssrc] = [packet.readUInt16BE(2), packet.readUInt32BE(8)];
    const rollovers = this.#guess(ssrc, sequence);
    this.#remember(ssrc, sequence, rollovers);
    const payload = crypt(this.#rtp, ssrc, rollovers * 0x1_0000 + sequence, packet.subarray(header));
    const text = Buffer.concat([packet.subarray(0, header), payload]);
    return Buffer.concat([text, tagOf(this.#rtp, text, uint32(rollovers))]);
  }

  /** The plain packet; null where the tag is wrong. */
  unprotect(packet: Buffer): Buffer | null {
    const text = packet.subarray(0, Math.max(packet.length - tagBytes, 0));
    const header = rtpHeaderLength(text);
    if (header === null) return null;
    const [sequence, ssrc] = [text.readUInt16BE(2), text.readUInt32BE(8)];
    const rollovers = this.#guess(ssrc, sequence);
    const tag = tagOf(this.#rtp, text, uint32(rollovers));
    if (!timingSafeEqual(tag, packet.subarray(text.length))) return null;
    this.#remember(ssrc, sequence, rollovers);
    const payload = crypt(this.#rtp, ssrc, rollovers * 0x1_0000 + sequence, text.subarray(header));
    return Buffer.concat([text.subarray(0, header), payload]);
  }

  /** RFC 3711 §3.3.1: the number of rollovers that puts the packet next to the highest one seen. */
  #guess(ssrc: number, sequence: number): number {
    const source = this.#sources.get(ssrc);
    if (!source) return 0;
    const { rollovers, highest } = source;
    if (highest < 0x8000) return sequence - highest > 0x8000 ? Math.max(rollovers - 1, 0) : rollovers;
    return highest - 0x8000 > sequence ? rollovers + 1 : rollovers;
  }

  #remember(ssrc: number, sequence: number, rollovers: number): void {
    const source = this.#sources.get(ssrc);
    const index = rollovers * 0x1_0000 + sequence;
    if (!source || index > source.rollovers * 0x1_0000 + source.highest)
      this.#sources.set(ssrc, { rollovers, highest: sequence });
  }

  protectRtcp(packet: Buffer): Buffer {
    const index = this.#rtcpIndex;
    this.#rtcpIndex += 1;
    const ssrc = packet.readUInt32BE(4);
    const text = Buffer.concat([
      packet.subarray(0, rtcpHeaderBytes),
      crypt(this.#rtcp, ssrc, index, packet.subarray(rtcpHeaderBytes)),
      uint32(encrypted + index),
    ]);
    return Buffer.concat([text, tagOf(this.#rtcp, text)]);
  }

  /** The plain compound packet; null where the tag is wrong. */
  unprotectRtcp(packet: Buffer): Buffer | null {
    const text = packet.subarray(0, Math.max(packet.length - tagBytes, 0));
    if (text.length < rtcpHeaderBytes + 4) return null;
    if (!timingSafeEqual(tagOf(this.#rtcp, text), packet.subarray(text.length))) return null;
    const trailer = text.readUInt32BE(text.length - 4);
    const [head, body] = [text.subarray(0, rtcpHeaderBytes), text.subarray(rtcpHeaderBytes, text.length - 4)];
    if (trailer < encrypted) return Buffer.concat([head, body]);
    return Buffer.concat([head, crypt(this.#rtcp, text.readUInt32BE(4), trailer - encrypted, body)]);
  }
}
