import { SipctlError } from '../errors.ts';
import type { Manifest } from '../plan/generation.ts';
import { isPending, type NodePlan } from '../plan/plan.ts';
import { prepare, writeGeneration } from '../platforms/generation-files.ts';
import type { Target } from '../platforms/target.ts';
import { changeNode } from './change-node.ts';
import { afterwards, type NodeOutcome, type RunOptions, unchanged } from './outcome.ts';
import { settle } from './settle.ts';

/**
 * Makes one node hold and run what its plan says, or puts back what was there. Never throws for one node's fault.
 * @throws the reason of the signal where it was aborted before anything was put in force
 */
export async function applyNode(target: Target, plan: NodePlan, options: RunOptions): Promise<NodeOutcome> {
  const outcome = unchanged(target.node, plan.base);
  if (!isPending(plan)) return outcome;
  if (plan.refusals.length > 0)
    return { ...outcome, outcome: 'failed', error: new SipctlError('refused', plan.refusals) };
  return changeNode(target, plan.base, options, async (node) => {
    const held = node.held ?? (await prepare(target, options.sipctl, options.now()));
    const next = plan.changes.length === 0 ? held : await writeNext(target, plan, options, node.outcome);
    options.signal.throwIfAborted();
    await settle({ ...node, target, held, next, plan, options });
    await afterwards(node.outcome, 'old generations stay until the next apply', () => prune(target));
  });
}

async function writeNext(
  target: Target,
  plan: NodePlan,
  options: RunOptions,
  outcome: NodeOutcome,
): Promise<Manifest> {
  options.progress(target.node, 'writing');
  const newest = (await target.files.list()).at(-1) ?? plan.base;
  const next: Manifest = {
    ...plan.desired,
    generation: Math.max(newest, plan.base) + 1,
    createdAt: options.now().toISOString(),
    sipctl: options.sipctl,
  };
  const changed = plan.changes.flatMap((change) => (change.after === null ? [] : [change.after]));
  outcome.written = await writeGeneration(target, next, changed);
  return next;
}

/** Finding what nobody needs any more means to look everywhere: it is done for several generations at once. */
const pruneAtOnce = 5;

async function prune(target: Target): Promise<void> {
  const numbers = await target.files.list();
  if (numbers.length < target.keep + pruneAtOnce) return;
  await target.files.prune(new Set(numbers.slice(-target.keep)));
}
