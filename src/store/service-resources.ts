import { SipctlError } from '../errors.ts';
import { commandOf, type Noun, titleOf } from '../model/field.ts';
import type { Database } from './database.ts';

/** The object of a tenant whose things at a service are remembered. */
export interface ServiceObject {
  kind: string;
  tenant: string;
  name: string;
}

/** One thing that sipctl made at a service, or was about to make. */
export interface KeptResource {
  key: string;
  name: string;
  /** The service's own; null where it is not known whether the thing was made. */
  id: string | null;
  /** Of its secrets; null where it has none, or they were not written. */
  digest: string | null;
}

type Transact = <T>(work: (database: Database) => Promise<T>) => Promise<T>;

/** What sipctl made for one object at a service, in the order in which it was first kept. */
export class ServiceResources {
  readonly #of: ServiceObject;
  readonly #database: Database;
  readonly #transact: Transact;
  readonly #now: () => Date;

  constructor(of: ServiceObject, around: { database: Database; transact: Transact; now: () => Date }) {
    this.#of = of;
    this.#database = around.database;
    this.#transact = around.transact;
    this.#now = around.now;
  }

  async list(): Promise<KeptResource[]> {
    const { kind, tenant, name } = this.#of;
    const rows = await this.#database
      .selectFrom('service_resources')
      .innerJoin('tenants', 'tenants.id', 'service_resources.tenant_id')
      .select(['key', 'service_resources.name as name', 'remote_id', 'digest'])
      .where('kind', '=', kind)
      .where('tenants.name', '=', tenant)
      .where('object', '=', name)
      .orderBy('service_resources.id')
      .execute();
    return rows.map((row) => ({
      key: row.key as string,
      name: row.name as string,
      id: row.remote_id as string | null,
      digest: row.digest as string | null,
    }));
  }

  async keep({ key, name, id, digest }: KeptResource): Promise<void> {
    const at = this.#now().toISOString();
    const row = { name, remote_id: id, digest, at };
    await this.#transact(async (database) => {
      const tenantId = await tenantIdOf(database, this.#of.tenant);
      const place = { kind: this.#of.kind, tenant_id: tenantId, object: this.#of.name, key };
      await database
        .insertInto('service_resources')
        .values({ ...place, ...row })
        .onConflict((conflict) => conflict.columns(['kind', 'tenant_id', 'object', 'key']).doUpdateSet(row))
        .execute();
    });
  }

  async forget(key: string): Promise<void> {
    const { kind, tenant, name } = this.#of;
    await this.#transact(async (database) => {
      await database
        .deleteFrom('service_resources')
        .where('kind', '=', kind)
        .where('tenant_id', '=', await tenantIdOf(database, tenant))
        .where('object', '=', name)
        .where('key', '=', key)
        .execute();
    });
  }
}

async function tenantIdOf(database: Database, name: string): Promise<number> {
  const row = await database
    .selectFrom('tenants')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return row.id as number;
}

/** Nouns whose objects have things at a service, and the kind of that service. */
const kinds: Readonly<Record<string, string>> = { twilioTrunk: 'twilio', livekit: 'livekit' };

/**
 * An object is how sipctl finds again what it made for it elsewhere: it stays while there is any.
 * @throws SipctlError `conflict`
 */
export async function expectNothingMade(
  database: Database,
  noun: Noun,
  { tenant, name }: { tenant: string | null; name: string },
): Promise<void> {
  const kind = kinds[noun.name];
  if (kind === undefined) return;
  const row = await database
    .selectFrom('service_resources')
    .innerJoin('tenants', 'tenants.id', 'service_resources.tenant_id')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('kind', '=', kind)
    .where('tenants.name', '=', tenant)
    .where('object', '=', name)
    .executeTakeFirst();
  const count = Number(row?.count ?? 0);
  if (count === 0) return;
  throw new SipctlError('conflict', {
    code: 'made_elsewhere',
    message: `${titleOf(noun)} '${name}' has ${count} ${count === 1 ? 'thing' : 'things'} at ${kind === 'twilio' ? 'Twilio' : 'LiveKit'} that sipctl made`,
    hint: `sipctl ${commandOf(noun)} destroy ${name} --tenant ${tenant} takes them away first`,
  });
}
