import { randomBytes } from 'node:crypto';
import type { Connection } from '../transport/connection.ts';
import { endpointText, isWebSocket } from '../transport/endpoint.ts';
import type { Header, SipRequest } from './message.ts';

/** What a request says, besides what its connection decides. Addresses are URIs without brackets. */
export interface RequestParts {
  method: string;
  uri: string;
  from: string;
  fromTag: string;
  to: string;
  callId: string;
  cseq: number;
  /** Of the Contact: its user part, and parameters behind the bracket. */
  contact: { user: string; params?: string };
  userAgent: string;
  more: readonly Header[];
}

/** A word that nobody guesses and that does not repeat: for tags, Call-IDs and branches (RFC 3261 §19.3). */
export const newToken = (): string => randomBytes(12).toString('hex');

/** The top Via of a new transaction (RFC 3261 §8.1.1.7, RFC 3581). */
export function newVia(connection: Connection): Header {
  const value = `SIP/2.0/${connection.transport.toUpperCase()} ${sentBy(connection)};rport;branch=z9hG4bK${newToken()}`;
  return { name: 'Via', value };
}

/** Where the peer reaches us: the connection that we have to it. */
export const contactUri = (connection: Connection, user: string): string =>
  `sip:${user}@${sentBy(connection)}${transportParameter(connection.transport)}`;

const sentBy = (connection: Connection): string => connection.sentBy ?? endpointText(connection.local);

/**
 * What a URI needs so that its transport is known; UDP goes without saying. `sips:` would demand TLS of every hop, and a
 * secure WebSocket is no transport of its own in a URI (RFC 7118 §5.2).
 */
export const transportParameter = (transport: Connection['transport']): string =>
  transport === 'udp' ? '' : `;transport=${isWebSocket(transport) ? 'ws' : transport}`;

/** A request outside of a dialog, for this connection, with a branch of its own (RFC 3261 §8.1.1). */
export function newRequest(connection: Connection, parts: RequestParts): SipRequest {
  const { method, uri, from, fromTag, to, callId, cseq, contact } = parts;
  const header = (name: string, value: string): Header => ({ name, value });
  return {
    kind: 'request',
    method,
    uri,
    headers: [
      newVia(connection),
      header('Max-Forwards', '70'),
      header('From', `<${from}>;tag=${fromTag}`),
      header('To', `<${to}>`),
      header('Call-ID', callId),
      header('CSeq', `${cseq} ${method}`),
      header('Contact', `<${contactUri(connection, contact.user)}>${contact.params ?? ''}`),
      header('User-Agent', parts.userAgent),
      ...parts.more,
    ],
    body: Buffer.alloc(0),
  };
}
