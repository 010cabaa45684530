import type { App } from '../app.ts';
import type { Problem } from '../errors.ts';
import type { Node } from '../model/nouns.ts';
import * as nouns from '../model/nouns.ts';
import { planRollback, rollbackNode } from '../pipeline/rollback.ts';
import { countObjects } from '../plan/diff.ts';
import { outcomeText } from '../report/apply.ts';
import { integerOption, type Run, type VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { leaseView } from './lease.ts';
import { refOf } from './object-ref.ts';
import { recordedChange } from './recorded-change.ts';
import { progressOf } from './run-options.ts';

const run: Run = async (app, input) => {
  const store = await app.store();
  const ref = refOf(nouns.node, app, input);
  const { target } = await app.target((await store.records.get(nouns.node, ref)) as unknown as Node);
  const plan = await planRollback(
    target,
    integerOption(input, 'to', 0, 'sipctl status names the generations'),
    await inForceOn(app, ref.name),
  );
  const count = countObjects(plan.changes);
  const what = `${count.create} objects come back, ${count.update} change, ${count.delete} go`;
  await confirm(app, `Put generation ${plan.next.generation} of ${ref.name} in force (${what})?`);
  const intent = {
    node: ref.name,
    base: plan.held.generation,
    changes: count,
    detail: `rollback to generation ${plan.next.generation}`,
  };
  const progress = await progressOf(app);
  try {
    const outcome = await recordedChange(app, intent, progress.show, (options) =>
      rollbackNode(target, plan, options),
    );
    progress.end();
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
  }
};

const databaseAhead: Problem = {
  code: 'database_ahead',
  message: 'the database still holds the newer state: sipctl plan shows it, and apply would bring it back',
};

// Another operator's database knows nothing of this node: then every complete generation counts. What an interrupted
// run wanted to put in force may never have been; where it was, the next run had it for its base.
async function inForceOn(app: App, node: string): Promise<(generation: number) => boolean> {
  const store = await app.store();
  const deliveries = await store.listDeliveries({ node, limit: 1000 }, leaseView(app));
  const known = new Set(deliveries.map(({ base }) => base));
  for (const { outcome, generation } of deliveries)
    if (outcome !== 'started' && outcome !== 'interrupted') known.add(generation);
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
