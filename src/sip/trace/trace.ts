import { type Endpoint, endpointText, type Transport } from '../transport/endpoint.ts';

/** Sees every message that passes, as its bytes; collectors mask the secrets in it themselves. */
export interface Trace {
  sent(bytes: Buffer, local: Endpoint, remote: Endpoint, transport: Transport): void;
  received(bytes: Buffer, local: Endpoint, remote: Endpoint, transport: Transport): void;
}

/** A trace for people: one line about each message, then the message, then an empty line. */
export function textTrace(write: (text: string) => void, clock: () => Date = () => new Date()): Trace {
  const enter = (bytes: Buffer, from: Endpoint, to: Endpoint, transport: Transport): void => {
    const way = `${endpointText(from)} -> ${endpointText(to)}`;
    const head = `${clock().toISOString()} ${transport.toUpperCase()} ${way}, ${bytes.length} bytes`;
    write(`${head}\n${printable(maskSecrets(bytes)).trimEnd()}\n\n`);
  };
  return {
    sent: (bytes, local, remote, transport) => enter(bytes, local, remote, transport),
    received: (bytes, local, remote, transport) => enter(bytes, remote, local, transport),
  };
}

/** A trace is read on terminals, and a peer must not be able to steer one. */
function printable(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replaceAll('\r\n', '\n')
    .replace(/[^\P{Cc}\n\t]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

const credentialHeaders =
  /^((?:proxy-)?(?:authorization|authentication-info)[ \t]*:)((?:[^\r\n]|\r?\n[ \t]|\r(?!\n))*)/gim;
/** What depends on the password, or lets it be guessed offline. */
const digestProofs = /(\b(?:response|cnonce|rspauth)\s*=\s*)("(?:[^"\\]|\\.)*"?|[^\s,;]*)/gi;
const sdpKeys = /^(a=crypto:.*?\binline:)([^\r\n]*)|^(a=ice-pwd:|a=key-mgmt:|k=)([^\r\n]*)/gim;
const uriPasswords = /(\bsips?:[^\s:@<>"]*:)([^\s@<>"]+)(?=@)/gi;

/** A server may repeat what we sent in its reason phrase, a Warning, or a body. */
const echoedProofs = /(\b(?:response|cnonce|rspauth)\s*=\s*\\?["']?)([\da-f]{16,})/gi;

/** The same text, as long, with an `x` in the place of each character of a digest proof, wherever it stands. */
export const maskEchoes = (text: string): string =>
  text.replace(echoedProofs, (_, name: string, proof: string) => name + hidden(proof));

/**
 * The same bytes with an `x` in the place of each byte of a digest proof, token, media key or password in a URI. The
 * length stays, so that Content-Length and the lengths in a packet stay true.
 */
export function maskSecrets(bytes: Buffer): Buffer {
  const text = bytes
    // One character per byte.
    .toString('latin1')
    .replace(credentialHeaders, (_, name: string, value: string) => name + maskCredentials(value))
    .replace(
      sdpKeys,
      (_, media = '', key = '', other = '', secret = '') => media + hidden(key) + other + hidden(secret),
    )
    .replace(uriPasswords, (_, user: string, password: string) => user + hidden(password));
  return Buffer.from(maskEchoes(text), 'latin1');
}

function maskCredentials(value: string): string {
  const [, scheme = '', rest = ''] = /^(\s*[^\s=,]+(?=\s+))(.*)$/s.exec(value) ?? [];
  const isDigest = scheme.trim().toLowerCase() === 'digest' || scheme === '';
  // Of another scheme everything may be secret: a bearer's token, a name and password in Base64.
  if (!isDigest) return scheme + hidden(rest);
  return value.replace(digestProofs, (_, name: string, proof: string) => name + hidden(proof));
}

/** Line ends and blanks stay, so that a folded header remains one; quotes stay, so that it can be parsed. */
function hidden(secret: string): string {
  return secret.replace(/[^\s"]/g, 'x');
}
