import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { CsvReader } from '../csv/reader.ts';
import { SipctlError } from '../errors.ts';
import { type CallRecord, madeUp } from '../model/call-record.ts';
import { trunkContext, userContext } from '../model/identity.ts';
import type { Direction } from '../model/live/call.ts';
import type { Parties, Party } from '../model/live/party.ts';
import type { CallListReader, ListedCall, ReadTime } from '../platforms/call-list.ts';
import type { Kept } from '../store/call-records.ts';

export interface CallImport {
  node: string;
  reader: CallListReader;
  parties: Parties;
  tenants: ReadonlySet<string>;
  time: ReadTime;
  keep: (records: readonly CallRecord[]) => Promise<Kept>;
  signal: AbortSignal;
}

export interface Imported extends Kept {
  /** Calls that were read. */
  read: number;
  /** Lines that are no call: of channels that stand for others. */
  skipped: number;
  /** Lines that are none of this engine, by their number in the file. */
  unreadable: number[];
}

const batch = 5000;

/**
 * Keeps the calls of one file of an engine's list, a batch at a time. To import a file again changes nothing.
 * @throws SipctlError `notFound`, `failed` where the file cannot be read, `interrupted`
 */
export async function importCalls(file: string, around: CallImport): Promise<Imported> {
  const sum: Imported = { read: 0, skipped: 0, unreadable: [], added: 0, changed: 0, unchanged: 0 };
  let records: CallRecord[] = [];
  const keep = async (): Promise<void> => {
    const kept = await around.keep(records);
    for (const name of ['added', 'changed', 'unchanged'] as const) sum[name] += kept[name];
    records = [];
  };
  let line = 0;
  for await (const found of listedCalls(file, around)) {
    line++;
    if (found === 'skip') sum.skipped++;
    else if (found === null) sum.unreadable.push(line);
    else {
      sum.read++;
      records.push(recordOfListed(found, around));
      if (records.length >= batch) await keep();
    }
    around.signal.throwIfAborted();
  }
  await keep();
  return sum;
}

type Found = ListedCall | 'skip' | null;

async function* listedCalls(file: string, { reader, time }: CallImport): AsyncGenerator<Found> {
  let isJson: boolean | null = null;
  const csv = new CsvReader();
  let rest = '';
  try {
    for await (const part of createReadStream(file, { encoding: 'utf8' }) as AsyncIterable<string>) {
      if (isJson === null && part.trim() !== '') isJson = part.trimStart().startsWith('{');
      if (isJson === true) {
        const lines = (rest + part).split('\n');
        rest = lines.pop() ?? '';
        for (const text of lines) if (text.trim() !== '') yield ofJson(reader, text);
      } else for (const values of csv.push(part)) yield reader.csv(values, time);
    }
  } catch (error) {
    throw unreadable(file, error);
  }
  for (const values of csv.end()) yield reader.csv(values, time);
  if (rest.trim() !== '') yield ofJson(reader, rest);
}

function ofJson(reader: CallListReader, text: string): Found {
  try {
    return reader.json(JSON.parse(text) as Record<string, unknown>);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function unreadable(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof SipctlError) return error;
  return new SipctlError(code === 'ENOENT' ? 'notFound' : 'failed', {
    code: 'file_unreadable',
    message: `${file} cannot be read: ${code}`,
    field: 'file',
    hint: 'Asterisk writes /var/log/asterisk/cdr-csv/Master.csv, FreeSWITCH log/cdr-csv/Master.csv',
  });
}

function recordOfListed(call: ListedCall, { node, parties, tenants }: CallImport): CallRecord {
  const found = call.endpoints.map((endpoint) => (endpoint === null ? null : parties.find(endpoint)));
  const known = found.filter((party) => party !== null);
  const account = call.account !== null && tenants.has(call.account) ? call.account : null;
  const tenant = account ?? known[0]?.tenant ?? tenantOfContext(call.context, tenants);
  const direction = directionOf(call, found, tenant);
  return {
    node,
    call: call.call ?? nameOf(node, call),
    tenant,
    direction,
    from: call.from,
    fromName: call.fromName,
    to: call.to,
    trunk: known.find(({ kind }) => kind === 'trunk')?.name ?? null,
    user: known.find(({ kind }) => kind === 'user')?.name ?? null,
    channel: call.channel,
    codec: call.codec,
    startedAt: iso(call.startedAt),
    answeredAt: call.answeredAt === null ? null : iso(call.answeredAt),
    endedAt: iso(call.endedAt),
    talkSeconds: call.answeredAt === null ? 0 : Math.round((call.endedAt - call.answeredAt) / 1000),
    q850: call.q850,
    sip: call.sip,
    cause: call.cause,
    ...{ mos: null, lossPercent: null, jitterMs: null, rttMs: null },
    recorded: false,
    source: 'import',
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

// The same channel and second are the same call, in whatever file they stand.
const nameOf = (node: string, { channel, startedAt, from, to }: ListedCall): string =>
  madeUp +
  createHash('sha256')
    .update(JSON.stringify([node, channel, startedAt, ...(channel === null ? [from, to] : [])]))
    .digest('hex')
    .slice(0, 16);

function tenantOfContext(context: string | null, tenants: ReadonlySet<string>): string | null {
  for (const tenant of tenants)
    if (context === userContext(tenant) || context === trunkContext(tenant)) return tenant;
  return null;
}

/** Digits of the longest extension; what has more is a number. */
const longestExtension = 6;

function directionOf(call: ListedCall, found: readonly (Party | null)[], tenant: string | null): Direction {
  const [caller, ...others] = found;
  if (caller?.kind === 'trunk') return 'inbound';
  if (others.some((party) => party?.kind === 'trunk')) return 'outbound';
  if (tenant !== null && call.context === trunkContext(tenant)) return 'inbound';
  if (others.some((party) => party?.kind === 'user')) return 'internal';
  return /^\+/.test(call.to ?? '') || (call.to ?? '').length > longestExtension ? 'outbound' : 'internal';
}

/**
 * Reads local times of a zone. An hour that a clock shows twice is taken for the first one.
 * @throws RangeError for a zone that is none
 */
export function zonedTime(zone: string): ReadTime {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  });
  const wall = (at: number): number => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`);
  };
  const offsets = new Map<string, number>();
  return (text) => {
    const utc = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text)
      ? Date.parse(`${text.replace(' ', 'T')}Z`)
      : Number.NaN;
    if (Number.isNaN(utc)) return null;
    const quarter = text.slice(0, 15);
    let offset = offsets.get(quarter);
    if (offset === undefined) {
      const guess = utc - (wall(utc) - utc);
      offset = wall(guess) - guess;
      if (offsets.size > 100_000) offsets.clear();
      offsets.set(quarter, offset);
    }
    return utc - offset;
  };
}
