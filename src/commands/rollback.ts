import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { labelIn } from '../model/chosen-nodes.ts';
import type { Node } from '../model/nouns.ts';
import * as nouns from '../model/nouns.ts';
import { concurrently } from '../pipeline/concurrently.ts';
import { type NodeOutcome, type Progress, unchanged } from '../pipeline/outcome.ts';
import { planRollback, type RollbackPlan, rollbackNode } from '../pipeline/rollback.ts';
import { countObjects } from '../plan/diff.ts';
import type { Target } from '../platforms/target.ts';
import { outcomeText } from '../report/apply.ts';
import { type Input, integerOption, type Result, type Run, separated, type VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { endedBy, interruption } from './ended.ts';
import { leaseView } from './lease.ts';
import { refOf } from './object-ref.ts';
import { recordedChange } from './recorded-change.ts';
import { concurrencyOf, concurrencyOption } from './roll-out-flags.ts';
import { progressOf } from './run-options.ts';

/** A node, and the generation that it is to go back to. */
interface Due {
  target: Target;
  plan: RollbackPlan;
}

const run: Run = async (app, input) => {
  const names = separated(input.args[0]);
  const isOne = names.length === 1 && labelIn(names[0] ?? '') === null;
  return isOne ? rollBackOne(app, input) : rollBackSeveral(app, input, names);
};

const rollBackOne: Run = async (app, input) => {
  const store = await app.store();
  const node = (await store.records.get(nouns.node, refOf(nouns.node, app, input))) as unknown as Node;
  const { target } = await app.target(node);
  const due = await planned(app, target, generationAsked(input));
  await confirm(app, `Put ${titleOf(due)} in force (${countOf(due)})?`);
  const progress = await progressOf(app);
  try {
    const outcome = await rollBack(app, due, progress.show);
    progress.end();
    return result([outcome], outcomeData(due, outcome), []);
  } finally {
    progress.end();
  }
};

async function rollBackSeveral(app: App, input: Input, names: readonly string[]): Promise<Result> {
  if (generationAsked(input) !== null) throw oneNodeOnly();
  const width = concurrencyOf(input);
  const errors: SipctlError[] = [];
  const found = await concurrently(await app.targets(names), width, ({ target }) =>
    planned(app, target, null).catch((error: unknown) => {
      if (!(error instanceof SipctlError)) throw error;
      errors.push(error);
      return null;
    }),
  );
  const due = found.filter((one) => one !== null);
  const titles = due.map((one) => `${titleOf(one)} (${countOf(one)})`);
  if (due.length > 0) await confirm(app, `Put these in force: ${titles.join(', ')}?`);
  const ended = await rollBackAll(app, due, width);
  const left = due.filter((_, at) => ended[at] === null).map(({ target }) => target.node);
  if (left.length > 0) errors.push(interruption(left));
  const nodes = due.flatMap((one, at) => {
    const outcome = ended[at] ?? null;
    return outcome === null ? [] : [{ ...outcomeData(one, outcome), errors: outcome.error?.problems ?? [] }];
  });
  return result(
    ended.filter((outcome) => outcome !== null),
    { nodes },
    errors,
  );
}

/** Null for a node that an interruption left as it is. */
async function rollBackAll(app: App, due: readonly Due[], width: number): Promise<(NodeOutcome | null)[]> {
  const progress = await progressOf(app);
  try {
    return await concurrently(due, width, async (one) => {
      if (app.signal.aborted) return null;
      try {
        return await rollBack(app, one, progress.show);
      } catch (error) {
        if (error === app.signal.reason) return null;
        if (!(error instanceof SipctlError)) throw error;
        const { target, plan } = one;
        return { ...unchanged(target.node, plan.held.generation), outcome: 'failed' as const, error };
      }
    });
  } finally {
    progress.end();
  }
}

const planned = async (app: App, target: Target, to: number | null): Promise<Due> => ({
  target,
  plan: await planRollback(target, to, await inForceOn(app, target.node)),
});

function rollBack(app: App, { target, plan }: Due, progress: Progress): Promise<NodeOutcome> {
  const intent = {
    node: target.node,
    base: plan.held.generation,
    changes: countObjects(plan.changes),
    detail: `rollback to generation ${plan.next.generation}`,
  };
  return recordedChange(app, intent, progress, (options) => rollbackNode(target, plan, options));
}

const generationAsked = (input: Input): number | null =>
  integerOption(input, 'to', 0, 'sipctl status names the generations');

const titleOf = ({ target, plan }: Due): string => `generation ${plan.next.generation} of ${target.node}`;

function countOf({ plan }: Due): string {
  const count = countObjects(plan.changes);
  return `${count.create} objects come back, ${count.update} change, ${count.delete} go`;
}

const outcomeData = ({ target, plan }: Due, outcome: NodeOutcome) => ({
  node: target.node,
  outcome: outcome.outcome,
  generation: outcome.generation,
  base: outcome.base,
  count: countObjects(plan.changes),
  findings: outcome.findings,
});

function result(outcomes: readonly NodeOutcome[], data: object, failures: readonly SipctlError[]): Result {
  const changed = outcomes.some(({ outcome }) => outcome === 'verified' || outcome === 'delivered');
  return {
    data,
    changed,
    text: (style) => outcomes.map((outcome) => outcomeText(outcome, null, style)).join(''),
    warnings: [...outcomes.flatMap(({ warnings }) => warnings), ...(changed ? [databaseAhead] : [])],
    ...endedBy([...failures, ...outcomes.flatMap(({ error }) => (error === null ? [] : [error]))]),
  };
}

// Each node counts its generations for itself.
const oneNodeOnly = (): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_to',
    message: 'to: a generation can be named for one node only',
    field: 'to',
    hint: 'leave --to out: each node goes back to the generation before; or name one node',
  });

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
  args: '<nodes>',
  options: [['--to <generation>', 'which one; the one before, when not given'], concurrencyOption],
  examples: ['sipctl rollback pbx1 --yes', 'sipctl rollback @east --yes', 'sipctl rollback pbx1 --to 41'],
  run,
};
