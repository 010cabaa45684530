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
}

/** Adds one row to the audit trail, in the transaction of the change it speaks of. */
export async function recordAudit(database: Database, row: AuditRow): Promise<void> {
  await database
    .insertInto('audit')
    .values({ ...row, at: row.at.toISOString(), detail: JSON.stringify(row.detail) })
    .execute();
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
  return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail as string) })) as unknown as AuditEntry[];
}
