import type { Call, Direction, Leg } from './live/call.ts';

/** A call that ended, as it is kept. Times are in ISO 8601, UTC. */
export interface CallRecord {
  node: string;
  /** The engine's own word for the call, unique on its node; `csv-…` where its list of calls does not tell it. */
  call: string;
  tenant: string | null;
  direction: Direction;
  from: string | null;
  fromName: string | null;
  to: string | null;
  trunk: string | null;
  /** Name of the tenant's user who called, or who took the call. */
  user: string | null;
  /** The engine's name of the first channel. */
  channel: string | null;
  codec: string | null;
  startedAt: string;
  answeredAt: string | null;
  endedAt: string;
  /** From the answer to the end. */
  talkSeconds: number;
  q850: number | null;
  sip: number | null;
  cause: string;
  mos: number | null;
  lossPercent: number | null;
  jitterMs: number | null;
  rttMs: number | null;
  recorded: boolean;
  /** `monitor`: seen as it happened; `import`: read from the engine's own list. */
  source: 'monitor' | 'import';
}

/** What stands for the end of a call that nobody saw end. */
const notSeen = 'not seen';

/** The record of a call that ended; null while it lasts. */
export function recordOf(call: Call): CallRecord | null {
  if (call.endedAt === null) return null;
  const { quality, end, legs } = call;
  return withTalk({
    node: call.node,
    call: call.id,
    tenant: call.tenant,
    direction: call.direction,
    from: call.from,
    fromName: call.fromName,
    to: call.to,
    trunk: call.trunk,
    user: userOf(call),
    channel: legs[0]?.channel ?? null,
    codec: call.codec,
    startedAt: iso(call.startedAt),
    answeredAt: call.answeredAt === null ? null : iso(call.answeredAt),
    endedAt: iso(call.endedAt),
    talkSeconds: 0,
    q850: end?.q850 ?? null,
    sip: end?.sip ?? null,
    cause: end?.text ?? notSeen,
    ...(quality ?? { mos: null, lossPercent: null, jitterMs: null, rttMs: null }),
    recorded: call.recorded,
    source: 'monitor',
  });
}

const iso = (ms: number): string => new Date(ms).toISOString();

// Of a call that came in, whoever took it; where nobody did, whoever it rang at, if that was one alone.
function userOf({ direction, legs }: Call): string | null {
  const users = legs.filter(({ party }) => party?.kind === 'user');
  const nameOf = (leg: Leg | undefined): string | null => leg?.party?.name ?? null;
  if (direction !== 'inbound') return nameOf(users.find(({ way }) => way === 'in') ?? users[0]);
  const took = users.filter(({ answeredAt }) => answeredAt !== null);
  const names = new Set((took.length > 0 ? took.slice(0, 1) : users).map(nameOf));
  return names.size === 1 ? ([...names][0] ?? null) : null;
}

/**
 * One record of what two sources say of the same call; to put the same together again changes nothing. What was seen as it
 * happened knows more than the engine's list, which knows calls that nobody saw.
 */
export function mergeRecords(held: CallRecord, other: CallRecord): CallRecord {
  const [better, worse] =
    held.source === 'import' && other.source === 'monitor' ? [other, held] : [held, other];
  const ending = betterEnd(better, worse);
  const merged: CallRecord = {
    ...worse,
    ...told(better),
    call: better.call.startsWith(madeUp) ? worse.call : better.call,
    direction: better.direction === 'internal' ? worse.direction : better.direction,
    startedAt: better.source === worse.source ? earlier(held.startedAt, other.startedAt) : better.startedAt,
    answeredAt: better.answeredAt ?? worse.answeredAt,
    endedAt: areAlike(held, other) ? later(held.endedAt, other.endedAt) : ending.endedAt,
    q850: ending.q850,
    sip: ending.sip ?? worse.sip,
    cause: ending.cause,
    recorded: better.recorded || worse.recorded,
  };
  return withTalk(merged);
}

/** Begins the id of a call whose list tells none. */
export const madeUp = 'csv-';

const told = (record: CallRecord): Partial<CallRecord> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));

// Who rang in vain beside the one that answered does not say how the call ended.
function betterEnd(better: CallRecord, worse: CallRecord): CallRecord {
  if (worse.cause === notSeen) return better;
  const rangInVain =
    better.source === worse.source && better.answeredAt === null && worse.answeredAt !== null;
  return better.cause === notSeen || rangInVain ? worse : better;
}

// Rows of one list, or two who watched: the call lasted as long as its longest part.
const areAlike = (one: CallRecord, other: CallRecord): boolean =>
  one.source === other.source && (one.cause === notSeen) === (other.cause === notSeen);

const earlier = (one: string, other: string): string => (one < other ? one : other);
const later = (one: string, other: string): string => (one > other ? one : other);

const withTalk = (record: CallRecord): CallRecord => ({
  ...record,
  talkSeconds:
    record.answeredAt === null
      ? 0
      : Math.max(0, Math.round((Date.parse(record.endedAt) - Date.parse(record.answeredAt)) / 1000)),
});
