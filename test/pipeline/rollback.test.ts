import { expect, it } from 'vitest';
import { applyNode } from '../../src/pipeline/apply.ts';
import { planRollback, rollbackNode } from '../../src/pipeline/rollback.ts';
import { runOptions, type ScriptedNode, scriptedNode } from './scripted-node.ts';

async function apply({ target, planFor }: ScriptedNode, text: string): Promise<void> {
  const { outcome, error } = await applyNode(target, await planFor(text), runOptions());
  expect([outcome, error]).toEqual(['verified', null]);
}

it('goes back to the generation before', async () => {
  const node = await scriptedNode();
  await apply(node, '; one');
  await apply(node, '; two');
  const plan = await planRollback(node.target, null, () => true);
  const outcome = await rollbackNode(node.target, plan, runOptions());
  expect(outcome).toMatchObject({ outcome: 'verified', base: 2, generation: 1 });
  expect(await node.target.files.current()).toBe(1);
});

it('leaves a node alone on which another run came between', async () => {
  const node = await scriptedNode();
  await apply(node, '; one');
  await apply(node, '; two');
  const plan = await planRollback(node.target, null, () => true);
  await apply(await scriptedNode({ dir: node.dir }), '; three');
  const outcome = await rollbackNode(node.target, plan, runOptions());
  expect(outcome).toMatchObject({
    outcome: 'failed',
    generation: 3,
    error: { outcome: 'conflict', problems: [{ code: 'plan_stale' }] },
  });
  expect(await node.target.files.current()).toBe(3);
});
