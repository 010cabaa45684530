import type { Plan } from '../plan/site-plan.ts';
import { heldGeneration, heldTexts } from './held.ts';
import type { PlannedTarget } from './make-plan.ts';

/** The text of one file part before and after; a missing side is empty. */
export interface ChangedText {
  artifact: string;
  before: string;
  after: string;
}

/** Node → the texts that its plan changes, as the node holds them and as they would be. */
export async function changedTexts(
  plan: Plan,
  targets: readonly PlannedTarget[],
): Promise<Map<string, ChangedText[]>> {
  const texts = new Map<string, ChangedText[]>();
  for (const { node, changes } of plan.nodes) {
    const target = targets.find((one) => one.target.node === node)?.target;
    if (target === undefined || changes.length === 0) continue;
    const held = await heldGeneration(target);
    const keys = changes.map(({ key, before }) => (before === null ? null : key));
    const before = await heldTexts(target, held, keys);
    texts.set(
      node,
      changes.map(({ key, after }, at) => ({
        artifact: key,
        before: before[at]?.toString('utf8') ?? '',
        after: after?.text.toString('utf8') ?? '',
      })),
    );
  }
  return texts;
}
