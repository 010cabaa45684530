import { SipctlError } from '../errors.ts';
import type { Manifest } from '../plan/generation.ts';
import type { RunningSystem, Target } from '../platforms/target.ts';
import { heldGeneration, inForce } from './held.ts';
import { afterwards, type NodeOutcome, type RunOptions, unchanged } from './outcome.ts';

/** A node that nobody else changes now, and that is still what was planned against. */
export interface LockedNode {
  /** null where nothing was ever delivered to it. */
  held: Manifest | null;
  /** null where no control connection is configured. */
  running: RunningSystem | null;
  outcome: NodeOutcome;
}

/**
 * Does `change` under the node's lock, connected to its running system. Never throws for one node's fault: that is
 * its outcome then.
 * @param base the generation that was planned against
 * @param options with how that generation is found, where it is not the one in force
 * @throws the reason of the signal where it was aborted before anything was put in force
 */
export async function changeNode(
  target: Target,
  base: number,
  options: RunOptions & { found?: () => Promise<Manifest | null> },
  change: (node: LockedNode) => Promise<void>,
): Promise<NodeOutcome> {
  const outcome = unchanged(target.node, base);
  let running: RunningSystem | null = null;
  try {
    const unlock = await target.files.lock(options.holder);
    try {
      const held = await unchangedBase(target, base, options.found);
      // Asked before anything is written: a PBX that does not answer leaves the node as it is.
      running = await connected(target, options.signal);
      options.signal.throwIfAborted();
      await change({ held, running, outcome });
    } finally {
      await afterwards(outcome, 'its lock stays until the next run takes it over', unlock);
    }
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    const generation = await inForce(target, base);
    Object.assign(outcome, { outcome: 'failed', generation, error });
  } finally {
    await running?.close();
  }
  return outcome;
}

async function connected(target: Target, signal: AbortSignal): Promise<RunningSystem | null> {
  if (!target.controllable) return null;
  try {
    return await target.connect(signal);
  } catch (error) {
    // Whatever the connection ended with: it was we who ended it.
    signal.throwIfAborted();
    throw error;
  }
}

// What was planned was planned without the lock.
async function unchangedBase(
  target: Target,
  base: number,
  find = () => heldGeneration(target),
): Promise<Manifest | null> {
  const held = await find();
  const found = held?.generation ?? 0;
  if (found === base) return held;
  throw new SipctlError('conflict', {
    code: 'plan_stale',
    message: `${target.node} holds generation ${found} now, the plan was made against ${base}`,
    hint: 'another run came between: plan again',
  });
}
