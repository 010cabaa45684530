import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  headerOf,
  headersOf,
  parseMessage,
  type SipMessage,
  serializeMessage,
} from '../../../src/sip/message/message.ts';
import type { Connection } from '../../../src/sip/transport/connection.ts';
import { exchange } from '../../../src/sip/transport/transaction.ts';
import {
  answer,
  endAll,
  never,
  open,
  request,
  streamServer,
  target,
  udpServer,
} from '../../support/sip-server.ts';

afterEach(endAll);

const patient = { signal: never, timeoutMs: 20_000 };
const line = (message: SipMessage) => (message.kind === 'request' ? message.method : String(message.status));

describe('the timers of RFC 3261', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Sends into the void, and answers when each request was sent, in milliseconds from the first. */
  async function sendings(method: string, reliable: boolean, provisionalAt: number | null = null) {
    const times: number[] = [];
    let listener: (arrival: SipMessage) => void = () => {};
    const connection: Connection = {
      transport: reliable ? 'tcp' : 'udp',
      local: { address: '192.0.2.1', port: 5060 },
      remote: { address: '192.0.2.2', port: 5060 },
      tls: null,
      reliable,
      elsewhere: [],
      incomplete: 0,
      send: () => void times.push(performance.now()),
      listen: (added) => {
        listener = added;
        return () => {};
      },
      close: async () => {},
    };
    const asked = request(method, connection);
    const trying = parseMessage(answer(serializeMessage(asked), 100));
    if (provisionalAt !== null) setTimeout(() => listener(trying), provisionalAt);
    const running = exchange(connection, asked, { signal: never, timeoutMs: 100_000 });
    await vi.runAllTimersAsync();
    const { sent, ms } = await running;
    expect(times).toHaveLength(sent);
    return { at: times.map((time) => time - (times[0] ?? 0)), ms };
  }

  it('repeat a request at T1, doubling up to T2, until Timer F', async () => {
    const at = [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500];
    expect(await sendings('OPTIONS', false)).toEqual({ at, ms: 32_000 });
  });

  it('repeat an INVITE at T1, doubling, until Timer B', async () => {
    expect(await sendings('INVITE', false)).toEqual({
      at: [0, 500, 1500, 3500, 7500, 15500, 31500],
      ms: 32_000,
    });
  });

  it('repeat nothing over a stream', async () => {
    expect(await sendings('OPTIONS', true)).toEqual({ at: [0], ms: 32_000 });
    expect(await sendings('INVITE', true)).toEqual({ at: [0], ms: 32_000 });
  });

  it('slow down to T2 once there is a provisional response', async () => {
    const at = [0, 500, 1500, 5500, 9500, 13500, 17500, 21500, 25500, 29500];
    expect(await sendings('OPTIONS', false, 600)).toEqual({ at, ms: 32_000 });
  });

  it('let an INVITE ring once there is a provisional response, up to the limit of the caller', async () => {
    expect(await sendings('INVITE', false, 600)).toEqual({ at: [0, 500], ms: 100_000 });
  });
});

describe('over UDP', () => {
  it('a request is sent once where the answer comes', async () => {
    const server = await udpServer((bytes, { port, address }, _, socket) =>
      socket.send(answer(bytes, 200), port, address),
    );
    const connection = await open(target(server.port, 'udp'));
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done).toMatchObject({ final: { status: 200 }, sent: 1, provisional: [], stray: 0, failure: null });
    expect(server.received).toHaveLength(1);
  });

  it('a request is repeated until it is answered, byte for byte the same', async () => {
    const server = await udpServer((bytes, { port, address }, number, socket) => {
      if (number === 4) socket.send(answer(bytes, 200), port, address);
    });
    const connection = await open(target(server.port, 'udp'));
    const done = await exchange(connection, request('REGISTER', connection), { ...patient, t1: 5 });
    expect(done.final?.status).toBe(200);
    expect(done.sent).toBeGreaterThanOrEqual(4);
    expect(new Set(server.received.map(String)).size).toBe(1);
  });

  it('silence ends with the time limit where that is shorter', async () => {
    const server = await udpServer(() => {});
    const connection = await open(target(server.port, 'udp'));
    const done = await exchange(connection, request('OPTIONS', connection), { signal: never, timeoutMs: 20 });
    expect(done).toMatchObject({ final: null, failure: null, sent: 1 });
  });

  it('a provisional response stops an INVITE, which then waits beyond Timer B', async () => {
    const t1 = 2;
    const server = await udpServer((bytes, { port, address }, _, socket) => {
      if (parseLine(bytes) !== 'INVITE') return;
      socket.send(answer(bytes, 100), port, address);
      socket.send(answer(bytes, 180), port, address);
      setTimeout(() => socket.send(answer(bytes, 200), port, address), 100 * t1);
    });
    const connection = await open(target(server.port, 'udp'));
    const seen: number[] = [];
    const onProvisional = ({ status }: { status: number }) => seen.push(status);
    const done = await exchange(connection, request('INVITE', connection), { ...patient, t1, onProvisional });
    expect(done.final?.status).toBe(200);
    expect(seen.slice(0, 2)).toEqual([100, 180]);
    expect(done.provisional.map(({ status }) => status)).toEqual(seen);
    // The 2xx is the caller's to acknowledge.
    expect(server.methods().map(line)).not.toContain('ACK');
  });

  it('a provisional response slows other requests down, and they are still repeated', async () => {
    const server = await udpServer((bytes, { port, address }, number, socket) => {
      socket.send(answer(bytes, number < 3 ? 100 : 200), port, address);
    });
    const connection = await open(target(server.port, 'udp'));
    const done = await exchange(connection, request('REGISTER', connection), { ...patient, t1: 5, t2: 5 });
    expect(done).toMatchObject({ final: { status: 200 }, sent: 3 });
    expect(done.provisional).toHaveLength(2);
  });

  it('a refused INVITE is acknowledged, each time that it is refused', async () => {
    const server = await udpServer((bytes, { port, address }, number, socket) => {
      if (number > 1) return;
      socket.send(answer(bytes, 486), port, address);
      socket.send(answer(bytes, 486), port, address);
    });
    const connection = await open(target(server.port, 'udp'));
    const route = [
      { name: 'Route', value: '<sip:first.example;lr>, <sip:second.example;lr>' },
      { name: 'Authorization', value: 'Digest username="me", response="0123"' },
    ];
    const invite = request('INVITE', connection, route);
    const done = await exchange(connection, invite, patient);
    expect(done.final?.status).toBe(486);
    await expect.poll(() => server.received.length).toBe(3);
    const [, ...acks] = server.methods();
    expect(acks.map(line)).toEqual(['ACK', 'ACK']);
    const [ack] = acks as [SipMessage];
    expect(headersOf(ack, 'Via')).toEqual(headersOf(invite, 'Via'));
    expect(headersOf(ack, 'Route')).toEqual(['<sip:first.example;lr>', '<sip:second.example;lr>']);
    expect(headerOf(ack, 'To')).toBe('<sip:you@example.com>;tag=theirs');
    expect(headerOf(ack, 'CSeq')).toBe('7 ACK');
    expect(headerOf(ack, 'Authorization')).toBeNull();
  });

  it('an INVITE that is given up is still acknowledged when it is refused', async () => {
    const server = await udpServer((bytes, { port, address }, _, socket) => {
      if (parseLine(bytes) === 'CANCEL') {
        socket.send(answer(bytes, 200), port, address);
        socket.send(answer(bytes, 487, { CSeq: '7 INVITE' }), port, address);
      } else if (parseLine(bytes) === 'INVITE') socket.send(answer(bytes, 180), port, address);
    });
    const connection = await open(target(server.port, 'udp'));
    const stop = new AbortController();
    const invite = request('INVITE', connection);
    const call = exchange(connection, invite, {
      ...patient,
      signal: stop.signal,
      onProvisional: () => stop.abort(new Error('enough')),
    });
    await expect(call).rejects.toThrow('enough');
    const headers = invite.headers.map(({ name, value }) => ({
      name,
      value: value.replace('INVITE', 'CANCEL'),
    }));
    const cancel = await exchange(connection, { ...invite, method: 'CANCEL', headers }, patient);
    expect(cancel.final?.status).toBe(200);
    await expect.poll(() => server.methods().map(line)).toEqual(['INVITE', 'CANCEL', 'ACK']);
  });

  it('responses of another branch or method are counted and ignored', async () => {
    const server = await udpServer((bytes, { port, address }, _, socket) => {
      socket.send(answer(bytes, 500, { Via: 'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKother' }), port, address);
      socket.send(answer(bytes, 501, { CSeq: '7 INFO' }), port, address);
      socket.send(answer(bytes, 502, { Via: 'SIP/2.0/UDP 127.0.0.1' }), port, address);
      socket.send(answer(bytes, 200), port, address);
    });
    const connection = await open(target(server.port, 'udp'));
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done).toMatchObject({ final: { status: 200 }, stray: 3 });
  });

  it('garbage counts only where nothing better follows', async () => {
    let isKind = true;
    const server = await udpServer((bytes, { port, address }, _, socket) => {
      socket.send(Buffer.from([0xff, 0x00, 0x17]), port, address);
      if (isKind) socket.send(answer(bytes, 200), port, address);
    });
    const connection = await open(target(server.port, 'udp'));
    const good = await exchange(connection, request('OPTIONS', connection), patient);
    expect(good).toMatchObject({ final: { status: 200 }, failure: null });
    isKind = false;
    const bad = await exchange(connection, request('OPTIONS', connection), { ...patient, t1: 2 });
    expect(bad).toMatchObject({ final: null, failure: { reason: 'malformed_answer' } });
    expect(bad.sent).toBeGreaterThan(1);
  });
});

describe('over TCP', () => {
  it('a request is sent once, however long the answer takes', async () => {
    let count = 0;
    const server = await streamServer((socket) =>
      socket.on('data', (bytes: Buffer) => {
        count += 1;
        setTimeout(() => socket.write(answer(bytes, 200)), 40);
      }),
    );
    const connection = await open(target(server.port, 'tcp'));
    const done = await exchange(connection, request('OPTIONS', connection), { ...patient, t1: 2, t2: 2 });
    expect(done).toMatchObject({ final: { status: 200 }, sent: 1 });
    expect(count).toBe(1);
  });

  it('silence ends with Timer F', async () => {
    const server = await streamServer(() => {});
    const connection = await open(target(server.port, 'tcp'));
    const done = await exchange(connection, request('OPTIONS', connection), { ...patient, t1: 1 });
    expect(done).toMatchObject({ final: null, failure: null, sent: 1 });
  });

  it('a malformed message ends the wait', async () => {
    const malformed = 'SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n';
    const server = await streamServer((socket) => socket.on('data', () => socket.write(malformed)));
    const connection = await open(target(server.port, 'tcp'));
    const done = await exchange(connection, request('OPTIONS', connection), patient);
    expect(done).toMatchObject({ final: null, failure: { reason: 'malformed_answer' } });
  });
});

it('refuses a request that no answer could be matched with', async () => {
  const server = await udpServer(() => {});
  const connection = await open(target(server.port, 'udp'));
  const { headers, ...rest } = request('OPTIONS', connection);
  const bare = { ...rest, headers: headers.filter(({ name }) => name !== 'Via') };
  await expect(exchange(connection, bare, patient)).rejects.toThrow('Via branch');
});

it('refuses a header that would end its line, and leaves nothing behind', async () => {
  const server = await udpServer(() => {});
  const connection = await open(target(server.port, 'udp'));
  const split = request('OPTIONS', connection, [{ name: 'Subject', value: 'a\r\nEvil: yes' }]);
  await expect(exchange(connection, split, patient)).rejects.toThrow('Subject');
  expect(server.received).toEqual([]);
});

function parseLine(bytes: Buffer): string {
  return bytes.toString('latin1').split(' ')[0] ?? '';
}
