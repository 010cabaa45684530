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

/** Everything one tenant owns. */
export async function tenantSite(records: Records, name: string): Promise<TenantSite> {
  const tenant = await records.get(nouns.tenant, { tenant: null, name });
  const [trunks, users, numbers] = await Promise.all([
    records.list(nouns.trunk, { tenant: name }),
    records.list(nouns.user, { tenant: name }),
    records.list(nouns.number, { tenant: name }),
  ]);
  return { tenant, trunks, users, numbers } as unknown as TenantSite;
}
