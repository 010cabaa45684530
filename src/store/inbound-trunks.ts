import type { StoredInbound } from '../model/inbound-trunk.ts';
import { trunk } from '../model/nouns.ts';
import type { Database } from './database.ts';
import { decoder } from './rows.ts';

const columns = [
  'name',
  'provider',
  'auth_type',
  'registration',
  'networks',
  'context',
  'codecs',
  'srtp',
] as const;

/** Every trunk that takes calls in, of every tenant, in the order of their names: what decides whose a call is. */
export async function inboundTrunks(database: Database): Promise<StoredInbound[]> {
  const rows = await database
    .selectFrom('trunks')
    .innerJoin('tenants', 'tenants.id', 'trunks.tenant_id')
    .select(['tenants.name as tenant_name', ...columns.map((column) => `trunks.${column}` as const)])
    .where('trunks.enabled', '=', 1)
    .where('trunks.inbound', '=', 1)
    .where('tenants.enabled', '=', 1)
    .orderBy('tenants.name')
    .orderBy('trunks.name')
    .execute();
  return rows.map(decoder(trunk, noSecrets)) as unknown as StoredInbound[];
}

const noSecrets = (): never => {
  throw new Error('no secret was read');
};
