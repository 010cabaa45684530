import { writeFileSync } from 'node:fs';
import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { cautions, changedTrunks } from '../pipeline/cautions.ts';
import { changedTexts } from '../pipeline/changed-texts.ts';
import type { PlannedService } from '../pipeline/hosted-services.ts';
import { makePlan, type PlannedTarget, type PlanOptions } from '../pipeline/make-plan.ts';
import { isPlanPending, type Plan } from '../plan/site-plan.ts';
import { planData, planText } from '../report/plan.ts';
import {
  type Input,
  integerOption,
  lines,
  nodeNames,
  type OptionSpec,
  type Result,
  type Run,
  type VerbSpec,
} from './command.ts';
import { concurrencyOption, type RollOutRequest, rollOutRequest } from './roll-out-flags.ts';

export interface PlanRequest extends PlanOptions, RollOutRequest {
  concurrency?: number;
  nodes: readonly string[];
  /** false: nodes only. */
  services?: boolean;
}

export const planOptions: readonly OptionSpec[] = [
  ['--node <names>', 'only these nodes, separated by commas, or @<label>, and no services'],
  concurrencyOption,
  ['--refresh', 'render and read everything, whatever the revisions say'],
  ['--confirm <count>', 'confirm that many deletions'],
];

/** A plan, with what it is to be applied to. */
export interface Planned {
  plan: Plan;
  targets: PlannedTarget[];
  services: PlannedService[];
}

/** The plan for the nodes that are asked for, and for the services where no node is named. */
export async function planned(app: App, request: PlanRequest): Promise<Planned> {
  const store = await app.store();
  const targets = await app.targets(request.nodes);
  const withServices = request.services !== false && request.nodes.length === 0;
  const services = withServices ? await app.services() : [];
  if (targets.length + services.length === 0) throw noNodes();
  const options = { ...request, signal: app.signal };
  const plan = await makePlan({ store, render: await app.rendering() }, targets, options, services);
  return { plan, targets, services };
}

/** What is worth a warning in a plan: how its trunks get on with all others. */
export async function planWarnings(
  app: App,
  plan: Plan,
  targets: readonly PlannedTarget[],
): Promise<Problem[]> {
  const site = { store: await app.store(), catalog: await app.catalog() };
  return cautions(site, async () => targets, changedTrunks(plan));
}

export function planRequest(input: Input): PlanRequest {
  return {
    nodes: nodeNames(input),
    refresh: input.options.refresh === true,
    ...rollOutRequest(input),
    confirmed: integerOption(input, 'confirm', 1, 'give the number of deletions that the plan names'),
  };
}

const run: Run = async (app, input) => {
  const { plan, targets } = await planned(app, planRequest(input));
  const pending = isPlanPending(plan);
  const { out, diff, detailedExitcode } = input.options;
  const written = typeof out === 'string' ? savePlan(out, plan, app) : '';
  const diffs = diff === true ? await diffsOf(plan, targets) : new Map<string, string>();
  const failed = [...plan.failures, ...plan.serviceFailures].map(({ error }) => error as SipctlError);
  const result: Result = {
    data: planData(plan, diffs),
    text: (style) => planText(plan, diffs, style) + written,
    warnings: await planWarnings(app, plan, targets),
  };
  const [first] = failed;
  if (first !== undefined)
    return { ...result, outcome: first.outcome, errors: failed.flatMap((error) => error.problems) };
  return pending && detailedExitcode === true ? { ...result, outcome: 'pending' } : result;
};

async function diffsOf(plan: Plan, targets: readonly PlannedTarget[]): Promise<Map<string, string>> {
  const { textDiff } = await import('../report/diff.ts');
  const texts = await changedTexts(plan, targets);
  return new Map(
    [...texts].map(([node, changed]) => [
      node,
      changed.map(({ artifact, before, after }) => textDiff(artifact, before, after)).join(''),
    ]),
  );
}

/** A plan file says what the plan would do, and nothing of what the files hold. */
function savePlan(file: string, plan: Plan, app: App): string {
  const content = {
    schema: 'sipctl/plan/1',
    sipctl: app.version,
    createdAt: app.now().toISOString(),
    ...planData(plan, new Map()),
  };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  return lines(`saved to ${file}: sipctl apply ${file}`);
}

const noNodes = (): SipctlError =>
  new SipctlError('notFound', {
    code: 'no_nodes',
    message: 'there is no node to provision',
    field: 'node',
    hint: 'sipctl node add pbx1 --kind asterisk --dir /etc/asterisk',
  });

export const plan: VerbSpec = {
  name: 'plan',
  summary: 'show what would change on every node and at every service',
  options: [
    ...planOptions,
    ['--diff', 'show the lines that differ, secrets hidden'],
    ['-o, --out <file>', 'save the plan for: sipctl apply <file>'],
    ['--detailed-exitcode', 'exit 2 when changes are pending'],
  ],
  examples: ['sipctl plan --diff', 'sipctl plan --detailed-exitcode'],
  run,
};
