import { createSocket } from 'node:dgram';
import { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Arrival } from '../../../src/sip/transport/connection.ts';
import type { Endpoint } from '../../../src/sip/transport/endpoint.ts';
import { opened } from '../../../src/sip/transport/tcp.ts';
import { exchange } from '../../../src/sip/transport/transaction.ts';
import { openConnection } from '../../../src/sip/transport/transport.ts';
import { systemFailure, TransportFailure } from '../../../src/sip/transport/transport-failure.ts';
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
  udpServer,
} from '../../support/sip-server.ts';

afterEach(endAll);

const patient = { signal: never, timeoutMs: 20_000 };

/** What was traced, as `sent 12` and `received 12` with their bytes. */
function recorder() {
  const entries: { way: string; text: string; remote: Endpoint }[] = [];
  const enter = (way: string) => (bytes: Buffer, _: Endpoint, remote: Endpoint) =>
    void entries.push({ way, text: bytes.toString('latin1'), remote });
  return { entries, trace: { sent: enter('sent'), received: enter('received') } };
}

describe('UDP', () => {
  it.each(['127.0.0.1', '::1'])('carries a request and its answer at %s', async (address) => {
    const server = await udpServer(
      (bytes, from, _, socket) => socket.send(answer(bytes, 200), from.port, from.address),
      address,
    );
    const connection = await open(target(server.port, 'udp', address));
    expect(connection).toMatchObject({
      transport: 'udp',
      reliable: false,
      tls: null,
      remote: { address, port: server.port },
    });
    expect(connection.local).toMatchObject({ address, port: expect.any(Number) });
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done.final?.status).toBe(200);
    expect(connection.elsewhere).toEqual([]);
  });

  it('sees that a port is closed', async () => {
    const gone = createSocket('udp4').bind(0, '127.0.0.1');
    await new Promise((resolve) => gone.once('listening', resolve));
    const { port } = gone.address();
    await new Promise<void>((resolve) => gone.close(() => resolve()));
    const connection = await open(target(port, 'udp'));
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done).toMatchObject({ final: null, failure: { reason: 'connection_refused' } });
    expect(done.failure?.message).toContain(`127.0.0.1:${port} refused`);
  });

  it('takes an answer from another port, or another address, and says from where', async () => {
    const aside = createSocket('udp4').bind(0, '127.0.0.2');
    ends.push(() => new Promise<void>((resolve) => aside.close(() => resolve())));
    await new Promise((resolve) => aside.once('listening', resolve));
    const server = await udpServer((bytes, from) => {
      aside.send('garbage', from.port, from.address);
      aside.send(answer(bytes, 200), from.port, from.address);
    });
    const { entries, trace } = recorder();
    const connection = await open(target(server.port, 'udp'), { trace });
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done).toMatchObject({ final: { status: 200 }, failure: null });
    expect(connection.elsewhere).toEqual([{ address: '127.0.0.2', port: aside.address().port }]);
    expect(entries.map(({ way }) => way)).toEqual(['sent', 'received', 'received']);
    expect(entries[1]).toMatchObject({ text: 'garbage', remote: { address: '127.0.0.2' } });
  });

  it('still sees a closed port while it is open to answers from elsewhere', async () => {
    const [first, second] = [await udpServer(() => {}), await closedPort()];
    const connections = await Promise.all([open(target(first.port, 'udp')), open(target(second, 'udp'))]);
    const [silent, refused] = await Promise.all(
      connections.map((connection) =>
        exchange(connection, request('OPTIONS', connection), { ...patient, t1: 2 }),
      ),
    );
    expect(silent).toMatchObject({ final: null, failure: null });
    expect(refused?.failure?.reason).toBe('connection_refused');
  });

  it('gives every connection a port of its own', async () => {
    const server = await udpServer((bytes, from, _, socket) =>
      socket.send(answer(bytes, 200), from.port, from.address),
    );
    const connections = await Promise.all(
      Array.from({ length: 300 }, () => open(target(server.port, 'udp'))),
    );
    expect(new Set(connections.map(({ local }) => local.port)).size).toBe(300);
    const done = await Promise.all(
      connections.map((connection) => exchange(connection, request('OPTIONS', connection), patient)),
    );
    expect(done.every(({ final }) => final?.status === 200)).toBe(true);
  });

  it('ignores what only keeps a NAT open, and reports what is no message', async () => {
    const server = await udpServer((_, from, __, socket) => {
      for (const bytes of ['\r\n\r\n', '\0\0\0\0', 'HTTP/1.1 400 Bad Request\r\n\r\n'])
        socket.send(bytes, from.port, from.address);
    });
    const connection = await open(target(server.port, 'udp'));
    const arrived = new Promise<Arrival>((resolve) => connection.listen(resolve));
    connection.send(request('OPTIONS', connection));
    expect(await arrived).toMatchObject({ reason: 'malformed_answer' });
  });

  it('sends from the address that was asked for, where this machine has it', async () => {
    const server = await udpServer((bytes, from, _, socket) =>
      socket.send(answer(bytes, 200), from.port, from.address),
    );
    const connection = await open(target(server.port, 'udp'), { bind: '127.0.0.9' });
    expect(connection.local.address).toBe('127.0.0.9');
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done.final?.status).toBe(200);
    const elsewhere = await failureOf(open(target(server.port, 'udp'), { bind: '192.0.2.77' }));
    expect(elsewhere).toMatchObject({
      reason: 'connection_failed',
      message: expect.stringContaining('local address'),
    });
  });

  it('says nothing more once it is closed', async () => {
    const server = await udpServer((bytes, from, _, socket) =>
      socket.send(answer(bytes, 200), from.port, from.address),
    );
    const connection = await open(target(server.port, 'udp'));
    const arrivals: Arrival[] = [];
    connection.listen((arrival) => arrivals.push(arrival));
    connection.send(request('OPTIONS', connection));
    await connection.close();
    connection.send(request('OPTIONS', connection));
    await connection.close();
    expect(arrivals).toEqual([]);
  });
});

describe('TCP', () => {
  const onData = (reply: (bytes: Buffer, socket: Socket) => void) => (socket: Socket) =>
    socket.on('data', (bytes: Buffer) => reply(bytes, socket));

  it.each(['127.0.0.1', '::1'])('carries a request and its answer at %s', async (address) => {
    const serve = onData((bytes, socket) => socket.write(answer(bytes, 200)));
    const server = await streamServer(serve, undefined, address);
    const { entries, trace } = recorder();
    const connection = await open(target(server.port, 'tcp', address), { trace });
    expect(connection).toMatchObject({
      transport: 'tcp',
      reliable: true,
      tls: null,
      remote: { address, port: server.port },
    });
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done.final?.status).toBe(200);
    expect(entries.map(({ way, text }) => `${way} ${text.split('\r\n')[0]}`)).toEqual([
      'sent OPTIONS sip:example.com SIP/2.0',
      'received SIP/2.0 200 Whatever',
    ]);
  });

  it('is refused where nothing listens', async () => {
    const port = await closedPort();
    const failure = await failureOf(open(target(port, 'tcp')));
    expect(failure).toMatchObject({
      reason: 'connection_refused',
      message: expect.stringContaining(`:${port}`),
    });
  });

  it('ends at once when it is no longer wanted', async () => {
    const stop = new AbortController();
    const server = await streamServer(() => {});
    const opening = openConnection(target(server.port, 'tcp'), { timeoutMs: 20_000, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    await expect(openConnection(target(1, 'udp'), { timeoutMs: 1, signal: stop.signal })).rejects.toThrow(
      'enough',
    );
  });

  it('is given up where nobody answers, or when it is no longer wanted, and leaves no socket', async () => {
    const late = () => new TransportFailure('connection_timeout', 'late');
    const words = { late, failed: late, closed: late };
    const silent = new Socket();
    expect((await failureOf(opened(silent, 'connect', { timeoutMs: 5, signal: never }, words))).message).toBe(
      'late',
    );
    const unwanted = new Socket();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(opened(unwanted, 'connect', { timeoutMs: 20_000, signal }, words)).rejects.toThrow('enough');
    expect([silent.destroyed, unwanted.destroyed]).toEqual([true, true]);
  });

  it('is silent where the server only accepts', async () => {
    const server = await streamServer(() => {});
    const connection = await open(target(server.port, 'tcp'));
    const done = await exchange(connection, request('OPTIONS', connection), { ...patient, timeoutMs: 30 });
    expect(done).toMatchObject({ final: null, failure: null, sent: 1 });
    expect(connection.incomplete).toBe(0);
  });

  it('says that the server closed, and whether in the middle of a message', async () => {
    const whole = await streamServer(onData((_, socket) => socket.end()));
    const first = await open(target(whole.port, 'tcp'));
    const closed = await exchange(first, request('OPTIONS', first), patient);
    expect(closed.failure).toMatchObject({ reason: 'connection_closed' });
    expect(closed.failure?.message).not.toContain('middle');
    const half = await streamServer(
      onData((bytes, socket) => socket.end(answer(bytes, 200).subarray(0, 40))),
    );
    const second = await open(target(half.port, 'tcp'));
    const cut = await exchange(second, request('OPTIONS', second), patient);
    expect(cut.failure).toMatchObject({ reason: 'connection_closed' });
    expect(cut.failure?.message).toContain('in the middle of a message, after 40 bytes');
  });

  it('says so also to a request that comes after the end', async () => {
    const server = await streamServer(onData((_, socket) => socket.end()));
    const connection = await open(target(server.port, 'tcp'));
    await exchange(connection, request('OPTIONS', connection), patient);
    const late = await exchange(connection, request('OPTIONS', connection), patient);
    expect(late).toMatchObject({ final: null, failure: { reason: 'connection_closed' } });
  });

  it('says that the server reset', async () => {
    const server = await streamServer(onData((_, socket) => socket.resetAndDestroy()));
    const connection = await open(target(server.port, 'tcp'));
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done.failure).toMatchObject({ reason: 'connection_reset' });
  });

  it('puts together what comes byte by byte, between keep-alives', async () => {
    const server = await streamServer(
      onData(async (bytes, socket) => {
        socket.setNoDelay(true);
        for (const byte of Buffer.concat([Buffer.from('\r\n\r\n'), answer(bytes, 200)])) {
          socket.write(Buffer.of(byte));
          await new Promise(setImmediate);
        }
      }),
    );
    const { entries, trace } = recorder();
    const connection = await open(target(server.port, 'tcp'), { trace });
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done.final?.status).toBe(200);
    expect(entries[1]?.text).toMatch(/^SIP\/2\.0 200 Whatever\r\n.*\r\n\r\n$/s);
  });

  it('knows that a message has begun which does not end', async () => {
    const server = await streamServer(
      onData((bytes, socket) => socket.write(answer(bytes, 200).subarray(0, 50))),
    );
    const connection = await open(target(server.port, 'tcp'));
    const running = exchange(connection, request('OPTIONS', connection), { ...patient, timeoutMs: 1_000 });
    await expect.poll(() => connection.incomplete).toBe(50);
    expect(await running).toMatchObject({ final: null, failure: null });
  });

  it('carries several messages in one piece', async () => {
    const server = await streamServer(
      onData((bytes, socket) =>
        socket.write(Buffer.concat([answer(bytes, 100), answer(bytes, 183), answer(bytes, 200)])),
      ),
    );
    const { entries, trace } = recorder();
    const connection = await open(target(server.port, 'tcp'), { trace });
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done.final?.status).toBe(200);
    expect(done.provisional.map(({ status }) => status)).toEqual([100, 183]);
    expect(entries.map(({ text }) => text.slice(8, 11)).slice(1)).toEqual(['100', '183', '200']);
  });

  it.each([
    ['malformed_answer', 'another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['malformed_answer', 'no length', 'SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a\r\n\r\n'],
    ['oversized_answer', 'a large body', 'SIP/2.0 200 OK\r\nContent-Length: 9999999\r\n\r\n'],
    ['oversized_answer', 'headers without end', `SIP/2.0 200 OK\r\n${'X: y\r\n'.repeat(20_000)}`],
  ])('reports %s for %s, and keeps no such connection', async (reason, _, bytes) => {
    let isClosed = false;
    const server = await streamServer((socket) => {
      socket.on('data', () => socket.write(bytes));
      socket.on('close', () => {
        isClosed = true;
      });
    });
    const { entries, trace } = recorder();
    const connection = await open(target(server.port, 'tcp'), { trace });
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done).toMatchObject({ final: null, failure: { reason } });
    expect(entries[1]?.text).toContain(bytes.slice(0, 20));
    await expect.poll(() => isClosed).toBe(true);
  });

  it('does not wait for a peer that never reads', async () => {
    const server = await streamServer((socket) => socket.pause());
    const connection = await open(target(server.port, 'tcp'));
    const large = { ...request('MESSAGE', connection), body: Buffer.alloc(8_000_000, 'x') };
    connection.send(large);
    await connection.close();
  });
});

it.each([
  ['EHOSTUNREACH', 'host_unreachable'],
  ['ENETUNREACH', 'network_unreachable'],
  ['ETIMEDOUT', 'connection_timeout'],
  ['EADDRINUSE', 'address_in_use'],
  ['EPERM', 'connection_failed'],
  ['ESOMETHING', 'connection_failed'],
])('tells what %s means: %s', (code, reason) => {
  const error = Object.assign(new Error('x'), { code });
  const failure = systemFailure(error, { address: '2001:db8::1', port: 5060 });
  expect(failure).toMatchObject({
    reason,
    cause: error,
    message: expect.stringMatching(/^\[2001:db8::1\]:5060 /),
  });
});
