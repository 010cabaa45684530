import type { App } from '../app.ts';
import { afterwards, type NodeOutcome, type Progress, type RunOptions } from '../pipeline/outcome.ts';
import type { ChangeCount } from '../plan/diff.ts';
import { databaseFailure } from '../store/failure.ts';
import { nodeLease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import { leaseOf } from './lease.ts';
import { runOptions } from './run-options.ts';

/** What a run is about to do to a node, as the history tells it. */
export interface Intent {
  node: string;
  base: number;
  changes: ChangeCount;
  /** What to say beside an error; null: nothing. */
  detail: string | null;
}

/**
 * Changes a node under its lease in the database, with a row of history that is there before the PBX can notice
 * anything: a run that is killed then is not forgotten.
 * @throws SipctlError `conflict` naming the run that has the lease
 */
export async function recordedChange(
  app: App,
  intent: Intent,
  progress: Progress,
  change: (options: RunOptions) => Promise<NodeOutcome>,
): Promise<NodeOutcome> {
  const store = await app.store();
  const lease = await leaseOf(app, nodeLease(intent.node));
  let started: number | null = null;
  const recordStart = async (generation: number): Promise<void> => {
    const row = { ...intent, generation, outcome: 'started' as const };
    started = await known(app, store.recordDelivery(row));
  };
  let outcome: NodeOutcome;
  try {
    outcome = await change(runOptions(app, { progress, recordStart }));
    const recorded = (): Promise<unknown> => known(app, recordEnd(store, started, intent, outcome));
    await afterwards(outcome, 'the history does not say how this ended', recorded);
  } catch (error) {
    // What went wrong first is what is told.
    await lease.release().catch(() => undefined);
    throw error;
  }
  await afterwards(outcome, 'its lease lasts until the next run takes it over', () =>
    known(app, lease.release()),
  );
  return outcome;
}

async function recordEnd(
  store: Store,
  started: number | null,
  intent: Intent,
  { outcome, generation, error }: NodeOutcome,
): Promise<void> {
  if (outcome === 'unchanged') return;
  const said = [intent.detail, error?.message ?? null].filter((part) => part !== null);
  const detail = said.length === 0 ? null : said.join(': ');
  const end = { outcome, generation: generation ?? intent.base, detail };
  if (started === null) await store.recordDelivery({ ...intent, ...end });
  else await store.endDelivery(started, end);
}

/** A database that is full or busy is one node's fault, like its own disk. */
async function known<T>(app: App, writing: Promise<T>): Promise<T> {
  try {
    return await writing;
  } catch (error) {
    throw databaseFailure(error, app.config.db) ?? error;
  }
}
