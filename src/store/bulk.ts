import type BetterSqlite3 from 'better-sqlite3';
import type { Field, Noun, Value } from '../model/field.ts';
import { snake } from '../model/field.ts';
import { userId } from '../model/identity.ts';
import { constraintError } from './constraints.ts';
import type { Keyring } from './keyring.ts';
import { columnOf, encode } from './rows.ts';
import type { Patch } from './writer.ts';

/** One user to be added: values that were parsed and checked already. */
export interface BulkUser {
  tenant: string;
  username: string;
  values: Patch;
}

/**
 * Adds many users through one prepared positional statement, in the transaction that is open. Returns how
 * many each tenant got. @throws SipctlError `conflict` for the first name or extension that is taken
 */
export function insertUsers(
  raw: BetterSqlite3.Database,
  keyring: Keyring,
  noun: Noun,
  users: Iterable<BulkUser>,
  at: string,
): Map<string, number> {
  const fields = Object.entries(noun.fields).map(([name, field]) => ({
    name,
    field,
    column: columnOf(name, field),
  }));
  const columns = ['id', 'tenant_id', snake(noun.key), 'endpoint', 'enabled', 'created_at', 'updated_at'];
  const all = [...columns, ...fields.map(({ column }) => column)];
  const insert = raw.prepare(
    `INSERT INTO ${noun.table} (${all.join(', ')}) VALUES (${all.map(() => '?').join(', ')})`,
  );
  const tenants = tenantsByName(raw);
  const counts = new Map<string, number>();
  let id = (raw.prepare(`SELECT coalesce(max(id), 0) AS last FROM ${noun.table}`).get() as { last: number })
    .last;
  for (const { tenant, username, values } of users) {
    const owner = tenants.get(tenant);
    if (owner === undefined) throw new Error(`there is no tenant '${tenant}'`);
    id++;
    const row: unknown[] = [id, owner.id, username, userId(owner.domain, username), 1, at, at];
    for (const { name, field, column } of fields)
      row.push(encode(field, givenOrInitial(values, name, field), noun, id, column, () => keyring));
    try {
      insert.run(row);
    } catch (error) {
      throw constraintError(error, noun, { tenant, name: username }) ?? error;
    }
    counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
  }
  return counts;
}

const givenOrInitial = (values: Patch, name: string, field: Field): Value =>
  values[name] ?? field.initial ?? null;

function tenantsByName(raw: BetterSqlite3.Database): Map<string, { id: number; domain: string | null }> {
  const rows = raw.prepare('SELECT id, name, domain FROM tenants').all() as {
    id: number;
    name: string;
    domain: string | null;
  }[];
  return new Map(rows.map((row) => [row.name, row]));
}
