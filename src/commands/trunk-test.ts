import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import * as nouns from '../model/nouns.ts';
import { e164 } from '../model/rules.ts';
import type { TestOptions, TrunkUnderTest } from '../pipeline/test-trunks.ts';
import { type Tested, testFailure } from '../pipeline/tested.ts';
import type { ViaNode } from '../pipeline/via-node.ts';
import { nagios, testText } from '../report/trunk-test.ts';
import type { StageName } from '../sip/finding.ts';
import type { OptionSpec, Result, VerbSpec } from './command.ts';
import { type Input, integerOption } from './command.ts';
import { endedBy } from './ended.ts';
import { bareNumber } from './tenant-flow.ts';
import { interruptible, networkFlags, secondsOption, stunOf, surroundings, testing } from './test-flags.ts';

/** Stages that can be chosen; what comes before them is always gone through, as they need it. */
const choosable = ['options', 'register', 'call', 'nat'] as const;

const run = interruptible((app, input) =>
  input.options.nagios === true ? forMonitoring(app, input) : reported(app, input, testText),
);

/** Tests, and tells it as a report or as explanations. */
export async function reported(
  app: App,
  input: Input,
  text: (tests: readonly Tested[], ...style: Parameters<Result['text']>) => string,
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
    if (!(error instanceof SipctlError) || app.signal.aborted || app.config.json) throw error;
    return {
      data: null,
      text: () => `TRUNK UNKNOWN - ${error.message.replace(/[\r\n|]+/g, ' ')}\n`,
      exitCode: 3,
    };
  }
}

async function testAsked(app: App, input: Input): Promise<Tested[]> {
  refuseContradictions(app, input);
  const trunks = await trunksAsked(app, input);
  const catalog = await app.catalog();
  // The SIP client is loaded when something is tested: other verbs of the noun start without it.
  const { testTrunks } = await import('../pipeline/test-trunks.ts');
  return testing(app, input, async (around, progress) =>
    testTrunks(trunks, catalog, { ...(await trunkOptions(app, input)), around, progress }),
  );
}

const wrong = (code: string, message: string, hint: string): SipctlError =>
  new SipctlError('usage', { code, message, hint });

/** @throws SipctlError `usage` where one part of the command line would silently make another one void */
function refuseContradictions(app: App, input: Input): void {
  const { nagios: monitoring, call, via } = input.options;
  const stages = stagesOf(input);
  if (monitoring === true && app.config.json) {
    throw wrong('two_forms', '--nagios and --json are two forms of one answer', 'give one of the two');
  }
  if (call === undefined && input.options.stages !== undefined && stages.has('call')) {
    throw wrong('no_number', 'the stage call needs a number', 'give --call <number>, too');
  }
  if (call !== undefined && via === undefined && !stages.has('call')) {
    throw wrong('call_left_out', '--stages leaves out the call that --call asks for', 'add call to --stages');
  }
}

/** The trunks that are named, or all enabled ones. @throws SipctlError `usage` where neither is asked for, or both */
export async function trunksAsked(app: App, input: Input): Promise<TrunkUnderTest[]> {
  const { records } = await app.store();
  const names = [...new Set(input.args.filter((name) => name !== undefined))];
  const everywhere = input.options.allTenants === true;
  const isAll = input.options.all === true || everywhere;
  if (names.length === 0 && !isAll) {
    throw wrong(
      'no_trunk',
      'no trunk is named',
      'name trunks, or give --all for those of the tenant, --all-tenants for those of everybody',
    );
  }
  if (names.length > 0 && isAll) {
    throw wrong('names_and_all', 'trunks are named, and all are asked for, too', 'give the names, or --all');
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

async function trunkOptions(app: App, input: Input): Promise<Omit<TestOptions, 'around' | 'progress'>> {
  const { via, stages } = input.options;
  const call = callOf(input);
  return {
    request: { stages: stagesOf(input), call, stun: stunOf(input) },
    // Where a PBX is asked, what this machine sees counts only if it was asked for, too.
    fromHere: via === undefined || stages !== undefined,
    viaNode: typeof via === 'string' ? await viaNode(app, via, { call, ringMs }) : null,
    concurrency: integerOption(input, 'concurrency', 1, 'give a number of trunks, for example 20') ?? 10,
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
  const { testViaNode } = await import('../pipeline/via-node.ts');
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
  const input = { args: [], options: { stages: 'options,register' } };
  const around = await surroundings(app, input);
  return { ...(await trunkOptions(app, input)), around, progress: () => undefined };
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
  const seconds = secondsOption(input, 'seconds') ?? 3;
  const bare = bareNumber(call);
  const number = e164(bare);
  if (number.ok) return { number: number.value, seconds };
  // As people of the tenant's country dial it, or the name or number of something at a peer.
  if (/^[0-9*#]{1,40}$/.test(bare)) return { number: bare, seconds };
  if (/^[0-9*#A-Za-z_.-]{1,40}$/.test(call)) return { number: call, seconds };
  throw new SipctlError('invalid', {
    code: 'invalid_call',
    message: `call: ${number.message}`,
    field: 'call',
    hint: 'write it as +15551230000, or as it is dialled in the tenant’s country',
  });
}

export const testFlags: readonly OptionSpec[] = [
  ['--all', 'every enabled trunk of the tenant'],
  ['--all-tenants', 'every enabled trunk of every tenant'],
  ['--stages <list>', `only these of ${choosable.join(',')}; DNS and connection are always tested`],
  ['--call <number>', 'place a call to this number, and listen'],
  [
    '--via <node>',
    'ask this PBX how the trunk stands there, and call through it; with --stages test from here, too',
  ],
  ['--seconds <n>', 'how long the call lasts after the answer; 3 where not given'],
  ['--concurrency <n>', 'trunks tested at one time; 10 where not given'],
  ...networkFlags,
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
