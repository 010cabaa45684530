import type { Action, OptionChange } from '../plan/plan.ts';
import {
  countResources,
  isServicePending,
  type ResourceChange,
  resourceTitle,
  type ServicePlan,
} from '../plan/service-plan.ts';
import { plain, type Style } from './style.ts';

const signs: Record<Action, string> = { create: '+', update: '~', delete: '-' };

/** One option that differs, below the object that it belongs to. */
export const optionLine = ({ section, option, before, after }: OptionChange): string =>
  `        ${section}.${option}: ${before ?? '(none)'} → ${after ?? '(none)'}${before === after ? ' (changed)' : ''}\n`;

/** What would be done at one service. */
export function servicePlanText(plan: ServicePlan, style: Style = plain): string {
  const name = style.bold(plan.service);
  if (!isServicePending(plan)) return `${name}: ${style.dim('up to date')}\n`;
  const refusals = plan.refusals.map(
    ({ message, hint }) => `  ${style.bad('refused')}: ${message}\n           ${hint}\n`,
  );
  return `${name}\n${changeLines(plan.changes, style)}${refusals.join('')}`;
}

function changeLines(changes: readonly ResourceChange[], style: Style): string {
  const paint = { create: style.good, update: style.warn, delete: style.bad };
  return changes
    .map((change) => {
      const line = paint[change.action](`    ${signs[change.action]} ${resourceTitle(change)}`);
      return `${line}\n${change.options.map(optionLine).join('')}`;
    })
    .join('');
}

export function serviceSummary(pending: readonly ServicePlan[], style: Style): string {
  const count = countResources(pending.flatMap(({ changes }) => changes));
  const services = pending.length === 1 ? '1 service' : `${pending.length} services`;
  return `${style.bold('Plan')}: ${count.create} to create, ${count.update} to change, ${count.delete} to delete at ${services}.`;
}

/** A plan as data; of secrets it says that they are written. */
export const serviceData = (plan: ServicePlan): object => ({
  service: plan.service,
  tenant: plan.tenant,
  pending: isServicePending(plan),
  count: countResources(plan.changes),
  changes: plan.changes.map(changeData),
  refusals: plan.refusals,
});

const changeData = ({ desired: _, ...change }: ResourceChange): object => change;

/** What became of one service, as the pipeline tells it. */
export interface ShownServiceOutcome {
  service: string;
  outcome: 'unchanged' | 'verified' | 'incomplete' | 'taken-back' | 'failed';
  done: readonly ResourceChange[];
  differs: readonly ResourceChange[];
  error: { problems: readonly { message: string; hint?: string }[] } | null;
}

/** How the work at one service ended. */
export function serviceOutcomeText(
  { service, outcome, done, differs }: ShownServiceOutcome,
  style: Style = plain,
): string {
  const name = style.bold(service);
  const { create, update, delete: gone } = countResources(done);
  const changes = `${create} created, ${update} changed, ${gone} deleted`;
  switch (outcome) {
    case 'unchanged':
      return `${name}: ${style.dim('up to date')}\n`;
    case 'verified':
      return `${name}: ${style.good('applied and verified')}: ${changes}\n`;
    case 'incomplete':
      return differs.length > 0
        ? `${name}: ${style.warn('applied, and not all of it is there')}: ${changes}\n${changeLines(differs, style)}`
        : `${name}: ${style.warn('not finished')}: ${changes}; the next run goes on from there\n`;
    case 'taken-back':
      return `${name}: ${style.bad('refused')}; ${takenBack(done)}\n`;
    case 'failed':
      return `${name}: ${style.bad('failed')}\n${changeLines(done, style)}`;
  }
}

function takenBack(done: readonly ResourceChange[]): string {
  const { create, update, delete: gone } = countResources(done);
  const stays = [...(update > 0 ? [`${update} changed`] : []), ...(gone > 0 ? [`${gone} deleted`] : [])];
  return [
    create > 0 ? 'what this run had made was taken away again' : 'nothing was made',
    ...(stays.length > 0 ? [`${stays.join(' and ')} before that, which stays so`] : []),
  ].join('; ');
}

export const serviceOutcomeData = ({ error, done, differs, ...outcome }: ShownServiceOutcome): object => ({
  ...outcome,
  count: countResources(done),
  done: done.map(changeData),
  differs: differs.map(changeData),
  errors: error?.problems ?? [],
});

/** A service that was compared with what it is to hold. */
export interface ShownServiceDrift {
  service: string;
  /** Nothing was made there yet. */
  isNew: boolean;
  differs: readonly ResourceChange[];
  /** Keys of what differs because it was never made. */
  unmade: readonly string[];
  error: { message: string } | null;
}

/** What each service holds besides what it is to hold. */
export const serviceDriftText = (drifts: readonly ShownServiceDrift[], style: Style = plain): string =>
  drifts.map((drift) => driftOf(drift, style)).join('');

function driftOf({ service, isNew, differs, unmade, error }: ShownServiceDrift, style: Style): string {
  const name = style.bold(service);
  if (error !== null) return `${name}: ${style.bad('not compared')}: ${error.message}\n`;
  if (isNew) return `${name}: ${style.dim('nothing was made yet')}\n`;
  if (differs.length === 0) return `${name}: ${style.good('no drift')}\n`;
  const found = differs.length === 1 ? '1 finding' : `${differs.length} findings`;
  return `${name}: ${style.warn(found)}\n${differs.map((one) => findingLines(one, unmade)).join('')}`;
}

const found = { create: 'is gone', update: 'differs', delete: 'should not be there any more' } as const;

function findingLines(change: ResourceChange, unmade: readonly string[]): string {
  const what = unmade.includes(change.key) ? 'is not made yet' : found[change.action];
  const options = change.action === 'update' ? change.options.map(optionLine) : [];
  return `  ${resourceTitle(change)}: ${what}\n${options.join('')}`;
}

export const serviceDriftData = ({ differs, error, ...drift }: ShownServiceDrift): object => ({
  ...drift,
  findings: differs.map(changeData),
  error: error?.message ?? null,
});
