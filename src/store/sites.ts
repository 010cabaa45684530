import type BetterSqlite3 from 'better-sqlite3';
import * as calls from '../model/call-nouns.ts';
import type { Field, Noun, Value } from '../model/field.ts';
import { separatorOf, snake } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import { Secret } from '../model/secret.ts';
import type { TenantSite } from '../model/site.ts';
import type { Database } from './database.ts';
import type { Keyring } from './keyring.ts';
import { noTenant, referenced } from './records.ts';
import { columnOf, type Stored, secretPlace } from './rows.ts';

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

/** Reads everything that each of these tenants owns, one tenant after the other. @throws SipctlError `notFound` */
export type ReadSites = (names: readonly string[]) => Generator<TenantSite>;

/**
 * One statement reads a tenant, so that what it answers was true at one instant. It answers arrays of JSON, because
 * handing over a hundred thousand users column by column takes more than twice as long as parsing them.
 */
export function siteReader(raw: BetterSqlite3.Database, keyring: () => Keyring): ReadSites {
  const kinds = Object.entries(parts).map(([part, noun]) => ({ part, noun, members: membersOf(noun) }));
  const queries = kinds.map(({ noun, members }) => objectsOf(noun, members));
  const statement = raw.prepare(`SELECT ${queries.join(', ')} FROM tenants AS site WHERE name = ?`).raw();
  return function* read(names) {
    for (const name of names) {
      const texts = statement.get(name) as string[] | undefined;
      if (texts === undefined) throw noTenant(name);
      const site = kinds.map(({ part, noun, members }, at) => {
        const rows = JSON.parse(texts[at] as string) as JsonValue[][];
        return [part, rows.map((values) => objectOf(noun, members, values, name, keyring))] as const;
      });
      const { self, ...owned } = Object.fromEntries(site);
      yield { tenant: self?.[0], ...owned } as unknown as TenantSite;
    }
  };
}

/** What a tenant is and owns, by the names of its parts. */
const parts: Readonly<Record<'self' | Exclude<keyof TenantSite, 'tenant'>, Noun>> = {
  self: nouns.tenant,
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

type JsonValue = string | number | null;

/** A member of an object, and the expression of SQL that gives it. */
interface Member {
  name: string;
  kind: Field['kind'];
  /** Between the values of a list. */
  separator: string;
  column: string;
  sql: string;
}

function membersOf(noun: Noun): Member[] {
  const text = (name: string): Member => ({
    ...{ name, kind: 'text', separator: '', column: snake(name), sql: snake(name) },
  });
  return [
    // The first one: it is a part of the place of each secret.
    text('id'),
    text(noun.key),
    ...Object.entries(noun.fields).map(([name, field]) => {
      const column = columnOf(name, field);
      return {
        ...{ name, kind: field.kind, separator: separatorOf(field), column },
        sql: expression(column, field),
      };
    }),
    { ...text('enabled'), kind: 'boolean' },
    text('createdAt'),
    text('updatedAt'),
    ...(noun.tenantScoped ? [] : [text('revision')]),
  ];
}

function expression(column: string, field: Field): string {
  if (field.kind === 'secret') return `hex(${column})`;
  if (field.kind !== 'reference') return column;
  const { table, key } = referenced[field.to as keyof typeof referenced];
  return `(SELECT ${key} FROM ${table} AS named WHERE named.id = ${column})`;
}

/** All objects of a noun that the tenant `site` owns, or itself, as a JSON array of the arrays of their members. */
function objectsOf(noun: Noun, members: readonly Member[]): string {
  const owner = noun.tenantScoped ? 'tenant_id' : 'id';
  const array = members.map(({ sql }) => sql).join(', ');
  return `(SELECT json_group_array(json_array(${array})) FROM ${noun.table} WHERE ${owner} = site.id)`;
}

function objectOf(
  noun: Noun,
  members: readonly Member[],
  values: readonly JsonValue[],
  tenant: string,
  keyring: () => Keyring,
): Stored {
  const object: Record<string, Value> = {};
  if (noun.tenantScoped) object.tenant = tenant;
  for (let at = 0; at < members.length; at++) {
    const { name, kind, separator, column } = members[at] as Member;
    const value = values[at] as JsonValue;
    if (value === null || kind === 'text' || kind === 'integer' || kind === 'reference') object[name] = value;
    else if (kind === 'boolean') object[name] = value === 1;
    else if (kind === 'list') object[name] = (value as string).split(separator);
    // Of no bytes, hex() makes a text that is empty.
    else if (value === '') object[name] = null;
    else
      object[name] = sealed(value as string, secretPlace(noun.table, values[0] as number, column), keyring);
  }
  return object as Stored;
}

const sealed = (hex: string, place: string, keyring: () => Keyring): Secret =>
  new Secret(() => keyring().open(Buffer.from(hex, 'hex'), place));
