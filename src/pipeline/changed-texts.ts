import type { Plan } from '../plan/site-plan.ts';
import { heldGeneration, heldText } from './held.ts';
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
    const changed: ChangedText[] = [];
    for (const { key, before, after } of changes) {
      const text = before === null || held === null ? null : await heldText(target, held, key);
      changed.push({
        artifact: key,
        before: text?.toString('utf8') ?? '',
        after: after?.text.toString('utf8') ?? '',
      });
    }
    texts.set(node, changed);
  }
  return texts;
}
