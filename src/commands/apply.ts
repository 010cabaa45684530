import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { applyNode } from '../pipeline/apply.ts';
import { changedTrunks } from '../pipeline/cautions.ts';
import { type PlannedService, type ServiceOutcome, serviceTitle } from '../pipeline/hosted-services.ts';
import type { PlannedTarget } from '../pipeline/make-plan.ts';
import { type NodeOutcome, type Progress, unchanged } from '../pipeline/outcome.ts';
import { type RolledOut, type RollOutRules, rollOut } from '../pipeline/roll-out.ts';
import { countObjects } from '../plan/diff.ts';
import { isPending, type NodePlan } from '../plan/plan.ts';
import { isServicePending } from '../plan/service-plan.ts';
import { isPlanPending, type Plan } from '../plan/site-plan.ts';
import type { Target } from '../platforms/target.ts';
import { applyData, applyText } from '../report/apply.ts';
import { planText } from '../report/plan.ts';
import type { Result } from './command.ts';
import { confirm } from './confirm.ts';
import { endedBy, interruption } from './ended.ts';
import { type PlanRequest, planned, planWarnings } from './plan.ts';
import { recordedChange } from './recorded-change.ts';
import { requireWorkingTrunks } from './require-test.ts';
import { rollOutRules } from './roll-out-flags.ts';
import { progressOf } from './run-options.ts';
import { hasChanged, runService } from './service-run.ts';

/** What must hold before a plan is applied. */
interface Conditions {
  /** That of the plan file which was approved. */
  checksum: string | null;
  /** True where what is to be done was seen already, and agreed to. */
  approved: boolean;
  /** Trunks that are added or changed must pass their test. */
  requireTest: boolean;
}

/** Plans every node and service, and applies the plan. */
export async function applyEverything(
  app: App,
  request: PlanRequest,
  { checksum, approved, requireTest }: Conditions = { checksum: null, approved: false, requireTest: false },
): Promise<Result> {
  const { plan, targets, services } = await planned(app, request);
  if (checksum !== null && checksum !== plan.checksum) throw stale();
  const rules = await rollOutRules(app, plan, request);
  const warnings = await planWarnings(app, plan, targets);
  if (requireTest) warnings.push(...(await requireWorkingTrunks(app, changedTrunks(plan))));
  if (isPlanPending(plan) && !approved) await approve(app, plan, warnings);
  // A trunk is there before a PBX is told of it.
  const atServices = await applyServices(app, plan, services, warnings);
  const { outcomes, heldBack } = await applyToNodes(app, plan, targets, rules);
  const ended = { outcomes, services: atServices, heldBack };
  return report(plan, ended, warnings, app.signal.aborted ? interrupted(plan, ended) : null);
}

interface Ended {
  outcomes: readonly NodeOutcome[];
  services: readonly ServiceOutcome[];
  heldBack: RolledOut['heldBack'];
}

async function applyServices(
  app: App,
  plan: Plan,
  services: readonly PlannedService[],
  warnings: Problem[],
): Promise<ServiceOutcome[]> {
  const outcomes: ServiceOutcome[] = [];
  for (const servicePlan of plan.services) {
    const service = services.find((one) => serviceTitle(one.service) === servicePlan.service);
    if (service === undefined) continue;
    if (app.signal.aborted) break;
    const outcome = await runService(app, service, servicePlan);
    outcomes.push(outcome);
    if (service.service.kind !== 'twilio' || outcome.outcome !== 'verified') continue;
    const { follow } = await import('./twilio-provision.ts');
    warnings.push(...(await follow(app, service.service)));
  }
  return outcomes;
}

// After Ctrl-C the nodes at work are finished or undone, and no other one is begun.
async function applyToNodes(
  app: App,
  plan: Plan,
  targets: readonly PlannedTarget[],
  rules: RollOutRules,
): Promise<RolledOut> {
  const progress = await progressOf(app);
  const byName = new Map(targets.map(({ target }) => [target.node, target]));
  const plans = plan.nodes.filter(({ node }) => byName.has(node));
  try {
    return await rollOut(plans, plan.failures, rules, (nodePlan) =>
      applyOne(app, nodePlan, byName.get(nodePlan.node) as Target, progress.show),
    );
  } finally {
    progress.end();
  }
}

function interrupted(plan: Plan, { outcomes, services }: Ended): SipctlError {
  const ended = new Set([...outcomes.map(({ node }) => node), ...services.map(({ service }) => service)]);
  const all = [
    ...plan.services.filter(isServicePending).map(({ service }) => service),
    ...plan.nodes.filter(isPending).map(({ node }) => node),
  ];
  const left = all.filter((one) => !ended.has(one));
  return interruption(left);
}

// Two runs on one node are kept apart twice: by the database, and by the node itself for a run from elsewhere. One
// busy node does not keep the others waiting.
async function applyOne(app: App, plan: NodePlan, target: Target, progress: Progress): Promise<NodeOutcome> {
  const { node, base } = plan;
  if (!isPending(plan)) return unchanged(node, base);
  const intent = { node, base, changes: countObjects(plan.changes), detail: null };
  try {
    return await recordedChange(app, intent, progress, (options) => applyNode(target, plan, options));
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    return { ...unchanged(node, base), outcome: 'failed', error };
  }
}

async function approve(app: App, plan: Plan, warnings: readonly Problem[]): Promise<void> {
  if (app.config.yes) return;
  const cautioned = warnings.map(({ message }) => `warning: ${message}\n`).join('');
  if (app.terminal.interactive) app.terminal.err(planText(plan, new Map()) + cautioned);
  await confirm(app, 'Apply this plan?');
}

function report(
  plan: Plan,
  ended: Ended,
  warnings: readonly Problem[],
  interruption: SipctlError | null,
): Result {
  const { outcomes, services, heldBack } = ended;
  const failures = [...plan.failures, ...plan.serviceFailures].map(({ error }) => error as SipctlError);
  const failed = [...outcomes, ...services].flatMap(({ error }) => (error === null ? [] : [error]));
  const told = [heldBack.error, interruption].filter((error) => error !== null);
  const errors = [...failures, ...failed, ...told];
  return {
    data: applyData(plan, ended),
    changed:
      outcomes.some(({ outcome }) => outcome === 'verified' || outcome === 'delivered') ||
      services.some(hasChanged),
    text: (style) => applyText(plan, ended, style),
    warnings: [...warnings, ...outcomes.flatMap((outcome) => outcome.warnings)],
    ...endedBy(errors),
  };
}

const stale = (): SipctlError =>
  new SipctlError('refused', {
    code: 'plan_stale',
    message: 'the saved plan is not what would be done now: the database or a node has changed since',
    field: 'plan',
    hint: 'plan again: sipctl plan -o plan.json',
  });
