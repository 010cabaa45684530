import type { Call, CallEnd } from './call.ts';
import type { LegFacts, LiveChange } from './changes.ts';
import type { CallEvent } from './events.ts';
import { type EndedLeg, type JoinedCall, type KnownLeg, learn, newCall, view } from './joined-call.ts';
import type { Parties } from './party.ts';

type LegChange = Extract<LiveChange, { kind: 'leg' | 'leg-ended' }>;

interface Entry {
  joined: JoinedCall;
  /** As it was told last; null where nobody was told so far. */
  told: Call | null;
}

type EndedChange = Extract<LiveChange, { kind: 'leg-ended' }>;

interface Since {
  heard: Map<string, Partial<LegFacts>>;
  ended: Set<string>;
  /** They began while there was no connection, and no snapshot will tell of them. */
  unknown: (EndedChange & { facts: LegFacts })[];
}

/**
 * All calls of one PBX, made of what happens to its channels. It outlives connections: after one was lost, `begin`, the
 * changes of the new one, and `settle` with what the PBX has then bring it up to date, and every call is told to have ended
 * exactly once, whether anybody saw it end or not.
 *
 *   begin ─ apply … ─ settle(snapshot) ─ apply … ─╮ connection lost
 *     ╰───────────────────────────────────────────╯
 */
export class CallTable {
  readonly #node: string;
  readonly #parties: Parties;
  readonly #legs = new Map<string, { known: KnownLeg; entry: Entry }>();
  readonly #entries = new Map<string, Entry>();
  /** What was heard of channels since `begin`: the snapshot may have been made before, and not know of it. */
  #since: Since | null = null;
  #isSettled = false;

  constructor(node: string, parties: Parties) {
    this.#node = node;
    this.#parties = parties;
  }

  /** Every call that runs. */
  calls(): Call[] {
    return [...this.#entries.values()].map(({ joined }) => view(joined, null));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A new connection: what is applied from here on happened before, while, or after the snapshot was made. */
  begin(): void {
    this.#since = { heard: new Map(), ended: new Set(), unknown: [] };
  }

  /** Takes one change in; gives what is to be told of it. */
  apply(change: LegChange): CallEvent[] {
    if (change.kind === 'leg-ended') {
      this.#since?.ended.add(change.id);
      if (this.#legs.has(change.id)) return this.#end(change);
      if (change.facts !== undefined) this.#since?.unknown.push({ ...change, facts: change.facts });
      return [];
    }
    this.#since?.heard.set(change.id, { ...this.#since.heard.get(change.id), ...change.facts });
    return this.#update(change.id, change.facts, change.at, false);
  }

  /** Brings the table to what the PBX has now. */
  settle(snapshot: readonly LegFacts[], at: number): CallEvent[] {
    const { heard, ended, unknown } = this.#since ?? { heard: new Map(), ended: new Set(), unknown: [] };
    this.#since = null;
    const events: CallEvent[] = [];
    const there = new Set(snapshot.map(({ id }) => id));
    for (const id of [...this.#legs.keys()]) {
      if (!there.has(id) && !heard.has(id)) events.push(...this.#vanish(id, at));
    }
    for (const facts of [...snapshot].sort(byBeginning)) {
      if (ended.has(facts.id)) continue;
      const latest = { ...facts, ...heard.get(facts.id) };
      events.push(...this.#update(facts.id, latest, at, !this.#isSettled));
    }
    // After the snapshot: another leg of the same call may be there still.
    if (this.#isSettled) events.push(...this.#passed(unknown));
    this.#isSettled = true;
    return onceEach(events);
  }

  /** Calls that began and ended unseen: all their legs are known before the first one leaves. */
  #passed(legs: Since['unknown']): CallEvent[] {
    const begun = legs.toSorted((one, other) => byBeginning(one.facts, other.facts));
    return [
      ...begun.flatMap(({ id, facts, at }) => this.#update(id, facts, at, false)),
      ...legs.flatMap((leg) => this.#end(leg)),
    ];
  }

  #end({ id, at, end, quality }: EndedChange): CallEvent[] {
    const facts = this.#legs.get(id)?.known.facts;
    if (facts === undefined) return [];
    return this.#remove(id, { way: facts.way, answered: facts.state !== 'ringing', end, quality }, at);
  }

  #vanish(id: string, at: number): CallEvent[] {
    const facts = this.#legs.get(id)?.known.facts;
    if (facts === undefined) return [];
    const gone: Omit<EndedLeg, 'known'> = {
      way: facts.way,
      answered: facts.state !== 'ringing',
      end: notSeen,
      quality: null,
    };
    return this.#remove(id, gone, at);
  }

  #update(id: string, facts: Partial<LegFacts>, at: number, isPresent: boolean): CallEvent[] {
    const before = this.#legs.get(id);
    const merged = before === undefined ? complete(facts) : { ...before.known.facts, ...facts };
    // A channel whose beginning was not seen is told by the next snapshot.
    if (merged === null) return [];
    const known = { facts: merged, party: this.#partyOf(merged, before?.known) };
    const events: CallEvent[] = [];
    const moved = before !== undefined && before.entry.joined.id !== merged.callId;
    const entry = before === undefined || moved ? this.#entryOf(merged.callId, known) : before.entry;
    if (moved) {
      before.entry.joined.legs.delete(id);
      events.push(
        ...this.#tellRest(before.entry, at, { q850: null, sip: null, text: `joined ${merged.callId}` }),
      );
    }
    entry.joined.legs.set(id, known);
    this.#legs.set(id, { known, entry });
    learn(entry.joined, known);
    events.push(...this.#tell(entry, at, isPresent));
    return events;
  }

  #partyOf(facts: LegFacts, before: KnownLeg | undefined): KnownLeg['party'] {
    if (before !== undefined && before.facts.endpoint === facts.endpoint) return before.party;
    return facts.endpoint === null ? null : this.#parties.find(facts.endpoint);
  }

  #entryOf(callId: string, first: KnownLeg): Entry {
    const found = this.#entries.get(callId);
    if (found !== undefined) return found;
    const entry: Entry = { joined: newCall(callId, this.#node, first), told: null };
    this.#entries.set(callId, entry);
    return entry;
  }

  #remove(id: string, gone: Omit<EndedLeg, 'known'>, at: number): CallEvent[] {
    const held = this.#legs.get(id);
    if (held === undefined) return [];
    this.#legs.delete(id);
    const { entry } = held;
    entry.joined.legs.delete(id);
    entry.joined.ended.push({ ...gone, known: held.known });
    return this.#tellRest(entry, at, null);
  }

  /** After a leg left: the call goes on with the others, or is over. */
  #tellRest(entry: Entry, at: number, end: CallEnd | null): CallEvent[] {
    const { joined, told } = entry;
    if (joined.legs.size > 0) {
      for (const leg of joined.legs.values()) learn(joined, leg);
      return this.#tell(entry, at, false);
    }
    this.#entries.delete(joined.id);
    const call = view(joined, at);
    return [this.#event('call.ended', at, told, end === null ? call : { ...call, end })];
  }

  #tell(entry: Entry, at: number, isPresent: boolean): CallEvent[] {
    const { told } = entry;
    const call = view(entry.joined, null);
    if (told !== null && isSame(told, call)) return [];
    entry.told = call;
    return [this.#event(isPresent ? 'call.present' : nameOf(told, call), at, told, call)];
  }

  #event(event: CallEvent['event'], at: number, told: Call | null, call: Call): CallEvent {
    return { event, at, node: this.#node, previous: told?.state ?? null, call };
  }
}

// The caller's channel says who called what: engines list channels in any order, and two may begin at the same time.
const byBeginning = (one: LegFacts, other: LegFacts): number =>
  Number(other.id === other.callId) - Number(one.id === one.callId) ||
  one.startedAt - other.startedAt ||
  Number(one.way === 'out') - Number(other.way === 'out');

/** A call that is there is told once, with all its legs. */
function onceEach(events: readonly CallEvent[]): CallEvent[] {
  const last = new Map(events.map((event) => [`${event.event} ${event.call.id}`, event]));
  return events.filter(
    (event) => event.event !== 'call.present' || last.get(`call.present ${event.call.id}`) === event,
  );
}

const notSeen: CallEnd = { q850: null, sip: null, text: 'not seen' };

function complete(facts: Partial<LegFacts>): LegFacts | null {
  return facts.callId === undefined || facts.channel === undefined || facts.startedAt === undefined
    ? null
    : (facts as LegFacts);
}

function nameOf(before: Call | null, { state }: Call): CallEvent['event'] {
  if (before?.state === state) return 'call.changed';
  if (state === 'answered' && before?.state === 'held') return 'call.resumed';
  return `call.${state}`;
}

/** True where nobody would care to be told. */
function isSame(a: Call, b: Call): boolean {
  return (
    a.state === b.state &&
    a.tenant === b.tenant &&
    a.trunk === b.trunk &&
    a.from === b.from &&
    a.to === b.to &&
    a.codec === b.codec &&
    a.recorded === b.recorded &&
    a.legs.length === b.legs.length &&
    a.legs.every((leg, at) => isSameLeg(leg, b.legs[at]))
  );
}

const isSameLeg = (a: Call['legs'][number], b: Call['legs'][number] | undefined): boolean =>
  a.id === b?.id && a.state === b.state && a.number === b.number && a.codec === b.codec;
