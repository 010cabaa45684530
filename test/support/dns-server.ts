import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const types = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 } as const;

/** Records as a zone file writes them, by `TYPE name`; or how a question is refused. */
export type Zone = Readonly<
  Record<string, readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'silence'>
>;

const answerCodes = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** A DNS server on 127.0.0.1. A name that the zone has under another type has no records, any other does not exist. */
export async function dnsServer(zone: Zone) {
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const { name, type, end } = questionOf(query);
    questions.push(`${type} ${name}`);
    const isKnown = Object.keys(zone).some((key) => key.endsWith(` ${name}`));
    const entry = zone[`${type} ${name}`] ?? (isKnown ? [] : 'NXDOMAIN');
    if (entry === 'silence') return;
    const records = typeof entry === 'string' ? [] : entry.map((text) => recordOf(type, text));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8580 | (typeof entry === 'string' ? answerCodes[entry] : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    socket.send(Buffer.concat([header, query.subarray(12, end), ...records]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

function questionOf(query: Buffer): { name: string; type: keyof typeof types; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const number = query.readUInt16BE(at + 1);
  const type = (Object.keys(types) as (keyof typeof types)[]).find((key) => types[key] === number);
  if (type === undefined) throw new Error(`a question of type ${number}`);
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 };
}

function recordOf(type: keyof typeof types, text: string): Buffer {
  const data = dataOf[type](text);
  const head = Buffer.alloc(12);
  // The name is the one that stands in the question.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(types[type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

const dataOf: Record<keyof typeof types, (text: string) => Buffer> = {
  A: (text) => Buffer.from(text.split('.').map(Number)),
  AAAA: (text) =>
    Buffer.from(
      text
        .split(':')
        .map((group) => group.padStart(4, '0'))
        .join(''),
      'hex',
    ),
  SRV: (text) => {
    const [priority, weight, port, name = ''] = text.split(' ');
    return Buffer.concat([numbers(priority, weight, port), domain(name)]);
  },
  NAPTR: (text) => {
    const [, order, preference, flags, service, regexp, name = ''] =
      /^(\d+) (\d+) "(.*?)" "(.*?)" "(.*?)" (\S+)$/.exec(text) ?? [];
    const strings = [flags, service, regexp].map((part = '') =>
      Buffer.from([part.length, ...Buffer.from(part)]),
    );
    return Buffer.concat([numbers(order, preference), ...strings, domain(name)]);
  },
};

function numbers(...values: readonly (string | undefined)[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(Number(value), index * 2);
  return bytes;
}

function domain(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.alloc(1),
  ]);
}
