import {
  anchorKey,
  type ChainedRow,
  type ChainHead,
  chainBegin,
  chainHash,
  headKey,
  headOf,
} from './audit-chain.ts';
import type { Database, Row } from './database.ts';

/** What is wrong with a chain, and at which row it shows first. */
export interface ChainBreak {
  id: number;
  kind: 'changed' | 'missing' | 'added' | 'head';
  message: string;
}

/** What a look at the whole chain found. */
export interface ChainState {
  /** Rows that were looked at and are as they were written. */
  rows: number;
  /** The last of these: its hash is a receipt for all of them. */
  head: ChainHead;
  /** Rows up to this one are older than the chain; what they were before it began, nobody can tell. */
  anchored: number;
  broken: ChainBreak | null;
  /** The row whose hash was expected; null where no row has it, or none was expected. */
  expectedAt: number | null;
}

const pageSize = 1000;

/** Follows the chain from its first row to its head, and stops where it breaks. */
export async function verifyChain(database: Database, expected: string | null): Promise<ChainState> {
  const kept = headOf(await metaOf(database, headKey));
  const anchored = Number((await metaOf(database, anchorKey)) ?? 0);
  let last = chainBegin;
  let rows = 0;
  let expectedAt: number | null = null;
  const ended = (broken: ChainBreak | null): ChainState => ({
    rows,
    head: last,
    anchored,
    broken,
    expectedAt,
  });
  if (kept === null)
    return ended({ id: 0, kind: 'head', message: 'the database has lost the head of the chain' });
  for await (const { hash, ...row } of chainedRows(database)) {
    // Rows that come while this runs are those of a later head.
    if (row.id > kept.id) return ended(await beyondHead(database, kept, row.id));
    if (hash !== chainHash(last.hash, row)) return ended(breakAt(row.id, hash, last.id));
    last = { id: row.id, hash };
    rows++;
    if (hash === expected) expectedAt = row.id;
  }
  return ended(headBreak(kept, last));
}

function headBreak(kept: ChainHead, last: ChainHead): ChainBreak | null {
  if (kept.id > last.id) {
    const message = `${span(last.id + 1, kept.id)} missing at the end`;
    return { id: last.id + 1, kind: 'missing', message };
  }
  if (kept.hash === last.hash) return null;
  return {
    id: last.id,
    kind: 'changed',
    message: `row ${last.id} was written anew: the head has another hash`,
  };
}

async function beyondHead(database: Database, kept: ChainHead, id: number): Promise<ChainBreak | null> {
  const now = headOf(await metaOf(database, headKey));
  if (now !== null && now.id >= id) return null;
  return { id, kind: 'added', message: `row ${id} comes after the last one that sipctl wrote, ${kept.id}` };
}

function breakAt(id: number, hash: string | null, last: number): ChainBreak {
  if (hash === null) return { id, kind: 'added', message: `row ${id} has no hash: sipctl did not write it` };
  if (id > last + 1)
    return { id, kind: 'missing', message: `${span(last + 1, id - 1)} missing before row ${id}` };
  return { id, kind: 'changed', message: `row ${id} is not as it was written` };
}

const span = (from: number, to: number): string =>
  from === to ? `row ${from} is` : `rows ${from} to ${to} are`;

async function metaOf(database: Database, key: string): Promise<string | null> {
  const row = await database.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
  return (row?.value as string | undefined) ?? null;
}

export type StoredChainRow = ChainedRow & { hash: string };

/** Rows of the audit trail in their order, a page at a time, so that a slow reader keeps nobody from writing. */
export async function* chainedRows(database: Database, after = 0): AsyncGenerator<StoredChainRow> {
  for (let last = after; ; ) {
    const page: Row[] = await database
      .selectFrom('audit')
      .select(['id', 'at', 'actor', 'action', 'noun', 'tenant', 'name', 'detail', 'hash'])
      .where('id', '>', last)
      .orderBy('id')
      .limit(pageSize)
      .execute();
    for (const row of page) yield row as unknown as StoredChainRow;
    if (page.length < pageSize) return;
    last = (page.at(-1) as Row).id as number;
  }
}
