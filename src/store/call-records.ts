import type BetterSqlite3 from 'better-sqlite3';
import { type CallRecord, madeUp, mergeRecords } from '../model/call-record.ts';
import { snake } from '../model/field.ts';

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
export function keepCallRecords(raw: BetterSqlite3.Database, records: Iterable<CallRecord>): Kept {
  const find = finder(raw);
  const insert = raw.prepare(
    `INSERT INTO cdrs (${recordColumns.map(quoted).join(', ')}) VALUES (${recordColumns.map(() => '?').join(', ')})`,
  );
  const update = raw.prepare(
    `UPDATE cdrs SET ${recordColumns.map((name) => `${quoted(name)} = ?`).join(', ')} WHERE id = ?`,
  );
  const kept: Kept = { added: 0, changed: 0, unchanged: 0 };
  for (const record of records) {
    const held = find(record);
    if (held === null) {
      insert.run(valuesOf(record));
      kept.added++;
      continue;
    }
    const merged = mergeRecords(held, record);
    if (recordColumns.every((name) => merged[name] === held[name])) kept.unchanged++;
    else {
      update.run([...valuesOf(merged), held.id]);
      kept.changed++;
    }
  }
  return kept;
}

/** Seconds that the engine's list may differ from what was seen: it is written in whole seconds. */
const tolerance = 2;

// A list without ids tells the channel and the second; no channel of one name begins twice in that time.
function finder(raw: BetterSqlite3.Database): (record: CallRecord) => StoredCallRecord | null {
  const byCall = raw.prepare('SELECT * FROM cdrs WHERE node = ? AND call = ?');
  const byChannel = raw.prepare(
    `SELECT * FROM cdrs WHERE node = ? AND channel = ? AND started_at BETWEEN ? AND ?
     AND (@unknown OR call LIKE '${madeUp}%') ORDER BY id LIMIT 1`,
  );
  return (record) => {
    const known = byCall.get(record.node, record.call) as Record<string, unknown> | undefined;
    if (known !== undefined) return stored(known);
    if (record.channel === null) return null;
    const at = Date.parse(record.startedAt);
    const bounds = [-tolerance, tolerance].map((by) => new Date(at + by * 1000).toISOString());
    const unknown = record.call.startsWith(madeUp) ? 1 : 0;
    const same = byChannel.get(record.node, record.channel, ...bounds, { unknown });
    return same === undefined ? null : stored(same as Record<string, unknown>);
  };
}

/** The newest first, or the oldest. A page at a time, so that a slow reader keeps nobody from writing. */
export function* readCallRecords(
  raw: BetterSqlite3.Database,
  filter: CallRecordFilter,
  { oldestFirst = false, limit = Number.POSITIVE_INFINITY }: { oldestFirst?: boolean; limit?: number } = {},
): Generator<StoredCallRecord> {
  const { where, values } = conditions(filter);
  const [order, beyond] = oldestFirst ? ['ASC', '>'] : ['DESC', '<'];
  const first = oldestFirst ? ['', 0] : ['~', 0];
  const statement = raw.prepare(
    `SELECT * FROM cdrs WHERE ${where} AND (started_at, id) ${beyond} (?, ?)
     ORDER BY started_at ${order}, id ${order} LIMIT ?`,
  );
  let last = first;
  for (let left = limit; left > 0; ) {
    const page = statement.all(...values, ...last, Math.min(left, pageSize)) as Record<string, unknown>[];
    for (const row of page) yield stored(row);
    const end = page.at(-1);
    if (end === undefined || page.length < pageSize) return;
    last = [end.started_at as string, end.id as number];
    left -= page.length;
  }
}

const pageSize = 1000;

/** Calls whose number or id on the engine is this one, or begins so; at most `limit`. */
export function findCallRecords(
  raw: BetterSqlite3.Database,
  id: string,
  { tenant, limit }: { tenant: string | undefined; limit: number },
): StoredCallRecord[] {
  const scope = tenant === undefined ? '' : 'AND tenant = @tenant';
  const exact = raw.prepare(
    `SELECT * FROM cdrs WHERE (CAST(id AS TEXT) = @id OR call = @id) ${scope} LIMIT @limit`,
  );
  const near = raw.prepare(
    `SELECT * FROM cdrs WHERE (substr(call, 1, length(@id)) = @id OR substr(call, -length(@id)) = @id) ${scope}
     ORDER BY started_at DESC LIMIT @limit`,
  );
  const given = { id, limit, ...(tenant === undefined ? {} : { tenant }) };
  const found = exact.all(given);
  return (found.length > 0 || id.length < 4 ? found : near.all(given)).map((row) =>
    stored(row as Record<string, unknown>),
  );
}

/** Calls by what they have in common, those with the most calls first; days in their order. Days are UTC. */
export function summarizeCalls(
  raw: BetterSqlite3.Database,
  filter: CallRecordFilter,
  by: SummaryGroup,
): CallSummary[] {
  const { where, values } = conditions(filter);
  const group = by === 'day' ? 'substr(started_at, 1, 10)' : by;
  return raw
    .prepare(
      `SELECT ${group} AS "group", count(*) AS calls, sum(answered_at IS NOT NULL) AS answered,
       sum(talk_seconds) AS talkSeconds FROM cdrs WHERE ${where} GROUP BY 1
       ORDER BY ${by === 'day' ? '1' : 'calls DESC, 1'}`,
    )
    .all(...values) as CallSummary[];
}

/** How many records `filter` finds. */
export function countCallRecords(raw: BetterSqlite3.Database, filter: CallRecordFilter): number {
  const { where, values } = conditions(filter);
  return raw
    .prepare(`SELECT count(*) FROM cdrs WHERE ${where}`)
    .pluck()
    .get(...values) as number;
}

/** Removes what `filter` finds, in the transaction that is open; gives how many it were. */
export function removeCallRecords(raw: BetterSqlite3.Database, filter: CallRecordFilter): number {
  const { where, values } = conditions(filter);
  return raw.prepare(`DELETE FROM cdrs WHERE ${where}`).run(...values).changes;
}

function conditions(filter: CallRecordFilter): { where: string; values: unknown[] } {
  const parts: [condition: string, ...values: unknown[]][] = [];
  const equal = ['tenant', 'node', 'direction', 'trunk', 'user'] as const;
  for (const name of equal) if (filter[name] !== undefined) parts.push([`${quoted(name)} = ?`, filter[name]]);
  const { from, before, number, cause, answered } = filter;
  if (from !== undefined) parts.push(['started_at >= ?', from]);
  if (before !== undefined) parts.push(['started_at < ?', before]);
  if (number !== undefined) parts.push(['(instr("from", ?) > 0 OR instr("to", ?) > 0)', number, number]);
  if (answered !== undefined) parts.push([`answered_at IS ${answered ? 'NOT NULL' : 'NULL'}`]);
  if (cause !== undefined) {
    if (/^\d+$/.test(cause)) parts.push(['(q850 = ? OR sip = ?)', Number(cause), Number(cause)]);
    else parts.push(['instr(lower(cause), lower(?)) > 0', cause]);
  }
  const where = parts.map(([condition]) => condition).join(' AND ');
  return { where: where === '' ? '1' : where, values: parts.flatMap(([, ...values]) => values) };
}

const quoted = (name: string): string => `"${snake(name)}"`;

const valuesOf = (record: CallRecord): unknown[] =>
  recordColumns.map((name) => (name === 'recorded' ? Number(record.recorded) : record[name]));

const stored = (row: Record<string, unknown>): StoredCallRecord =>
  ({
    id: row.id,
    ...Object.fromEntries(recordColumns.map((name) => [name, row[snake(name)]])),
    recorded: row.recorded === 1,
  }) as StoredCallRecord;
