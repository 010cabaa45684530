import { SipctlError } from '../errors.ts';
import { diffArtifacts } from '../plan/diff.ts';
import type { Manifest } from '../plan/generation.ts';
import type { ArtifactChange } from '../plan/plan.ts';
import type { Target } from '../platforms/target.ts';
import { changeNode } from './change-node.ts';
import { artifactsOf, heldGeneration, heldTexts, readGeneration } from './held.ts';
import { type NodeOutcome, type RunOptions, unchanged } from './outcome.ts';
import { settle } from './settle.ts';

/** What going back would change: the generation gone to, and its differences from the one in force. */
export interface RollbackPlan {
  held: Manifest;
  next: Manifest;
  changes: ArtifactChange[];
}

/**
 * Finds the generation to go back to: the one named, or the last before the one in force.
 * @param wasInForce tells a generation that once was in force from one whose run was killed before the flip
 * @throws SipctlError `notFound` when there is none
 */
export async function planRollback(
  target: Target,
  to: number | null,
  wasInForce: (generation: number) => boolean,
): Promise<RollbackPlan> {
  const held = await heldGeneration(target);
  const kept = await target.files.list();
  const earlier = kept.filter((number) => number < (held?.generation ?? 0) && wasInForce(number));
  const wanted = to ?? earlier.at(-1);
  if (held === null || wanted === undefined || !kept.includes(wanted)) throw noGeneration(target, to, kept);
  const next = await readGeneration(target, wanted);
  const texts = new Map((await artifactsOf(target, next)).map((artifact) => [artifact.key, artifact]));
  const diff = [...diffArtifacts(held.artifacts, next.artifacts, texts)];
  const keys = diff.map(({ key, before }) => (before === null ? null : key));
  const before = await heldTexts(target, held, keys);
  const changes = diff.map((change, at) => ({
    ...change,
    objects: target.objectChanges(change.key, before[at] ?? null, change.after?.text ?? null),
  }));
  return { held, next, changes };
}

/**
 * Puts an earlier generation in force: a flip and a reload, verified like any other. Never throws for the node's fault.
 * @throws the reason of the signal where it was aborted before anything was put in force
 */
export async function rollbackNode(
  target: Target,
  plan: RollbackPlan,
  options: RunOptions,
): Promise<NodeOutcome> {
  const { held, next, changes } = plan;
  if (next.generation === held.generation) return unchanged(target.node, held.generation);
  const reload = target.reloadFor(changes);
  return changeNode(target, held.generation, options, (node) =>
    settle({ ...node, target, held, next, plan: { changes, reload }, options }),
  );
}

function noGeneration(target: Target, to: number | null, kept: readonly number[]): SipctlError {
  return new SipctlError('notFound', {
    code: 'no_generation',
    message:
      to === null
        ? `${target.node} has no earlier generation`
        : `${target.node} does not keep generation ${to}`,
    field: 'to',
    hint: kept.length === 0 ? 'nothing was delivered to it yet' : `it keeps: ${kept.join(', ')}`,
  });
}
