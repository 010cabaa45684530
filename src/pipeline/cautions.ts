import type { Problem } from '../errors.ts';
import { type InboundTrunk, inboundTrunk } from '../model/inbound-trunk.ts';
import type { Catalog } from '../model/template.ts';
import type { Plan } from '../plan/site-plan.ts';
import type { Store } from '../store/store.ts';
import type { PlannedTarget } from './make-plan.ts';

/** Names a trunk among those of all tenants. */
export interface TrunkRef {
  tenant: string;
  name: string;
}

/** The trunks that a plan adds or changes. */
export function changedTrunks({ nodes }: Plan): TrunkRef[] {
  const objects = nodes.flatMap(({ changes }) => changes.flatMap((change) => change.objects));
  return objects.filter(({ kind, action }) => kind === 'trunk' && action !== 'delete');
}

/**
 * What engines make of these trunks beside all others that their owners may not expect, each thing once. Where there
 * are none nothing is read, and where all their calls come to a registered contact, no node is asked for.
 */
export async function cautions(
  { store, catalog }: { store: Store; catalog: Catalog },
  targets: () => Promise<readonly PlannedTarget[]>,
  trunks: readonly TrunkRef[],
): Promise<Problem[]> {
  if (trunks.length === 0) return [];
  const wanted = new Set(trunks.map(key));
  const inbound = (await store.inboundTrunks()).flatMap((trunk) => {
    const template = catalog.providers.get(trunk.provider);
    return template === undefined ? [] : [inboundTrunk(trunk, template)];
  });
  const isNew = (trunk: TrunkRef): boolean => wanted.has(key(trunk));
  const concerns = ({ networks, registered }: InboundTrunk): boolean => networks.length > 0 || !registered;
  if (!inbound.some((trunk) => isNew(trunk) && concerns(trunk))) return [];
  const found = new Map<string, Problem>();
  for (const { target, tenants } of await targets()) {
    const served = inbound.filter(({ tenant }) => tenants?.includes(tenant) ?? true);
    for (const problem of target.cautions?.(served, isNew) ?? []) found.set(problem.message, problem);
  }
  return [...found.values()];
}

const key = ({ tenant, name }: TrunkRef): string => `${tenant}\n${name}`;
