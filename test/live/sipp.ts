import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, whyMissing } from './caches.ts';

/** Where a phone speaks to, and from: an address of 127.0.0.0/8 on both sides. */
export interface Phone {
  host: string;
  port: number;
  user: string;
  password: string;
  /** Part behind the @ of its address; left out: the host. */
  domain?: string;
  /** What it signs its answers with; left out: `user`. */
  authUser?: string;
  transport?: 'udp' | 'tcp';
  /** Own address; left out: the host. */
  localHost?: string;
  /** Own port, so that a call finds the phone where it registered; left out: any that is free. */
  localPort?: number;
}

/** How one run of SIPp went. */
export interface SippResult {
  /** True where every message of the scenario came, in order. */
  ok: boolean;
  /** SIPp's: 0 done, 1 a call failed, 97 time over, 255 SIPp itself failed. */
  exitCode: number;
  /** Status codes of the responses that came in, in their order, without repetitions: `[401, 200]`. */
  statuses: number[];
  /** Methods of the requests that came in, in their order. */
  requests: string[];
  /** Everything sent and received, and SIPp's complaints: for the message of a failed test. */
  trace: string;
}

/** A phone that waits for one call. */
export interface Answering {
  /** Settles when the caller has hung up, or the phone was stopped. */
  result: Promise<SippResult>;
  stop(): void;
}

const missing = await whyMissing('sipp');
/** Seconds until a scenario is given up. */
const patience = 20;

/** Null where SIPp can be run here, else the reason why not. */
export const sippAvailable = (): string | null => missing;

/** Registers once: `statuses` is `[401, 200]` for a right password, and ends in 401 or 403 for a wrong one. */
export const register = (phone: Phone, { expires = 120 } = {}): Promise<SippResult> =>
  scenario('register.xml', phone, ['-key', 'expires', String(expires)]).result;

/** Calls an extension or number, and hangs up half a second after the answer. */
export const call = (phone: Phone, extension: string): Promise<SippResult> =>
  scenario('call.xml', phone, ['-s', extension]).result;

/** A call of a carrier that asks for nobody's password; what stands in To need not be what the request is for. */
export interface CarrierCall {
  /** Where the PBX listens. */
  host: string;
  port: number;
  /** The carrier's address, which the PBX knows it by. */
  from: string;
  callerNumber: string;
  requestUri: string;
  to: string;
}

/** Calls as a carrier does, and hangs up half a second after the answer; a refusal is the last of `statuses`. */
export const callIn = ({
  host,
  port,
  from,
  callerNumber,
  requestUri,
  to,
}: CarrierCall): Promise<SippResult> =>
  scenario('call-in.xml', { host, port, user: callerNumber, password: '', localHost: from }, [
    ...['-key', 'uri', requestUri],
    ...['-key', 'to', to],
  ]).result;

/** Waits for one call at `localPort` and answers it. */
export const answer = (phone: Phone & { localPort: number }): Answering =>
  scenario('answer.xml', phone, ['-aa']);

function scenario(file: string, phone: Phone, extra: readonly string[]): Answering {
  const { host, port, user, password, domain = host, authUser = user, transport = 'udp' } = phone;
  const { localHost = host, localPort } = phone;
  const identity = ['-key', 'user', user, '-key', 'domain', domain, '-au', authUser, '-ap', password];
  const network = ['-i', localHost, '-mi', localHost, '-t', transport === 'tcp' ? 't1' : 'u1', '-bind_local'];
  if (localPort !== undefined) network.push('-p', String(localPort));
  const limits = [
    '-m',
    '1',
    '-timeout',
    `${patience}s`,
    '-timeout_error',
    '-recv_timeout',
    `${patience * 1000}`,
  ];
  const path = fileURLToPath(new URL(`sipp/${file}`, import.meta.url));
  const abort = new AbortController();
  const args = ['-sf', path, ...identity, ...network, ...limits, ...extra, '-nostdin', `${host}:${port}`];
  return { result: execute(args, abort.signal), stop: () => abort.abort() };
}

async function execute(args: readonly string[], signal: AbortSignal): Promise<SippResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sipctl-sipp-'));
  try {
    const traces = [
      '-trace_msg',
      '-message_file',
      join(folder, 'messages'),
      '-trace_err',
      '-error_file',
      join(folder, 'errors'),
    ];
    const exitCode = await exitCodeOf([...traces, ...args], folder, signal);
    const messages = await readFile(join(folder, 'messages'), 'utf8').catch(() => '');
    const errors = await readFile(join(folder, 'errors'), 'utf8').catch(() => '');
    return { ok: exitCode === 0, exitCode, ...received(messages), trace: messages + errors };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function exitCodeOf(args: readonly string[], cwd: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const program = join(cacheFolder(), 'sipp', 'run');
    // Its screen, redrawn each second, is of no use here; a terminal type has to be known all the same.
    const env = { ...process.env, TERM: 'xterm' };
    const timeout = (patience + 10) * 1000;
    const sipp = spawn(program, ['usr/bin/sipp', ...args], { cwd, env, stdio: 'ignore', timeout, signal });
    sipp.on('error', (error) => (error.name === 'AbortError' ? undefined : reject(error)));
    sipp.on('close', (code) => resolve(code ?? 255));
  });
}

/** First lines of the messages that came in, each once, from SIPp's message log. */
export function received(messages: string): Pick<SippResult, 'statuses' | 'requests'> {
  const statuses: number[] = [];
  const requests: string[] = [];
  const seen = new Set<string>();
  for (const [, message = ''] of messages.matchAll(
    /message received \[\d+\] bytes\s*:\s*\n\s*\n([\s\S]*?)(?=\n-{10,}|$)/g,
  )) {
    if (seen.has(message)) continue; // a retransmission
    seen.add(message);
    const status = /^SIP\/2\.0 (\d{3})/.exec(message);
    if (status) statuses.push(Number(status[1]));
    else requests.push(message.slice(0, message.indexOf(' ')));
  }
  return { statuses, requests };
}
