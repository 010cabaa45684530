import { SipctlError } from '../errors.ts';
import { isPending, type NodePlan } from '../plan/plan.ts';
import type { NodeFailure } from '../plan/site-plan.ts';
import { concurrently } from './concurrently.ts';
import type { NodeOutcome } from './outcome.ts';

/** In which order, and how far, a change goes over the nodes. */
export interface RollOutRules {
  /** Nodes at once. */
  concurrency: number;
  /** Nodes that come first; the others are begun only when each of these runs what it was given. */
  canaries: readonly string[];
  /** After so many nodes that failed no further one is begun; null: all are. */
  maxFailures: number | null;
  /** Once aborted, no further node is begun. */
  signal: AbortSignal;
}

/** How a roll-out ended. */
export interface RolledOut {
  /** In the order of the plan. */
  outcomes: NodeOutcome[];
  /** Nodes with something to do that were not begun, and why; not those that an interruption left. */
  heldBack: { nodes: string[]; error: SipctlError | null };
}

/**
 * Applies the plans of many nodes: canaries first, then the others, some at a time. What is begun comes to its end.
 * @param failed nodes that could not even be planned: they count as failures
 * @param apply never throws for a node's fault; the reason of the signal where it was aborted before anything was done
 */
export async function rollOut(
  plans: readonly NodePlan[],
  failed: readonly NodeFailure[],
  rules: RollOutRules,
  apply: (plan: NodePlan) => Promise<NodeOutcome>,
): Promise<RolledOut> {
  const { concurrency, canaries, maxFailures, signal } = rules;
  const outcomes = new Map<string, NodeOutcome>();
  const bad = (): number => failed.length + [...outcomes.values()].filter(hasFailed).length;
  const begins = (plan: NodePlan): boolean =>
    !signal.aborted && (!isPending(plan) || maxFailures === null || bad() < maxFailures);
  const go = async (wave: readonly NodePlan[]): Promise<void> => {
    await concurrently(wave, concurrency, async (plan) => {
      if (begins(plan)) outcomes.set(plan.node, await apply(plan));
    }).catch((error: unknown) => {
      if (error !== signal.reason) throw error;
    });
  };
  await go(plans.filter(({ node }) => canaries.includes(node)));
  const unproved = canaries.filter((node) => !isProved(outcomes.get(node)));
  const others = plans.filter(({ node }) => !canaries.includes(node));
  await go(unproved.length === 0 ? others : others.filter((plan) => !isPending(plan)));
  const nodes = plans.filter((plan) => isPending(plan) && !outcomes.has(plan.node)).map(({ node }) => node);
  return {
    outcomes: plans.flatMap(({ node }) => outcomes.get(node) ?? []),
    heldBack: {
      nodes,
      error: nodes.length === 0 || signal.aborted ? null : notBegun(nodes, unproved, bad()),
    },
  };
}

const hasFailed = ({ outcome }: NodeOutcome): boolean =>
  outcome === 'failed' || outcome === 'rolled-back' || outcome === 'rollback-failed';

// What is delivered and not verified proves nothing for the others.
const isProved = (outcome: NodeOutcome | undefined): boolean =>
  outcome?.outcome === 'verified' || outcome?.outcome === 'unchanged';

function notBegun(nodes: readonly string[], unproved: readonly string[], failures: number): SipctlError {
  const why =
    unproved.length > 0
      ? `${unproved.join(', ')} first had to be verified`
      : `${failures} ${failures === 1 ? 'node' : 'nodes'} failed`;
  return new SipctlError('failed', {
    code: 'held_back',
    message: `not begun on ${nodes.join(', ')}: ${why}`,
    hint: 'put right what failed, then apply again: nodes that are up to date stay as they are',
  });
}
