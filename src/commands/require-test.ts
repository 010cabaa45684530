import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import * as nouns from '../model/nouns.ts';
import type { TrunkRef } from '../pipeline/cautions.ts';
import type { Tested } from '../pipeline/tested.ts';

/**
 * Tests trunks before they are delivered. What a carrier says to a stranger’s address counts only as a warning where it
 * knows its customers by address: the PBX may well have the right one.
 * @throws SipctlError `refused` where one fails
 */
export async function requireWorkingTrunks(app: App, trunks: readonly TrunkRef[]): Promise<Problem[]> {
  if (trunks.length === 0) return [];
  const { testTrunks } = await import('../pipeline/test-trunks.ts');
  const { quickTest } = await import('./trunk-test.ts');
  const { records } = await app.store();
  const unique = new Map(trunks.map((ref) => [`${ref.tenant} ${ref.name}`, ref]));
  const asked = await Promise.all(
    [...unique.values()].map(async (ref) => ({
      trunk: (await records.get(nouns.trunk, ref)) as unknown as nouns.Trunk,
      tenant: (await records.get(nouns.tenant, {
        tenant: null,
        name: ref.tenant,
      })) as unknown as nouns.Tenant,
    })),
  );
  const tests = await testTrunks(asked, await app.catalog(), await quickTest(app));
  const failed = tests.filter(({ status }) => status === 'failed');
  const strangers = failed.filter(onlyAddressUnknown);
  const refused = failed.filter((test) => !strangers.includes(test));
  if (refused.length > 0) throw new SipctlError('refused', refused.flatMap(complaints));
  return strangers.flatMap(complaints);
}

const complaints = ({ tenant, name, causes }: Tested): Problem[] =>
  causes.map((cause) => ({ ...cause, message: `trunk ${name} (tenant ${tenant}): ${cause.message}` }));

const onlyAddressUnknown = ({ knownByAddress, stages }: Tested): boolean =>
  knownByAddress &&
  stages
    .filter(({ status }) => status === 'failed')
    .every(({ cause }) => cause === 'no_answer' || cause === 'forbidden');
