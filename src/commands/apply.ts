import { readFileSync } from 'node:fs';
import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { applyNode } from '../pipeline/apply.ts';
import type { PlannedTarget } from '../pipeline/make-plan.ts';
import { type NodeOutcome, unchanged } from '../pipeline/outcome.ts';
import { countObjects } from '../plan/diff.ts';
import { isPending, type NodePlan, type Plan } from '../plan/plan.ts';
import { applyData, applyText } from '../report/apply.ts';
import { planText } from '../report/plan.ts';
import type { Lease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import type { Result, Run, VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { endedBy } from './ended.ts';
import { leaseOf } from './lease.ts';
import { type PlanRequest, planned, planOptions, planRequest } from './plan.ts';
import { progressOf, runOptions } from './run-options.ts';

const run: Run = async (app, input) => {
  const request = planRequest(input);
  const [file] = input.args;
  return applyEverything(app, request, file === undefined ? null : savedChecksum(file));
};

/** Plans every node and applies the plan: `checksum` is that of the plan file which was approved. */
export async function applyEverything(
  app: App,
  request: PlanRequest,
  checksum: string | null = null,
): Promise<Result> {
  const { plan, targets } = await planned(app, request);
  if (checksum !== null && checksum !== plan.checksum) throw stale();
  const pending = plan.nodes.filter(isPending);
  if (pending.length > 0) await approve(app, plan, checksum);
  const outcomes = await applyInTurn(app, plan, targets);
  return report(plan, outcomes, app.signal.aborted ? interrupted(plan, outcomes) : null);
}

// After Ctrl-C the node at work is finished or undone, and no other one is begun.
async function applyInTurn(app: App, plan: Plan, targets: readonly PlannedTarget[]): Promise<NodeOutcome[]> {
  const store = await app.store();
  const progress = await progressOf(app);
  const outcomes: NodeOutcome[] = [];
  try {
    for (const nodePlan of plan.nodes) {
      const target = targets.find((one) => one.target.node === nodePlan.node)?.target;
      if (target === undefined) continue;
      if (app.signal.aborted) break;
      const work = (): Promise<NodeOutcome> => applyNode(target, nodePlan, runOptions(app, progress.show));
      outcomes.push(await applyOne(app, store, nodePlan, work));
    }
  } catch (error) {
    if (error !== app.signal.reason) throw error;
  } finally {
    progress.end();
  }
  return outcomes;
}

function interrupted(plan: Plan, outcomes: readonly NodeOutcome[]): SipctlError {
  const ended = new Set(outcomes.map(({ node }) => node));
  const left = plan.nodes.filter((node) => isPending(node) && !ended.has(node.node)).map(({ node }) => node);
  return new SipctlError('interrupted', {
    code: 'interrupted',
    message:
      left.length === 0
        ? 'interrupted: the step at work came to its end'
        : `interrupted before anything was put in force on ${left.join(', ')}`,
    hint: 'sipctl plan shows what is left to do',
  });
}

// Two runs on one node are kept apart twice: by the database, and by the node itself for a run from elsewhere.
async function applyOne(
  app: App,
  store: Store,
  plan: NodePlan,
  work: () => Promise<NodeOutcome>,
): Promise<NodeOutcome> {
  if (!isPending(plan)) return work();
  const lease = await leaseOrHolder(app, plan.node);
  if (lease instanceof SipctlError)
    return { ...unchanged(plan.node, plan.base), outcome: 'failed', error: lease };
  try {
    const outcome = await work();
    await recordOutcome(store, plan, outcome);
    return outcome;
  } finally {
    await lease.release();
  }
}

/** The lease of a node, or who holds it: one busy node does not keep the others waiting. */
async function leaseOrHolder(app: App, node: string): Promise<Lease | SipctlError> {
  try {
    return await leaseOf(app, `node ${node}`);
  } catch (error) {
    if (error instanceof SipctlError) return error;
    throw error;
  }
}

async function recordOutcome(store: Store, plan: NodePlan, outcome: NodeOutcome): Promise<void> {
  if (outcome.outcome === 'unchanged') return;
  await store.recordDelivery({
    node: plan.node,
    generation: outcome.generation ?? plan.base,
    base: plan.base,
    outcome: outcome.outcome,
    changes: countObjects(plan.changes),
    detail: outcome.error?.message ?? null,
  });
}

async function approve(app: App, plan: Plan, checksum: string | null): Promise<void> {
  if (app.config.yes || checksum !== null) return;
  if (app.terminal.interactive) app.terminal.err(planText(plan, new Map()));
  await confirm(app, 'Apply this plan?');
}

function report(plan: Plan, outcomes: readonly NodeOutcome[], interruption: SipctlError | null): Result {
  const failures = plan.failures.map((failure) => failure.error as SipctlError);
  const failed = outcomes.flatMap(({ error }) => (error === null ? [] : [error]));
  const errors = [...failures, ...failed, ...(interruption === null ? [] : [interruption])];
  return {
    data: applyData(plan, outcomes),
    changed: outcomes.some(({ outcome }) => outcome === 'verified' || outcome === 'delivered'),
    text: (style) => applyText(plan, outcomes, style),
    warnings: outcomes.flatMap(({ warnings }) => warnings),
    ...endedBy(errors),
  };
}

function savedChecksum(file: string): string {
  try {
    const saved = JSON.parse(readFileSync(file, 'utf8')) as { schema?: unknown; checksum?: unknown };
    if (saved.schema === 'sipctl/plan/1' && typeof saved.checksum === 'string') return saved.checksum;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT')
      throw new SipctlError('notFound', {
        code: 'no_plan_file',
        message: `there is no file ${file}`,
        field: 'plan',
        hint: 'sipctl plan -o plan.json',
      });
  }
  throw new SipctlError('invalid', {
    code: 'invalid_plan_file',
    message: `${file} is not a plan file`,
    field: 'plan',
    hint: 'make one with: sipctl plan -o plan.json',
  });
}

const stale = (): SipctlError =>
  new SipctlError('refused', {
    code: 'plan_stale',
    message: 'the saved plan is not what would be done now: the database or a node has changed since',
    field: 'plan',
    hint: 'plan again: sipctl plan -o plan.json',
  });

export const apply: VerbSpec = {
  name: 'apply',
  summary: 'deliver, reload, verify; take back what was refused',
  args: '[plan]',
  options: planOptions,
  examples: ['sipctl apply --yes', 'sipctl plan -o plan.json && sipctl apply plan.json'],
  run,
};
