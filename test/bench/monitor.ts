import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { LiveEvent } from '../../src/model/live/events.ts';
import type { Node } from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import { openControl } from '../../src/platforms/asterisk/live/open-control.ts';
import { defaultTimeouts } from '../../src/platforms/asterisk/timeouts.ts';
import { watchNode } from '../../src/platforms/watch-node.ts';
import { type AmiServer, message, type ReceivedAction, startAmiServer } from '../support/ami-server.ts';
import { type BenchResult, median } from './result.ts';

const rounds = 9;
/** Until everything is compiled, as it is in a monitor that has run for a few minutes. */
const warmingRounds = 8;
const callsAtOnce = 2000;
const manyEvents = 1_000_000;
const ratePerSecond = 2000;
const latencySeconds = 15;

/** The events of the class `call` that Asterisk sends for one call of two parties, from its first ring to its end. */
const eventsPerCall = 16;

function eventsOfCall(call: number): string[] {
  const second = 1_795_234_308;
  const [caller, callee] = [`${second}.${call * 2}`, `${second}.${call * 2 + 1}`];
  const party = (id: string, channel: string, number: string, state: number, word: string): string[] => [
    `Channel: PJSIP/${channel}-${(call % 0xffffffff).toString(16).padStart(8, '0')}`,
    ...[`ChannelState: ${state}`, `ChannelStateDesc: ${word}`, `CallerIDNum: ${number}`],
    ...['CallerIDName: <unknown>', 'ConnectedLineNum: <unknown>', 'ConnectedLineName: <unknown>'],
    ...['Language: en', 'AccountCode: acme', 'Context: from-trunk-acme', 'Exten: 4930222', 'Priority: 1'],
    ...[`Uniqueid: ${id}`, `Linkedid: ${caller}`],
  ];
  const [from, to] = [`+4930${call}`, '1001'];
  const a = (state: number, word: string) => party(caller, 'acme.main', from, state, word);
  const b = (state: number, word: string) => party(callee, 'ann@acme.example', to, state, word);
  const bridge = [`BridgeUniqueid: bridge-${call}`, 'BridgeType: basic', 'BridgeTechnology: simple_bridge'];
  const event = (name: string, ...headers: string[]): string =>
    [`Event: ${name}`, 'Privilege: call,all', ...headers, '', ''].join('\r\n');
  const dest = b(0, 'Down').map((header) => `Dest${header}`);
  return [
    event('Newchannel', ...a(4, 'Ring')),
    event('Newchannel', ...b(0, 'Down')),
    event('NewCallerid', ...b(0, 'Down'), 'CID-CallingPres: 0 (Presentation Allowed, Not Screened)'),
    event('NewConnectedLine', ...b(0, 'Down')),
    event('DialBegin', ...a(4, 'Ring'), ...dest, 'DialString: ann@acme.example'),
    event('Newstate', ...b(5, 'Ringing')),
    event('DialState', ...a(4, 'Ring'), ...dest, 'DialStatus: RINGING'),
    event('Newstate', ...b(6, 'Up')),
    event('DialEnd', ...a(4, 'Ring'), ...dest, 'DialStatus: ANSWER'),
    event('Newstate', ...a(6, 'Up')),
    event('BridgeEnter', ...bridge, ...b(6, 'Up')),
    event('BridgeEnter', ...bridge, ...a(6, 'Up')),
    event('BridgeLeave', ...bridge, ...b(6, 'Up')),
    event('Hangup', ...b(6, 'Up'), 'Cause: 16', 'Cause-txt: Normal Clearing'),
    event('BridgeLeave', ...bridge, ...a(6, 'Up')),
    event('Hangup', ...a(6, 'Up'), 'Cause: 16', 'Cause-txt: Normal Clearing'),
  ];
}

/** Calls that run beside each other: their first events, their second ones, … */
function sideBySide(first: number, calls: number): Buffer {
  const all = Array.from({ length: calls }, (_, at) => eventsOfCall(first + at));
  return Buffer.from(
    Array.from({ length: eventsPerCall }, (_, at) => all.map((one) => one[at]).join('')).join(''),
  );
}

const asked = [
  ...['Status', 'CoreStatus', 'CoreSettings', 'PJSIPShowRegistrationsOutbound', 'PJSIPShowAors'],
  ...['PJSIPShowEndpoints', 'PJSIPShowContacts'],
];

/** An Asterisk on which nothing is going on until somebody writes events to its peers. */
const quietAsterisk = (): Promise<AmiServer> => startAmiServer({ answer: answerOf });

function answerOf(action: ReceivedAction): string | undefined {
  switch (action.name) {
    case 'Ping':
      return `Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n${message(action, 'Response: Success', 'Ping: Pong')}`;
    case 'ListCommands':
      return message(action, 'Response: Success', ...asked.map((name) => `${name}: x  (Priv: system,all)`));
    case 'CoreSettings':
      return message(action, 'Response: Success', 'AsteriskVersion: 22.10.1');
    case 'CoreStatus':
      return message(action, 'Response: Success', 'CoreStartupDate: 2026-05-04', 'CoreStartupTime: 10:00:00');
    case 'GetConfig':
      return message(
        action,
        'Response: Success',
        'Category-000000: sipctl',
        'Line-000000-000000: read=system,call',
      );
  }
  if (!asked.includes(action.name) && action.name !== 'DeviceStateList') return undefined;
  const begin = message(action, 'Response: Success', 'EventList: start');
  return begin + message(action, `Event: ${action.name}Complete`, 'EventList: Complete', 'ListItems: 0');
}

/** Everything that goes on at the server, watched as `sipctl monitor` does; hears of every event. */
async function watched(server: AmiServer, hear: (event: LiveEvent) => void): Promise<() => Promise<void>> {
  const ending = new AbortController();
  const node = {
    ...{ name: 'pbx1', kind: 'asterisk', ami: `${server.host}:${server.port}`, amiUser: 'sipctl' },
    ...{ amiSecret: new Secret('s3cret'), amiTls: false },
  } as unknown as Node;
  const batches = watchNode({
    ...{ node: 'pbx1', now: Date.now, random: Math.random, signal: ending.signal },
    parties: { find: (endpoint) => partyAt(endpoint) },
    open: (signal) => openControl(node, defaultTimeouts, { events: true, signal }),
    sleep: (ms, signal) => pause(ms, undefined, { signal }),
  });
  let isConnected = (): void => undefined;
  const connected = new Promise<void>((resolve) => {
    isConnected = resolve;
  });
  const over = (async () => {
    for await (const events of batches)
      for (const event of events) {
        if (event.event === 'node.connected') isConnected();
        hear(event);
      }
  })();
  await Promise.race([connected, over]);
  return async () => {
    ending.abort();
    await over;
  };
}

const partyAt = (endpoint: string) =>
  endpoint === 'acme.main'
    ? { kind: 'trunk' as const, tenant: 'acme', name: 'main', extension: null }
    : { kind: 'user' as const, tenant: 'acme', name: 'ann', extension: '1001' };

/** Reads the socket, takes messages and headers apart, and nothing else. */
async function rawReader(
  server: AmiServer,
): Promise<{ read: (send: () => void, ends: number) => Promise<void> }> {
  const socket = connect(server.port, server.host);
  await once(socket, 'connect');
  let rest = '';
  let ended = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let done = (): void => undefined;
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (rest + chunk).split('\r\n\r\n');
    rest = messages.pop() ?? '';
    for (const text of messages) {
      const headers = new Map(
        text.split('\r\n').map((line) => {
          const colon = line.indexOf(': ');
          return [line.slice(0, colon), line.slice(colon + 2)];
        }),
      );
      if (headers.get('Event') === 'Hangup' && headers.get('Uniqueid') === headers.get('Linkedid'))
        ended += 1;
    }
    if (ended >= wanted) done();
  });
  return {
    read: (send, ends) =>
      new Promise((resolve) => {
        [ended, wanted, done] = [0, ends, resolve];
        send();
      }),
  };
}

/** Calls from first event to last, joined and told, against a reader that only takes the messages apart. */
export async function benchMonitorEvents(): Promise<BenchResult> {
  const server = await quietAsterisk();
  let ended = 0;
  let done = (): void => undefined;
  const leave = await watched(server, ({ event }) => {
    if (event === 'call.ended' && ++ended === callsAtOnce) done();
  });
  const raw = await rawReader(server);
  let first = 0;
  const next = (): Buffer => {
    first += callsAtOnce;
    return sideBySide(first, callsAtOnce);
  };
  let bytes = next();
  const send = {
    ours: () => void server.peers[0]?.socket.write(bytes),
    raw: () => void server.peers[1]?.socket.write(bytes),
  };
  const ours = (): Promise<void> =>
    new Promise((resolve) => {
      [ended, done] = [0, resolve];
      send.ours();
    });
  const ms = { ours: [] as number[], raw: [] as number[] };
  for (let round = -warmingRounds; round < rounds; round += 1) {
    const [rawMs, oursMs] = [await computed(() => raw.read(send.raw, callsAtOnce)), await computed(ours)];
    if (round >= 0) ms.raw.push(rawMs);
    if (round >= 0) ms.ours.push(oursMs);
    bytes = next();
  }
  await leave();
  await server.close();
  const rate = (taken: number): string => `${Math.round((callsAtOnce * eventsPerCall) / taken)}k`;
  return {
    name: 'monitor: events per second of computing / raw socket reader',
    value: median(ms.raw) / median(ms.ours),
    unit: 'x',
    target: { atLeast: 0.5 },
    note: `${rate(median(ms.ours))}/s against ${rate(median(ms.raw))}/s, ${callsAtOnce} calls side by side`,
  };
}

/** Milliseconds of computing that `work` takes: on a machine that does other things, too, the clock says less. */
async function computed(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** What stays in memory of a million events: the table of calls must forget what ended. */
export async function benchMonitorMemory(): Promise<BenchResult> {
  const server = await quietAsterisk();
  let heard = 0;
  let done = (): void => undefined;
  const leave = await watched(server, ({ event }) => {
    if (event === 'call.ended' && --heard === 0) done();
  });
  const batch = (first: number, calls: number): Promise<void> =>
    new Promise((resolve) => {
      [heard, done] = [calls, resolve];
      server.peers[0]?.socket.write(sideBySide(first, calls));
    });
  const held = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed / 1e6;
  };
  const calls = 500;
  let before = 0;
  for (let sent = 0; sent * eventsPerCall < manyEvents; sent += calls) {
    // Compiled code and full buffers are there after the first tenth.
    if (before === 0 && sent * eventsPerCall >= manyEvents / 10) before = held();
    await batch(sent, calls);
  }
  const after = held();
  await leave();
  await server.close();
  return {
    name: 'monitor: memory after 1 million events',
    value: after - before,
    unit: 'MB',
    target: { atMost: 3 },
    note: `${before.toFixed(1)} MB after the first 100,000, ${after.toFixed(1)} MB after all`,
  };
}

/** From an event's last byte at the PBX to the line on standard output of the built command, another process. */
export async function benchMonitorLatency(): Promise<BenchResult[]> {
  const server = await quietAsterisk();
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-bench-'));
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const env = { ...inherited, SIPCTL_DB: join(dir, 'site.db'), XDG_CONFIG_HOME: join(dir, 'config') };
  const sipctl = (...args: string[]): string[] => [join('bin', 'sipctl.cjs'), ...args];
  try {
    writeFileSync(join(dir, 'secret'), 's3cret');
    const ami = ['--ami', `${server.host}:${server.port}`, '--ami-user', 'sipctl'];
    for (const line of [
      ['init'],
      ['tenant', 'add', 'acme', '--domain', 'acme.example'],
      'trunk add main --tenant acme --provider custom_ip --host h.example --networks 192.0.2.1'.split(' '),
      ['user', 'add', 'ann', '--tenant', 'acme', '--extension', '1001', '--generate-password'],
      [
        'node',
        'add',
        'pbx1',
        '--kind',
        'asterisk',
        '--dir',
        dir,
        ...ami,
        '--ami-secret-file',
        join(dir, 'secret'),
      ],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, sipctl(...line), { env });
      if (status !== 0) throw new Error(`sipctl ${line.join(' ')}: ${stderr}`);
    }
    const child = spawn(process.execPath, sipctl('monitor', 'calls', '--json'), {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      return latencies(await timed(createInterface(child.stdout), server), child.pid);
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  } finally {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Milliseconds from writing an event to reading its line, for the first and the last event of each call. */
async function timed(lines: Interface, server: AmiServer): Promise<number[]> {
  const sent = new Map<string, number>();
  const took: number[] = [];
  let isConnected = (): void => undefined;
  const connected = new Promise<void>((resolve) => {
    isConnected = resolve;
  });
  lines.on('line', (text) => {
    const now = performance.now();
    const { event, call } = JSON.parse(text) as { event: string; call?: { id: string } };
    if (event === 'node.connected') isConnected();
    const at = sent.get(`${event} ${call?.id}`);
    if (at !== undefined) took.push(now - at);
  });
  await connected;
  const calls = Math.ceil((ratePerSecond * latencySeconds) / eventsPerCall);
  const all = Array.from({ length: calls }, (_, call) => ({ call, events: eventsOfCall(call) }));
  const every = all.flatMap(({ call, events }) => events.map((text, at) => ({ call, text, at })));
  const begun = performance.now();
  for (let next = 0; next < every.length; ) {
    const due = Math.floor(((performance.now() - begun) / 1000) * ratePerSecond);
    for (; next < Math.min(due, every.length); next += 1) {
      const { call, text, at } = every[next] as (typeof every)[number];
      const id = `1795234308.${call * 2}`;
      if (at === 0) sent.set(`call.ringing ${id}`, performance.now());
      if (at === eventsPerCall - 1) sent.set(`call.ended ${id}`, performance.now());
      server.peers[0]?.socket.write(text);
    }
    await pause(2);
  }
  while (took.length < calls * 2) await pause(20);
  // The first second compiles.
  return took.slice((2 * ratePerSecond) / eventsPerCall);
}

/**
 * What the scheduler kept a process from: on a machine that does other things, too, lines are late because their process does
 * not run. Linux alone tells.
 */
function waited(pid: number | undefined): string {
  try {
    const [ran = 0, waiting = 0] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
    return `; sipctl ran for ${(ran / 1e9).toFixed(1)} s, and waited ${(waiting / 1e9).toFixed(1)} s for a core`;
  } catch {
    return '';
  }
}

function latencies(took: number[], pid: number | undefined): BenchResult[] {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return [
    {
      name: `monitor: event to line, p99 at ${ratePerSecond.toLocaleString('en')} events/s`,
      value: at(0.99),
      unit: 'ms',
      target: { atMost: 20 },
      note: `p50 ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms, of ${sorted.length} lines; load ${(loadavg()[0] ?? 0).toFixed(1)}${waited(pid)}`,
    },
  ];
}
