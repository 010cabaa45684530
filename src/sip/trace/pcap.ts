import { isIPv4 } from 'node:net';
import type { Endpoint, Transport } from '../transport/endpoint.ts';
import { maskSecrets, type Trace } from './trace.ts';

/** Packets start with the IP header; whether it is version 4 or 6 stands in it. */
const linkTypeRaw = 101;
const protocols = { tcp: 6, udp: 17 } as const;
const flags = { syn: 0x02, push: 0x08, ack: 0x10 } as const;
/** What fits into an Ethernet frame: readers take longer segments for offloading and complain. */
const segmentSize = 1_400;

/**
 * A trace that Wireshark, tshark and sngrep read: a pcap file whose headers are made up around the messages, secrets
 * masked. What went through TLS stands there as TCP. Writes the file's header at once.
 */
export function pcapTrace(write: (bytes: Buffer) => void, clock: () => Date = () => new Date()): Trace {
  const streams = new Map<string, TcpStream>();
  const packet = (ip: Buffer): void => write(Buffer.concat([recordHeader(ip.length, clock()), ip]));
  const streamOf = (from: Endpoint, to: Endpoint, isAnswer: boolean): TcpStream => {
    // We are always the one who connected.
    const [client, server] = isAnswer ? [to, from] : [from, to];
    const key = [client, server].map(({ address, port }) => `${address} ${port}`).join(' ');
    const stream = streams.get(key) ?? new TcpStream(client, server, packet);
    streams.set(key, stream);
    return stream;
  };
  const enter = (
    bytes: Buffer,
    from: Endpoint,
    to: Endpoint,
    transport: Transport,
    isAnswer: boolean,
  ): void => {
    const masked = maskSecrets(bytes);
    if (transport === 'udp') packet(ipPacket('udp', from, to, udpDatagram(from, to, masked)));
    else streamOf(from, to, isAnswer).carry(masked, isAnswer);
  };
  write(fileHeader());
  return {
    sent: (bytes, local, remote, transport) => enter(bytes, local, remote, transport, false),
    received: (bytes, local, remote, transport) => enter(bytes, remote, local, transport, true),
  };
}

/** Both directions of one connection, with the numbers that make readers put it together. */
class TcpStream {
  readonly #ends: readonly [Endpoint, Endpoint];
  readonly #write: (packet: Buffer) => void;
  /** The next sequence number of each end. */
  readonly #next: [number, number] = [1_000, 2_000];

  constructor(client: Endpoint, server: Endpoint, write: (packet: Buffer) => void) {
    this.#ends = [client, server];
    this.#write = write;
    this.#segment(0, flags.syn, Buffer.alloc(0));
    this.#segment(1, flags.syn | flags.ack, Buffer.alloc(0));
    this.#segment(0, flags.ack, Buffer.alloc(0));
  }

  carry(bytes: Buffer, isAnswer: boolean): void {
    const sender = isAnswer ? 1 : 0;
    for (let at = 0; at < bytes.length; at += segmentSize)
      this.#segment(sender, flags.push | flags.ack, bytes.subarray(at, at + segmentSize));
    this.#segment(isAnswer ? 0 : 1, flags.ack, Buffer.alloc(0));
  }

  #segment(sender: 0 | 1, bits: number, bytes: Buffer): void {
    const receiver = sender === 0 ? 1 : 0;
    const [from, to] = [this.#ends[sender], this.#ends[receiver]];
    const header = Buffer.alloc(20);
    header.writeUInt16BE(from.port, 0);
    header.writeUInt16BE(to.port, 2);
    header.writeUInt32BE(this.#next[sender], 4);
    header.writeUInt32BE((bits & flags.ack) !== 0 ? this.#next[receiver] : 0, 8);
    header.writeUInt8(5 << 4, 12);
    header.writeUInt8(bits, 13);
    header.writeUInt16BE(0xffff, 14);
    header.writeUInt16BE(checksum(pseudoHeader('tcp', from, to, 20 + bytes.length), header, bytes), 16);
    // A SYN counts as one byte; the numbers wrap.
    const length = (bits & flags.syn) !== 0 ? 1 : bytes.length;
    this.#next[sender] = (this.#next[sender] + length) >>> 0;
    this.#write(ipPacket('tcp', from, to, Buffer.concat([header, bytes])));
  }
}

function udpDatagram(from: Endpoint, to: Endpoint, bytes: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt16BE(8 + bytes.length, 4);
  // Zero would mean that there is none.
  const sum = checksum(pseudoHeader('udp', from, to, 8 + bytes.length), header, bytes) || 0xffff;
  header.writeUInt16BE(sum, 6);
  return Buffer.concat([header, bytes]);
}

function ipPacket(protocol: keyof typeof protocols, from: Endpoint, to: Endpoint, payload: Buffer): Buffer {
  const [source, destination] = addressPair(from, to);
  if (source.length === 16) {
    const header = Buffer.alloc(8);
    header.writeUInt8(6 << 4, 0);
    header.writeUInt16BE(payload.length, 4);
    header.writeUInt8(protocols[protocol], 6);
    header.writeUInt8(64, 7);
    return Buffer.concat([header, source, destination, payload]);
  }
  const header = Buffer.alloc(12);
  header.writeUInt8((4 << 4) | 5, 0);
  header.writeUInt16BE(20 + payload.length, 2);
  // Not to be fragmented, which excuses the identification of 0.
  header.writeUInt16BE(0x4000, 6);
  header.writeUInt8(64, 8);
  header.writeUInt8(protocols[protocol], 9);
  header.writeUInt16BE(checksum(header, source, destination), 10);
  return Buffer.concat([header, source, destination, payload]);
}

/** What the checksums of UDP and TCP cover besides their own bytes (RFC 768, RFC 8200 §8.1). */
function pseudoHeader(
  protocol: keyof typeof protocols,
  from: Endpoint,
  to: Endpoint,
  length: number,
): Buffer {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(length, 0);
  tail.writeUInt32BE(protocols[protocol], 4);
  return Buffer.concat([...addressPair(from, to), tail]);
}

/** RFC 1071 over parts that follow each other; all but the last have an even length. */
function checksum(...parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at + 1 < part.length; at += 2) sum += part.readUInt16BE(at);
    if (part.length % 2 === 1) sum += (part.at(-1) ?? 0) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

/** Both addresses as bytes; of one family, even where a socket of both families wrote one as `::ffff:192.0.2.1`. */
function addressPair(from: Endpoint, to: Endpoint): [Buffer, Buffer] {
  const pair = [from, to].map(({ address }) => address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, ''));
  const [source = '', destination = ''] = pair;
  if (pair.every((address) => isIPv4(address))) return [bytesOfIPv4(source), bytesOfIPv4(destination)];
  return [bytesOfIPv6(source), bytesOfIPv6(destination)];
}

const bytesOfIPv4 = (address: string): Buffer => Buffer.from(address.split('.').map(Number));

function bytesOfIPv6(address: string): Buffer {
  if (isIPv4(address)) return bytesOfIPv6(`::ffff:${address}`);
  const hexadecimal = address.replace(/\d+\.\d+\.\d+\.\d+$/, (four) =>
    bytesOfIPv4(four).toString('hex').replace(/^.{4}/, '$&:'),
  );
  const [head = '', tail] = hexadecimal.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const all = tail === undefined ? before : [...before, ...zeros, ...after];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** Little-endian, microseconds. */
function fileHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(0x4_0000, 16);
  header.writeUInt32LE(linkTypeRaw, 20);
  return header;
}

function recordHeader(length: number, time: Date): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(Math.floor(time.getTime() / 1000), 0);
  header.writeUInt32LE((time.getTime() % 1000) * 1000, 4);
  header.writeUInt32LE(length, 8);
  header.writeUInt32LE(length, 12);
  return header;
}
