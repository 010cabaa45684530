import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pcapTrace } from '../../../src/sip/trace/pcap.ts';
import type { Transport } from '../../../src/sip/transport/endpoint.ts';

const four = {
  local: { address: '192.0.2.1', port: 40_000 },
  remote: { address: '198.51.100.7', port: 5060 },
};
const six = {
  local: { address: '2001:db8::1', port: 40_000 },
  remote: { address: 'fe80::2:0:0:3%eth0', port: 5061 },
};
const time = new Date('2026-01-02T03:04:05.678Z');

type Message = readonly [way: 'sent' | 'received', text: string];

function fileOf(messages: readonly Message[], transport: Transport, { local, remote } = four): Buffer {
  const parts: Buffer[] = [];
  const trace = pcapTrace(
    (bytes) => parts.push(bytes),
    () => time,
  );
  for (const [way, text] of messages) trace[way](Buffer.from(text), local, remote, transport);
  return Buffer.concat(parts);
}

interface Packet {
  from: string;
  to: string;
  protocol: number;
  sourcePort: number;
  /** Of TCP: sequence number, acknowledged number, flags. */
  tcp: { sequence: number; acknowledged: number; flags: number } | null;
  payload: string;
}

/** A second reading of the format, which believes no length or checksum that it has not checked. */
function packetsOf(file: Buffer): Packet[] {
  expect(file.subarray(0, 24).toString('hex')).toBe('d4c3b2a1020004000000000000000000000004006500' + '0000');
  const packets: Packet[] = [];
  let at = 24;
  while (at < file.length) {
    expect(file.readUInt32LE(at)).toBe(Math.floor(time.getTime() / 1000));
    expect(file.readUInt32LE(at + 4)).toBe(678_000);
    const length = file.readUInt32LE(at + 8);
    expect(file.readUInt32LE(at + 12)).toBe(length);
    packets.push(packetOf(file.subarray(at + 16, at + 16 + length)));
    at += 16 + length;
  }
  expect(at).toBe(file.length);
  return packets;
}

function packetOf(bytes: Buffer): Packet {
  const isFour = bytes.readUInt8(0) === 0x45;
  if (isFour) expect(onesComplement(bytes.subarray(0, 20))).toBe(0xffff);
  else expect(bytes.readUInt8(0)).toBe(0x60);
  const headerLength = isFour ? 20 : 40;
  expect(isFour ? bytes.readUInt16BE(2) : bytes.readUInt16BE(4) + 40).toBe(bytes.length);
  const protocol = bytes.readUInt8(isFour ? 9 : 6);
  const addresses = isFour ? bytes.subarray(12, 20) : bytes.subarray(8, 40);
  const segment = bytes.subarray(headerLength);
  const pseudo = Buffer.concat([addresses, Buffer.from([0, protocol]), Buffer.alloc(2)]);
  pseudo.writeUInt16BE(segment.length, pseudo.length - 2);
  expect(onesComplement(Buffer.concat([pseudo, segment]))).toBe(0xffff);
  if (protocol === 17) expect(segment.readUInt16BE(4)).toBe(segment.length);
  const isTcp = protocol === 6;
  const half = addresses.length / 2;
  return {
    from: addresses.toString('hex', 0, half),
    to: addresses.toString('hex', half),
    protocol,
    sourcePort: segment.readUInt16BE(0),
    tcp: isTcp
      ? {
          sequence: segment.readUInt32BE(4),
          acknowledged: segment.readUInt32BE(8),
          flags: segment.readUInt8(13),
        }
      : null,
    payload: segment.toString('utf8', isTcp ? 20 : 8),
  };
}

function onesComplement(bytes: Buffer): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) {
    sum += index % 2 === 0 ? byte * 256 : byte;
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

describe('a pcap file', () => {
  it('has datagrams of both directions', () => {
    const packets = packetsOf(
      fileOf(
        [
          ['sent', 'OPTIONS'],
          ['received', 'SIP/2.0 200'],
        ],
        'udp',
      ),
    );
    expect(packets).toEqual([
      { from: 'c0000201', to: 'c6336407', protocol: 17, sourcePort: 40_000, tcp: null, payload: 'OPTIONS' },
      { from: 'c6336407', to: 'c0000201', protocol: 17, sourcePort: 5060, tcp: null, payload: 'SIP/2.0 200' },
    ]);
  });

  it('has datagrams of IPv6, and IPv4 that a socket of both wrote', () => {
    const [packet] = packetsOf(fileOf([['sent', 'odd']], 'udp', six));
    expect(packet).toMatchObject({
      from: '20010db8000000000000000000000001',
      to: 'fe800000000000000002000000000003',
      payload: 'odd',
    });
    const mapped = {
      local: { address: '::ffff:192.0.2.1', port: 1 },
      remote: { address: '::ffff:192.0.2.2', port: 2 },
    };
    expect(packetsOf(fileOf([['sent', 'x']], 'udp', mapped))[0]).toMatchObject({
      from: 'c0000201',
      to: 'c0000202',
    });
  });

  it.each(['tcp', 'tls'] as const)('has one stream for the messages of %s', (transport) => {
    const large = `INVITE ${'x'.repeat(4_000)}`;
    const packets = packetsOf(
      fileOf(
        [
          ['sent', large],
          ['received', '200'],
          ['sent', 'ACK'],
        ],
        transport,
        six,
      ),
    );
    const flags = packets.slice(0, 3).map(({ tcp }) => tcp?.flags);
    expect(flags).toEqual([0x02, 0x12, 0x10]);
    expect(stream(packets, 40_000)).toBe(`${large}ACK`);
    expect(stream(packets, 5061)).toBe('200');
    expect(Math.max(...packets.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1_460);
  });

  it('has no secret in it, and all lengths as they were', () => {
    const register = 'REGISTER sip:a SIP/2.0\r\nAuthorization: Digest response="0123456789"\r\n\r\n';
    for (const transport of ['udp', 'tcp'] as const) {
      const file = fileOf([['sent', register]], transport);
      expect(file.includes('0123456789')).toBe(false);
      const payload = packetsOf(file)
        .map((packet) => packet.payload)
        .join('');
      expect(payload).toBe(register.replace('0123456789', 'xxxxxxxxxx'));
    }
  });

  it.skipIf(!hasTcpdump())('is read by tcpdump without complaint (needs tcpdump)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sipctl-pcap-'));
    try {
      const path = join(folder, 'trace.pcap');
      for (const transport of ['udp', 'tcp'] as const) {
        writeFileSync(
          path,
          fileOf(
            [
              ['sent', 'OPTIONS sip:a SIP/2.0\r\n\r\n'],
              ['received', 'SIP/2.0 200 OK\r\n\r\n'],
            ],
            transport,
          ),
        );
        const text = execFileSync('tcpdump', ['-nvr', path], { encoding: 'utf8', stdio: 'pipe' });
        expect(text).toContain('192.0.2.1.40000 > 198.51.100.7.5060');
        expect(text).not.toMatch(/bad|incorrect|truncated/i);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** The bytes that one end sent, put together by sequence numbers that leave no gap. */
function stream(packets: readonly Packet[], port: number): string {
  const [mine, theirs] = [true, false].map((own) =>
    packets.filter(({ sourcePort }) => (sourcePort === port) === own),
  );
  const start = (mine?.[0]?.tcp?.sequence ?? 0) + 1;
  let text = '';
  for (const { tcp, payload } of (mine ?? []).slice(1)) {
    expect(tcp?.sequence).toBe(start + text.length);
    text += payload;
  }
  expect(theirs?.at(-1)?.tcp?.acknowledged).toBeLessThanOrEqual(start + text.length);
  return text;
}

function hasTcpdump(): boolean {
  try {
    execFileSync('tcpdump', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
