import { createRequire } from 'node:module';
import { Secret } from '../../src/model/secret.ts';
import { AmiParser } from '../../src/platforms/asterisk/ami/codec.ts';
import { connectAmi } from '../../src/platforms/asterisk/ami/connection.ts';
import { startAmiServer } from '../support/ami-server.ts';
import type { Peer } from '../support/scripted-server.ts';
import { type BenchResult, elapsed, interleaved, median } from './result.ts';

const rounds = 9;
const eventCount = 40_000;
const lineCount = 400_000;
const packetBytes = 1460;

/** What Asterisk sends for a new call: 16 headers, some 370 bytes. */
function newChannel(call: number): string {
  const headers = [
    'Event: Newchannel',
    'Privilege: call,all',
    `Channel: PJSIP/1001-${call.toString(16).padStart(8, '0')}`,
    'ChannelState: 4',
    'ChannelStateDesc: Ring',
    'CallerIDNum: 1001',
    'CallerIDName: Ann',
    'ConnectedLineNum: <unknown>',
    'ConnectedLineName: <unknown>',
    'Language: en',
    'AccountCode: ',
    'Context: default',
    'Exten: 4915112345678',
    'Priority: 1',
    `Uniqueid: 1795234308.${call}`,
    `Linkedid: 1795234308.${call}`,
  ];
  return `${headers.join('\r\n')}\r\n\r\n`;
}

/** A client that is signed in: sends itself `bytes` from its server and reads channel and call of every event. */
type Reader = () => Promise<void>;
interface Endpoint {
  host: string;
  port: number;
}

function checkCalls(calls: ReadonlySet<string>): void {
  if (calls.size !== eventCount) throw new Error(`${calls.size} of ${eventCount} calls were read`);
}

async function ourReader(server: Endpoint, send: () => void): Promise<{ read: Reader; close: Reader }> {
  const ami = await connectAmi({
    host: server.host,
    port: server.port,
    username: 'sipctl',
    secret: new Secret('s3cret'),
    connectTimeoutMs: 5000,
    actionTimeoutMs: 5000,
    events: 'call',
  });
  const events = ami.events();
  const read = async (): Promise<void> => {
    const calls = new Set<string>();
    send();
    for (let count = 0; count < eventCount; count += 1) {
      const event = (await events.next()).value;
      if (event?.get('Channel')) calls.add(event.get('Uniqueid') ?? '');
    }
    checkCalls(calls);
  };
  return { read, close: () => ami.close() };
}

interface Manager {
  on(name: 'managerevent', listener: (event: Record<string, string>) => void): void;
  removeAllListeners(name: 'managerevent'): void;
  connect(port: number, host: string, callback: () => void): void;
  login(callback: () => void): void;
  disconnect(): void;
  options: object;
}

async function theirReader(server: Endpoint, send: () => void): Promise<{ read: Reader; close: Reader }> {
  const Manager = createRequire(import.meta.url)('asterisk-manager') as new () => Manager;
  const manager = new Manager();
  Object.assign(manager.options, { username: 'sipctl', password: 's3cret' });
  await new Promise<void>((resolve) => manager.connect(server.port, server.host, resolve));
  await new Promise<void>((resolve) => manager.login(resolve));
  const read = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const calls = new Set<string>();
      let count = 0;
      manager.removeAllListeners('managerevent');
      manager.on('managerevent', (event) => {
        if (event.channel) calls.add(event.uniqueid ?? '');
        count += 1;
        if (count < eventCount) return;
        try {
          checkCalls(calls);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
      send();
    });
  return { read, close: async () => manager.disconnect() };
}

/** Events from loopback through the whole of either client, in turn. */
export async function benchAmiEvents(): Promise<BenchResult> {
  const events = Buffer.from(Array.from({ length: eventCount }, (_, call) => newChannel(call)).join(''));
  const server = await startAmiServer();
  const ours = await ourReader(server, () => server.peers[0]?.socket.write(events));
  const theirs = await theirReader(server, () => (server.peers[1] as Peer).socket.write(events));
  const ms = await interleaved({ ours: ours.read, theirs: theirs.read }, rounds);
  await ours.close();
  await theirs.close();
  await server.close();
  const rate = (taken: number): string => `${Math.round(eventCount / taken)}k`;
  return {
    name: 'AMI events per second / asterisk-manager',
    value: ms.theirs / ms.ours,
    unit: 'x',
    target: { atLeast: 3.5 },
    note: `${rate(ms.ours)}/s against ${rate(ms.theirs)}/s over loopback`,
  };
}

/** One giant answer, in the packets of an Ethernet. */
export async function benchAmiCommand(): Promise<BenchResult> {
  const lines = Array.from(
    { length: lineCount },
    (_, line) => `Output: endpoint ${line}  Not in use  0 of inf`,
  );
  const head = 'Response: Success\r\nActionID: 1\r\nMessage: Command output follows\r\n';
  const bytes = Buffer.from(`Asterisk Call Manager/11.0.0\r\n${head}${lines.join('\r\n')}\r\n\r\n`);
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    samples.push(
      await elapsed(() => {
        const parser = new AmiParser();
        let read = 0;
        for (let at = 0; at < bytes.length; at += packetBytes) {
          for (const answer of parser.push(bytes.subarray(at, at + packetBytes))) read = answer.output.length;
        }
        if (read !== lineCount) throw new Error(`${read} of ${lineCount} lines were read`);
      }),
    );
  }
  return {
    name: `AMI command answer of ${lineCount.toLocaleString('en')} lines`,
    value: median(samples) / 1000,
    unit: 's',
    target: { atMost: 1 },
    note: `${(bytes.length / 1e6).toFixed(0)} MB in packets of ${packetBytes} bytes`,
  };
}
