import type { Problem } from '../errors.ts';
import type { Node } from '../model/nouns.ts';
import * as nouns from '../model/nouns.ts';
import { planRollback, rollbackNode } from '../pipeline/rollback.ts';
import { countObjects } from '../plan/diff.ts';
import { outcomeText } from '../report/apply.ts';
import type { Store } from '../store/store.ts';
import { integerOption, type Run, type VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { leaseOf } from './lease.ts';
import { refOf } from './object-ref.ts';
import { progressOf, runOptions } from './run-options.ts';

const run: Run = async (app, input) => {
  const store = await app.store();
  const ref = refOf(nouns.node, app, input);
  const { target } = await app.target((await store.records.get(nouns.node, ref)) as unknown as Node);
  const plan = await planRollback(
    target,
    integerOption(input, 'to', 0, 'sipctl status names the generations'),
    await inForceOn(store, ref.name),
  );
  const count = countObjects(plan.changes);
  const what = `${count.create} objects come back, ${count.update} change, ${count.delete} go`;
  await confirm(app, `Put generation ${plan.next.generation} of ${ref.name} in force (${what})?`);
  const lease = await leaseOf(app, `node ${ref.name}`);
  const progress = await progressOf(app);
  try {
    const outcome = await rollbackNode(target, plan, runOptions(app, progress.show));
    progress.end();
    await store.recordDelivery({
      node: ref.name,
      generation: outcome.generation ?? plan.held.generation,
      base: plan.held.generation,
      outcome: outcome.outcome === 'unchanged' ? 'delivered' : outcome.outcome,
      changes: count,
      detail: [`rollback to generation ${plan.next.generation}`, outcome.error?.message ?? []]
        .flat()
        .join(': '),
    });
    const changed = outcome.outcome === 'verified' || outcome.outcome === 'delivered';
    return {
      data: {
        node: ref.name,
        outcome: outcome.outcome,
        generation: outcome.generation,
        base: outcome.base,
        count,
        findings: outcome.findings,
      },
      changed,
      text: (style) => outcomeText(outcome, null, style),
      warnings: [...outcome.warnings, ...(changed ? [databaseAhead] : [])],
      ...(outcome.error === null ? {} : { outcome: outcome.error.outcome, errors: outcome.error.problems }),
    };
  } finally {
    progress.end();
    await lease.release();
  }
};

const databaseAhead: Problem = {
  code: 'database_ahead',
  message: 'the database still holds the newer state: sipctl plan shows it, and apply would bring it back',
};

// Another operator's database knows nothing of this node: then every complete generation counts.
async function inForceOn(store: Store, node: string): Promise<(generation: number) => boolean> {
  const deliveries = await store.listDeliveries({ node, limit: 1000 });
  const known = new Set(deliveries.flatMap(({ base, generation }) => [base, generation]));
  return (generation) => known.size === 0 || known.has(generation);
}

export const rollback: VerbSpec = {
  name: 'rollback',
  summary: 'put an earlier generation in force: a flip and a reload',
  args: '<node>',
  options: [['--to <generation>', 'which one; the one before, when not given']],
  examples: ['sipctl rollback pbx1 --yes', 'sipctl rollback pbx1 --to 41'],
  run,
};
