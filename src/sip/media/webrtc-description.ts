import { randomBytes, randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { audioOf, parseSdp } from './sdp.ts';

// FreeSWITCH refuses candidates of private networks unless it is told otherwise, and takes this one; checks of the path stay
// on the PBX itself.
const nowhere = '127.0.0.1';

/**
 * What a browser would offer for a call with sound (RFC 8827, RFC 8829): DTLS with a fingerprint, ICE with one candidate,
 * RTCP on the same port, Opus and PCMU. No key stands behind the fingerprint and nobody listens at the candidate: it shows
 * what the other side answers, and carries no sound.
 */
export function webRtcOffer(): Buffer {
  const network = `IN IP4 ${nowhere}`;
  const fingerprint = randomBytes(32)
    .toString('hex')
    .toUpperCase()
    .replace(/(..)(?!$)/g, '$1:');
  return Buffer.from(
    [
      'v=0',
      `o=- ${randomInt(1, 2 ** 31)} 1 ${network}`,
      's=-',
      't=0 0',
      'a=group:BUNDLE 0',
      // Port 9 swallows what it gets.
      'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 101',
      `c=${network}`,
      `a=rtcp:9 ${network}`,
      `a=candidate:1 1 udp 2113937151 ${nowhere} 9 typ host`,
      'a=end-of-candidates',
      `a=ice-ufrag:${randomBytes(4).toString('hex')}`,
      `a=ice-pwd:${randomBytes(16).toString('hex')}`,
      `a=fingerprint:sha-256 ${fingerprint}`,
      'a=setup:actpass',
      'a=mid:0',
      'a=sendrecv',
      'a=rtcp-mux',
      'a=rtpmap:111 opus/48000/2',
      'a=fmtp:111 minptime=10;useinbandfec=1',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      '',
    ].join('\r\n'),
  );
}

/** What a browser must find in the answer, as far as it is there. */
export interface WebRtcAnswer {
  /** For example `UDP/TLS/RTP/SAVPF`. */
  profile: string;
  /** Hash function of the certificate's fingerprint; null: there is none, and so no DTLS. */
  fingerprint: string | null;
  /** `active`, `passive`; null where it is not said. */
  setup: string | null;
  /** Whether there are an ICE user and password. */
  ice: boolean;
  iceLite: boolean;
  /** `udp 192.0.2.1:10000 host`, in the answer's order. */
  candidates: string[];
  rtcpMux: boolean;
  codecs: string[];
}

/** Reads the answer to such an offer; null where it has no sound in it. */
export function readWebRtcAnswer(body: Buffer): WebRtcAnswer | null {
  const audio = audioOf(parseSdp(body) ?? []);
  if (audio === null) return null;
  const lines = linesOf(body);
  const value = (name: string): string | null =>
    lines.find((line) => line.startsWith(`a=${name}:`))?.slice(name.length + 3) ?? null;
  const has = (name: string): boolean => lines.includes(`a=${name}`);
  return {
    profile: audio.profile,
    fingerprint: value('fingerprint')?.split(' ')[0] ?? null,
    setup: value('setup'),
    ice: value('ice-ufrag') !== null && value('ice-pwd') !== null,
    iceLite: has('ice-lite'),
    candidates: lines.flatMap((line) => candidateOf(line) ?? []),
    rtcpMux: has('rtcp-mux'),
    codecs: audio.codecs.map(({ name }) => name),
  };
}

/** Lines of the sound first, then those that hold for the whole session. */
function linesOf(body: Buffer): string[] {
  const parts = body
    .toString('utf8')
    .split(/\r?\n(?=m=)/)
    .map((part) => part.split(/\r?\n/).map((line) => line.trim()));
  const audio = parts.find(([first]) => /^m=audio (?!0[ /])/.test(first ?? ''));
  return [...(audio ?? []), ...(parts[0] ?? [])];
}

function candidateOf(line: string): string | null {
  const [, protocol, address, port, type] =
    /^a=candidate:\S+ \d+ (\S+) \d+ (\S+) (\d+) typ (\S+)/.exec(line) ?? [];
  if (address === undefined) return null;
  return `${protocol?.toLowerCase()} ${isIPv6(address) ? `[${address}]` : address}:${port} ${type}`;
}
