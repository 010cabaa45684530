import { writeFileSync } from 'node:fs';
import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { cautions, changedTrunks } from '../pipeline/cautions.ts';
import { changedTexts } from '../pipeline/changed-texts.ts';
import { makePlan, type PlannedTarget, type PlanOptions } from '../pipeline/make-plan.ts';
import { isPending, type Plan } from '../plan/plan.ts';
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

export interface PlanRequest extends PlanOptions {
  nodes: readonly string[];
}

export const planOptions: readonly OptionSpec[] = [
  ['--node <names>', 'only these nodes, separated by commas'],
  ['--refresh', 'render and read everything, whatever the revisions say'],
  ['--confirm <count>', 'confirm that many deletions'],
];

/** The plan for the nodes that are asked for, with the targets to apply it to. */
export async function planned(
  app: App,
  request: PlanRequest,
): Promise<{ plan: Plan; targets: PlannedTarget[] }> {
  const store = await app.store();
  const targets = await app.targets(request.nodes);
  if (targets.length === 0) throw noNodes();
  const plan = await makePlan({ store, render: await app.rendering() }, targets, request);
  return { plan, targets };
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
    confirmed: integerOption(input, 'confirm', 1, 'give the number of deletions that the plan names'),
  };
}

const run: Run = async (app, input) => {
  const { plan, targets } = await planned(app, planRequest(input));
  const pending = plan.nodes.some(isPending);
  const { out, diff, detailedExitcode } = input.options;
  const written = typeof out === 'string' ? savePlan(out, plan, app) : '';
  const diffs = diff === true ? await diffsOf(plan, targets) : new Map<string, string>();
  const failed = plan.failures.map((failure) => failure.error as SipctlError);
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
  summary: 'show what would change on every node',
  options: [
    ...planOptions,
    ['--diff', 'show the lines that differ, secrets hidden'],
    ['-o, --out <file>', 'save the plan for: sipctl apply <file>'],
    ['--detailed-exitcode', 'exit 2 when changes are pending'],
  ],
  examples: ['sipctl plan --diff', 'sipctl plan --detailed-exitcode'],
  run,
};
