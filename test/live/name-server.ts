import { createSocket } from 'node:dgram';

/** What is known of one name: addresses, and servers as `priority weight port target`. */
export interface Zone {
  a?: readonly string[];
  srv?: readonly string[];
  /** The name server fails instead. */
  fails?: true;
}

/** A name server for a few names. All others do not exist. */
export interface NameServer {
  /** As `--dns` takes it. */
  address: string;
  close(): Promise<void>;
}

const types = { a: 1, srv: 33 } as const;
const codes = { none: 0, failure: 2, noName: 3 } as const;
const shortestAnswer = 12;

/** Answers by UDP: RFC 1035 §4, RFC 2782. */
export function startNameServer(host: string, zones: Readonly<Record<string, Zone>>): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    if (query.length > shortestAnswer) socket.send(answer(query, zones), from.port, from.address);
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, host, () =>
      resolve({
        address: `${host}:${socket.address().port}`,
        close: () => new Promise((closed) => socket.close(() => closed())),
      }),
    );
  });
}

function answer(query: Buffer, zones: Readonly<Record<string, Zone>>): Buffer {
  const { name, end } = nameAt(query, shortestAnswer);
  const type = query.readUInt16BE(end);
  const zone = zones[name.toLowerCase()];
  const code = zone === undefined ? codes.noName : zone.fails ? codes.failure : codes.none;
  const records = recordsOf(zone ?? {}, type);
  const head = Buffer.alloc(shortestAnswer);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8580 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, query.subarray(shortestAnswer, end + 4), ...records.map(recordOf(type))]);
}

function recordsOf(zone: Zone, type: number): Buffer[] {
  if (type === types.a) return (zone.a ?? []).map((address) => Buffer.from(address.split('.').map(Number)));
  if (type !== types.srv) return [];
  return (zone.srv ?? []).map((line) => {
    const [priority, weight, port, target = ''] = line.split(' ');
    const numbers = Buffer.alloc(6);
    for (const [index, value] of [priority, weight, port].entries())
      numbers.writeUInt16BE(Number(value), index * 2);
    return Buffer.concat([numbers, nameOf(target)]);
  });
}

/** Its name is that of the question, which begins after the head. */
const recordOf =
  (type: number) =>
  (data: Buffer): Buffer => {
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0xc000 | shortestAnswer, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(60, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  };

const nameOf = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);

function nameAt(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.subarray(at + 1, at + 1 + length).toString());
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}
