import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { host as hostRule } from '../model/rules.ts';
import type { TestSurroundings } from '../pipeline/tested.ts';
import type { ProbeSettings } from '../sip/probe/settings.ts';
import type { Trace } from '../sip/trace.ts';
import { type Input, integerOption, type OptionSpec } from './command.ts';
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

export const secondsHint = 'give whole seconds, for example 5';

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
      return await test(around, progress.show);
    } finally {
      progress.end();
    }
  } finally {
    traces.close();
  }
}

const silent = { show: () => undefined, end: () => undefined };

/** @throws SipctlError `invalid` */
export async function surroundings(app: App, input: Input, trace?: Trace): Promise<TestSurroundings> {
  const { systemDns } = await import('../sip/system-dns.ts');
  const { dns, ca } = input.options;
  return {
    dns: systemDns(typeof dns === 'string' ? dns.split(',').map((server) => server.trim()) : undefined),
    signal: app.signal,
    timeoutMs: (integerOption(input, 'timeout', 1, secondsHint) ?? 8) * 1000,
    userAgent: `sipctl/${app.version}`,
    trace,
    ca: typeof ca === 'string' ? readAuthority(ca) : undefined,
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

function readAuthority(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('BEGIN CERTIFICATE')) return [...rootCertificates, text].join('\n');
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
