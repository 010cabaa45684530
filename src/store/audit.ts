import { chainBegin, chainHash, headKey, headOf } from './audit-chain.ts';
import { chainedRows, type StoredChainRow } from './audit-verify.ts';
import type { Database } from './database.ts';

export type AuditAction =
  | 'add'
  | 'set'
  | 'remove'
  | 'reveal'
  | 'apply'
  | 'rollback'
  | 'rotate-key'
  | 'test'
  | 'call'
  | 'listen'
  | 'whisper'
  | 'barge'
  | 'record'
  | 'fetch'
  | 'restore';

export interface AuditRow {
  at: Date;
  actor: string;
  action: AuditAction;
  noun: string;
  tenant: string | null;
  name: string;
  /** What changed; secrets write themselves as `[secret]`. */
  detail: Record<string, unknown>;
}

export interface AuditEntry extends Omit<AuditRow, 'at'> {
  id: number;
  at: string;
  /** Of the chain: SHA-256 over the hash before and this row, in hex. */
  hash: string;
}

/** Adds one row to the audit trail and its chain, in the transaction of the change it speaks of. */
export async function recordAudit(database: Database, row: AuditRow): Promise<void> {
  const kept = await database
    .selectFrom('meta')
    .select('value')
    .where('key', '=', headKey)
    .executeTakeFirst();
  // Writing goes on where somebody took the head away: `audit verify` finds the break.
  const last = headOf(kept?.value as string | undefined) ?? { ...chainBegin, id: await lastRow(database) };
  const { at, actor, action, noun, tenant, name, detail } = row;
  const chained = {
    ...{ id: last.id + 1, at: at.toISOString(), actor: wellFormed(actor), action, noun },
    ...{ tenant, name: wellFormed(name), detail: JSON.stringify(detail) },
  };
  // A trigger notes it as the head.
  const values = { ...chained, hash: chainHash(last.hash, chained) };
  await database.insertInto('audit').values(values).execute();
}

// Half of a surrogate pair would come back from the database as another text than was hashed.
const wellFormed = (text: string): string => Buffer.from(text).toString();

async function lastRow(database: Database): Promise<number> {
  const row = await database
    .selectFrom('audit')
    .select(({ fn }) => fn.max('id').as('last'))
    .executeTakeFirst();
  return Number(row?.last ?? 0);
}

/** The newest entries first. */
export async function listAudit(
  database: Database,
  filter: { tenant?: string; noun?: string; limit: number },
): Promise<AuditEntry[]> {
  let query = database.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(filter.limit);
  if (filter.tenant !== undefined) query = query.where('tenant', '=', filter.tenant);
  if (filter.noun !== undefined) query = query.where('noun', '=', filter.noun);
  const rows = await query.execute();
  return rows.map((row) => entryOf(row as unknown as StoredChainRow));
}

/** All entries after this one, the oldest first. */
export async function* auditEntries(database: Database, after: number): AsyncGenerator<AuditEntry> {
  for await (const row of chainedRows(database, after)) yield entryOf(row);
}

const entryOf = (row: StoredChainRow): AuditEntry =>
  ({ ...row, detail: JSON.parse(row.detail) }) as unknown as AuditEntry;
