import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { cautions, changedTrunks } from '../pipeline/cautions.ts';
import { changedTexts } from '../pipeline/changed-texts.ts';
import type { PlannedService } from '../pipeline/hosted-services.ts';
import { makePlan, type PlannedTarget, type PlanOptions } from '../pipeline/make-plan.ts';
import type { Plan } from '../plan/site-plan.ts';
import { type Input, integerOption, nodeNames, type OptionSpec } from './command.ts';
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

/** The lines that would change on each node, secrets hidden. */
export async function diffsOf(plan: Plan, targets: readonly PlannedTarget[]): Promise<Map<string, string>> {
  const { textDiff } = await import('../report/diff.ts');
  const texts = await changedTexts(plan, targets);
  return new Map(
    [...texts].map(([node, changed]) => [
      node,
      changed.map(({ artifact, before, after }) => textDiff(artifact, before, after)).join(''),
    ]),
  );
}

const noNodes = (): SipctlError =>
  new SipctlError('notFound', {
    code: 'no_nodes',
    message: 'there is no node to provision',
    field: 'node',
    hint: 'sipctl node add pbx1 --kind asterisk --dir /etc/asterisk',
  });
