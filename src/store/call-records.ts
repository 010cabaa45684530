import { CompiledQuery, type RawBuilder, sql } from 'kysely';
import { type CallRecord, madeUp, mergeRecords } from '../model/call-record.ts';
import { snake } from '../model/field.ts';
import type { Database, Row } from './database.ts';

/** Columns of the table `cdrs`, as `CallRecord` names them; stable, and new ones come last. */
export const recordColumns: readonly (keyof CallRecord)[] = [
  ...(['node', 'call', 'tenant', 'direction', 'from', 'fromName', 'to', 'trunk', 'user', 'channel'] as const),
  ...(['codec', 'startedAt', 'answeredAt', 'endedAt', 'talkSeconds', 'q850', 'sip', 'cause'] as const),
  ...(['mos', 'lossPercent', 'jitterMs', 'rttMs', 'recorded', 'source'] as const),
];

export type StoredCallRecord = { id: number } & CallRecord;

/** What became of records that were to be kept. */
export interface Kept {
  added: number;
  /** Calls that were kept already, and of which more is known now. */
  changed: number;
  unchanged: number;
}

export interface CallRecordFilter {
  tenant?: string | undefined;
  node?: string | undefined;
  /** ISO 8601; the call began at that time or later. */
  from?: string | undefined;
  /** ISO 8601; the call began before. */
  before?: string | undefined;
  /** Digits that are in the caller's or the called number. */
  number?: string | undefined;
  direction?: CallRecord['direction'] | undefined;
  trunk?: string | undefined;
  user?: string | undefined;
  /** A Q.850 or SIP code, or part of the engine's words. */
  cause?: string | undefined;
  answered?: boolean | undefined;
}

/** One line of a report: the calls that have something in common. */
export interface CallSummary {
  /** null for calls of nobody. */
  group: string | null;
  calls: number;
  answered: number;
  talkSeconds: number;
}

export type SummaryGroup = 'tenant' | 'trunk' | 'user' | 'day';

/** Keeps calls in the transaction that is open: each of them once, however often and by whomever it is told. */
export async function keepCallRecords(database: Database, records: Iterable<CallRecord>): Promise<Kept> {
  const write = recordWriter(database);
  const kept: Kept = { added: 0, changed: 0, unchanged: 0 };
  for (const record of records) {
    const held = await heldRecord(database, record);
    if (held === null) {
      await write.insert(record);
      kept.added++;
      continue;
    }
    const merged = mergeRecords(held, record);
    if (recordColumns.every((name) => merged[name] === held[name])) kept.unchanged++;
    else {
      await write.update(merged, held.id);
      kept.changed++;
    }
  }
  return kept;
}

// The two statements are put together once: lists of calls are long.
function recordWriter(database: Database) {
  const nothing = Object.fromEntries(recordColumns.map((name) => [snake(name), null]));
  const insert = database.insertInto('cdrs').values(nothing).compile().sql;
  const update = database.updateTable('cdrs').set(nothing).where('id', '=', 0).compile().sql;
  const run = (text: string, values: unknown[]) => database.executeQuery(CompiledQuery.raw(text, values));
  return {
    insert: (record: CallRecord) => run(insert, valuesOf(record)),
    update: (record: CallRecord, id: number) => run(update, [...valuesOf(record), id]),
  };
}

/** Seconds that the engine's list may differ from what was seen: it is written in whole seconds. */
const tolerance = 2;

// A list without ids tells the channel and the second; no channel of one name begins twice in that time.
async function heldRecord(database: Database, record: CallRecord): Promise<StoredCallRecord | null> {
  const all = database.selectFrom('cdrs').selectAll().where('node', '=', record.node);
  const known = await all.where('call', '=', record.call).executeTakeFirst();
  if (known !== undefined) return stored(known);
  if (record.channel === null) return null;
  const at = Date.parse(record.startedAt);
  const [first, last] = [-tolerance, tolerance].map((by) => new Date(at + by * 1000).toISOString());
  let near = all
    .where('channel', '=', record.channel)
    .where('started_at', '>=', first)
    .where('started_at', '<=', last);
  if (!record.call.startsWith(madeUp)) near = near.where('call', 'like', `${madeUp}%`);
  const same = await near.orderBy('id').limit(1).executeTakeFirst();
  return same === undefined ? null : stored(same);
}

/** The newest first, or the oldest. A page at a time, so that a slow reader keeps nobody from writing. */
export async function* readCallRecords(
  database: Database,
  filter: CallRecordFilter,
  { oldestFirst = false, limit = Number.POSITIVE_INFINITY }: { oldestFirst?: boolean; limit?: number } = {},
): AsyncGenerator<StoredCallRecord> {
  const where = condition(filter);
  const [order, beyond] = oldestFirst ? (['asc', '>'] as const) : (['desc', '<'] as const);
  let last: readonly [string, number] = oldestFirst ? ['', 0] : ['~', 0];
  for (let left = limit; left > 0; ) {
    const page = await database
      .selectFrom('cdrs')
      .selectAll()
      .where(where)
      .where(sql<boolean>`(started_at, id) ${sql.raw(beyond)} (${last[0]}, ${last[1]})`)
      .orderBy('started_at', order)
      .orderBy('id', order)
      .limit(Math.min(left, pageSize))
      .execute();
    for (const row of page) yield stored(row);
    const end = page.at(-1);
    if (end === undefined || page.length < pageSize) return;
    last = [end.started_at as string, end.id as number];
    left -= page.length;
  }
}

const pageSize = 1000;

/** Calls whose number or id on the engine is this one, or begins or ends so; at most `limit`. */
export async function findCallRecords(
  database: Database,
  id: string,
  { tenant, limit }: { tenant: string | undefined; limit: number },
): Promise<StoredCallRecord[]> {
  let all = database.selectFrom('cdrs').selectAll().limit(limit);
  if (tenant !== undefined) all = all.where('tenant', '=', tenant);
  const exact = sql<boolean>`(CAST(id AS TEXT) = ${id} OR call = ${id})`;
  const near = sql<boolean>`(${begins('call', id)} OR ${ends('call', id)})`;
  let found = await all.where(exact).execute();
  if (found.length === 0 && id.length >= 4)
    found = await all.where(near).orderBy('started_at', 'desc').execute();
  return found.map(stored);
}

const begins = (column: string, text: string): RawBuilder<boolean> =>
  sql`substr(${sql.ref(column)}, 1, ${sql.raw(String(text.length))}) = ${text}`;

const ends = (column: string, text: string): RawBuilder<boolean> =>
  sql`(length(${sql.ref(column)}) >= ${sql.raw(String(text.length))}
    AND substr(${sql.ref(column)}, length(${sql.ref(column)}) - ${sql.raw(String(text.length - 1))}) = ${text})`;

/** Calls by what they have in common, those with the most calls first; days in their order. Days are UTC. */
export async function summarizeCalls(
  database: Database,
  filter: CallRecordFilter,
  by: SummaryGroup,
): Promise<CallSummary[]> {
  const group = by === 'day' ? sql`substr(started_at, 1, 10)` : sql.ref(by);
  const order = by === 'day' ? sql`1` : sql`calls DESC, 1 NULLS FIRST`;
  const { rows } = await sql<CallSummary>`SELECT ${group} AS "group", count(*) AS calls,
     count(answered_at) AS answered, sum(talk_seconds) AS "talkSeconds"
     FROM cdrs WHERE ${condition(filter)} GROUP BY 1 ORDER BY ${order}`.execute(database);
  return rows;
}

/** How many records `filter` finds. */
export async function countCallRecords(database: Database, filter: CallRecordFilter): Promise<number> {
  const row = await database
    .selectFrom('cdrs')
    .select(({ fn }) => fn.countAll().as('calls'))
    .where(condition(filter))
    .executeTakeFirst();
  return Number(row?.calls ?? 0);
}

/** Removes what `filter` finds, in the transaction that is open; gives how many it were. */
export async function removeCallRecords(database: Database, filter: CallRecordFilter): Promise<number> {
  const result = await database.deleteFrom('cdrs').where(condition(filter)).executeTakeFirst();
  return Number(result.numDeletedRows);
}

function condition(filter: CallRecordFilter): RawBuilder<boolean> {
  const parts: RawBuilder<boolean>[] = [];
  const equal = ['tenant', 'node', 'direction', 'trunk', 'user'] as const;
  for (const name of equal)
    if (filter[name] !== undefined) parts.push(sql`${sql.ref(name)} = ${filter[name]}`);
  const { from, before, number, cause, answered } = filter;
  if (from !== undefined) parts.push(sql`started_at >= ${from}`);
  if (before !== undefined) parts.push(sql`started_at < ${before}`);
  if (number !== undefined) parts.push(sql`(${holds('from', number)} OR ${holds('to', number)})`);
  if (answered !== undefined) parts.push(answered ? sql`answered_at IS NOT NULL` : sql`answered_at IS NULL`);
  if (cause !== undefined) {
    if (/^\d{1,9}$/.test(cause)) parts.push(sql`(q850 = ${Number(cause)} OR sip = ${Number(cause)})`);
    else parts.push(holds('cause', cause));
  }
  return parts.length === 0 ? sql`1 = 1` : sql.join(parts, sql` AND `);
}

// Databases differ in whether LIKE heeds the case of letters.
const holds = (column: string, text: string): RawBuilder<boolean> =>
  sql`lower(${sql.ref(column)}) LIKE ${`%${asciiLower(text).replace(/[!%_]/g, '!$&')}%`} ESCAPE '!'`;

// As databases do it: they leave letters beyond ASCII as they are.
const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

const valuesOf = (record: CallRecord): unknown[] =>
  recordColumns.map((name) => (name === 'recorded' ? Number(record.recorded) : record[name]));

const stored = (row: Row): StoredCallRecord =>
  ({
    id: row.id,
    ...Object.fromEntries(recordColumns.map((name) => [name, row[snake(name)]])),
    recorded: row.recorded === 1,
  }) as StoredCallRecord;
