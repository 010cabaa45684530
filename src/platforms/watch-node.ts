import { setImmediate as turn } from 'node:timers/promises';
import { SipctlError } from '../errors.ts';
import { CallTable } from '../model/live/call-table.ts';
import type { LiveChange } from '../model/live/changes.ts';
import type { LiveEvent } from '../model/live/events.ts';
import type { Parties } from '../model/live/party.ts';
import { Standings } from '../model/live/standings.ts';
import type { ControlPlane } from './control-plane.ts';

/** What watching a node takes. Time and chance come from outside. */
export interface Watch {
  node: string;
  parties: Parties;
  open: (signal: AbortSignal) => Promise<ControlPlane>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Rejects when its signal ends the wait. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A number from 0 up to 1. */
  random: () => number;
  /** Ends the watching. */
  signal: AbortSignal;
  /** The session that is open now, for verbs; null while there is none. */
  onSession?: (plane: ControlPlane | null) => void;
}

/** Milliseconds. */
const firstPause = 100;
const longestPause = 5000;

/**
 * Everything that goes on at one PBX, in batches, for as long as it takes: a lost connection is opened again, and what
 * happened meanwhile is told from a comparison of before and after.
 *
 * ```
 * open ─ subscribe ─ snapshot ─ connected ─ changes … ─ lost ─ pause ─╮
 *   ╰──────────────────────────────────────────────────────────────────╯
 * ```
 * @throws SipctlError where the PBX refuses the login; an unreachable one is told as `node.lost`, and tried again
 */
export async function* watchNode(watch: Watch): AsyncGenerator<LiveEvent[], void, undefined> {
  const { node, signal, now } = watch;
  const live = { calls: new CallTable(node, watch.parties), standings: new Standings(node, watch.parties) };
  let boot: string | null = null;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const plane = await watch.open(signal);
      failures = 0;
      const leave = (): void => void plane.close();
      signal.addEventListener('abort', leave, { once: true });
      try {
        watch.onSession?.(plane);
        if (boot !== null && boot !== plane.boot) yield [nodeEvent('node.restarted', node, now(), null)];
        boot = plane.boot;
        yield* session(plane, live, watch);
      } finally {
        watch.onSession?.(null);
        signal.removeEventListener('abort', leave);
        await plane.close();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SipctlError) || error.outcome !== 'unreachable') throw error;
      yield [nodeEvent('node.lost', node, now(), error.message)];
    }
    const longest = Math.min(longestPause, firstPause * 2 ** failures);
    failures += 1;
    await watch.sleep(Math.round(longest * (0.5 + watch.random() / 2)), signal).catch(() => undefined);
  }
}

interface Live {
  calls: CallTable;
  standings: Standings;
}

/** Something the PBX was asked: what it says is compared with what is known, once all that was told before it is known, too. */
interface Asked {
  answer: Promise<null>;
  isThere: boolean;
  settle: () => LiveEvent[];
}

async function* session(
  plane: ControlPlane,
  live: Live,
  watch: Watch,
): AsyncGenerator<LiveEvent[], void, undefined> {
  const changes = plane.changes();
  let asked: Asked | null = askAll(plane, live, watch);
  let isStale = false;
  for (let next = changes.next(); ; ) {
    // What was told before the answer came is in the queue by then: a turn of the event loop without a change empties it.
    const first = await (asked === null
      ? next
      : Promise.race([next, asked.isThere ? turn(null) : asked.answer]));
    if (first !== null) {
      if (first.done === true) return;
      const events = taken(first.value, live);
      if (events.length > 0) yield events;
      isStale ||= first.value.some(({ kind }) => kind === 'reloaded');
      next = changes.next();
    } else if (asked?.isThere === false) asked.isThere = true;
    else {
      if (asked !== null) yield asked.settle();
      asked = null;
    }
    if (asked === null && isStale) {
      isStale = false;
      asked = askStandings(plane, live, watch);
    }
  }
}

const taken = (changes: readonly LiveChange[], { calls, standings }: Live): LiveEvent[] =>
  changes.flatMap((change) => {
    if (change.kind === 'reloaded') return [];
    return change.kind === 'leg' || change.kind === 'leg-ended'
      ? calls.apply(change)
      : standings.apply(change);
  });

/** Everything there is, at the beginning of a session. */
function askAll(plane: ControlPlane, { calls, standings }: Live, { node, now }: Watch): Asked {
  calls.begin();
  standings.begin();
  return asking(Promise.all([plane.legs(), plane.standings()]), ([legs, { trunks, users }]) => {
    const at = now();
    return [
      ...calls.settle(legs, at),
      ...standings.settle(trunks, users, at),
      nodeEvent('node.connected', node, at, null),
    ];
  });
}

function askStandings(plane: ControlPlane, { standings }: Live, { now }: Watch): Asked {
  standings.begin();
  return asking(plane.standings(), ({ trunks, users }) => standings.settle(trunks, users, now()));
}

function asking<T>(question: Promise<T>, settled: (answer: T) => LiveEvent[]): Asked {
  let settle: () => LiveEvent[] = () => [];
  const answer = question.then((value) => {
    settle = () => settled(value);
    return null;
  });
  return { answer, isThere: false, settle: () => settle() };
}

const nodeEvent = (
  event: 'node.connected' | 'node.lost' | 'node.restarted',
  node: string,
  at: number,
  detail: string | null,
): LiveEvent => ({ event, at, node, detail });
