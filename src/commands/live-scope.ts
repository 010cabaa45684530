import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import type { Call, Leg } from '../model/live/call.ts';
import type { FoundCall, OpenNodes, UsualLeg } from '../pipeline/live-calls.ts';
import type { ChannelRef } from '../platforms/control-plane.ts';
import { visible } from '../report/calls.ts';
import { type Input, nodeNames, type OptionSpec, type Result } from './command.ts';

/** What every command for running calls takes. */
export const scopeOptions: readonly OptionSpec[] = [
  ['--node <names>', 'only these nodes, separated by commas'],
  ['--all-tenants', 'calls of every tenant, and of nobody'],
];

/** The party of a call that is meant. */
export const legOption = (usual: string): OptionSpec => [
  '--leg <leg>',
  `caller, callee, or an id that call show tells; ${usual} where not given`,
];

/** Runs something with sessions at the nodes of the tenant, which are closed whatever becomes of it. */
export async function withNodes(
  app: App,
  input: Input,
  work: (nodes: OpenNodes) => Promise<Result>,
): Promise<Result> {
  const { openNodes } = await import('../pipeline/live-calls.ts');
  const targets = await app.targets(nodeNames(input));
  if (input.options.allTenants !== true) await demandTenant(app);
  const serving = targets.filter(
    ({ tenants }) =>
      input.options.allTenants === true || tenants === null || tenants.includes(app.config.tenant),
  );
  const nodes = await openNodes(serving, app.signal);
  try {
    return await work(nodes);
  } finally {
    await nodes.close();
  }
}

async function demandTenant(app: App): Promise<void> {
  const nouns = await import('../model/nouns.ts');
  const { records } = await app.store();
  await records.get(nouns.tenant, { tenant: null, name: app.config.tenant });
}

/** The calls that run now, of the tenant or of all; and why some nodes do not tell theirs. */
export async function callsInScope(
  app: App,
  input: Input,
  nodes: OpenNodes,
): Promise<{ found: FoundCall[]; failures: SipctlError[] }> {
  const { runningCalls } = await import('../pipeline/live-calls.ts');
  const parties = await (await app.store()).parties();
  const { found, failures } = await runningCalls(nodes, parties, app.now().getTime());
  const isOurs = ({ call }: FoundCall): boolean =>
    input.options.allTenants === true || call.tenant === app.config.tenant;
  return { found: found.filter(isOurs), failures: [...nodes.failures, ...failures] };
}

/** Runs something at the node that has the call which the first word names. */
export const atCall = (
  app: App,
  input: Input,
  work: (found: FoundCall) => Promise<Result>,
): Promise<Result> =>
  withNodes(app, input, async (nodes) => {
    const { pickCall } = await import('../pipeline/live-calls.ts');
    const { found, failures } = await callsInScope(app, input, nodes);
    return work(pickCall(found, input.args[0] ?? '', failures));
  });

/** The leg that `--leg` names. @throws SipctlError `invalid` */
export async function legOf(input: Input, call: Call, usual: UsualLeg): Promise<Leg> {
  const { pickLeg } = await import('../pipeline/live-calls.ts');
  return pickLeg(call, typeof input.options.leg === 'string' ? input.options.leg : null, usual);
}

/** The party that the one at this leg talks to; null where there is none, or more than one. */
export async function otherOf(call: Call, leg: Leg): Promise<Leg | null> {
  const { otherLegs } = await import('../pipeline/live-calls.ts');
  const others = otherLegs(call, leg);
  return others.length === 1 ? (others[0] ?? null) : null;
}

export const refOf = ({ id, channel }: Leg): ChannelRef => ({ id, channel });

/** Who is at a leg, in words that a terminal does not obey. */
export const partyText = ({ party, number, name }: Leg): string =>
  party?.kind === 'user' ? party.name : visible(number ?? name ?? party?.name ?? 'somebody');

/** @throws SipctlError `refused` where the call is not in one of these states */
export function demandState(call: Call, states: readonly Call['state'][], what: string): void {
  if (states.includes(call.state)) return;
  throw new SipctlError('refused', {
    code: `not_${states[0]}`,
    message: `call ${call.id} is ${call.state}: ${what}`,
    field: 'call',
    hint: 'sipctl call list shows how calls stand',
  });
}

/** What was on its way when Ctrl-C came, and was ended. */
export const interruptedResult = (message: string, data: unknown = null): Result => {
  const problem: Problem = { code: 'interrupted', message };
  return { data, text: () => '', outcome: 'interrupted', errors: [problem] };
};
