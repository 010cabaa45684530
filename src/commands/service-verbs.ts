import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import {
  type PlannedService,
  planService,
  type ServiceOutcome,
  serviceTitle,
} from '../pipeline/hosted-services.ts';
import { resourceTitle, type ServicePlan } from '../plan/service-plan.ts';
import {
  serviceDriftData,
  serviceDriftText,
  serviceOutcomeData,
  serviceOutcomeText,
} from '../report/hosted-services.ts';
import type { Input, Result } from './command.ts';
import { endedBy } from './ended.ts';
import { bringUpToDate, driftOfServices, hasChanged, type ServiceDrift } from './service-run.ts';

/** What a command says that brought services up to date. */
export const outcomesResult = (outcomes: readonly ServiceOutcome[]): Result => ({
  changed: outcomes.some(hasChanged),
  data: { services: outcomes.map(serviceOutcomeData) },
  text: (style) => outcomes.map((outcome) => serviceOutcomeText(outcome, style)).join(''),
  ...endedBy(outcomes.flatMap(({ error }) => (error === null ? [] : [error]))),
});

/**
 * Compares services with what they are to hold. Ends with `notFound` where something is gone, and with `pending` where
 * something differs and the command asks for that.
 */
export async function verified(
  app: App,
  services: readonly PlannedService[],
  { options }: Input,
): Promise<Result> {
  const drifts = await driftOfServices(app, services);
  const differs = drifts.some((drift) => drift.differs.length > 0);
  const asked = options.check === true || options.detailedExitcode === true;
  const errors = drifts.flatMap((drift) => [
    ...(drift.error === null ? [] : [drift.error]),
    ...missing(drift),
  ]);
  return {
    data: { drift: differs, services: drifts.map(serviceDriftData) },
    text: (style) => serviceDriftText(drifts, style),
    ...(differs && asked ? { outcome: 'pending' as const } : {}),
    ...endedBy(errors),
  };
}

/** Flags of a verb that ends with `verified`. */
export const verifyOptions = [
  ['--check', 'exit 2 where something differs, for cron'],
  ['--detailed-exitcode', 'the same as --check'],
] as const;

function missing({ service, isNew, differs, unmade }: ServiceDrift): SipctlError[] {
  const gone = differs
    .filter(({ action, key }) => action === 'create' && !unmade.includes(key))
    .map(resourceTitle);
  if (!isNew && gone.length === 0) return [];
  return [
    new SipctlError('notFound', {
      code: isNew ? 'service_not_made' : 'service_gone',
      message: isNew ? `${service}: nothing was made there yet` : `${service}: gone: ${gone.join(', ')}`,
      hint: `sipctl ${service.split(' ')[0]} ensure makes it`,
    }),
  ];
}

/**
 * Takes away what sipctl made at a service.
 * @param planned opened as one that is to go
 * @param confirm asks, knowing what would go. @throws SipctlError `refused`
 */
export async function destroyed(
  app: App,
  planned: PlannedService,
  confirm: (plan: ServicePlan) => Promise<void>,
): Promise<Result> {
  const plan = await planService(planned, app.signal);
  const remembered = await planned.memory.list();
  if (plan.changes.length > 0) await confirm(plan);
  else if (remembered.length === 0) return nothingThere(planned);
  return outcomesResult([await bringUpToDate(app, planned)]);
}

const nothingThere = ({ service }: PlannedService): Result => ({
  changed: false,
  data: { services: [] },
  text: (style) => `${style.bold(serviceTitle(service))}: ${style.dim('sipctl made nothing there')}\n`,
});
