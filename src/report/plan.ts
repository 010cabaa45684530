import { type ChangeCount, changedObjects, countObjects } from '../plan/diff.ts';
import { type Action, isPending, type NodePlan, type ObjectChange, type ReloadStep } from '../plan/plan.ts';
import { isServicePending } from '../plan/service-plan.ts';
import { isPlanPending, type Plan } from '../plan/site-plan.ts';
import { optionLine, serviceData, servicePlanText, serviceSummary } from './hosted-services.ts';
import { plain, type Style } from './style.ts';

/** From so many objects of one tenant and one action on, they are counted and not named. */
const named = 20;

const signs: Record<Action, string> = { create: '+', update: '~', delete: '-' };

/** A plan as people read it: what changes, what will be reloaded, what is refused. */
export function planText(plan: Plan, diffs: ReadonlyMap<string, string>, style: Style = plain): string {
  const nodes = plan.nodes.map((node) => nodeText(node, diffs.get(node.node), style));
  const failures = plan.failures.map(
    ({ node, error }) => `${style.bold(node)}: ${style.bad((error as Error).message)}\n`,
  );
  const services = plan.services.map((service) => servicePlanText(service, style));
  const unasked = plan.serviceFailures.map(
    ({ service, error }) => `${style.bold(service)}: ${style.bad((error as Error).message)}\n`,
  );
  const pending = plan.nodes.filter(isPending);
  const pendingServices = plan.services.filter(isServicePending);
  const sums = [
    ...(pending.length > 0 ? [summary(pending, style)] : []),
    ...(pendingServices.length > 0 ? [serviceSummary(pendingServices, style)] : []),
  ];
  const isEmpty = sums.length + failures.length + unasked.length === 0;
  const tail = isEmpty ? 'Nothing to do.\n' : sums.map((line) => `${line}\n`).join('');
  return [...nodes, ...failures, ...services, ...unasked, tail].join('');
}

function nodeText(plan: NodePlan, diff: string | undefined, style: Style): string {
  if (!isPending(plan))
    return `${style.bold(plan.node)}: ${style.dim(`generation ${plan.base}, up to date`)}\n`;
  const head = `${style.bold(plan.node)}: generation ${plan.base} → next\n`;
  const why = plan.changes.length === 0 ? '  delivered, but never verified\n' : '';
  const refusals = plan.refusals.map(
    ({ message, hint }) => `  ${style.bad('refused')}: ${message}\n           ${hint}\n`,
  );
  return `${head}${why}${tenants(plan, style)}  reload: ${plan.reload.map(stepText).join(', ') || 'none'}\n${refusals.join('')}${diff ?? ''}`;
}

function tenants(plan: NodePlan, style: Style): string {
  const byTenant = new Map<string, ObjectChange[]>();
  for (const object of changedObjects(plan.changes)) {
    const list = byTenant.get(object.tenant);
    if (list === undefined) byTenant.set(object.tenant, [object]);
    else list.push(object);
  }
  const parts = [...byTenant]
    .slice(0, named)
    .map(([tenant, objects]) => `  tenant ${tenant}\n${objectLines(objects, style)}`);
  const rest = byTenant.size - parts.length;
  return parts.join('') + (rest > 0 ? `  … and ${rest} more tenants\n` : '');
}

function objectLines(objects: readonly ObjectChange[], style: Style): string {
  const paint: Record<Action, (text: string) => string> = {
    create: style.good,
    update: style.warn,
    delete: style.bad,
  };
  const shown = objects.slice(0, named).map(({ action, kind, name, options }) => {
    const line = paint[action](`    ${signs[action]} ${kind} ${name}`);
    return `${line}\n${options.map(optionLine).join('')}`;
  });
  const rest = objects.length - shown.length;
  return shown.join('') + (rest > 0 ? `    … and ${rest} more\n` : '');
}

/** A step of a reload in words. */
const stepText = (step: ReloadStep): string =>
  step.kind === 'reload-module' ? `reload ${step.module}` : `${step.kind} ${step.registration}`;

function summary(pending: readonly NodePlan[], style: Style): string {
  const counts = pending.map((plan) => countObjects(plan.changes));
  const sum = (action: keyof ChangeCount): number => counts.reduce((total, one) => total + one[action], 0);
  const nodes = pending.length === 1 ? '1 node' : `${pending.length} nodes`;
  return `${style.bold('Plan')}: ${sum('create')} to create, ${sum('update')} to change, ${sum('delete')} to delete on ${nodes}.`;
}

/** A plan as data, without the texts: what `--json` prints and a plan file holds. */
export function planData(plan: Plan, diffs: ReadonlyMap<string, string>): object {
  return {
    checksum: plan.checksum,
    pending: isPlanPending(plan),
    nodes: plan.nodes.map((node) => ({
      node: node.node,
      base: node.base,
      pending: isPending(node),
      unverified: node.unverified,
      count: countObjects(node.changes),
      changes: node.changes.map(({ action, key, objects }) => ({ action, artifact: key, objects })),
      reload: node.reload,
      refusals: node.refusals,
      ...(diffs.has(node.node) ? { diff: diffs.get(node.node) } : {}),
    })),
    failures: plan.failures.map(({ node, error }) => ({ node, message: (error as Error).message })),
    services: plan.services.map(serviceData),
    serviceFailures: plan.serviceFailures.map(({ service, error }) => ({
      service,
      message: (error as Error).message,
    })),
  };
}
