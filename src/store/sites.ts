import type BetterSqlite3 from 'better-sqlite3';
import type { Field, Noun, Value } from '../model/field.ts';
import { snake } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import type { TenantSite } from '../model/site.ts';
import type { Database } from './database.ts';
import type { Keyring } from './keyring.ts';
import { noTenant, referenced } from './records.ts';
import { columnOf, type Stored, secretPlace } from './rows.ts';
import { SealedSecrets } from './sealed-secrets.ts';

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

/** How many users these tenants have. */
export function countUsers(raw: BetterSqlite3.Database, names: readonly string[]): number {
  const tenants = 'SELECT id FROM tenants WHERE name IN (SELECT value FROM json_each(?))';
  const count = raw.prepare(`SELECT count(*) FROM users WHERE tenant_id IN (${tenants})`);
  return count.pluck().get(JSON.stringify(names)) as number;
}

/**
 * Everything that each of these tenants owns, in no order of its own, one tenant after the other. One statement reads
 * a tenant, so that what it answers was true at one instant; and it answers JSON, because handing over a hundred
 * thousand users column by column takes twice as long as parsing them.
 * @throws SipctlError `notFound`
 */
export function* tenantSites(
  raw: BetterSqlite3.Database,
  names: readonly string[],
  keyring: () => Keyring,
): Generator<TenantSite> {
  const parts = [nouns.tenant, nouns.trunk, nouns.user, nouns.number].map((noun: Noun) => ({
    query: objectsOf(noun),
    finish: finisher(noun),
  }));
  const queries = parts.map(({ query }) => query).join(', ');
  const statement = raw.prepare(`SELECT ${queries} FROM tenants AS site WHERE name = ?`).raw();
  for (const name of names) {
    const texts = statement.get(name) as string[] | undefined;
    if (texts === undefined) throw noTenant(name);
    const secrets = new SealedSecrets(keyring);
    const [[tenant], trunks, users, numbers] = parts.map(({ finish }, at) => {
      const objects = JSON.parse(texts[at] as string) as Unfinished[];
      return objects.map((object) => finish(object, name, secrets));
    }) as [Stored[], Stored[], Stored[], Stored[]];
    yield { tenant, trunks, users, numbers } as unknown as TenantSite;
  }
}

/** An object as JSON can say it: lists are texts, and secrets are sealed, in hex. */
type Unfinished = Record<string, Value>;

/** All objects of a noun that the tenant `site` owns, or itself, as a JSON array. */
function objectsOf(noun: Noun): string {
  const owner = noun.tenantScoped ? 'tenant_id' : 'id';
  const members = [
    ['id', 'id'],
    [noun.key, snake(noun.key)],
    ...Object.entries(noun.fields).map(([name, field]) => [name, jsonValue(columnOf(name, field), field)]),
    ['enabled', jsonBoolean('enabled')],
    ['createdAt', 'created_at'],
    ['updatedAt', 'updated_at'],
    ...(noun.tenantScoped ? [] : [['revision', 'revision']]),
  ];
  const object = members.map(([name, value]) => `'${name}', ${value}`).join(', ');
  return `(SELECT json_group_array(json_object(${object})) FROM ${noun.table} WHERE ${owner} = site.id)`;
}

function jsonValue(column: string, field: Field): string {
  if (field.kind === 'boolean') return jsonBoolean(column);
  if (field.kind === 'secret') return `hex(${column})`;
  if (field.kind !== 'reference') return column;
  const { table, key } = referenced[field.to as keyof typeof referenced];
  return `(SELECT ${key} FROM ${table} AS named WHERE named.id = ${column})`;
}

const jsonBoolean = (column: string): string =>
  `json(CASE ${column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)`;

/** Makes of what JSON cannot say what it is: lists, and secrets that are opened when they are revealed. */
function finisher(noun: Noun): (object: Unfinished, tenant: string, secrets: SealedSecrets) => Stored {
  const named = (kind: Field['kind']): string[] =>
    Object.keys(noun.fields).filter((name) => noun.fields[name]?.kind === kind);
  const lists = named('list');
  const sealed = named('secret').map((name) => ({
    name,
    column: columnOf(name, noun.fields[name] as Field),
  }));
  return (object, tenant, secrets) => {
    if (noun.tenantScoped) object.tenant = tenant;
    for (const name of lists) {
      const text = object[name];
      if (typeof text === 'string') object[name] = text.split(',');
    }
    for (const { name, column } of sealed) {
      const hex = object[name] as string;
      object[name] =
        hex === '' ? null : secrets.add(hex, secretPlace(noun.table, object.id as number, column));
    }
    return object as Stored;
  };
}
