import { isIP } from 'node:net';
import { checkServerIdentity, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';

/** What is wrong with a server's certificate. */
export type CertificateFault = 'tls_expired' | 'tls_not_yet_valid' | 'tls_untrusted' | 'tls_name_mismatch';

/** What a TLS server showed of itself. */
export interface TlsFacts {
  /** For example `TLSv1.3`. */
  protocol: string;
  cipher: string;
  /** For example `CN=sip.example.com, O=Example`. */
  subject: string;
  /** The names and addresses that the certificate is for; its CN where it has no others. */
  names: string[];
  issuer: string;
  /** ISO 8601, UTC; `unknown` where the certificate has no date there. */
  notBefore: string;
  notAfter: string;
  /** Whole days until `notAfter`; negative once it is over. */
  daysLeft: number;
  fingerprint256: string;
  /** The subjects from the server's own certificate up to the root, as far as they are known. */
  chain: string[];
  /** Why this certificate is not to be trusted for the name that was asked for; null where it is. */
  fault: CertificateFault | null;
}

/**
 * Reads a handshake that was let through without verification, and judges the certificate here: Node ends a
 * connection that it does not trust, and with it everything that could be said about the certificate.
 */
export function readTlsFacts(socket: TLSSocket, host: string, now: Date = new Date()): TlsFacts {
  const certificate = socket.getPeerCertificate(true);
  const notAfter = new Date(certificate.valid_to);
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    subject: distinguishedName(certificate.subject),
    names: namesOf(certificate),
    issuer: distinguishedName(certificate.issuer),
    notBefore: dateText(new Date(certificate.valid_from)),
    notAfter: dateText(notAfter),
    daysLeft: Math.floor((notAfter.getTime() - now.getTime()) / 86_400_000),
    fingerprint256: certificate.fingerprint256,
    chain: chainOf(certificate),
    fault: faultOf(certificate, String(socket.authorizationError ?? ''), host, now),
  };
}

/** A certificate may hold what is no date at all. */
const dateText = (date: Date): string => (Number.isNaN(date.getTime()) ? 'unknown' : date.toISOString());

/** The dates come first: OpenSSL keeps one error of many, and an expired certificate is what its owner can replace. */
function faultOf(
  certificate: DetailedPeerCertificate,
  verdict: string,
  host: string,
  now: Date,
): CertificateFault | null {
  if (verdict === 'CERT_HAS_EXPIRED' || now > new Date(certificate.valid_to)) return 'tls_expired';
  if (verdict === 'CERT_NOT_YET_VALID' || now < new Date(certificate.valid_from)) return 'tls_not_yet_valid';
  // Node enters its own judgement of the name here; ours, which knows the names of SIP, follows.
  if (verdict !== '' && verdict !== 'ERR_TLS_CERT_ALTNAME_INVALID') return 'tls_untrusted';
  return isNamed(certificate, host) ? null : 'tls_name_mismatch';
}

/**
 * Whether the certificate is for the host: by its DNS names and addresses, with wildcards, as Asterisk and FreeSWITCH
 * take them (RFC 5922 §7.2 would refuse those), or by a `sip:` URI without a user (RFC 5922 §7.1).
 */
function isNamed(certificate: DetailedPeerCertificate, host: string): boolean {
  if (checkServerIdentity(host, certificate) === undefined) return true;
  return (
    isIP(host) === 0 &&
    namesOf(certificate).some((name) => name.toLowerCase() === `sip:${host.toLowerCase()}`)
  );
}

function namesOf(certificate: DetailedPeerCertificate): string[] {
  const names = [
    ...(certificate.subjectaltname ?? '').matchAll(/(?:DNS|IP Address|URI):("(?:[^"\\]|\\.)*"|[^,]*)/g),
  ];
  if (names.length > 0) return names.map(([, name = '']) => unquoted(name));
  return [certificate.subject?.CN ?? []].flat();
}

/** Node quotes a name that could be mistaken for two. */
function unquoted(name: string): string {
  try {
    return name.startsWith('"') ? String(JSON.parse(name)) : name;
  } catch {
    return name;
  }
}

function distinguishedName(parts: object | undefined): string {
  const entries = Object.entries(parts ?? {}).flatMap(([key, values]) =>
    [values].flat().map((value) => `${key}=${String(value)}`),
  );
  return entries.toReversed().join(', ');
}

function chainOf(leaf: DetailedPeerCertificate): string[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = leaf;
  // A root is its own issuer.
  while (next?.subject !== undefined && !chain.includes(next)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain.map(({ subject }) => distinguishedName(subject));
}
