import { SipctlError } from '../errors.ts';
import type { Artifact, Manifest } from '../plan/generation.ts';
import type { ArtifactChange, ReloadStep } from '../plan/plan.ts';
import { writeGeneration } from '../platforms/generation-files.ts';
import type { Target } from '../platforms/target.ts';
import { changeNode } from './change-node.ts';
import { type DeliveredText, deliveredTexts, wasEdited } from './delivered-texts.ts';
import { meantGeneration } from './meant-generation.ts';
import type { NodeOutcome, RunOptions } from './outcome.ts';
import type { RenderTenants } from './render-tenants.ts';
import { settle } from './settle.ts';

/** A generation that is delivered once more. */
export interface RevertPlan {
  held: Manifest;
  /** What is not as it was delivered, and goes. */
  changes: ArtifactChange[];
  artifacts: readonly Artifact[];
}

/**
 * What was delivered last, whatever became of its files.
 * @throws SipctlError `notFound` where nothing was, `refused` where its texts are no longer known
 */
export async function planRevert(render: RenderTenants, target: Target): Promise<RevertPlan> {
  const { manifest } = await meantGeneration(target);
  if (manifest === null) throw nothingDelivered(target);
  const texts = await deliveredTexts(render, target, manifest);
  const lost = texts.filter(({ delivered }) => delivered === null);
  if (lost.length > 0) throw textsLost(target, lost);
  const artifacts = texts.map(({ key, artifact, delivered }) => ({
    ...artifact,
    key,
    text: delivered as Buffer,
  }));
  return {
    held: manifest,
    artifacts,
    changes: texts.filter(wasEdited).map((text) => changeOf(target, text)),
  };
}

function changeOf(target: Target, { key, artifact, onNode, delivered }: DeliveredText): ArtifactChange {
  const after = { ...artifact, key, text: delivered as Buffer };
  return {
    action: 'update',
    key,
    before: artifact,
    after,
    objects: objectsOf(target, key, onNode, after.text),
  };
}

// A file that was edited may be no XML any more: then no object of it can be told.
function objectsOf(
  target: Target,
  key: string,
  onNode: Buffer | null,
  delivered: Buffer,
): ArtifactChange['objects'] {
  try {
    return onNode === null ? [] : target.objectChanges(key, onNode, delivered);
  } catch {
    return [];
  }
}

/**
 * Delivers a generation once more, as the next one: PBXs pass over files that look as they did. Everything is reloaded and
 * verified. Never throws for the node’s fault.
 * @param trunks those that run with other values, by their names on the PBX
 * @throws the reason of the signal where it was aborted before anything was put in force
 */
export async function revertNode(
  target: Target,
  plan: RevertPlan,
  trunks: readonly string[],
  options: RunOptions,
): Promise<NodeOutcome> {
  const { held } = plan;
  const found = async (): Promise<Manifest | null> => (await meantGeneration(target)).manifest;
  return changeNode(target, held.generation, { ...options, found }, async (node) => {
    options.progress(target.node, 'writing');
    const newest = (await target.files.list()).at(-1) ?? held.generation;
    const next: Manifest = {
      ...held,
      generation: Math.max(newest, held.generation) + 1,
      createdAt: options.now().toISOString(),
      sipctl: options.sipctl,
    };
    node.outcome.written = await writeGeneration(target, next, plan.artifacts);
    options.signal.throwIfAborted();
    // Before anything is asked of the PBX: what leads nowhere now would keep it from reading any file of ours. The texts are
    // those that were in force, and nothing is read before the reload.
    await target.files.flip(next.generation);
    const everything = plan.artifacts.map((after): ArtifactChange => {
      return { action: 'update', key: after.key, before: after, after, objects: [] };
    });
    const reload = reloadOf(target, plan.changes, trunks);
    await settle({ ...node, target, held, next, plan: { changes: everything, reload }, options });
  });
}

function reloadOf(
  target: Target,
  changes: readonly ArtifactChange[],
  trunks: readonly string[],
): ReloadStep[] {
  const steps = [...target.reloadFor(changes), ...(target.remake?.(trunks) ?? [])];
  const of = (kind: 'unregister' | 'register'): ReloadStep[] => {
    const named = steps.flatMap((step) => (step.kind === kind ? [step.registration] : []));
    return [...new Set(named)].sort().map((registration) => ({ kind, registration }));
  };
  return [...of('unregister'), ...target.reloadAll(), ...of('register')];
}

const nothingDelivered = (target: Target): SipctlError =>
  new SipctlError('notFound', {
    code: 'no_generation',
    message: `nothing was delivered to ${target.node} yet`,
    field: 'node',
    hint: 'sipctl apply',
  });

const textsLost = (target: Target, lost: readonly DeliveredText[]): SipctlError =>
  new SipctlError(
    'refused',
    lost.map(({ key }) => ({
      code: 'delivered_text_lost',
      message: `${target.node}: ${key} was changed on the node, and the database has changed since: what was delivered is no longer known`,
      hint: `sipctl apply --refresh --node ${target.node} delivers what the database says; sipctl rollback ${target.node} goes back to an earlier generation`,
    })),
  );
