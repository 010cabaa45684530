import { randomBytes } from 'node:crypto';
import type { Connection } from './connection.ts';
import { endpointText } from './endpoint.ts';
import type { Header, SipRequest } from './message.ts';

/** What a request says, besides what its connection decides. Addresses are URIs without brackets. */
export interface RequestParts {
  method: string;
  uri: string;
  from: string;
  fromTag: string;
  to: string;
  /** Only within a dialog. */
  toTag?: string | null;
  callId: string;
  cseq: number;
  /** User part of the Contact; requests that make neither a dialog nor a binding need none. */
  contact?: { user: string; params?: string } | null;
  routes?: readonly string[];
  userAgent: string;
  more?: readonly Header[];
  body?: Buffer;
}

/** A token that nobody can guess or use twice: tags, Call-IDs, branches (RFC 3261 §19.3). */
export const newToken = (): string => randomBytes(10).toString('hex');

/** A request for this connection with a branch of its own; RFC 3261 §8.1.1, `rport` of RFC 3581. */
export function newRequest(connection: Connection, parts: RequestParts): SipRequest {
  const { method, uri, from, fromTag, to, toTag = null, callId, cseq, contact = null } = parts;
  const { local, transport } = connection;
  const header = (name: string, value: string): Header => ({ name, value });
  return {
    kind: 'request',
    method,
    uri,
    headers: [
      header(
        'Via',
        `SIP/2.0/${transport.toUpperCase()} ${endpointText(local)};branch=z9hG4bK${newToken()};rport`,
      ),
      ...(parts.routes ?? []).map((route) => header('Route', route)),
      header('Max-Forwards', '70'),
      header('From', `<${from}>;tag=${fromTag}`),
      header('To', toTag === null ? `<${to}>` : `<${to}>;tag=${toTag}`),
      header('Call-ID', callId),
      header('CSeq', `${cseq} ${method}`),
      ...(contact === null
        ? []
        : [header('Contact', `<${contactUri(connection, contact.user)}>${contact.params ?? ''}`)]),
      header('User-Agent', parts.userAgent),
      ...(parts.more ?? []),
    ],
    body: parts.body ?? Buffer.alloc(0),
  };
}

/** Where requests within the dialog, or calls to the binding, reach this connection. */
export function contactUri({ local, transport }: Connection, user: string): string {
  const scheme = transport === 'tls' ? 'sips' : 'sip';
  const parameter = transport === 'tcp' ? ';transport=tcp' : '';
  return `${scheme}:${user}@${endpointText(local)}${parameter}`;
}
