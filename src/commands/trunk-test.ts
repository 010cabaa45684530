import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import * as nouns from '../model/nouns.ts';
import { e164, host as hostRule } from '../model/rules.ts';
import {
  type TestOptions,
  type TrunkTest,
  type TrunkUnderTest,
  testFailure,
  testTrunks,
} from '../pipeline/test-trunks.ts';
import { testViaNode, type ViaNode } from '../pipeline/via-node.ts';
import { explanationsText, nagios, testText } from '../report/trunk-test.ts';
import type { StageName } from '../sip/finding.ts';
import type { OptionSpec, Result, Run, VerbSpec } from './command.ts';
import { type Input, integerOption } from './command.ts';
import { endedBy } from './ended.ts';
import { progressOf } from './run-options.ts';
import { bareNumber } from './tenant-flow.ts';
import { openTraces } from './test-traces.ts';

/** Stages that can be chosen; what comes before them is always gone through, as they need it. */
const choosable = ['options', 'register', 'call', 'nat'] as const;

const secondsHint = 'give whole seconds, for example 5';

const run: Run = (app, input) =>
  input.options.nagios === true ? forMonitoring(app, input) : reported(app, input, testText);

async function reported(
  app: App,
  input: Input,
  text: (tests: readonly TrunkTest[], ...style: Parameters<Result['text']>) => string,
): Promise<Result> {
  const tests = await testAsked(app, input);
  const failure = testFailure(tests);
  return {
    data: {
      trunks: tests.map(({ tenant, name, status, stages, causes }) => ({
        tenant,
        trunk: name,
        status,
        stages,
        causes,
      })),
    },
    text: (style) => text(tests, style),
    tellsErrors: true,
    ...endedBy(failure === null ? [] : [failure]),
  };
}

// A monitoring system reads the first line and the exit code, whatever goes wrong.
async function forMonitoring(app: App, input: Input): Promise<Result> {
  try {
    const { text, code } = nagios(await testAsked(app, input));
    return { data: null, text: () => text, exitCode: code };
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    return {
      data: null,
      text: () => `TRUNK UNKNOWN - ${error.message.replace(/[\r\n|]+/g, ' ')}\n`,
      exitCode: 3,
    };
  }
}

async function testAsked(app: App, input: Input): Promise<TrunkTest[]> {
  const trunks = await trunksAsked(app, input);
  const traces = openTraces(input);
  // Stages pass too fast, and too many at a time, for lines in a log.
  const progress = app.terminal.animated
    ? await progressOf(app)
    : { show: () => undefined, end: () => undefined };
  try {
    const options = await testOptions(app, input, traces.trace);
    return await testTrunks(trunks, await app.catalog(), { ...options, progress: progress.show });
  } finally {
    progress.end();
    traces.close();
  }
}

/** The trunks that are named, or all enabled ones. @throws SipctlError `usage` where nothing is asked for */
async function trunksAsked(app: App, input: Input): Promise<TrunkUnderTest[]> {
  const { records } = await app.store();
  const names = input.args.filter((name) => name !== undefined);
  const everywhere = input.options.allTenants === true;
  if (names.length === 0 && input.options.all !== true && !everywhere) {
    throw new SipctlError('usage', {
      code: 'no_trunk',
      message: 'no trunk is named',
      hint: 'name trunks, or give --all for those of the tenant, --all-tenants for those of everybody',
    });
  }
  const tenants = everywhere
    ? ((await records.list(nouns.tenant)) as unknown as nouns.Tenant[])
    : [
        (await records.get(nouns.tenant, {
          tenant: null,
          name: app.config.tenant,
        })) as unknown as nouns.Tenant,
      ];
  const asked: TrunkUnderTest[] = [];
  for (const tenant of tenants) {
    const trunks =
      names.length > 0
        ? await Promise.all(names.map((name) => records.get(nouns.trunk, { tenant: tenant.name, name })))
        : await records.list(nouns.trunk, { tenant: tenant.name });
    for (const trunk of trunks as unknown as nouns.Trunk[]) {
      if (names.length > 0 || (trunk.enabled && tenant.enabled)) asked.push({ trunk, tenant });
    }
  }
  return asked;
}

async function testOptions(
  app: App,
  input: Input,
  trace: TestOptions['around']['trace'],
): Promise<Omit<TestOptions, 'progress'>> {
  const { systemDns } = await import('../sip/system-dns.ts');
  const { options } = input;
  const call = callOf(input);
  const timeoutMs = (integerOption(input, 'timeout', 1, secondsHint) ?? 8) * 1000;
  const dns =
    typeof options.dns === 'string' ? options.dns.split(',').map((server) => server.trim()) : undefined;
  return {
    request: { stages: stagesOf(input), call, stun: stunOf(input) },
    // Where a PBX is asked, what this machine sees counts only if it was asked for, too.
    fromHere: options.via === undefined || options.stages !== undefined,
    viaNode: typeof options.via === 'string' ? await viaNode(app, options.via, { call, ringMs }) : null,
    concurrency: integerOption(input, 'concurrency', 1, 'give a number of trunks, for example 20') ?? 10,
    around: {
      dns: systemDns(dns),
      signal: app.signal,
      timeoutMs,
      userAgent: `sipctl/${app.version}`,
      trace,
      ca: typeof options.ca === 'string' ? readAuthority(options.ca) : undefined,
    },
  };
}

/** Milliseconds that somebody is given to take a call. */
const ringMs = 30_000;

async function viaNode(
  app: App,
  name: string,
  options: Pick<ViaNode, 'call' | 'ringMs'>,
): Promise<TestOptions['viaNode']> {
  const [planned] = await app.targets([name]);
  if (planned === undefined) return null;
  const { target } = planned;
  if (!target.controllable) throw uncontrolled(name, target.kind);
  return (trunk, country) => testViaNode(trunk, { target, country, ...options, signal: app.signal });
}

const uncontrolled = (name: string, kind: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'no_control',
    message: `via: ${name} has no control connection that could be asked`,
    field: 'via',
    hint: `sipctl node set ${name} ${kind === 'asterisk' ? '--ami <host:port> --ami-user <user> --ami-secret-file <file>' : '--esl <host:port> --esl-password-file <file>'}`,
  });

/** The test that a delivery waits for: no call, and nothing that only a person would read. */
export async function quickTest(app: App): Promise<TestOptions> {
  const options = await testOptions(app, { args: [], options: { stages: 'options,register' } }, undefined);
  return { ...options, progress: () => undefined };
}

function stagesOf({ options }: Input): ReadonlySet<StageName> {
  if (typeof options.stages !== 'string') return new Set(choosable);
  const given = options.stages.split(',').map((stage) => stage.trim());
  const unknown = given.find((stage) => !choosable.some((one) => one === stage));
  if (unknown === undefined) return new Set(given as StageName[]);
  throw new SipctlError('invalid', {
    code: 'invalid_stages',
    message: `stages: there is no stage '${unknown}'`,
    field: 'stages',
    hint: `choose of: ${choosable.join(',')}`,
  });
}

function callOf(input: Input): TestOptions['request']['call'] {
  const { call } = input.options;
  if (typeof call !== 'string') return null;
  const seconds = integerOption(input, 'seconds', 1, secondsHint) ?? 3;
  const number = e164(bareNumber(call));
  // Extensions and service numbers of a peer are called as they are written.
  if (number.ok) return { number: number.value, seconds };
  if (/^[0-9*#A-Za-z_.-]{1,40}$/.test(call)) return { number: call, seconds };
  throw new SipctlError('invalid', {
    code: 'invalid_call',
    message: `call: ${number.message}`,
    field: 'call',
    hint: 'write + and the number with its country code, or what the peer calls it',
  });
}

function stunOf({ options }: Input): TestOptions['request']['stun'] {
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

const testFlags: readonly OptionSpec[] = [
  ['--all', 'every enabled trunk of the tenant'],
  ['--all-tenants', 'every enabled trunk of every tenant'],
  ['--stages <list>', `only these of ${choosable.join(',')}; DNS and connection are always tested`],
  ['--call <number>', 'place a call to this number, and listen'],
  [
    '--via <node>',
    'ask this PBX how the trunk stands there, and call through it; with --stages test from here, too',
  ],
  ['--seconds <n>', 'how long the call lasts after the answer; 3 where not given'],
  ['--timeout <s>', 'seconds for each connection and each request; 8 where not given'],
  ['--concurrency <n>', 'trunks tested at one time; 10 where not given'],
  ['--stun <server>', 'ask this STUN server what our public address is'],
  ['--dns <servers>', 'ask these name servers instead of the system’s'],
  ['--ca <file>', 'trust these certificates, too'],
  ['--trace <file>', 'write every SIP message there, without secrets'],
  ['--pcap <file>', 'write every SIP message there as packets, without secrets'],
];

/** The verb of the same name. */
export const trunkTest: VerbSpec = {
  name: 'test',
  summary: 'test trunks from here, stage by stage, and say why one fails',
  args: '[name...]',
  options: [...testFlags, ['--nagios', 'answer as a monitoring plugin: 0, 1, 2, 3 and performance data']],
  examples: [
    'sipctl trunk test telnyx_main --tenant acme',
    'sipctl trunk test telnyx_main --tenant acme --call +15551230000 --trace call.txt',
    'sipctl trunk test --all-tenants --nagios',
  ],
  run,
};

/** The same test, told as causes and remedies. */
export const trunkExplain: VerbSpec = {
  name: 'explain',
  summary: 'test trunks, and say only what is wrong and what to do',
  args: '[name...]',
  options: testFlags,
  examples: ['sipctl trunk explain telnyx_main --tenant acme'],
  run: (app, input) => reported(app, input, explanationsText),
};
