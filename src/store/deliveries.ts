import type { Database } from './database.ts';

export type DeliveryOutcome = 'verified' | 'delivered' | 'rolled-back' | 'rollback-failed' | 'failed';

/** One run of `apply` or `rollback` on one node, as `history` shows it. */
export interface Delivery {
  node: string;
  generation: number;
  /** The generation that was in force before. */
  base: number;
  at: string;
  actor: string;
  outcome: DeliveryOutcome;
  changes: { create: number; update: number; delete: number };
  detail: string | null;
}

export async function recordDelivery(database: Database, delivery: Delivery): Promise<void> {
  await database
    .insertInto('deliveries')
    .values({ ...delivery, changes: JSON.stringify(delivery.changes) })
    .execute();
}

/** The newest first. */
export async function listDeliveries(
  database: Database,
  filter: { node?: string; limit: number },
): Promise<(Delivery & { id: number })[]> {
  let query = database.selectFrom('deliveries').selectAll().orderBy('id', 'desc').limit(filter.limit);
  if (filter.node !== undefined) query = query.where('node', '=', filter.node);
  const rows = await query.execute();
  return rows.map((row) => ({
    ...row,
    changes: JSON.parse(row.changes as string),
  })) as unknown as (Delivery & {
    id: number;
  })[];
}
