import type { Database } from './database.ts';
import { isHeld, type LeaseView, nodeLease } from './leases.ts';

/** `started`: the run is at work. `interrupted`: it ended without a word, and may or may not have come to the flip. */
export type DeliveryOutcome =
  | 'started'
  | 'verified'
  | 'delivered'
  | 'rolled-back'
  | 'rollback-failed'
  | 'failed'
  | 'interrupted';

/** One run of `apply` or `rollback` on one node, as `history` shows it. */
export interface Delivery {
  node: string;
  /** The one in force afterwards; of a run that is at work or was interrupted: the one that it would put in force. */
  generation: number;
  /** The generation that was in force before. */
  base: number;
  at: string;
  actor: string;
  outcome: DeliveryOutcome;
  changes: { create: number; update: number; delete: number };
  detail: string | null;
}

export type StoredDelivery = Delivery & { id: number };

/** Adds a run to the history. Returns its id. */
export async function recordDelivery(database: Database, delivery: Delivery): Promise<number> {
  const { id } = await database
    .insertInto('deliveries')
    .values({ ...delivery, changes: JSON.stringify(delivery.changes) })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id as number;
}

/** Says how a run ended that was recorded when it started. */
export async function endDelivery(
  database: Database,
  id: number,
  end: Pick<Delivery, 'outcome' | 'generation' | 'detail'>,
): Promise<void> {
  await database.updateTable('deliveries').set(end).where('id', '=', id).execute();
}

/** The newest first. A run that started and is no longer at work was interrupted, though it could not say so. */
export async function listDeliveries(
  database: Database,
  filter: { node?: string; limit: number },
  view: LeaseView,
): Promise<StoredDelivery[]> {
  let query = database.selectFrom('deliveries').selectAll().orderBy('id', 'desc').limit(filter.limit);
  if (filter.node !== undefined) query = query.where('node', '=', filter.node);
  const rows = await query.execute();
  const deliveries = rows.map((row) => ({
    ...row,
    changes: JSON.parse(row.changes as string),
  })) as unknown as StoredDelivery[];
  for (const delivery of deliveries) {
    if (delivery.outcome !== 'started' || (await isAtWork(database, delivery, view))) continue;
    delivery.outcome = 'interrupted';
  }
  return deliveries;
}

// A lease that was taken later is that of another run.
async function isAtWork(database: Database, { node, at }: Delivery, view: LeaseView): Promise<boolean> {
  const lease = await database
    .selectFrom('leases')
    .selectAll()
    .where('name', '=', nodeLease(node))
    .where('started_at', '<=', at)
    .executeTakeFirst();
  return lease !== undefined && isHeld(lease, view);
}
