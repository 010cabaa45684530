import * as calls from '../model/call-nouns.ts';
import type { Noun } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import type { TenantSite } from '../model/site.ts';
import type { Database } from './database.ts';
import type { Records } from './records.ts';

export interface TenantState {
  name: string;
  revision: string;
  enabled: boolean;
}

/** Every tenant's name and state: all that is read of a tenant whose revision a node holds already. */
export async function tenantStates(database: Database): Promise<TenantState[]> {
  const rows = await database
    .selectFrom('tenants')
    .select(['name', 'revision', 'enabled'])
    .orderBy('name')
    .execute();
  return rows.map((row) => ({
    name: row.name as string,
    revision: row.revision as string,
    enabled: row.enabled === 1,
  }));
}

/** Tenants that are read together: one query for each noun and batch, and memory for one batch at a time. */
const batch = 20;

/** Everything that each of these tenants owns, in the order of their names. @throws SipctlError `notFound` */
export async function* tenantSites(records: Records, names: readonly string[]): AsyncGenerator<TenantSite> {
  for (let at = 0; at < names.length; at += batch) {
    const these = names.slice(at, at + batch);
    const tenants = await records.tenantsNamed(these);
    const owned: [part: string, objects: Map<string, object[]>][] = [];
    for (const [part, noun] of Object.entries(parts))
      owned.push([part, groupByTenant(await records.ownedBy(noun, tenants))]);
    for (const tenant of tenants) {
      const own = owned.map(([part, objects]) => [part, objects.get(tenant.name) ?? []] as const);
      yield { tenant, ...Object.fromEntries(own) } as unknown as TenantSite;
    }
  }
}

/** What a tenant owns, by the names of its parts. */
const parts: Readonly<Record<Exclude<keyof TenantSite, 'tenant'>, Noun>> = {
  trunks: nouns.trunk,
  users: nouns.user,
  numbers: nouns.number,
  groups: calls.group,
  ivrs: calls.ivr,
  conferences: calls.conference,
  schedules: calls.schedule,
  routes: calls.route,
  emergencies: calls.emergency,
};

function groupByTenant<T extends { tenant?: string }>(objects: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const object of objects) {
    const tenant = object.tenant as string;
    const group = groups.get(tenant);
    if (group === undefined) groups.set(tenant, [object]);
    else group.push(object);
  }
  return groups;
}
