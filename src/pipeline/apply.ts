import { SipctlError } from '../errors.ts';
import type { Manifest } from '../plan/generation.ts';
import { isPending, type NodePlan } from '../plan/plan.ts';
import { prepare, writeGeneration } from '../platforms/generation-files.ts';
import type { RunningSystem, Target } from '../platforms/target.ts';
import { heldGeneration } from './held.ts';
import { type NodeOutcome, type RunOptions, unchanged } from './outcome.ts';
import { settle } from './settle.ts';

/**
 * Makes one node hold and run what its plan says, or puts back what was there. Never throws for one node's fault.
 * @throws the reason of the signal where it was aborted before anything was put in force
 */
export async function applyNode(target: Target, plan: NodePlan, options: RunOptions): Promise<NodeOutcome> {
  const outcome = unchanged(target.node, plan.base);
  if (!isPending(plan)) return outcome;
  let running: RunningSystem | null = null;
  try {
    refuseUnsafe(plan);
    const unlock = await target.files.lock(options.holder);
    try {
      const held = await unchangedBase(target, plan, options);
      // Asked before anything is written: a PBX that does not answer leaves the node as it is.
      running = target.controllable ? await target.connect() : null;
      options.signal.throwIfAborted();
      const next = plan.changes.length === 0 ? held : await writeNext(target, plan, options, outcome);
      options.signal.throwIfAborted();
      await settle({ target, running, held, next, plan, outcome, progress: options.progress });
      await prune(target);
    } finally {
      await unlock();
    }
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    outcome.outcome = 'failed';
    outcome.error = error;
  } finally {
    await running?.close();
  }
  return outcome;
}

function refuseUnsafe(plan: NodePlan): void {
  if (plan.refusals.length > 0) throw new SipctlError('refused', plan.refusals);
}

// The plan was made without the lock: the node must still be what the plan was made against.
async function unchangedBase(target: Target, plan: NodePlan, options: RunOptions): Promise<Manifest> {
  const held = await heldGeneration(target);
  if ((held?.generation ?? 0) !== plan.base) {
    throw new SipctlError('conflict', {
      code: 'plan_stale',
      message: `${target.node} holds generation ${held?.generation ?? 0} now, the plan was made against ${plan.base}`,
      hint: 'another run came between: plan again',
    });
  }
  return held ?? prepare(target, options.sipctl, options.now());
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
