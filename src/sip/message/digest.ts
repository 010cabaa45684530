import { createHash, randomBytes } from 'node:crypto';
import { isToken, splitOutsideQuotes } from './fields.ts';
import type { Header, SipResponse } from './message.ts';

/** What a server wants to be proved (RFC 7616 §3.3). Quoted values stand here as they were sent, escapes included. */
export interface Challenge {
  realm: string;
  nonce: string;
  opaque: string | null;
  /** As sent; `MD5` where the server names none. */
  algorithm: string;
  /** In lower case; empty where the server knows none, as in RFC 2069. */
  qop: string[];
  /** The nonce was too old, and nothing else was wrong. */
  stale: boolean;
  /** Asked for by a proxy: the answer goes into Proxy-Authorization. */
  proxy: boolean;
}

/** RFC 8760 §2.1: names in SIP against names in OpenSSL. */
const hashes = new Map([
  ['md5', 'md5'],
  ['sha-256', 'sha256'],
  ['sha-512-256', 'sha512-256'],
]);

/** All digest challenges of an answer in order. Other schemes, and what has no realm or nonce, are left out. */
export function challengesOf(response: Pick<SipResponse, 'headers'>): Challenge[] {
  return response.headers.flatMap(({ name, value }) => {
    const header = name.toLowerCase();
    if (header !== 'www-authenticate' && header !== 'proxy-authenticate') return [];
    return challengesIn(value).flatMap(({ scheme, params }) => {
      const [realm, nonce] = [params.get('realm'), params.get('nonce')];
      if (scheme !== 'digest' || realm === undefined || !nonce) return [];
      return {
        realm,
        nonce,
        opaque: params.get('opaque') ?? null,
        algorithm: params.get('algorithm') || 'MD5',
        qop: (params.get('qop') ?? '')
          .toLowerCase()
          .split(/[\s,]+/)
          .filter(Boolean),
        stale: params.get('stale')?.toLowerCase() === 'true',
        proxy: header === 'proxy-authenticate',
      };
    });
  });
}

/** One line may hold several challenges (RFC 7235 §4.1), although SIP asks for a line each (RFC 3261 §7.3.1). */
function challengesIn(value: string): { scheme: string; params: Map<string, string> }[] {
  const challenges: { scheme: string; params: Map<string, string> }[] = [];
  for (const part of splitOutsideQuotes(value, ',') ?? []) {
    const [, scheme, rest = ''] = /^([^\s=",]+)(?:\s+([^\s=].*))?$/s.exec(part) ?? [];
    if (scheme) challenges.push({ scheme: scheme.toLowerCase(), params: new Map() });
    const text = scheme ? rest : part;
    const equals = text.indexOf('=');
    const name = text.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    const params = challenges.at(-1)?.params;
    if (params && isToken(name) && !params.has(name))
      params.set(name, unquoted(text.slice(equals + 1).trim()));
  }
  return challenges;
}

/** Without its quotes and with its escapes: that is what both sides hash (`unq` of RFC 7616 §3.4). */
function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/** The topmost challenge that can be answered (RFC 8760 §2.4); null where there is none. */
export function chooseChallenge(challenges: readonly Challenge[]): Challenge | null {
  return challenges.find((challenge) => hashOf(challenge) !== null && qopOf(challenge) !== undefined) ?? null;
}

function hashOf({ algorithm }: Challenge): string | null {
  return hashes.get(algorithm.toLowerCase().replace(/-sess$/, '')) ?? null;
}

/** Null for the digest of RFC 2069, undefined where the server wants what nobody knows. */
function qopOf({ qop }: Challenge): 'auth' | 'auth-int' | null | undefined {
  if (qop.length === 0) return null;
  if (qop.includes('auth')) return 'auth';
  return qop.includes('auth-int') ? 'auth-int' : undefined;
}

/**
 * The header that answers a challenge (RFC 7616 §3.4). `nonceCount` starts at 1 for each nonce.
 * @throws RangeError for a challenge that `chooseChallenge` would not choose
 */
export function answerChallenge(
  challenge: Challenge,
  credentials: { username: string; password: string },
  request: { method: string; uri: string; body: Buffer },
  nonceCount: number,
  cnonce = randomBytes(16).toString('hex'),
): Header {
  const hash = hashOf(challenge);
  const qop = qopOf(challenge);
  if (hash === null || qop === undefined) throw new RangeError('This challenge cannot be answered');
  const digest = (data: string | Buffer) => createHash(hash).update(data).digest('hex');
  const { realm, nonce, opaque, algorithm } = challenge;
  const isSession = /-sess$/i.test(algorithm);
  const secret = digest(`${credentials.username}:${realm}:${credentials.password}`);
  const ha1 = isSession ? digest(`${secret}:${nonce}:${cnonce}`) : secret;
  const asked = `${request.method}:${request.uri}`;
  const ha2 = digest(qop === 'auth-int' ? `${asked}:${digest(request.body)}` : asked);
  const count = nonceCount.toString(16).padStart(8, '0');
  const response = digest(
    qop ? `${ha1}:${nonce}:${count}:${cnonce}:${qop}:${ha2}` : `${ha1}:${nonce}:${ha2}`,
  );
  const parts = [
    `username="${credentials.username.replace(/["\\]/g, '\\$&')}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${request.uri}"`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(qop || isSession ? [`cnonce="${cnonce}"`] : []),
    ...(qop ? [`qop=${qop}`, `nc=${count}`] : []),
    ...(opaque === null ? [] : [`opaque="${opaque}"`]),
  ];
  return {
    name: challenge.proxy ? 'Proxy-Authorization' : 'Authorization',
    value: `Digest ${parts.join(', ')}`,
  };
}
