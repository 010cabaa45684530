import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { trunkId } from '../model/identity.ts';
import { type DriftSite, driftOf, type NodeDrift } from '../pipeline/drift.ts';
import type { PlannedTarget } from '../pipeline/make-plan.ts';
import { type NodeOutcome, type Progress, unchanged } from '../pipeline/outcome.ts';
import { planRevert, type RevertPlan, revertNode } from '../pipeline/revert.ts';
import { outcomeText } from '../report/apply.ts';
import { driftText } from '../report/drift.ts';
import { nodeNames, type Result, type Run, type VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { endedBy, interruption } from './ended.ts';
import { recordedChange } from './recorded-change.ts';
import { progressOf } from './run-options.ts';

/** What is to be put back on one node. */
interface Revert {
  planned: PlannedTarget;
  drift: NodeDrift;
  /** Null where there is nothing to put back. */
  plan: RevertPlan | null;
}

const run: Run = async (app, input) => {
  const site = { store: await app.store(), render: await app.rendering() };
  const reverts: Revert[] = [];
  const errors: SipctlError[] = [];
  for (const planned of await app.targets(nodeNames(input))) {
    try {
      reverts.push(await plannedRevert(app, site, planned));
    } catch (error) {
      if (!(error instanceof SipctlError)) throw error;
      errors.push(error);
    }
  }
  const due = reverts.filter(({ plan }) => plan !== null);
  if (due.length > 0) await approve(app, due);
  const outcomes = await revertInTurn(app, due);
  const left = due
    .map(({ drift }) => drift.node)
    .filter((name) => !outcomes.some(({ node }) => node === name));
  return report(reverts, outcomes, left.length === 0 ? errors : [...errors, interruption(left)]);
};

async function plannedRevert(app: App, site: DriftSite, planned: PlannedTarget): Promise<Revert> {
  const drift = await driftOf(site, planned, app.signal);
  if (drift.error !== null) throw drift.error;
  // What waits in the database is not drift of the node.
  const findings = drift.findings
    .map((finding) => ({ ...finding, differs: finding.differs.filter((side) => side !== 'database') }))
    .filter(({ differs }) => differs.length > 0);
  const plan = findings.length === 0 ? null : await planRevert(site.render, planned.target);
  return { planned, drift: { ...drift, findings }, plan };
}

async function approve(app: App, due: readonly Revert[]): Promise<void> {
  if (app.terminal.interactive && !app.config.yes) app.terminal.err(driftText(due.map(({ drift }) => drift)));
  const nodes = due.map(({ drift }) => drift.node).join(', ');
  await confirm(app, `Put back what was delivered to ${nodes}?`);
}

// After Ctrl-C the node at work is finished or undone, and no other one is begun.
async function revertInTurn(app: App, due: readonly Revert[]): Promise<NodeOutcome[]> {
  const progress = await progressOf(app);
  const outcomes: NodeOutcome[] = [];
  try {
    for (const revert of due) {
      if (app.signal.aborted) break;
      outcomes.push(await revertOne(app, revert, progress.show));
    }
  } catch (error) {
    if (error !== app.signal.reason) throw error;
  } finally {
    progress.end();
  }
  return outcomes;
}

async function revertOne(
  app: App,
  { planned, drift, plan }: Revert,
  progress: Progress,
): Promise<NodeOutcome> {
  const { node, generation } = drift;
  const base = generation ?? 0;
  if (plan === null) return unchanged(node, base);
  const count = { create: 0, update: drift.findings.length, delete: 0 };
  const intent = { node, base, changes: count, detail: `drift revert to generation ${base}` };
  try {
    return await recordedChange(app, intent, progress, (options) =>
      revertNode(planned.target, plan, runningTrunks(drift), options),
    );
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    return { ...unchanged(node, base), outcome: 'failed', error };
  }
}

/** Trunks that run with other values than were delivered, by their names on the PBX. */
const runningTrunks = ({ findings }: NodeDrift): string[] =>
  findings
    .filter(({ differs, object }) => differs.includes('running') && object.startsWith('trunk '))
    .map(({ object, tenant }) => trunkId(tenant ?? '', object.slice('trunk '.length)));

function report(
  reverts: readonly Revert[],
  outcomes: readonly NodeOutcome[],
  failures: readonly SipctlError[],
): Result {
  const errors = [...failures, ...outcomes.flatMap(({ error }) => (error === null ? [] : [error]))];
  const untouched = reverts.filter(({ plan }) => plan === null).map(({ drift }) => drift);
  return {
    data: {
      nodes: reverts.map(({ drift }) => {
        const outcome = outcomes.find(({ node }) => node === drift.node);
        return {
          node: drift.node,
          outcome: outcome?.outcome ?? 'unchanged',
          generation: outcome?.generation ?? drift.generation,
          base: drift.generation,
          reverted: outcome === undefined ? [] : drift.findings,
          findings: outcome?.findings ?? [],
        };
      }),
    },
    changed: outcomes.some(({ outcome }) => outcome === 'verified' || outcome === 'delivered'),
    text: (style) =>
      driftText(untouched, style) + outcomes.map((outcome) => outcomeText(outcome, null, style)).join(''),
    warnings: outcomes.flatMap(({ warnings }) => warnings),
    ...endedBy(errors),
  };
}

export const driftRevert: VerbSpec = {
  name: 'revert',
  summary: 'put back what was delivered: files, links, and what runs; then verify',
  options: [['--node <names>', 'only these nodes, separated by commas, or @<label>']],
  examples: ['sipctl drift revert --node pbx1', 'sipctl drift revert --yes'],
  run,
};
