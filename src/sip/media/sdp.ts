import { isIP } from 'node:net';
import type { Endpoint } from '../transport/endpoint.ts';
import { type Codec, type CodecName, knownCodecs, telephoneEvent } from './codec.ts';
import type { SrtpKey } from './srtp.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One `m=` part of a session description (RFC 8866). */
export interface MediaDescription {
  /** `audio`, `video`, … */
  type: string;
  /** 0 where the media is refused. */
  port: number;
  /** For example `RTP/AVP`, or `RTP/SAVP` for SRTP. */
  profile: string;
  formats: string[];
  /** Of this part or of the whole session; a host name, too, may stand here. */
  address: string | null;
  direction: Direction;
  codecs: Codec[];
  /** Where RTCP goes, if not to the next port (RFC 3605, RFC 5761). */
  rtcpPort: number;
  crypto: CryptoLine[];
}

/** RFC 4568 §9.1: `a=crypto`; the key is null where the suite is not ours, or the key not readable. */
export interface CryptoLine {
  tag: number;
  suite: string;
  key: SrtpKey | null;
}

const srtpSuite = 'AES_CM_128_HMAC_SHA1_80';
const [keyBytes, saltBytes] = [16, 14];

/** Numbers that need no `a=rtpmap` (RFC 3551 §6), as far as phones use them. */
const staticCodecs = new Map<number, Codec>(
  [
    ...Object.values(knownCodecs).filter(({ payloadType }) => payloadType < 96),
    { name: 'GSM', payloadType: 3, clockRate: 8_000, channels: 1 },
    { name: 'G723', payloadType: 4, clockRate: 8_000, channels: 1 },
    { name: 'CN', payloadType: 13, clockRate: 8_000, channels: 1 },
    { name: 'G728', payloadType: 15, clockRate: 8_000, channels: 1 },
    { name: 'G729', payloadType: 18, clockRate: 8_000, channels: 1 },
  ].map((codec) => [codec.payloadType, codec]),
);

/** Our side of a session, as all descriptions of one call tell it. */
export interface LocalMedia {
  endpoint: Endpoint;
  codecs: readonly CodecName[];
  /** Stays the same through a call (RFC 8866 §5.2). */
  sessionId: number;
  /** Our key, where the call is to be encrypted. */
  key: SrtpKey | null;
}

/** An offer (RFC 3264 §5); `version` grows with each description of the session that differs. */
export function makeOffer(media: LocalMedia, version: number): Buffer {
  const codecs = [...media.codecs.map((name) => knownCodecs[name]), telephoneEvent];
  return Buffer.from(
    [...sessionLines(media, version), ...mediaLines(media, codecs, 'sendrecv', 1), ''].join('\r\n'),
  );
}

function sessionLines({ endpoint, sessionId }: LocalMedia, version: number): string[] {
  const network = `IN ${isIP(endpoint.address) === 6 ? 'IP6' : 'IP4'} ${endpoint.address}`;
  return ['v=0', `o=- ${sessionId} ${version} ${network}`, 's=-', `c=${network}`, 't=0 0'];
}

function mediaLines(
  media: LocalMedia,
  codecs: readonly Codec[],
  direction: Direction,
  tag: number,
): string[] {
  const profile = media.key ? 'RTP/SAVP' : 'RTP/AVP';
  const numbers = codecs.map(({ payloadType }) => payloadType).join(' ');
  return [
    `m=audio ${media.endpoint.port} ${profile} ${numbers}`,
    ...codecs.flatMap(({ name, payloadType, clockRate, channels }) => [
      `a=rtpmap:${payloadType} ${name}/${clockRate}${channels > 1 ? `/${channels}` : ''}`,
      ...(name === telephoneEvent.name ? [`a=fmtp:${payloadType} 0-16`] : []),
    ]),
    'a=ptime:20',
    ...(media.key ? [`a=crypto:${tag} ${srtpSuite} inline:${inlineKey(media.key)}`] : []),
    `a=${direction}`,
  ];
}

const inlineKey = ({ key, salt }: SrtpKey): string => Buffer.concat([key, salt]).toString('base64');

/**
 * Our answer to an offer of the peer (RFC 3264 §6): the codecs that we know under the peer's numbers, the direction
 * mirrored, everything but the first audio refused; null where nothing is left.
 */
export function makeAnswer(
  media: LocalMedia,
  version: number,
  offer: readonly MediaDescription[],
): Buffer | null {
  const audio = audioOf(offer);
  if (!audio || audio.profile.includes('SAVP') !== (media.key !== null)) return null;
  const codecs = audio.codecs.filter((codec) => isOurs(codec, media.codecs));
  const crypto = audio.crypto.find(({ key }) => key !== null);
  if (!codecs.some(isVoice) || (media.key && !crypto)) return null;
  const parts = offer.flatMap((part) =>
    part === audio
      ? mediaLines(media, codecs, mirrored[audio.direction], crypto?.tag ?? 1)
      : [`m=${part.type} 0 ${part.profile} ${part.formats.join(' ')}`],
  );
  return Buffer.from([...sessionLines(media, version), ...parts, ''].join('\r\n'));
}

const mirrored: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

const isVoice = ({ name }: Codec): boolean => !['telephone-event', 'CN'].includes(name);

function isOurs(codec: Codec, names: readonly CodecName[]): boolean {
  const ours = [...names.map((name) => knownCodecs[name]), telephoneEvent];
  return ours.some(
    ({ name, clockRate }) => name.toLowerCase() === codec.name.toLowerCase() && clockRate === codec.clockRate,
  );
}

/** The first audio that is not refused. */
export function audioOf(parts: readonly MediaDescription[]): MediaDescription | null {
  return parts.find(({ type, port }) => type === 'audio' && port > 0) ?? null;
}

/** The codec that the peer wants to hear from us: its first one that we offered too. */
export function chosenCodec(audio: MediaDescription, names: readonly CodecName[]): Codec | null {
  return audio.codecs.find((codec) => isVoice(codec) && isOurs(codec, names)) ?? null;
}

/** The media parts of a description; null where it is none (RFC 8866 §5). Unknown lines are ignored. */
export function parseSdp(body: Buffer): MediaDescription[] | null {
  const lines = body.toString('utf8').split(/\r?\n/);
  if (lines[0] !== 'v=0') return null;
  const starts = lines.flatMap((line, at) => (line.startsWith('m=') ? [at] : []));
  const session = lines.slice(0, starts[0] ?? lines.length);
  const parts = starts.map((start, at) => mediaFrom(lines.slice(start, starts[at + 1]), session));
  return parts.includes(null) ? null : (parts as MediaDescription[]);
}

function mediaFrom(lines: readonly string[], session: readonly string[]): MediaDescription | null {
  const [, type, digits, profile, formats] =
    /^m=(\S+) (\d{1,5})(?:\/\d+)? (\S+) (\S.*)$/.exec(lines[0]?.trim() ?? '') ?? [];
  const port = Number(digits);
  if (!type || !profile || !formats || port > 65_535) return null;
  const numbers = formats.split(/\s+/);
  const maps = codecMaps(lines);
  const rtcp = /^a=rtcp:(\d{1,5})(?: |$)/m.exec(lines.join('\n'))?.[1];
  const isMuxed = lines.some((line) => line.trim() === 'a=rtcp-mux');
  return {
    type,
    port,
    profile,
    formats: numbers,
    address: connectionAddress(lines) ?? connectionAddress(session),
    direction: directionOf(lines) ?? directionOf(session) ?? 'sendrecv',
    codecs: numbers.flatMap((number) => {
      const codec = maps.get(Number(number)) ?? staticCodecs.get(Number(number));
      return codec ?? [];
    }),
    rtcpPort: isMuxed ? port : rtcp === undefined ? Math.min(port + 1, 65_535) : Number(rtcp),
    crypto: lines.flatMap((line) => cryptoFrom(line) ?? []),
  };
}

function codecMaps(lines: readonly string[]): Map<number, Codec> {
  return new Map(
    lines.flatMap((line) => {
      const [, number, name, rate, channels] =
        /^a=rtpmap:(\d{1,3}) ([^\s/]+)\/(\d{1,7})(?:\/(\d{1,2}))?\s*$/.exec(line) ?? [];
      if (!name || Number(rate) === 0) return [];
      const codec = {
        name,
        payloadType: Number(number),
        clockRate: Number(rate),
        channels: Number(channels ?? 1),
      };
      return [[codec.payloadType, codec] as const];
    }),
  );
}

function connectionAddress(lines: readonly string[]): string | null {
  return /^c=IN IP[46] ([^\s/]+)/m.exec(lines.join('\n'))?.[1] ?? null;
}

function directionOf(lines: readonly string[]): Direction | null {
  const found = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m.exec(lines.join('\n'));
  return (found?.[1] as Direction | undefined) ?? null;
}

function cryptoFrom(line: string): CryptoLine | null {
  const [, tag, suite, inline] =
    /^a=crypto:(\d{1,9}) (\S+) inline:([A-Za-z0-9+/]+={0,2})(?:[|;\s]|$)/.exec(line) ?? [];
  if (!suite || !inline) return null;
  const bytes = Buffer.from(inline, 'base64');
  const isReadable = suite === srtpSuite && bytes.length === keyBytes + saltBytes;
  const key = isReadable ? { key: bytes.subarray(0, keyBytes), salt: bytes.subarray(keyBytes) } : null;
  return { tag: Number(tag), suite, key };
}
