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
    const trunks = groupByTenant(await records.ownedBy(nouns.trunk, tenants));
    const users = groupByTenant(await records.ownedBy(nouns.user, tenants));
    const numbers = groupByTenant(await records.ownedBy(nouns.number, tenants));
    for (const tenant of tenants) {
      const { name } = tenant;
      const site = { tenant, trunks: trunks.get(name), users: users.get(name), numbers: numbers.get(name) };
      yield withoutGaps(site) as unknown as TenantSite;
    }
  }
}

const withoutGaps = <T extends Record<string, unknown>>(site: T): T =>
  Object.fromEntries(Object.entries(site).map(([key, value]) => [key, value ?? []])) as T;

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
