import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { host as hostRule } from '../model/rules.ts';
import type { TestSurroundings } from '../pipeline/tested.ts';
import type { ProbeSettings } from '../sip/probe/settings.ts';
import type { Trace } from '../sip/trace/trace.ts';
import { type Input, integerOption, type OptionSpec, type Run } from './command.ts';
import { progressOf } from './run-options.ts';
import { openTraces } from './test-traces.ts';

/** What every test of a SIP server takes. */
export const networkFlags: readonly OptionSpec[] = [
  ['--timeout <s>', 'seconds for each connection and each request; 8 where not given'],
  ['--stun <server>', 'ask this STUN server what our public address is'],
  ['--dns <servers>', 'ask these name servers instead of the system’s'],
  ['--ca <file>', 'trust these certificates, too'],
  ['--trace <file>', 'write every SIP message there, without secrets'],
  ['--pcap <file>', 'write every SIP message there as packets, without secrets'],
];

/** Longer than anybody waits, and short enough for a timer. */
const mostSeconds = 3600;

/** Whole seconds up to an hour; null where they are not given. @throws SipctlError `invalid` */
export function secondsOption(input: Input, name: string): number | null {
  const seconds = integerOption(input, name, 1, secondsHint);
  if (seconds === null || seconds <= mostSeconds) return seconds;
  throw new SipctlError('invalid', {
    code: `invalid_${name}`,
    message: `${name}: ${seconds} seconds are more than an hour`,
    field: name,
    hint: secondsHint,
  });
}

const secondsHint = 'give whole seconds, for example 5';

/** Runs a test with what `networkFlags` say, its traces open and its progress shown. */
export async function testing<T>(
  app: App,
  input: Input,
  test: (around: TestSurroundings, progress: (subject: string, stage: string) => void) => Promise<T>,
): Promise<T> {
  const traces = openTraces(input);
  try {
    const around = await surroundings(app, input, traces.trace);
    // Stages pass too fast, and too many at a time, for lines in a log.
    const progress = app.terminal.animated ? await progressOf(app) : silent;
    try {
      const result = await test(around, progress.show);
      traces.finish();
      return result;
    } finally {
      progress.end();
    }
  } finally {
    traces.close();
  }
}

/** A test that says at Ctrl-C what it has taken back, rather than that nothing was put in force. */
export const interruptible =
  (run: Run): Run =>
  async (app, input) => {
    try {
      return await run(app, input);
    } catch (error) {
      if (!app.signal.aborted) throw error;
      return { data: null, text: () => '', outcome: 'interrupted', errors: [takenBack] };
    }
  };

const takenBack: Problem = {
  code: 'interrupted',
  message: 'interrupted: what the test had registered or called was taken back',
};

const silent = { show: () => undefined, end: () => undefined };

/** @throws SipctlError `invalid` */
export async function surroundings(app: App, input: Input, trace?: Trace): Promise<TestSurroundings> {
  const { systemDns } = await import('../sip/transport/system-dns.ts');
  const { dns, ca } = input.options;
  return {
    dns: systemDns(typeof dns === 'string' ? await nameServers(dns) : undefined),
    signal: app.signal,
    timeoutMs: (secondsOption(input, 'timeout') ?? 8) * 1000,
    userAgent: `sipctl/${app.version}`,
    trace,
    ca: typeof ca === 'string' ? await readAuthority(ca) : undefined,
  };
}

/** The STUN server that is asked for. @throws SipctlError `invalid` */
export function stunOf({ options }: Input): ProbeSettings['stun'] {
  if (typeof options.stun !== 'string') return null;
  const [, bracketed, plain, port = '3478'] =
    /^(?:stun:)?(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(options.stun) ?? [];
  const name = hostRule(bracketed ?? plain ?? '');
  if (name.ok && Number(port) > 0 && Number(port) < 65_536) return { host: name.value, port: Number(port) };
  throw new SipctlError('invalid', {
    code: 'invalid_stun',
    message: `stun: '${options.stun}' is not a server`,
    field: 'stun',
    hint: 'write it as stun.example.com or 192.0.2.1:3478',
  });
}

async function nameServers(list: string): Promise<string[]> {
  const { Resolver } = await import('node:dns');
  const servers = list.split(',').map((server) => server.trim());
  try {
    new Resolver().setServers(servers);
    return servers;
  } catch {
    throw new SipctlError('invalid', {
      code: 'invalid_dns',
      message: `dns: '${list}' is no list of name servers`,
      field: 'dns',
      hint: 'give addresses, with a port where it is not 53: 192.0.2.53 or 192.0.2.53:5353,[2001:db8::53]:53',
    });
  }
}

const certificates = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

async function readAuthority(file: string): Promise<string> {
  const { rootCertificates } = await import('node:tls');
  try {
    const text = readFileSync(file, 'utf8');
    const found = text.match(certificates) ?? [];
    // TLS would pass over what is none, and trust nobody.
    for (const one of found) new X509Certificate(one);
    if (found.length > 0) return [...rootCertificates, ...found].join('\n');
  } catch (error) {
    throw unreadable(file, (error as Error).message);
  }
  throw unreadable(file, 'it holds no certificate in PEM');
}

const unreadable = (file: string, why: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_ca',
    message: `ca: ${file} cannot be used: ${why}`,
    field: 'ca',
    hint: 'name a file of certificates in PEM, of the authorities to be trusted besides the system’s',
  });
