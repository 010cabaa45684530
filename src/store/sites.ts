import { CompiledQuery } from 'kysely';
import * as calls from '../model/call-nouns.ts';
import type { Field, Noun, Value } from '../model/field.ts';
import { separatorOf, snake } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import { Secret } from '../model/secret.ts';
import type { TenantSite } from '../model/site.ts';
import type { Database, SiteWords } from './database.ts';
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

/** Names that are asked for at once; a statement of any database takes as many values. */
const mostNames = 500;

/** How many users these tenants have. */
export async function countUsers(database: Database, names: readonly string[]): Promise<number> {
  let sum = 0;
  for (let at = 0; at < names.length; at += mostNames) {
    const row = await database
      .selectFrom('users')
      .select(({ fn }) => fn.countAll().as('users'))
      .where(
        'tenant_id',
        'in',
        database
          .selectFrom('tenants')
          .select('id')
          .where('name', 'in', names.slice(at, at + mostNames)),
      )
      .executeTakeFirst();
    sum += Number(row?.users ?? 0);
  }
  return sum;
}

/** Reads everything that each of these tenants owns, one tenant after the other. @throws SipctlError `notFound` */
export type ReadSites = (names: readonly string[]) => AsyncGenerator<TenantSite>;

/**
 * One statement reads a tenant, so that what it answers was true at one instant. It answers arrays of JSON, because
 * handing over a hundred thousand users column by column takes more than twice as long as parsing them.
 */
export function siteReader(
  { kysely, siteWords }: { kysely: Database; siteWords: SiteWords },
  keyring: () => Keyring,
): ReadSites {
  const kinds = Object.entries(parts).map(([part, noun]) => ({
    ...{ part, noun },
    members: membersOf(noun, siteWords),
  }));
  const queries = kinds.map(
    ({ part, noun, members }) => `${objectsOf(noun, members, siteWords)} AS "${part}"`,
  );
  const { sql: text } = kysely.selectFrom('tenants as site').where('name', '=', '').compile();
  const statement = text.replace(/^select/, `select ${queries.join(', ')}`);
  return async function* read(names) {
    for (const name of names) {
      const { rows: found } = await kysely.executeQuery(CompiledQuery.raw(statement, [name]));
      const texts = found[0] as Record<string, string> | undefined;
      if (texts === undefined) throw noTenant(name);
      const site = kinds.map(({ part, noun, members }) => {
        const rows = JSON.parse(texts[part] as string) as JsonValue[][];
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

function membersOf(noun: Noun, words: SiteWords): Member[] {
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
        sql: expression(column, field, words),
      };
    }),
    { ...text('enabled'), kind: 'boolean' },
    text('createdAt'),
    text('updatedAt'),
    ...(noun.tenantScoped ? [] : [text('revision')]),
  ];
}

function expression(column: string, field: Field, words: SiteWords): string {
  if (field.kind === 'secret') return words.hex(column);
  if (field.kind !== 'reference') return column;
  const { table, key } = referenced[field.to as keyof typeof referenced];
  return `(SELECT ${key} FROM ${table} AS named WHERE named.id = ${column})`;
}

/** All objects of a noun that the tenant `site` owns, or itself, as a JSON array of the arrays of their members. */
function objectsOf(noun: Noun, members: readonly Member[], words: SiteWords): string {
  const owner = noun.tenantScoped ? 'tenant_id' : 'id';
  const expressions = members.map(({ sql }) => sql);
  return words.arrays(expressions, `"${noun.table}" WHERE ${owner} = site.id`);
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
