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

async function* session(
  plane: ControlPlane,
  { calls, standings }: Live,
  { node, now }: Watch,
): AsyncGenerator<LiveEvent[], void, undefined> {
  const take = (changes: readonly LiveChange[]): LiveEvent[] =>
    changes.flatMap((change) =>
      change.kind === 'leg' || change.kind === 'leg-ended' ? calls.apply(change) : standings.apply(change),
    );
  calls.begin();
  standings.begin();
  const changes = plane.changes();
  const asked = Promise.all([plane.legs(), plane.standings()]);
  let next = changes.next();
  for (let answered = false; ; ) {
    // What was told before the answer came is in the queue by then: a turn of the event loop without a change empties it.
    const first = await Promise.race([next, answered ? turn(null) : asked.then(() => null)]);
    if (first === null) {
      if (answered) break;
      answered = true;
    } else if (first.done === true) return;
    else {
      const events = take(first.value);
      if (events.length > 0) yield events;
      next = changes.next();
    }
  }
  const [legs, { trunks, users }] = await asked;
  const at = now();
  yield [
    ...calls.settle(legs, at),
    ...standings.settle(trunks, users, at),
    nodeEvent('node.connected', node, at, null),
  ];
  for (;;) {
    const { done, value } = await next;
    if (done === true) return;
    const events = take(value);
    if (events.length > 0) yield events;
    next = changes.next();
  }
}

const nodeEvent = (
  event: 'node.connected' | 'node.lost' | 'node.restarted',
  node: string,
  at: number,
  detail: string | null,
): LiveEvent => ({ event, at, node, detail });
