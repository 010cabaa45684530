import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once, setMaxListeners } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import {
  type Header,
  headerOf,
  headersOf,
  parseMessage,
  type SipRequest,
} from '../../src/sip/message/message.ts';
import type { Connection, OpenOptions } from '../../src/sip/transport/connection.ts';
import type { Target } from '../../src/sip/transport/dns.ts';
import type { Transport } from '../../src/sip/transport/endpoint.ts';
import { openConnection } from '../../src/sip/transport/transport.ts';
import { TransportFailure } from '../../src/sip/transport/transport-failure.ts';

/** What has to be ended after each test. */
export const ends: (() => unknown)[] = [];

/** Ends everything that a test started, the last first. */
export async function endAll(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
}

export const never = new AbortController().signal;
// Hundreds of connections listen to it at a time.
setMaxListeners(0, never);

/** A place on this machine, under the name that certificates of these tests have. */
export function target(port: number, transport: Transport, address = '127.0.0.1'): Target {
  return { name: 'sip.example.com', address, family: address.includes(':') ? 6 : 4, port, transport };
}

/** Why an opening failed. @throws where it did not */
export async function failureOf(opening: Promise<unknown>): Promise<TransportFailure> {
  const failure = await opening.then(
    () => null,
    (error: unknown) => error,
  );
  if (failure instanceof TransportFailure) return failure;
  throw new Error(`no failure of the transport: ${failure}`);
}

/** Opens a connection that ends with the test. */
export async function open(to: Target, options: Partial<OpenOptions> = {}): Promise<Connection> {
  const connection = await openConnection(to, { timeoutMs: 10_000, signal: never, ...options });
  ends.push(() => connection.close());
  return connection;
}

/** A request with all that is needed, and a branch of its own. */
export function request(method: string, connection: Connection, more: readonly Header[] = []): SipRequest {
  const id = Math.random().toString(36).slice(2);
  const { address, port } = connection.local;
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    kind: 'request',
    method,
    uri: 'sip:example.com',
    headers: [
      {
        name: 'Via',
        value: `SIP/2.0/${connection.transport.toUpperCase()} ${host}:${port};branch=z9hG4bK${id};rport`,
      },
      { name: 'Max-Forwards', value: '70' },
      { name: 'From', value: `<sip:me@example.com>;tag=${id}` },
      { name: 'To', value: '<sip:you@example.com>' },
      { name: 'Call-ID', value: `${id}@example.com` },
      { name: 'CSeq', value: `7 ${method}` },
      ...more,
    ],
    body: Buffer.alloc(0),
  };
}

/** The bytes of a response to the request that these bytes are. */
export function answer(bytes: Buffer, status: number, change: Readonly<Record<string, string>> = {}): Buffer {
  const asked = parseMessage(bytes);
  const lines = ['From', 'Call-ID', 'CSeq'].map(
    (name) => `${name}: ${change[name] ?? headerOf(asked, name)}`,
  );
  const vias = headersOf(asked, 'Via').map((via) => `Via: ${change.Via ?? via}`);
  const to = `To: ${headerOf(asked, 'To')};tag=theirs`;
  return Buffer.from(
    [`SIP/2.0 ${status} Whatever`, ...vias, to, ...lines, 'Content-Length: 0', '', ''].join('\r\n'),
  );
}

/** What a server did with a datagram: its number counts from 1. */
type Reply = (bytes: Buffer, from: RemoteInfo, number: number, socket: UdpSocket) => void;

/** A server that answers datagrams, and keeps them. */
export async function udpServer(reply: Reply, address = '127.0.0.1') {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const received: Buffer[] = [];
  socket.on('message', (bytes, from) => {
    received.push(bytes);
    reply(bytes, from, received.length, socket);
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  ends.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return {
    port: socket.address().port,
    received,
    methods: () => received.map((bytes) => parseMessage(bytes)),
  };
}

/** A server for streams, with TLS where options are given. */
export async function streamServer(serve: (socket: Socket) => void, tls?: TlsOptions, address = '127.0.0.1') {
  const sockets = new Set<Socket>();
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  };
  const server: Server = tls === undefined ? createServer(take) : createTlsServer(tls, take);
  // A handshake that fails is what some tests want.
  server.on('tlsClientError', () => {});
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, address);
  await once(server, 'listening');
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as { port: number }).port };
}

/** A port of 127.0.0.1 that nothing listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
