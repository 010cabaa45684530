import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { simulate } from '../model/flow/simulate.ts';
import type { PhoneState, SimulatedCall, World } from '../model/flow/simulated-call.ts';
import { trunkContext, userContext } from '../model/identity.ts';
import type { ResolvedSite, TenantSite } from '../model/site.ts';
import { simulationText } from '../report/simulation.ts';
import type { Input, Run, VerbSpec } from './command.ts';
import { bareNumber, momentOf, tenantFlow } from './tenant-flow.ts';

const run: Run = async (app, input) => {
  const call = callOf(app, input);
  const { site, resolved } = await tenantFlow(app);
  const world = worldOf(input);
  demandKnown(site, resolved, call, world);
  const simulation = simulate(resolved.flow, call, world);
  return {
    data: { call, ...simulation },
    warnings: ownContexts(resolved, call),
    text: (style) => simulationText(call, simulation, style),
  };
};

const text = ({ options }: Input, name: string): string | null =>
  typeof options[name] === 'string' ? options[name] : null;

const names = (input: Input, flag: string): string[] =>
  (text(input, flag) ?? '').split(',').flatMap((one) => one.trim() || []);

function callOf(app: App, input: Input): SimulatedCall {
  const inbound = text(input, 'inbound');
  const outbound = text(input, 'outbound');
  const user = text(input, 'user');
  const at = text(input, 'at');
  const moment = at === null ? app.now() : momentOf(at);
  if ((inbound === null) === (outbound === null)) throw notOneCall();
  if (inbound !== null) {
    return {
      kind: 'inbound',
      requestUri: bareNumber(inbound),
      to: null,
      trunk: text(input, 'trunk'),
      from: text(input, 'from'),
      at: moment,
    };
  }
  if (user === null) throw noCaller();
  return { kind: 'user', user, dialled: bareNumber(outbound as string), at: moment };
}

const notOneCall = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: 'one of --inbound and --outbound is needed',
    hint: 'sipctl route simulate --inbound +15551234567, or --outbound 911 --user ann',
  });

const noCaller = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: '--outbound needs the caller',
    field: 'user',
    hint: 'give --user',
  });

function worldOf(input: Input): World {
  const states: Readonly<Record<string, PhoneState>> = {
    unanswered: 'no-answer',
    busy: 'busy',
    offline: 'offline',
  };
  const phones = Object.entries(states).flatMap(([flag, state]) =>
    names(input, flag).map((user) => [user, state] as const),
  );
  const pressed = text(input, 'press');
  return {
    phones: Object.fromEntries(phones),
    trunks: Object.fromEntries(names(input, 'down').map((trunk) => [trunk, 'down'])),
    pressed: pressed === null ? [] : pressed.split(',').map((entry) => entry.trim()),
  };
}

/** A name that is mistyped would make a simulation of another call. */
function demandKnown(
  { users, trunks }: TenantSite,
  { flow }: ResolvedSite,
  call: SimulatedCall,
  world: World,
): void {
  const problems: Problem[] = [];
  const named = [
    ...Object.keys(world.phones ?? {}).map((name) => ['user', name] as const),
    ...Object.keys(world.trunks ?? {}).map((name) => ['trunk', name] as const),
    ...(call.kind === 'user' ? [['user', call.user] as const] : []),
    ...(call.kind === 'inbound' && call.trunk !== null ? [['trunk', call.trunk] as const] : []),
  ];
  for (const [noun, name] of named) {
    const isThere =
      noun === 'user'
        ? users.some(({ username }) => username === name)
        : trunks.some((trunk) => trunk.name === name);
    if (!isThere) problems.push(notThere(noun, name));
  }
  if (problems.length > 0) throw new SipctlError('notFound', problems);
  if (call.kind === 'user' && !flow.users.some(({ name }) => name === call.user))
    throw disabledCaller(call.user);
}

const notThere = (noun: string, name: string): Problem => ({
  code: `${noun}_not_found`,
  message: `there is no ${noun} '${name}' in this tenant`,
  field: noun,
  hint: `sipctl ${noun} list`,
});

const disabledCaller = (user: string): SipctlError =>
  new SipctlError('refused', {
    code: 'disabled',
    message: `user ${user}, or the tenant, is disabled: nobody can call so`,
    field: 'user',
    hint: `sipctl user enable ${user}`,
  });

/** Calls that enter a context of the operator's own are not in sipctl's hands. */
function ownContexts({ users, trunks, flow }: ResolvedSite, call: SimulatedCall): Problem[] {
  const [noun, name] = call.kind === 'user' ? ['user', call.user] : ['trunk', call.trunk];
  const context =
    call.kind === 'user'
      ? users.find(({ username }) => username === call.user)?.context
      : trunks.find((trunk) => trunk.name === call.trunk)?.context;
  const usual = call.kind === 'user' ? userContext(flow.tenant) : trunkContext(flow.tenant);
  if (context === undefined || context === usual) return [];
  return [
    {
      code: 'own_context',
      message: `calls of ${noun} ${name} enter the context ${context}, which sipctl does not render`,
      field: 'context',
      hint: `what follows holds where ${context} has: include => ${usual}`,
    },
  ];
}

/** Shows what would become of a call: read from the database, without a PBX. */
export const routeSimulate: VerbSpec = {
  name: 'simulate',
  summary: 'show step by step what would become of a call, without placing one',
  options: [
    ['--inbound <number>', 'a call from outside to this number'],
    ['--outbound <number>', 'what --user dials: a number, an extension, a code'],
    ['--user <user>', 'the caller of --outbound'],
    ['--trunk <trunk>', 'the trunk that --inbound arrives on'],
    ['--from <number>', 'the calling number of --inbound'],
    ['--at <time>', 'when: 2026-11-21T10:05+01:00; now when not given'],
    [
      '--press <entries>',
      'what the caller enters in menus and rooms, one after another: 1,2,,1001',
      'joined',
    ],
    ['--down <trunks>', 'trunks that cannot be reached', 'joined'],
    ['--unanswered <users>', 'users who do not answer', 'joined'],
    ['--busy <users>', 'users who are busy', 'joined'],
    ['--offline <users>', 'users without a registered phone', 'joined'],
  ],
  examples: [
    'sipctl route simulate --tenant acme --inbound +15551234567 --at 2026-12-25T10:00-05:00',
    'sipctl route simulate --tenant acme --outbound 0114930123456 --user ann --down telnyx_main',
  ],
  run,
};
