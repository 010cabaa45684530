import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAnswer, stunBinding } from '../../../src/sip/transport/stun.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
const rfc5769Id = hex('b7e7a701 bc34d686 fa87dfae');

function message(type: number, id: Buffer, ...attributes: [number, Buffer][]): Buffer {
  const body = Buffer.concat(
    attributes.flatMap(([name, value]) => {
      const head = Buffer.alloc(4);
      head.writeUInt16BE(name, 0);
      head.writeUInt16BE(value.length, 2);
      return [head, value, Buffer.alloc((4 - (value.length % 4)) % 4)];
    }),
  );
  const head = hex('0000 0000 2112a442');
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, id, body]);
}

const software: [number, Buffer] = [0x8022, Buffer.from('test vector')];

describe('an answer', () => {
  it.each([
    ['RFC 5769 §2.2', hex('0001a147 e112a643'), '192.0.2.1'],
    [
      'RFC 5769 §2.3',
      hex('0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9'),
      '2001:db8:1234:5678:11:2233:4455:6677',
    ],
  ])('has the masked address of %s', (_, value, address) => {
    const bytes = message(0x0101, rfc5769Id, software, [0x0020, value]);
    expect(parseAnswer(bytes, rfc5769Id)).toEqual({ mapped: { address, port: 32_853 }, error: null });
  });

  it('may have the plain address of old servers, which counts second', () => {
    const plain: [number, Buffer] = [0x0001, hex('00010050 cb007107')];
    expect(parseAnswer(message(0x0101, rfc5769Id, plain), rfc5769Id)?.mapped).toEqual({
      address: '203.0.113.7',
      port: 80,
    });
    const both = message(0x0101, rfc5769Id, plain, [0x0020, hex('0001a147 e112a643')]);
    expect(parseAnswer(both, rfc5769Id)?.mapped?.address).toBe('192.0.2.1');
  });

  it('may be a refusal, or say nothing', () => {
    const refusal = Buffer.concat([hex('00000414'), Buffer.from('Bad\nRequest')]);
    expect(parseAnswer(message(0x0111, rfc5769Id, [9, refusal]), rfc5769Id)?.error).toBe(
      'The server refused: 420 Bad Request',
    );
    expect(parseAnswer(message(0x0101, rfc5769Id, software), rfc5769Id)?.error).toMatch(/without an address/);
    expect(parseAnswer(message(0x0101, rfc5769Id, [0x20, hex('0001')]), rfc5769Id)?.mapped).toBeNull();
  });

  it('of somebody else is ignored', () => {
    const right = message(0x0101, rfc5769Id, [0x0020, hex('0001a147 e112a643')]);
    expect(parseAnswer(right, Buffer.alloc(12))).toBeNull();
    expect(parseAnswer(right.subarray(0, -1), rfc5769Id)).toBeNull();
    expect(parseAnswer(right.subarray(0, 19), rfc5769Id)).toBeNull();
    expect(parseAnswer(message(0x0001, rfc5769Id), rfc5769Id)).toBeNull();
    const oldCookie = Buffer.from(right);
    oldCookie.writeUInt8(0, 4);
    expect(parseAnswer(oldCookie, rfc5769Id)).toBeNull();
  });
});

describe('a binding request', () => {
  const servers: Socket[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function server(address: string, answer: (bytes: Buffer, from: RemoteInfo, socket: Socket) => void) {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(0, address);
    servers.push(socket);
    await once(socket, 'listening');
    socket.on('message', (bytes, from) => answer(bytes, from, socket));
    return { address, port: socket.address().port };
  }

  function mappedOf({ address, port }: RemoteInfo): Buffer {
    const value = Buffer.alloc(address.includes(':') ? 20 : 8);
    value.writeUInt8(address.includes(':') ? 2 : 1, 1);
    value.writeUInt16BE(port, 2);
    if (address === '::1') value.writeUInt8(1, 19);
    else for (const [at, part] of address.split('.').entries()) value.writeUInt8(Number(part), 4 + at);
    return value;
  }

  const echo = (bytes: Buffer, from: RemoteInfo, socket: Socket): void =>
    socket.send(message(0x0101, bytes.subarray(8, 20), [1, mappedOf(from)]), from.port, from.address);
  const quiet = new AbortController().signal;

  it.each(['127.0.0.1', '::1'])('is answered on %s', async (address) => {
    const at = await server(address, echo);
    const result = await stunBinding({ server: at, timeoutMs: 5_000, signal: quiet });
    expect(result).toMatchObject({ error: null, sent: 1 });
    expect(result.mapped).toEqual(result.local);
    expect(result.mapped?.address).toBe(address);
  });

  it('is sent again until it is answered, from the address asked for', async () => {
    let count = 0;
    const at = await server('127.0.0.1', (bytes, from, socket) => {
      count += 1;
      socket.send('noise', from.port, from.address);
      if (count === 3) echo(bytes, from, socket);
    });
    const options = { server: at, timeoutMs: 20_000, signal: quiet, bind: '127.0.0.9', rtoMs: 10 };
    const result = await stunBinding(options);
    expect(result.mapped?.address).toBe('127.0.0.9');
    expect(result.sent).toBeGreaterThanOrEqual(3);
  });

  it('ends without an answer after its time, at a closed port, or when nobody waits any more', async () => {
    const silent = await server('127.0.0.1', () => {});
    const options = { server: silent, timeoutMs: 300, signal: quiet, rtoMs: 1 };
    expect(await stunBinding(options)).toMatchObject({
      mapped: null,
      sent: 7,
      error: 'No answer within 300 ms',
    });
    const aborted = { ...options, timeoutMs: 60_000, signal: AbortSignal.timeout(50) };
    expect((await stunBinding(aborted)).error).toBe('Interrupted');
    expect((await stunBinding({ ...aborted, signal: AbortSignal.abort() })).sent).toBe(0);
    servers.pop()?.close();
    expect((await stunBinding({ ...options, timeoutMs: 30_000 })).error).toMatch(/ECONNREFUSED/);
    expect((await stunBinding({ ...options, bind: '192.0.2.1' })).error).toMatch(/EADDRNOTAVAIL/);
  });
});
