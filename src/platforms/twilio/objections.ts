import { SipctlError } from '../../errors.ts';
import type { Refusal } from '../../plan/plan.ts';
import type { ResourceChange } from '../../plan/service-plan.ts';
import { freeNumber } from './below-trunk.ts';
import type { TwilioApi } from './client.ts';
import { expectListUnused } from './credentials.ts';
import { kindOf } from './resources.ts';
import { expectTrunkUnused } from './trunk.ts';

/**
 * What would be refused when half of it is done: numbers that cannot be attached, and a trunk or a list that holds what
 * others put there.
 * @throws like `TwilioApi.ask`
 */
export async function objectionsTo(
  api: TwilioApi,
  changes: readonly ResourceChange[],
  signal: AbortSignal | undefined,
): Promise<Refusal[]> {
  const going = new Set(
    changes.flatMap(({ action, id }) => (action === 'delete' && id !== null ? [id] : [])),
  );
  const refusals: Refusal[] = [];
  for (const change of changes) {
    try {
      await expectPossible(api, change, going, signal);
    } catch (error) {
      if (!(error instanceof SipctlError) || !['refused', 'notFound'].includes(error.outcome)) throw error;
      refusals.push(...error.problems.map(({ code, message, hint = '' }) => ({ code, message, hint })));
    }
  }
  return refusals;
}

async function expectPossible(
  api: TwilioApi,
  { action, key, name, id }: ResourceChange,
  going: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const kind = kindOf(key);
  if (action === 'create' && kind === 'number') await freeNumber(api, name, null, signal);
  if (action !== 'delete' || id === null) return;
  if (kind === 'trunk') await expectTrunkUnused({ api, id, signal }, going);
  if (kind === 'credential-list') await expectListUnused({ api, id, signal }, going);
}
