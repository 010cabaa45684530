import { type Problem, SipctlError } from '../errors.ts';
import type { Call, Leg } from '../model/live/call.ts';
import { CallTable } from '../model/live/call-table.ts';
import type { Parties } from '../model/live/party.ts';
import type { ControlPlane } from '../platforms/control-plane.ts';
import type { PlannedTarget } from './make-plan.ts';

/** An open session at one node. */
export interface OpenNode {
  node: string;
  plane: ControlPlane;
}

/** Sessions at several nodes, and why others have none. */
export interface OpenNodes {
  nodes: readonly OpenNode[];
  failures: readonly SipctlError[];
  close(): Promise<void>;
}

/** A call, and the session at the node that has it. */
export interface FoundCall extends OpenNode {
  call: Call;
}

/**
 * Opens sessions at all these nodes at a time; one that is down does not keep the others from it.
 * @throws SipctlError `refused` where none of them has a control connection; what happened where none could be opened
 */
export async function openNodes(targets: readonly PlannedTarget[], signal: AbortSignal): Promise<OpenNodes> {
  const controlled = targets.filter(({ target }) => target.controllable && target.control !== undefined);
  if (controlled.length === 0) throw noControl(targets);
  const opened = await Promise.allSettled(
    controlled.map(async ({ target }): Promise<OpenNode> => {
      const plane = await target.control?.({ events: false, signal });
      return { node: target.node, plane: plane as ControlPlane };
    }),
  );
  const nodes = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const errors = opened.flatMap((one, at) =>
    one.status === 'rejected' ? [ofNode(controlled[at]?.target.node ?? '', one.reason)] : [],
  );
  const close = async (): Promise<void> => {
    await Promise.allSettled(nodes.map(({ plane }) => plane.close()));
  };
  if (nodes.length > 0) return { nodes, failures: errors, close };
  const [first] = errors as [SipctlError];
  throw new SipctlError(
    first.outcome,
    errors.flatMap(({ problems }) => problems),
  );
}

/** The error of one node, with its name before what it says. @throws whatever is no error that sipctl understands */
export function ofNode(node: string, error: unknown): SipctlError {
  if (!(error instanceof SipctlError)) throw error;
  return new SipctlError(
    error.outcome,
    error.problems.map((problem) =>
      problem.message.includes(node) ? problem : { ...problem, message: `${node}: ${problem.message}` },
    ),
    { cause: error },
  );
}

/** Every call that runs at these nodes now; `at` is milliseconds since 1970. */
export async function runningCalls(
  { nodes }: Pick<OpenNodes, 'nodes'>,
  parties: Parties,
  at: number,
): Promise<{ found: FoundCall[]; failures: SipctlError[] }> {
  const asked = await Promise.allSettled(
    nodes.map(async ({ node, plane }) => {
      const table = new CallTable(node, parties);
      table.settle(await plane.legs(), at);
      return table.calls().map((call) => ({ node, plane, call }));
    }),
  );
  const found = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const failures = asked.flatMap((one, index) =>
    one.status === 'rejected' ? [ofNode(nodes[index]?.node ?? '', one.reason)] : [],
  );
  found.sort((one, other) => one.call.startedAt - other.call.startedAt);
  return { found, failures };
}

/** Shorter ones would fit by chance. */
const shortest = 4;

/**
 * The call of this id, or of an id that begins or ends so; the id and the name of a channel do, too.
 * @throws SipctlError `notFound`, or what happened at a node that could not be asked; `invalid` where several fit
 */
export function pickCall(
  found: readonly FoundCall[],
  id: string,
  failures: readonly SipctlError[],
): FoundCall {
  const isNamed = ({ call }: FoundCall): boolean =>
    call.id === id || call.legs.some((leg) => leg.id === id || leg.channel === id);
  const isNear = ({ call }: FoundCall): boolean =>
    id.length >= shortest && (call.id.startsWith(id) || call.id.endsWith(id));
  const exact = found.filter(isNamed);
  const fitting = exact.length > 0 ? exact : found.filter(isNear);
  const [first, ...others] = fitting;
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) throw ambiguous(id, fitting);
  const missing: Problem = {
    code: 'call_not_found',
    message: `there is no call '${id}'`,
    field: 'call',
    hint: 'sipctl call list shows those that run; --tenant names whose, --all-tenants all',
  };
  throw notFoundAt(missing, failures);
}

/** What is not found is there for all one knows, where a node could not be asked: that decides how it ends. */
export const notFoundAt = (missing: Problem, failures: readonly SipctlError[]): SipctlError =>
  new SipctlError(failures[0]?.outcome ?? 'notFound', [
    missing,
    ...failures.flatMap(({ problems }) => problems),
  ]);

const ambiguous = (id: string, fitting: readonly FoundCall[]): SipctlError =>
  new SipctlError('invalid', {
    code: 'call_ambiguous',
    message: `call: '${id}' may be ${fitting
      .slice(0, 5)
      .map(({ call, node }) => `${call.id} on ${node}`)
      .join(', ')}`,
    field: 'call',
    hint: 'give more of it, or the node with --node',
  });

/** The caller's leg: the first one. */
const callerLeg = ({ legs }: Call): Leg | undefined => inOrder(legs)[0];

// A call that was asked for begins with a leg out to the phone of whoever it is made for.
const inOrder = (legs: readonly Leg[]): Leg[] =>
  [...legs].sort(
    (one, other) =>
      Number(one.way === 'out') - Number(other.way === 'out') || one.startedAt - other.startedAt,
  );

/** The other party of a call: whoever answered, where one did. */
export function otherLegs(call: Call, leg: Leg): Leg[] {
  const others = inOrder(call.legs).filter(({ id }) => id !== leg.id);
  const answered = others.filter(({ state }) => state !== 'ringing');
  return answered.length > 0 ? answered : others;
}

/** Which party is meant where nobody says: the one outside, or the tenant’s own user. */
export type UsualLeg = 'outside' | 'user' | 'caller';

/**
 * The leg that `--leg` names: `caller`, `callee`, or the engine's own id; without it, the usual one.
 * @throws SipctlError `invalid` where it does not say which of several
 */
export function pickLeg(call: Call, wanted: string | null, usual: UsualLeg): Leg {
  const caller = callerLeg(call);
  if (caller === undefined) throw legProblem(call, 'has no channel any more');
  if (wanted === null) return usualLeg(call, caller, usual);
  if (wanted === 'caller') return caller;
  const fitting =
    wanted === 'callee'
      ? otherLegs(call, caller)
      : call.legs.filter(({ id, channel }) => [id, channel].includes(wanted));
  const [leg, ...more] = fitting;
  if (leg === undefined) throw legProblem(call, `has no leg '${wanted}'`);
  if (more.length > 0) throw legProblem(call, `has ${fitting.length} called parties`);
  return leg;
}

function usualLeg(call: Call, caller: Leg, usual: UsualLeg): Leg {
  if (usual === 'caller') return caller;
  const candidates = [caller, ...otherLegs(call, caller)];
  if (candidates.length === 1) return caller;
  const isUser = ({ party }: Leg): boolean => party?.kind === 'user';
  const [leg, ...more] = candidates.filter((one) => isUser(one) === (usual === 'user'));
  if (leg !== undefined && more.length === 0) return leg;
  throw legProblem(call, 'does not say by itself which party is meant');
}

const legProblem = (call: Call, what: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_leg',
    message: `leg: call ${call.id} ${what}`,
    field: 'leg',
    hint: `give --leg caller, --leg callee, or one of ${call.legs.map(({ id }) => id).join(', ')}`,
  });

const noControl = (targets: readonly PlannedTarget[]): SipctlError =>
  new SipctlError('refused', {
    code: 'no_control',
    message:
      targets.length === 0
        ? 'there is no node that could be asked'
        : `${targets.map(({ target }) => target.node).join(', ')}: no control connection is configured`,
    hint: 'sipctl node set <name> --ami host:port --ami-user … or, for FreeSWITCH, --esl host:port',
  });
