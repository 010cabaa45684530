import { sql } from 'kysely';
import { SipctlError } from '../errors.ts';
import type { Noun, ObjectOf } from '../model/field.ts';
import { commandOf, snake, titleOf } from '../model/field.ts';
import { type Claim, type ClaimedNames, claims } from './claims.ts';
import type { Database, Row } from './database.ts';
import type { Keyring } from './keyring.ts';
import { type Mentioner, mentionersOf } from './mentions.ts';
import { decoder, type Stored } from './rows.ts';

/** What an object is called: its name, and its tenant's where the noun belongs to one. */
export interface ObjectRef {
  tenant: string | null;
  name: string;
}

/** An object as it is asked for: its noun, and what it is called. */
export interface NamedObject {
  noun: Noun;
  ref: ObjectRef;
}

export type StoredOf<N> = ObjectOf<N> & { tenant?: string };

/** Reads objects of every noun the same way. */
export class Records {
  protected readonly database: Database;
  protected readonly keyring: () => Keyring;

  constructor(database: Database, keyring: () => Keyring) {
    this.database = database;
    this.keyring = keyring;
  }

  /** Objects in the order of their names; of one tenant, of some, or of all. */
  async list<N extends Noun>(
    noun: N,
    filter: { tenant?: string | null; tenants?: readonly string[] } = {},
  ): Promise<StoredOf<N>[]> {
    let query = this.select(noun);
    if (filter.tenants !== undefined) query = query.where('tenants.name', 'in', filter.tenants);
    if (filter.tenant !== undefined && filter.tenant !== null) {
      query = query.where(`${noun.table}.tenant_id`, '=', await this.tenantId(filter.tenant));
    } else if (noun.tenantScoped) query = query.orderBy('tenants.name');
    const rows = await query.orderBy(`${noun.table}.${snake(noun.key)}`).execute();
    return rows.map(decoder(noun, this.keyring)) as unknown as StoredOf<N>[];
  }

  async find<N extends Noun>(noun: N, ref: ObjectRef): Promise<StoredOf<N> | null> {
    if (noun.tenantScoped) await this.tenantId(ref.tenant as string);
    let query = this.select(noun).where(`${noun.table}.${snake(noun.key)}`, '=', ref.name);
    if (noun.tenantScoped) query = query.where('tenants.name', '=', ref.tenant);
    const row = await query.executeTakeFirst();
    return row === undefined ? null : (decoder(noun, this.keyring)(row) as unknown as StoredOf<N>);
  }

  /** @throws SipctlError `notFound` */
  async get<N extends Noun>(noun: N, ref: ObjectRef): Promise<StoredOf<N>> {
    const found = await this.find(noun, ref);
    if (found === null) throw await this.notFound(noun, ref);
    return found;
  }

  /** What refers to an object and stops its removal, as `trunk telnyx_main`. */
  async dependents(noun: Noun, ref: ObjectRef): Promise<{ noun: string; ref: ObjectRef }[]> {
    const { id } = await this.get(noun, ref);
    const found: { noun: string; ref: ObjectRef }[] = [];
    for (const { from, table, key, column } of references[noun.name] ?? []) {
      const rows = await this.database
        .selectFrom(table)
        .innerJoin('tenants', 'tenants.id', `${table}.tenant_id`)
        .select([`${table}.${key} as name`, 'tenants.name as tenant'])
        .where(`${table}.${column}`, '=', id)
        .orderBy(`${table}.${key}`)
        .execute();
      for (const row of rows)
        found.push({ noun: from, ref: { tenant: row.tenant as string, name: row.name as string } });
    }
    return found;
  }

  /** See `claims`. */
  claims(names: ClaimedNames): Promise<Claim[]> {
    return claims(this.database, names);
  }

  /** Where objects that are none of these name one of these inside their values. */
  async mentioners(objects: readonly NamedObject[]): Promise<Mentioner[]> {
    const keyOf = (noun: string, name: string): string => `${noun} ${name}`;
    const found: Mentioner[] = [];
    for (const tenant of new Set(objects.flatMap(({ ref }) => ref.tenant ?? []))) {
      const these = objects.filter(({ ref }) => ref.tenant === tenant);
      const keys = new Set(these.map(({ noun, ref }) => keyOf(noun.name, ref.name)));
      for (const place of await mentionersOf(this.database, tenant))
        if (
          keys.has(keyOf(place.mention.noun, place.mention.name)) &&
          !keys.has(keyOf(place.noun, place.ref.name))
        )
          found.push(place);
    }
    return found;
  }

  /** @throws SipctlError `notFound` when there is no such tenant */
  protected async tenantId(name: string): Promise<number> {
    const row = await this.database
      .selectFrom('tenants')
      .select('id')
      .where('name', '=', name)
      .executeTakeFirst();
    if (row !== undefined) return row.id as number;
    throw noTenant(name);
  }

  protected select(noun: Noun) {
    let query = this.database.selectFrom(noun.table).selectAll(noun.table);
    if (noun.tenantScoped) {
      query = query
        .innerJoin('tenants', 'tenants.id', `${noun.table}.tenant_id`)
        .select('tenants.name as tenant_name') as typeof query;
    }
    for (const [name, field] of Object.entries(noun.fields)) {
      if (field.kind !== 'reference') continue;
      const { table, key } = referenced[field.to as keyof typeof referenced];
      query = query
        .leftJoin(`${table} as ${name}`, `${name}.id`, `${noun.table}.${snake(name)}_id`)
        .select(`${name}.${key} as ${name}_name`) as typeof query;
    }
    return query;
  }

  protected async notFound(noun: Noun, ref: ObjectRef): Promise<SipctlError> {
    const where = noun.tenantScoped ? ` in tenant '${ref.tenant}'` : '';
    const near = await this.nearest(noun, ref);
    return new SipctlError('notFound', {
      code: `${snake(noun.name)}_not_found`,
      message: `there is no ${titleOf(noun)} '${ref.name}'${where}`,
      field: noun.key,
      hint:
        near === null
          ? `sipctl ${commandOf(noun)} list${noun.tenantScoped ? ` --tenant ${ref.tenant}` : ''}`
          : `did you mean '${near}'?`,
    });
  }

  // The same name in another case, or in another tenant, is the usual slip.
  protected async nearest(noun: Noun, ref: ObjectRef): Promise<string | null> {
    const key = `${noun.table}.${snake(noun.key)}`;
    const row = await this.select(noun)
      .where(sql`lower(${sql.ref(key)})`, '=', ref.name.toLowerCase())
      .executeTakeFirst();
    if (row === undefined) return null;
    const name = (row as Row)[snake(noun.key)] as string;
    return noun.tenantScoped && row.tenant_name !== ref.tenant
      ? `${name}' in tenant '${row.tenant_name}`
      : name;
  }
}

/** Which columns lead to a noun, in the order a cascade has to follow. */
const references: Record<string, { from: string; table: string; key: string; column: string }[]> = {
  trunk: [
    { from: 'number', table: 'numbers', key: 'number', column: 'trunk_id' },
    { from: 'twilioTrunk', table: 'twilio_trunks', key: 'name', column: 'trunk_id' },
  ],
  user: [{ from: 'trunk', table: 'trunks', key: 'name', column: 'owner_id' }],
  schedule: [{ from: 'number', table: 'numbers', key: 'number', column: 'schedule_id' }],
  twilioAccount: [{ from: 'twilioTrunk', table: 'twilio_trunks', key: 'name', column: 'account_id' }],
  twilioTrunk: [
    {
      from: 'twilioOrigination',
      table: 'twilio_originations',
      key: 'name',
      column: 'twilio_trunk_id',
    },
    { from: 'livekit', table: 'livekits', key: 'name', column: 'twilio_trunk_id' },
  ],
  tenant: [
    { from: 'number', table: 'numbers', key: 'number', column: 'tenant_id' },
    { from: 'trunk', table: 'trunks', key: 'name', column: 'tenant_id' },
    { from: 'user', table: 'users', key: 'username', column: 'tenant_id' },
    { from: 'group', table: 'groups', key: 'name', column: 'tenant_id' },
    { from: 'ivr', table: 'ivrs', key: 'name', column: 'tenant_id' },
    { from: 'conference', table: 'conferences', key: 'name', column: 'tenant_id' },
    { from: 'schedule', table: 'schedules', key: 'name', column: 'tenant_id' },
    { from: 'route', table: 'routes', key: 'name', column: 'tenant_id' },
    { from: 'emergency', table: 'emergencies', key: 'number', column: 'tenant_id' },
    { from: 'twilioAccount', table: 'twilio_accounts', key: 'name', column: 'tenant_id' },
  ],
};

/** Where a reference leads: the table, and the column that names its objects. */
export const referenced = {
  user: { table: 'users', key: 'username' },
  trunk: { table: 'trunks', key: 'name' },
  schedule: { table: 'schedules', key: 'name' },
  twilioAccount: { table: 'twilio_accounts', key: 'name' },
  twilioTrunk: { table: 'twilio_trunks', key: 'name' },
} as const;

export const noTenant = (name: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'tenant_not_found',
    message: `there is no tenant '${name}'`,
    field: 'tenant',
    hint: `sipctl tenant list, or: sipctl tenant add ${name}`,
  });

export type { Stored };
