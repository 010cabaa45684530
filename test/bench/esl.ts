import { Secret } from '../../src/model/secret.ts';
import { EslParser } from '../../src/platforms/freeswitch/esl/codec.ts';
import { connectEsl } from '../../src/platforms/freeswitch/esl/connection.ts';
import { connectPeer } from '../support/esl-peer.ts';
import { event, printed, startEslServer } from '../support/esl-server.ts';
import { type BenchResult, elapsed, interleaved, median } from './result.ts';

const rounds = 9;
const eventCount = 20_000;
const bodyMegabytes = 32;
const packetBytes = 1460;
const password = 's3cret';

/** What FreeSWITCH sends when a channel is made, without its variables: 32 headers, some 1.2 kB. */
function channelCreate(call: number): Buffer {
  const id = `c293d5b8-46d1-4280-913a-${call.toString(16).padStart(12, '0')}`;
  const caller = Object.fromEntries(
    Array.from({ length: 24 }, (_, index) => [`Caller-Profile-Header-${index}`, `value of header ${index}`]),
  );
  return event('CHANNEL_CREATE', {
    'Core-UUID': '48a81214-e4d8-4def-9ded-7ace7bcb4efa',
    'Event-Sequence': String(call),
    'Channel-State': 'CS_INIT',
    'Channel-Name': 'sofia/internal/1001@acme.sip.test',
    'Unique-ID': id,
    'Channel-Call-UUID': id,
    'Answer-State': 'ringing',
    ...caller,
  });
}

/** Events from loopback through the whole of either client, in turn; both read channel and call of every event. */
export async function benchEslEvents(): Promise<BenchResult> {
  const bytes = Buffer.concat(Array.from({ length: eventCount }, (_, call) => channelCreate(call)));
  const server = await startEslServer();
  const esl = await connectEsl({
    ...{ host: server.host, port: server.port, password: new Secret(password) },
    ...{ connectTimeoutMs: 5000, commandTimeoutMs: 5000 },
  });
  const peer = await connectPeer(server, password);
  const [toUs, toThem] = server.peers;

  const events = esl.events();
  const ours = async (): Promise<void> => {
    const calls = new Set<string>();
    toUs?.socket.write(bytes);
    for (let count = 0; count < eventCount; count += 1) {
      const one = (await events.next()).value;
      if (one?.get('Channel-Name')) calls.add(one.get('Unique-ID') ?? '');
    }
    check(calls);
  };
  const theirs = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const calls = new Set<string>();
      let count = 0;
      peer.listen((one) => {
        if (one.getHeader('Channel-Name')) calls.add(one.getHeader('Unique-ID') ?? '');
        count += 1;
        if (count < eventCount) return;
        try {
          check(calls);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
      toThem?.socket.write(bytes);
    });
  const ms = await interleaved({ ours, theirs }, rounds);
  await esl.close();
  peer.close();
  await server.close();
  const rate = (taken: number): string => `${Math.round(eventCount / taken)}k`;
  return {
    name: 'ESL JSON events per second / modesl',
    value: ms.theirs / ms.ours,
    unit: 'x',
    target: { atLeast: 2 },
    note: `${rate(ms.ours)}/s against ${rate(ms.theirs)}/s over loopback, ${Math.round(bytes.length / eventCount)} bytes each`,
  };
}

function check(calls: ReadonlySet<string>): void {
  if (calls.size !== eventCount) throw new Error(`${calls.size} of ${eventCount} calls were read`);
}

/** One giant answer in the packets of an Ethernet, against a quarter of it: linear is four. */
export async function benchEslBody(): Promise<BenchResult> {
  const read = (bytes: Buffer) => (): void => {
    const parser = new EslParser();
    let length = 0;
    for (let at = 0; at < bytes.length; at += packetBytes) {
      for (const { body } of parser.push(bytes.subarray(at, at + packetBytes))) length = body.length;
    }
    if (length === 0) throw new Error('nothing was read');
  };
  const whole = printed(Buffer.alloc(bodyMegabytes * 1e6, 'x'));
  const quarter = printed(Buffer.alloc((bodyMegabytes * 1e6) / 4, 'x'));
  const ms = await interleaved({ whole: read(whole), quarter: read(quarter) }, rounds);
  return {
    name: `ESL answer of ${bodyMegabytes} MB / one of ${bodyMegabytes / 4} MB`,
    value: ms.whole / ms.quarter,
    unit: 'x',
    target: { atMost: 8 },
    note: `${ms.whole.toFixed(0)} ms in packets of ${packetBytes} bytes`,
  };
}

/** One command there and back, over loopback. */
export async function benchEslCommand(): Promise<BenchResult> {
  const server = await startEslServer();
  const esl = await connectEsl({
    ...{ host: server.host, port: server.port, password: new Secret(password) },
    ...{ connectTimeoutMs: 5000, commandTimeoutMs: 5000 },
  });
  const samples: number[] = [];
  for (let round = 0; round < 500; round += 1) samples.push(await elapsed(() => esl.api('echo here')));
  await esl.close();
  await server.close();
  return {
    name: 'ESL command and its answer',
    value: median(samples),
    unit: 'ms',
    target: { atMost: 1 },
    note: 'over loopback',
  };
}
