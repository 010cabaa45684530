import type { Field, Noun, Value } from '../model/field.ts';
import { snake } from '../model/field.ts';
import { userId } from '../model/identity.ts';
import { constraintError } from './constraints.ts';
import type { Database, OpenDatabase } from './database.ts';
import type { Keyring } from './keyring.ts';
import { columnOf, encode } from './rows.ts';
import type { Patch } from './writer.ts';

/** One user to be added: values that were parsed and checked already. */
export interface BulkUser {
  tenant: string;
  username: string;
  values: Patch;
}

/** Rows that are handed over at once. */
const batch = 250;

/**
 * Adds many users, a batch of rows at a time, in the transaction that is open. Returns how many each tenant
 * got. @throws SipctlError `conflict` for the first name or extension that is taken
 */
export async function insertUsers(
  opened: OpenDatabase,
  database: Database,
  keyring: Keyring,
  noun: Noun,
  users: Iterable<BulkUser>,
  at: string,
): Promise<Map<string, number>> {
  const fields = Object.entries(noun.fields).map(([name, field]) => ({
    name,
    field,
    column: columnOf(name, field),
  }));
  const first = ['id', 'tenant_id', snake(noun.key), 'endpoint', 'enabled', 'created_at', 'updated_at'];
  const columns = [...first, ...fields.map(({ column }) => column)];
  const tenants = await tenantsByName(database);
  const counts = new Map<string, number>();
  const write = async (these: readonly BulkUser[]): Promise<void> => {
    const ids = await opened.nextIds(database, noun.table, these.length);
    const rows = these.map(({ tenant, username, values }, index) => {
      const owner = tenants.get(tenant);
      if (owner === undefined) throw new Error(`there is no tenant '${tenant}'`);
      const id = ids[index] as number;
      const row: unknown[] = [id, owner.id, username, userId(owner.domain, username), 1, at, at];
      for (const { name, field, column } of fields)
        row.push(encode(field, givenOrInitial(values, name, field), noun, id, column, () => keyring));
      counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
      return row;
    });
    const failed = await opened.insertRows(database, { table: noun.table, columns, rows });
    if (failed === null) return;
    const { tenant, username } = these[failed.at] as BulkUser;
    throw constraintError(failed.error, noun, { tenant, name: username }) ?? failed.error;
  };
  let these: BulkUser[] = [];
  for (const user of users) {
    these.push(user);
    if (these.length < batch) continue;
    await write(these);
    these = [];
  }
  if (these.length > 0) await write(these);
  return counts;
}

const givenOrInitial = (values: Patch, name: string, field: Field): Value =>
  values[name] ?? field.initial ?? null;

async function tenantsByName(
  database: Database,
): Promise<Map<string, { id: number; domain: string | null }>> {
  const rows = await database.selectFrom('tenants').select(['id', 'name', 'domain']).execute();
  return new Map(
    rows.map((row) => [row.name as string, { id: row.id as number, domain: row.domain as string | null }]),
  );
}
