import { SipctlError } from '../errors.ts';
import type { Remembered } from '../plan/service-plan.ts';
import { resourceTitle } from '../plan/service-plan.ts';
import type { Service } from '../platforms/hosted-service.ts';
import { type Check, checked } from '../platforms/target.ts';
import { applyService, type PlannedService, planService, type ServiceMemory } from './hosted-services.ts';

/** A service that is made to be taken away again. */
export interface Rehearsal {
  /** @param isToGo nothing of it is to be there */
  open(isToGo: boolean): Promise<Service>;
  salt: string;
  /** Ends the making; what was made is taken away all the same. */
  signal: AbortSignal;
}

/** Makes everything that a service needs, compares it with what was asked for, and takes it away again. */
export async function rehearseService({ open, salt, signal }: Rehearsal): Promise<Check[]> {
  const memory = memoryHere();
  const planned = async (isToGo: boolean): Promise<PlannedService> => ({
    ...{ service: await open(isToGo), memory, salt },
    again: () => planned(isToGo),
  });
  const made = await checked('make', async () => {
    const title = await broughtUpToDate(await planned(false), signal);
    return `made and found as it was asked for: ${title}`;
  });
  const repeated = await checked('repeat', async () => {
    const { changes } = await planService(await planned(false), signal);
    if (changes.length > 0) throw differs(changes.map(resourceTitle));
    return 'a second run has nothing to do';
  });
  // Not ended by Ctrl-C: what was made for a test is not left behind.
  const removed = await checked('take away', async () => {
    if ((await memory.list()).length > 0)
      await broughtUpToDate(await planned(true), new AbortController().signal);
    return 'nothing of it is left';
  });
  return made.status === 'ok' ? [made, repeated, removed] : [made, removed];
}

async function broughtUpToDate(planned: PlannedService, signal: AbortSignal): Promise<string> {
  const {
    outcome,
    done,
    differs: left,
    error,
  } = await applyService(planned, await planService(planned, signal), signal);
  if (error !== null) throw error;
  if (outcome !== 'verified' && outcome !== 'unchanged') throw differs(left.map(resourceTitle));
  return done.map(resourceTitle).join(', ');
}

const differs = (titles: readonly string[]): SipctlError =>
  new SipctlError('failed', {
    code: 'service_differs',
    message: `the service took everything, and shows something else: ${titles.join(', ')}`,
    hint: 'try again later; if it stays so, its API has changed',
  });

function memoryHere(): ServiceMemory {
  const entries = new Map<string, Remembered>();
  return {
    list: async () => [...entries.values()],
    keep: async (entry) => void entries.set(entry.key, entry),
    forget: async (key) => void entries.delete(key),
  };
}
