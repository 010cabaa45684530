import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import {
  applyService,
  type PlannedService,
  planService,
  type ServiceOutcome,
  serviceTitle,
} from '../pipeline/hosted-services.ts';
import { planChecksum } from '../plan/checksum.ts';
import {
  isServicePending,
  type ResourceChange,
  resourceTitle,
  type ServicePlan,
} from '../plan/service-plan.ts';
import { leaseOf } from './lease.ts';

/** Whether anything at the service is another thing than before. */
export const hasChanged = ({ outcome, done }: ServiceOutcome): boolean =>
  outcome === 'taken-back' ? done.some(({ action }) => action !== 'create') : done.length > 0;

/**
 * Does what a plan says at one service, under its lease, with an audit row. Never throws for the service's fault: the
 * others have theirs to do.
 */
export async function runService(
  app: App,
  planned: PlannedService,
  plan: ServicePlan,
): Promise<ServiceOutcome> {
  const outcome: ServiceOutcome = {
    ...{ service: plan.service, outcome: 'unchanged', done: [], differs: [], error: null },
  };
  if (!isServicePending(plan)) return outcome;
  try {
    return await underLease(app, plan.service, async () => {
      const current = await asItIs(planned);
      const now = await planService(current, app.signal);
      if (contentOf(now, current) !== contentOf(plan, current)) throw changedMeanwhile(plan.service);
      return perform(app, current, plan);
    });
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    return { ...outcome, outcome: 'failed', error };
  }
}

/**
 * Makes one service hold what it is to hold: planned and done under one lease, so that a second run finds it done.
 * @throws SipctlError like `planService`; `conflict` naming the run that has the lease
 */
export function bringUpToDate(app: App, planned: PlannedService): Promise<ServiceOutcome> {
  return underLease(app, serviceTitle(planned.service), async () => bringUp(app, await asItIs(planned)));
}

const bringUp = async (app: App, planned: PlannedService): Promise<ServiceOutcome> =>
  perform(app, planned, await planService(planned, app.signal));

// Who waited for the lease may have read a password that another run has changed since.
const asItIs = async (planned: PlannedService): Promise<PlannedService> =>
  (await planned.again?.()) ?? planned;

const contentOf = (plan: ServicePlan, { salt }: PlannedService): string => planChecksum([], salt, [plan]);

const changedMeanwhile = (service: string): SipctlError =>
  new SipctlError('conflict', {
    code: 'service_changed',
    message: `${service} is not what it was when the plan was made`,
    hint: 'plan again: sipctl plan',
  });

async function underLease<T>(app: App, service: string, work: () => Promise<T>): Promise<T> {
  const lease = await leaseOf(app, `service ${service}`);
  try {
    return await work();
  } finally {
    await lease.release();
  }
}

async function perform(app: App, planned: PlannedService, plan: ServicePlan): Promise<ServiceOutcome> {
  if (plan.refusals.length > 0) {
    const error = new SipctlError('refused', plan.refusals);
    return { service: plan.service, outcome: 'failed', done: [], differs: [], error };
  }
  const outcome = await applyService(planned, plan, app.signal);
  if (outcome.outcome === 'unchanged') return outcome;
  const { kind, tenant, name } = planned.service;
  const done = outcome.done.map((change) => `${change.action} ${resourceTitle(change)}`);
  const store = await app.store();
  await store.audit({
    ...{ action: 'apply', noun: kind === 'twilio' ? 'twilioTrunk' : 'livekit', tenant, name },
    detail: { outcome: outcome.outcome, done },
  });
  return { ...outcome, error: errorOf(outcome) };
}

function errorOf({ service, outcome, differs, error }: ServiceOutcome): SipctlError | null {
  if (outcome === 'failed' && error !== null)
    return new SipctlError('rollbackFailed', [
      ...error.problems,
      {
        code: 'not_taken_back',
        message: `${service}: not all that this run had made could be taken away again`,
        hint: 'run the same command again: it goes on with what is there',
      },
    ]);
  if (error !== null || differs.length === 0) return error;
  return new SipctlError('notVerified', {
    code: 'service_differs',
    message: `${service} took every change, and still shows something else: ${differs.map(resourceTitle).join(', ')}`,
    hint: 'sipctl drift shows what differs',
  });
}

/** How one service stands against what it is to hold. */
export interface ServiceDrift {
  service: string;
  /** Nothing was made there yet. */
  isNew: boolean;
  differs: ResourceChange[];
  /** Keys of what differs because it was never made. */
  unmade: string[];
  /** Why it could not be compared. */
  error: SipctlError | null;
}

/**
 * Compares services with what they are to hold, one after the other. One that does not answer does not hide the others.
 * @throws SipctlError `interrupted`
 */
export async function driftOfServices(
  app: App,
  services: readonly PlannedService[],
): Promise<ServiceDrift[]> {
  const drifts: ServiceDrift[] = [];
  for (const planned of services) {
    const drift: ServiceDrift = {
      service: serviceTitle(planned.service),
      isNew: false,
      differs: [],
      unmade: [],
      error: null,
    };
    drifts.push(drift);
    try {
      const made = await planned.memory.list();
      drift.isNew = made.length === 0;
      if (drift.isNew) continue;
      drift.differs = (await planService(planned, app.signal)).changes;
      const known = new Set(made.flatMap(({ key, id }) => (id === null ? [] : [key])));
      drift.unmade = drift.differs.map(({ key }) => key).filter((key) => !known.has(key));
    } catch (error) {
      if (!(error instanceof SipctlError) || error.outcome === 'interrupted') throw error;
      drift.error = error;
    }
  }
  return drifts;
}
