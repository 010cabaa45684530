import { sql } from 'kysely';
import { everyNoun } from '../model/every-noun.ts';
import { snake } from '../model/field.ts';
import type { Database } from './database.ts';

/** Who has a name that there is once in the whole database. */
export interface Claim {
  noun: string;
  tenant: string;
  name: string;
  /** The number, or the name on the PBX in lower case. */
  claimed: string;
}

export interface ClaimedNames {
  numbers: readonly string[];
  /** Names on the PBX, in lower case. */
  endpoints: readonly string[];
}

/** So many names are asked for in one statement. */
const chunk = 500;

/** Who has these numbers and names on the PBX, whichever tenant that is. */
export async function claims(database: Database, { numbers, endpoints }: ClaimedNames): Promise<Claim[]> {
  const found: Claim[] = [];
  const asked = [
    { noun: 'number', column: 'number', names: numbers },
    { noun: 'user', column: 'endpoint', names: endpoints },
    { noun: 'trunk', column: 'endpoint', names: endpoints },
  ];
  for (const { noun, column, names } of asked)
    for (let at = 0; at < names.length; at += chunk)
      found.push(...(await claimsOf(database, noun, column, names.slice(at, at + chunk))));
  return found;
}

async function claimsOf(
  database: Database,
  name: string,
  column: string,
  names: readonly string[],
): Promise<Claim[]> {
  const noun = everyNoun.find((one) => one.name === name);
  if (noun === undefined) return [];
  const claimed = sql<string>`lower(${sql.ref(`${noun.table}.${column}`)})`;
  const rows = await database
    .selectFrom(noun.table)
    .innerJoin('tenants', 'tenants.id', `${noun.table}.tenant_id`)
    .select([`${noun.table}.${snake(noun.key)} as name`, 'tenants.name as tenant'])
    .select(claimed.as('claimed'))
    .where(claimed, 'in', names)
    .execute();
  return rows.map((row) => ({
    noun: name,
    tenant: row.tenant as string,
    name: row.name as string,
    claimed: row.claimed as string,
  }));
}
