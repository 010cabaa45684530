import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Endpoint } from './endpoint.ts';

/** What a STUN server said (RFC 8489). */
export interface StunResult {
  /** Where our packets come from, as the server sees it; null where it did not say. */
  mapped: Endpoint | null;
  /** Null where not even a socket could be opened. */
  local: Endpoint | null;
  /** How often the request was sent. */
  sent: number;
  ms: number;
  /** Why `mapped` is null, for people; null otherwise. */
  error: string | null;
}

export interface StunOptions {
  /** An address literal, and a port: usually 3478. */
  server: Endpoint;
  timeoutMs: number;
  signal: AbortSignal;
  /** The local address to send from. */
  bind?: string;
  /** Milliseconds until the first retransmission, which double each time (RFC 8489 §6.2.1). */
  rtoMs?: number;
}

const cookie = 0x2112_a442;
const headerBytes = 20;
const [bindingRequest, bindingSuccess, bindingError] = [0x0001, 0x0101, 0x0111];
const [mappedAddress, errorCode, xorMappedAddress] = [0x0001, 0x0009, 0x0020];
/** RFC 8489 §6.2.1: Rc. */
const mostRequests = 7;

/** Asks a STUN server over UDP where our packets come from. Answers, whatever happens; never throws. */
export async function stunBinding(options: StunOptions): Promise<StunResult> {
  const startedAt = performance.now();
  const socket = createSocket(isIP(options.server.address) === 6 ? 'udp6' : 'udp4');
  const counter = { sent: 0, local: null as Endpoint | null };
  const { mapped, error } = await ask(socket, options, counter);
  socket.close();
  return { mapped, ...counter, ms: performance.now() - startedAt, error };
}

type Answer = Pick<StunResult, 'mapped' | 'error'>;

function ask(
  socket: Socket,
  { server, timeoutMs, signal, bind, rtoMs = 500 }: StunOptions,
  counter: { sent: number; local: Endpoint | null },
): Promise<Answer> {
  const id = randomBytes(12);
  return new Promise((resolve) => {
    let retransmission: NodeJS.Timeout | undefined;
    const settle = (answer: Answer): void => {
      clearTimeout(retransmission);
      clearTimeout(limit);
      signal.removeEventListener('abort', interrupt);
      resolve(answer);
    };
    const fail = (error: string): void => settle({ mapped: null, error });
    const interrupt = (): void => fail('Interrupted');
    const limit = setTimeout(() => fail(`No answer within ${timeoutMs} ms`), timeoutMs);
    const send = (wait: number): void => {
      counter.sent += 1;
      socket.send(makeRequest(id));
      if (counter.sent < mostRequests) retransmission = setTimeout(() => send(2 * wait), wait);
    };
    signal.addEventListener('abort', interrupt);
    socket.on('error', (error) => fail(error.message));
    socket.on('message', (bytes) => {
      const answer = parseAnswer(bytes, id);
      if (answer) settle(answer);
    });
    // Connected, so that a closed port answers by ICMP, and nobody else is heard.
    const connect = (): void =>
      socket.connect(server.port, server.address, () => {
        const { address, port } = socket.address();
        counter.local = { address, port };
        send(rtoMs);
      });
    if (signal.aborted) interrupt();
    else if (bind === undefined) connect();
    else socket.bind(0, bind, connect);
  });
}

function makeRequest(id: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(bindingRequest, 0);
  head.writeUInt32BE(cookie, 4);
  return Buffer.concat([head, id]);
}

/** Null for what does not answer this request: RFC 8489 §6.3 has it ignored. */
export function parseAnswer(bytes: Buffer, id: Buffer): Answer | null {
  if (bytes.length < headerBytes || !bytes.subarray(8, headerBytes).equals(id)) return null;
  const [type, length] = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
  const isOurs = type === bindingSuccess || type === bindingError;
  if (!isOurs || bytes.readUInt32BE(4) !== cookie || headerBytes + length > bytes.length) return null;
  const attributes = attributesIn(bytes.subarray(headerBytes, headerBytes + length));
  if (type === bindingError) return { mapped: null, error: errorIn(attributes.get(errorCode)) };
  const xored = attributes.get(xorMappedAddress);
  const plain = attributes.get(mappedAddress);
  // Some home routers rewrite addresses in packets, which is why the exclusive one counts first.
  const mapped = (xored && endpointIn(unmasked(xored, bytes))) || (plain && endpointIn(plain)) || null;
  return { mapped, error: mapped ? null : 'The server answered without an address' };
}

/** The first attribute of each type (RFC 8489 §14). */
function attributesIn(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const [type, length] = [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2)];
    const value = bytes.subarray(at + 4, at + 4 + length);
    if (value.length === length && !attributes.has(type)) attributes.set(type, value);
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return attributes;
}

/** The port is masked by the cookie, the address by the cookie and the transaction's id (RFC 8489 §14.2). */
function unmasked(value: Buffer, message: Buffer): Buffer {
  const mask = Buffer.concat([Buffer.alloc(2), message.subarray(4, 6), message.subarray(4, headerBytes)]);
  return Buffer.from(value.map((byte, at) => byte ^ (mask[at] ?? 0)));
}

function endpointIn(value: Buffer): Endpoint | null {
  const family = value.length >= 4 ? value.readUInt8(1) : 0;
  const port = family === 0 ? 0 : value.readUInt16BE(2);
  if (family === 1 && value.length >= 8) return { address: value.subarray(4, 8).join('.'), port };
  if (family !== 2 || value.length < 20) return null;
  const groups = Array.from({ length: 8 }, (_, at) => value.readUInt16BE(4 + 2 * at).toString(16));
  // The URL parser writes an IPv6 address as RFC 5952 wants it.
  return { address: new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1), port };
}

function errorIn(value: Buffer | undefined): string {
  if (!value || value.length < 4) return 'The server refused without a reason';
  const code = (value.readUInt8(2) & 0x07) * 100 + value.readUInt8(3);
  return `The server refused: ${code} ${value
    .subarray(4)
    .toString('utf8')
    .replace(/\p{Cc}/gu, ' ')}`.trim();
}
