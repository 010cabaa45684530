import { createHmac } from 'node:crypto';
import { SipctlError } from '../errors.ts';
import { diffResources } from '../plan/service-diff.ts';
import type {
  HeldResource,
  Remembered,
  Resource,
  ResourceChange,
  ServicePlan,
} from '../plan/service-plan.ts';
import type { ServicePlans } from '../plan/site-plan.ts';
import type { Service } from '../platforms/hosted-service.ts';

/** Where the ids of what was made at a service are kept: each is written before the next step is begun. */
export interface ServiceMemory {
  list(): Promise<Remembered[]>;
  keep(entry: Remembered): Promise<void>;
  forget(key: string): Promise<void>;
}

/** A service, what is remembered of it, and the salt of the database. */
export interface PlannedService {
  service: Service;
  memory: ServiceMemory;
  salt: string;
  /** The same, as the database describes it by now. @throws SipctlError `notFound` where it is gone */
  again?: () => Promise<PlannedService>;
}

/** What became of one service. */
export interface ServiceOutcome {
  service: string;
  outcome: 'unchanged' | 'verified' | 'incomplete' | 'taken-back' | 'failed';
  /** Done, in this order. */
  done: ResourceChange[];
  /** What differs still, where the service took everything and shows something else. */
  differs: ResourceChange[];
  error: SipctlError | null;
}

export const serviceTitle = ({ kind, tenant, name }: Service): string => `${kind} ${tenant}/${name}`;

/** Compares what a service is to hold with what it holds. @throws like `Service.held` */
export async function planService(planned: PlannedService, signal?: AbortSignal): Promise<ServicePlan> {
  const { changes } = await differences(planned, signal);
  const { service } = planned;
  const refusals = (await service.objections?.(changes, signal)) ?? [];
  return { service: serviceTitle(service), tenant: service.tenant, changes, refusals };
}

/** What would be done at each of these services, one after the other. @throws SipctlError `interrupted` */
export async function planServices(
  planned: readonly PlannedService[],
  signal?: AbortSignal,
): Promise<ServicePlans> {
  const plans: ServicePlans = { services: [], serviceFailures: [] };
  for (const one of planned) {
    try {
      plans.services.push(await planService(one, signal));
    } catch (error) {
      if (!(error instanceof SipctlError) || error.outcome === 'interrupted') throw error;
      plans.serviceFailures.push({ service: serviceTitle(one.service), error });
    }
  }
  return plans;
}

async function differences(
  { service, memory, salt }: PlannedService,
  signal?: AbortSignal,
): Promise<{ changes: ResourceChange[]; held: HeldResource[] }> {
  const remembered = await memory.list();
  const held = await service.held(remembered, signal);
  const digestOf = (resource: Resource) => secretDigest(resource, salt);
  return { changes: diffResources({ desired: service.desired, held, remembered, digestOf }), held };
}

/**
 * Makes a service hold what its plan says, one thing after another. Never throws for the service's fault.
 *
 * ```
 * remember "about to make" → make, or adopt what is there → remember its id → next
 *    killed, or no answer: the next run finds it by its name        refused for good: what this run made is taken away
 * ```
 */
export async function applyService(
  planned: PlannedService,
  plan: ServicePlan,
  signal: AbortSignal,
): Promise<ServiceOutcome> {
  const outcome: ServiceOutcome = {
    service: plan.service,
    outcome: 'unchanged',
    done: [],
    differs: [],
    error: null,
  };
  try {
    if (plan.changes.length === 0 && (await isSettled(planned))) return outcome;
    const { held } = await differences(planned, signal);
    await settle(planned, held);
    if (plan.changes.length === 0) return outcome;
    const ids = new Map(held.map(({ key, id }) => [key, id]));
    for (const change of plan.changes) {
      if (signal.aborted) throw interruptedBetween();
      await performOne(planned, change, ids, signal);
      outcome.done.push(change);
    }
    outcome.differs = (await differences(planned, signal)).changes;
    outcome.outcome = outcome.differs.length === 0 ? 'verified' : 'incomplete';
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    outcome.error = error;
    outcome.outcome = canGoOn(error) ? 'incomplete' : await takeBack(planned, outcome.done);
  }
  return outcome;
}

const interruptedBetween = (): SipctlError =>
  new SipctlError('interrupted', {
    code: 'interrupted',
    message: 'interrupted: the step at work came to its end',
    hint: 'the next run goes on from there',
  });

/** True where everything that is to be there is remembered with its id, and nothing else is. */
async function isSettled({ service, memory }: PlannedService): Promise<boolean> {
  const remembered = await memory.list();
  const known = new Set(remembered.flatMap(({ key, id }) => (id === null ? [] : [key])));
  const wanted = service.desired;
  return remembered.length === wanted.length && wanted.every(({ key }) => known.has(key));
}

/**
 * Brings what is remembered in line with what is there: the ids of what an earlier run made without learning them, or was
 * found by its name; and nothing of what is neither there nor to be made.
 */
async function settle({ service, memory }: PlannedService, held: readonly HeldResource[]): Promise<void> {
  const remembered = new Map((await memory.list()).map((entry) => [entry.key, entry]));
  const desired = new Map(service.desired.map((resource) => [resource.key, resource]));
  for (const { key, id } of held) {
    const known = remembered.get(key);
    remembered.delete(key);
    if (known?.id === id) continue;
    const name = desired.get(key)?.name ?? known?.name ?? key;
    await memory.keep({ key, name, id, digest: known?.digest ?? null });
  }
  for (const key of remembered.keys()) if (!desired.has(key)) await memory.forget(key);
}

// Nothing was decided: the next run goes on from here.
const canGoOn = ({ outcome }: SipctlError): boolean => outcome === 'unreachable' || outcome === 'interrupted';

async function performOne(
  { service, memory, salt }: PlannedService,
  change: ResourceChange,
  ids: Map<string, string>,
  signal?: AbortSignal,
): Promise<void> {
  const { key, name, desired } = change;
  if (desired === null) {
    await service.perform(change, ids, signal);
    ids.delete(key);
    return memory.forget(key);
  }
  // Written before the request: a thing that was made without an answer is known to be ours.
  if (change.action === 'create') await memory.keep({ key, name, id: null, digest: null });
  const id = await service.perform(change, ids, signal);
  ids.set(key, id);
  await memory.keep({ key, name, id, digest: secretDigest(desired, salt) });
}

/** Takes away what this run made, the last first. */
async function takeBack(
  planned: PlannedService,
  done: readonly ResourceChange[],
): Promise<ServiceOutcome['outcome']> {
  const ids = new Map(
    (await planned.memory.list()).flatMap(({ key, id }) => (id === null ? [] : [[key, id]])),
  );
  try {
    for (const { action, key, name } of done.toReversed()) {
      if (action !== 'create') continue;
      const id = ids.get(key) ?? null;
      await performOne(planned, { action: 'delete', key, name, id, desired: null, options: [] }, ids);
    }
    return 'taken-back';
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    return 'failed';
  }
}

function secretDigest({ secrets }: Resource, salt: string): string | null {
  if (secrets === undefined) return null;
  const hmac = createHmac('sha256', salt);
  for (const [name, secret] of Object.entries(secrets)) hmac.update(`${name}\0${secret.reveal()}\0`);
  return hmac.digest('hex');
}
