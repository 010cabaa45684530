import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './caches.ts';
import { freePorts } from './free-ports.ts';
import { received } from './sipp.ts';

/** What the scenarios of `sipp/` put in their places. */
export interface CarrierWords {
  /** Of a refusal: `403 Forbidden`. */
  status?: string;
  /** Of a refusal: a header, `Retry-After: 30`. */
  header?: string;
  /** Of challenges. */
  realm?: string;
  algorithm?: string;
  stale?: 'true' | 'false';
  /** Whose signature is right. */
  user?: string;
  password?: string;
}

export interface CarrierScenario {
  /** A file of `sipp/`. */
  file: string;
  host: string;
  words?: CarrierWords;
  /** Sends each RTP packet back to where it came from. */
  echo?: boolean;
  transport?: 'udp' | 'tcp';
}

/** A SIPp that plays one scenario for each call, and says 200 to OPTIONS. */
export interface SippCarrier {
  pid: number;
  host: string;
  port: number;
  /** Methods of the requests so far, in their order, each once. */
  requests(): string[];
  /** All messages so far: for a test that fails. */
  trace(): string;
  /** Ends it, by its process id. */
  stop(): Promise<void>;
}

const readyWithinMs = 20_000;
const lifetimeSeconds = 900;
const usual: Required<CarrierWords> = {
  status: '500 Server Internal Error',
  header: 'Server: SIPp',
  realm: 'carrier.example',
  algorithm: 'MD5',
  stale: 'false',
  user: 'nobody',
  password: 'none',
};

/** @throws Error with what SIPp said when it does not start */
export async function startSippCarrier(scenario: CarrierScenario, attempts = 3): Promise<SippCarrier> {
  try {
    return await launchSippCarrier(scenario);
  } catch (error) {
    // Between finding a port free and taking it, another server of another test may have taken it.
    if (attempts === 1 || !/Address already in use/.test(String(error))) throw error;
    return startSippCarrier(scenario, attempts - 1);
  }
}

async function launchSippCarrier(scenario: CarrierScenario): Promise<SippCarrier> {
  const { host, transport = 'udp' } = scenario;
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-carrier-'));
  const [port = 0, media = 0] = await freePorts(host, 2);
  const child = launch(folder, scenario, port, media);
  const end = (): void => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  };
  process.once('exit', end);
  const read = (file: string): string => {
    try {
      return readFileSync(join(folder, file), 'utf8');
    } catch {
      return '';
    }
  };
  const stop = async (): Promise<void> => {
    process.off('exit', end);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null) {
      end();
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const until = Date.now() + readyWithinMs;
  while (!isBound(transport, port)) {
    const over = child.exitCode !== null || Date.now() > until;
    if (over) {
      const said = read('errors');
      await stop();
      throw new Error(`SIPp does not start: ${said}`);
    }
    await sleep(20);
  }
  return {
    ...{ pid: child.pid ?? 0, host, port, stop },
    requests: () => received(read('messages')).requests,
    trace: () => read('messages') + read('errors'),
  };
}

function launch(
  folder: string,
  { file, host, words, echo = false, transport = 'udp' }: CarrierScenario,
  port: number,
  media: number,
): ChildProcess {
  const path = join(folder, 'scenario.xml');
  writeFileSync(path, filledIn(file, { ...usual, ...words }));
  const network = ['-i', host, '-p', `${port}`, '-mi', host, '-mp', `${media}`, '-bind_local'];
  const logs = ['-trace_msg', '-message_file', join(folder, 'messages')];
  const errors = ['-trace_err', '-error_file', join(folder, 'errors')];
  const limits = [
    '-timeout',
    `${lifetimeSeconds}s`,
    '-aa',
    '-nostdin',
    '-t',
    transport === 'tcp' ? 't1' : 'u1',
  ];
  const args = ['-sf', path, ...network, ...(echo ? ['-rtp_echo'] : []), ...logs, ...errors];
  return spawn(join(cacheFolder(), 'sipp', 'run'), ['usr/bin/sipp', ...args, ...limits], {
    cwd: folder,
    // Its screen is of no use here; a terminal type has to be known all the same.
    env: { ...process.env, TERM: 'xterm' },
    stdio: 'ignore',
  });
}

/** SIPp looks at status codes before it knows the words of its command line, so they are put in here. */
function filledIn(file: string, words: Required<CarrierWords>): string {
  const text = readFileSync(fileURLToPath(new URL(`sipp/${file}`, import.meta.url)), 'utf8');
  return Object.entries(words).reduce((filled, [name, value]) => filled.replaceAll(`[${name}]`, value), text);
}

/** Whether somebody has the port, as the kernel's table says: asking would be a request that is counted. */
function isBound(transport: 'udp' | 'tcp', port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return new RegExp(`^\\s*\\d+: [0-9A-F]{8}:${hex} `, 'm').test(
    readFileSync(`/proc/net/${transport}`, 'utf8'),
  );
}
