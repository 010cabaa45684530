import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import {
  type Header,
  headerOf,
  headersOf,
  parseMessage,
  type SipRequest,
  serializeMessage,
} from '../../src/sip/message/message.ts';

/** What a scripted server says to a request; null: nothing. */
export interface Reply {
  status: number;
  reason?: string;
  headers?: Record<string, string>;
}

export type Script = (request: SipRequest, count: number) => Reply | null;

/** A SIP server over UDP on 127.0.0.1 that answers by a script, and remembers what it was asked. */
export interface SipServer {
  port: number;
  requests: SipRequest[];
  /** Those of one method. */
  of(method: string): SipRequest[];
}

/** It ends with the test. */
export async function sipServer(script: Script): Promise<SipServer> {
  const socket = createSocket('udp4');
  const requests: SipRequest[] = [];
  socket.on('message', (bytes, from) => {
    const request = parseMessage(bytes);
    if (request.kind !== 'request') return;
    requests.push(request);
    const reply = script(request, requests.filter(({ method }) => method === request.method).length);
    if (reply !== null) send(socket, request, reply, from);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return {
    port: socket.address().port,
    requests,
    of: (method) => requests.filter((request) => request.method === method),
  };
}

function send(
  socket: Socket,
  request: SipRequest,
  { status, reason = 'Because', headers = {} }: Reply,
  from: { address: string; port: number },
): void {
  const copied = ['From', 'Call-ID', 'CSeq'].map(
    (name): Header => ({ name, value: headerOf(request, name) ?? '' }),
  );
  const [via = '', ...vias] = headersOf(request, 'Via');
  const seen = `${via.replace(';rport', `;rport=${from.port}`)};received=${from.address}`;
  const message = {
    kind: 'response' as const,
    status,
    reason,
    headers: [
      ...[seen, ...vias].map((value): Header => ({ name: 'Via', value })),
      ...copied,
      { name: 'To', value: `${headerOf(request, 'To')};tag=scripted` },
      ...Object.entries(headers).map(([name, value]): Header => ({ name, value })),
    ],
    body: Buffer.alloc(0),
  };
  socket.send(serializeMessage(message), from.port, from.address);
}

export const challenge = (nonce: string, more = ''): Reply => ({
  status: 401,
  reason: 'Unauthorized',
  headers: { 'WWW-Authenticate': `Digest realm="carrier.example",nonce="${nonce}",algorithm=MD5${more}` },
});

/** Whether a request answers the challenge above with this password; RFC 2617 §3.2.2 without qop. */
export function proves(request: SipRequest, password: string): boolean {
  const field = (name: string): string =>
    new RegExp(`\\b${name}="?([^",]*)`).exec(headerOf(request, 'Authorization') ?? '')?.[1] ?? '';
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const secret = md5(`${field('username')}:carrier.example:${password}`);
  return field('response') === md5(`${secret}:${field('nonce')}:${md5(`${request.method}:${field('uri')}`)}`);
}

/** Takes REGISTER with this password, and OPTIONS of anybody. */
export const registrar =
  (password: string): Script =>
  (request) => {
    if (request.method !== 'REGISTER') return { status: 200, reason: 'OK' };
    if (headerOf(request, 'Authorization') === null) return challenge('n1');
    return proves(request, password)
      ? { status: 200, reason: 'OK', headers: { Expires: '120' } }
      : challenge('n2');
  };
