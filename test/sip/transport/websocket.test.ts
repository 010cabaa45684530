import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { parseMessage } from '../../../src/sip/message/message.ts';
import { newRequest } from '../../../src/sip/message/requests.ts';
import { exchange } from '../../../src/sip/transport/transaction.ts';
import { Authority, hasOpenssl, stamp, type Wish } from '../../support/certificates.ts';
import {
  answer,
  closedPort,
  endAll,
  ends,
  failureOf,
  never,
  open,
  request,
  streamServer,
  target,
} from '../../support/sip-server.ts';

afterEach(endAll);

const patient = { signal: never, timeoutMs: 20_000 };

/** A WebSocket server for SIP at `/ws`, and what it was asked. */
async function webSocketServer(
  serve: (socket: WebSocket, upgrade: IncomingMessage) => void,
  { tls, choose = 'sip' }: { tls?: { key: string; cert: string }; choose?: string | false } = {},
): Promise<{ port: number }> {
  const http: Server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  const sockets = new WebSocketServer({
    server: http as never,
    path: '/ws',
    handleProtocols: () => choose,
  });
  sockets.on('connection', serve);
  http.on('tlsClientError', () => {});
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  ends.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    return new Promise((resolve) => http.close(resolve));
  });
  return { port: (http.address() as { port: number }).port };
}

const at = { path: '/ws' };
const echo = (socket: WebSocket) =>
  socket.on('message', (data: Buffer) => socket.send(answer(data, 200).toString()));

it('carries one message in a frame of text, under names that need no address', async () => {
  const seen: { bytes: Buffer; isBinary: boolean; upgrade: IncomingMessage }[] = [];
  const { port } = await webSocketServer((socket, upgrade) => {
    echo(socket);
    socket.on('message', (bytes: Buffer, isBinary) => seen.push({ bytes, isBinary, upgrade }));
  });
  const connection = await open(target(port, 'ws'), at);
  const asked = newRequest(connection, {
    method: 'OPTIONS',
    uri: 'sip:sip.example.com;transport=ws',
    ...{ from: 'sip:me@sip.example.com', fromTag: 'tag', to: 'sip:you@sip.example.com' },
    ...{ callId: 'call', cseq: 1, contact: { user: 'me' }, userAgent: 'test', more: [] },
  });
  expect(await exchange(connection, asked, patient)).toMatchObject({ final: { status: 200 }, sent: 1 });
  const [only] = seen;
  expect(only?.isBinary).toBe(false);
  expect(only?.upgrade.headers).toMatchObject({
    'sec-websocket-protocol': 'sip',
    host: `sip.example.com:${port}`,
    origin: `http://sip.example.com:${port}`,
  });
  const text = only?.bytes.toString() ?? '';
  expect(text).toMatch(/^Via: SIP\/2\.0\/WS [0-9a-f]+\.invalid;rport;branch=/m);
  expect(text).toMatch(/^Contact: <sip:me@[0-9a-f]+\.invalid;transport=ws>\r$/m);
  expect(connection).toMatchObject({ reliable: true, tls: null, remote: { address: '127.0.0.1', port } });
});

it('answers pings, and takes line ends and frames that are no SIP for what they are', async () => {
  let pongs = 0;
  const { port } = await webSocketServer((socket) => {
    socket.on('pong', () => {
      pongs += 1;
    });
    socket.on('message', (data: Buffer) => {
      socket.ping();
      socket.send('\r\n\r\n');
      const { method } = parseMessage(data) as { method: string };
      socket.send(method === 'OPTIONS' ? answer(data, 200) : 'HTTP/1.1 200 OK\r\n\r\n');
    });
  });
  const connection = await open(target(port, 'ws'), at);
  const good = await exchange(connection, request('OPTIONS', connection), patient);
  expect(good.final?.status).toBe(200);
  const bad = await exchange(connection, request('MESSAGE', connection), patient);
  expect(bad).toMatchObject({ final: null, failure: { reason: 'malformed_answer' } });
  await expect.poll(() => pongs).toBe(2);
});

it('tells of an end in the middle, and of frames beyond all measure', async () => {
  const { port } = await webSocketServer((socket) =>
    socket.on('message', (data: Buffer) => {
      const { method } = parseMessage(data) as { method: string };
      if (method === 'OPTIONS') socket.close(1001);
      else socket.send('x'.repeat(70_000));
    }),
  );
  const first = await open(target(port, 'ws'), at);
  const ended = await exchange(first, request('OPTIONS', first), patient);
  expect(ended).toMatchObject({ final: null, failure: { reason: 'connection_closed' } });
  const second = await open(target(port, 'ws'), at);
  const long = await exchange(second, request('MESSAGE', second), patient);
  expect(long).toMatchObject({ final: null, failure: { reason: 'oversized_answer' } });
});

describe('an upgrade that fails', () => {
  it.each([[403], [404], [200], [302], [503]])('with HTTP %i', async (status) => {
    const http = createHttpServer((_, response) =>
      response.writeHead(status, { server: 'other', location: '/' }).end('no'),
    );
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    ends.push(() => new Promise((resolve) => http.close(resolve)));
    const { port } = http.address() as { port: number };
    const failure = await failureOf(open(target(port, 'ws'), at));
    expect(failure).toMatchObject({ reason: 'ws_refused', facts: { status, server: 'other' } });
    expect(failure.message).toContain(String(status));
  });

  it.each([[false as const], ['xmpp']])('by the sub-protocol %s', async (choose) => {
    const { port } = await webSocketServer(echo, { choose });
    expect((await failureOf(open(target(port, 'ws'), at))).reason).toBe('ws_subprotocol');
  });

  it.each([
    ['not_websocket', 'SIP/2.0 400 Bad Request\r\n\r\n'],
    [
      'not_websocket',
      'HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
    ],
    ['connection_closed', ''],
  ])('as %s where a server says %j', async (reason, words) => {
    const { port } = await streamServer((socket) => socket.once('data', () => socket.end(words)));
    expect((await failureOf(open(target(port, 'ws'), at))).reason).toBe(reason);
  });

  it('by silence, by a refusal, and by an interruption', async () => {
    const { port } = await streamServer(() => {});
    const late = await failureOf(open(target(port, 'ws'), { ...at, timeoutMs: 100 }));
    expect(late.reason).toBe('connection_timeout');
    const refused = await failureOf(open(target(await closedPort(), 'ws'), at));
    expect(refused.reason).toBe('connection_refused');
    const leave = new AbortController();
    const opening = open(target(port, 'ws'), { ...at, signal: leave.signal });
    leave.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
  });
});

describe.skipIf(!hasOpenssl)('behind TLS (needs the openssl program)', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());

  const place = async (wish: Wish = {}) =>
    target((await webSocketServer(echo, { tls: authority.issue(wish) })).port, 'wss');

  it('carries a request, and tells what the server showed', async () => {
    const connection = await open(await place(), { ...at, tls: { ca: authority.ca } });
    expect(connection.tls).toMatchObject({ issuer: 'CN=Test Authority', fault: null });
    const asked = request('OPTIONS', connection);
    expect((await exchange(connection, asked, patient)).final?.status).toBe(200);
  });

  it.each([
    ['tls_expired', { notBefore: stamp(-10), notAfter: stamp(-2) }],
    ['tls_name_mismatch', { names: 'DNS:other.example' }],
  ])('refuses by %s, as TLS alone would', async (reason, wish) => {
    const failure = await failureOf(open(await place(wish), { ...at, tls: { ca: authority.ca } }));
    expect(failure).toMatchObject({ reason, tls: { fault: reason } });
  });

  it('tells an authority that is not known, a plain server and a plain client apart', async () => {
    const secure = await place();
    expect((await failureOf(open(secure, at))).reason).toBe('tls_untrusted');
    const { port } = await webSocketServer(echo);
    expect((await failureOf(open(target(port, 'wss'), at))).reason).toBe('not_tls');
    const plain = await failureOf(open(target(secure.port, 'ws'), at));
    expect(['not_websocket', 'connection_closed', 'connection_reset', 'ws_refused']).toContain(plain.reason);
  });
});
