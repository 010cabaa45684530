import { countObjects } from '../plan/diff.ts';
import type { NodePlan } from '../plan/plan.ts';
import type { Plan } from '../plan/site-plan.ts';
import { type ShownServiceOutcome, serviceOutcomeData, serviceOutcomeText } from './hosted-services.ts';
import { plain, type Style } from './style.ts';

/** What became of one node, as the pipeline tells it. */
export interface ShownOutcome {
  node: string;
  outcome: 'unchanged' | 'verified' | 'delivered' | 'rolled-back' | 'rollback-failed' | 'failed';
  generation: number | null;
  base: number | null;
  written: { files: number; bytes: number };
  findings: readonly { object: string; message: string; file: string | null }[];
  error: { problems: readonly { message: string; hint?: string }[] } | null;
}

/** How an apply ended everywhere. */
export interface ShownApply {
  outcomes: readonly ShownOutcome[];
  services: readonly ShownServiceOutcome[];
  /** Nodes with something to do that were not begun. */
  heldBack: { nodes: readonly string[] };
}

/** How an apply ended on each node, and at each service. */
export function applyText(
  plan: Plan,
  { outcomes, services, heldBack }: ShownApply,
  style: Style = plain,
): string {
  const text = outcomes.map((outcome) =>
    outcomeText(outcome, plan.nodes.find((node) => node.node === outcome.node) ?? null, style),
  );
  const waiting = heldBack.nodes.map((node) => `${style.bold(node)}: ${style.warn('not begun')}\n`);
  const atServices = services.map((outcome) => serviceOutcomeText(outcome, style));
  const all = [...outcomes, ...services];
  const nothing =
    all.length > 0 &&
    waiting.length === 0 &&
    all.every(({ outcome }) => outcome === 'unchanged') &&
    plan.failures.length + plan.serviceFailures.length === 0;
  return [...text, ...waiting, ...atServices, nothing ? 'Nothing to do.\n' : ''].join('');
}

export function outcomeText(outcome: ShownOutcome, plan: NodePlan | null, style: Style = plain): string {
  const count = plan === null ? null : countObjects(plan.changes);
  const changes =
    count === null ? '' : `: ${count.create} created, ${count.update} changed, ${count.delete} deleted`;
  const node = style.bold(outcome.node);
  const findings = outcome.findings
    .map(({ object, message, file }) => `  ${object}: ${message}${file === null ? '' : ` (${file})`}\n`)
    .join('');
  switch (outcome.outcome) {
    case 'unchanged':
      return `${node}: ${style.dim(`generation ${outcome.generation}, up to date`)}\n`;
    case 'verified':
      return `${node}: ${style.good('applied and verified')}, generation ${outcome.generation}${changes}\n`;
    case 'delivered':
      return `${node}: ${style.warn('delivered, not verified')}, generation ${outcome.generation}${changes}\n  no control connection is configured: reload the PBX, or give the node --ami\n`;
    case 'rolled-back':
      return `${node}: ${style.bad('refused by the running system, rolled back')} to generation ${outcome.generation}\n${findings}`;
    case 'rollback-failed':
      return `${node}: ${style.bad('refused, and the rollback to generation')} ${outcome.generation} ${style.bad('is not verified either')}\n${findings}`;
    case 'failed':
      return `${node}: ${style.bad('failed')}, generation ${outcome.generation} ${outcome.generation === outcome.base ? 'stays' : 'is'} in force\n${findings}`;
  }
}

/** The outcomes as data. */
export function applyData(plan: Plan, { outcomes, services, heldBack }: ShownApply): object {
  const reloaded = outcomes.filter(({ outcome }) => outcome === 'verified');
  return {
    checksum: plan.checksum,
    nodes: outcomes.map(({ error, ...outcome }) => {
      const nodePlan = plan.nodes.find((node) => node.node === outcome.node);
      return {
        ...outcome,
        count: countObjects(nodePlan?.changes ?? []),
        reload: nodePlan?.reload ?? [],
        errors: error?.problems ?? [],
      };
    }),
    services: services.map(serviceOutcomeData),
    notBegun: heldBack.nodes,
    reload: {
      attempted: outcomes.some(({ outcome }) => outcome !== 'unchanged' && outcome !== 'delivered'),
      ok:
        reloaded.length > 0 &&
        outcomes.every(({ outcome }) => outcome === 'verified' || outcome === 'unchanged'),
    },
  };
}
