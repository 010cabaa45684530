import type { LegFacts, LiveChange } from '../../../model/live/changes.ts';
import type { AmiMessage } from '../ami/codec.ts';
import {
  codecIn,
  countIn,
  endpointOf,
  identityOf,
  isParty,
  isPlaceOfHeld,
  isUp,
  known,
  localPair,
  numberDialled,
} from './channel.ts';
import { qualityIn } from './quality.ts';

interface Seen {
  facts: Partial<LegFacts>;
  /** Halves of Local channels are followed, and not told. */
  isTold: boolean;
  pair: string | null;
  /** The Linkedid that was said last; a call that was joined with another one is told by that one's. */
  linked: string;
  bridge: string | null;
  /** Its number is the one that was dialled over a trunk, which is better than what Asterisk then shows in its place. */
  isDialled: boolean;
  /** Status of SIP with which the other side ended it, or refused. */
  sip: number | null;
}

/** A channel as a snapshot shows it. */
export interface SeenChannel {
  facts: LegFacts;
  bridge: string | null;
}

interface ChannelEventsOptions {
  /** Is asked to find out the codec of a channel that was answered; the answer comes as an event `Status`. */
  onAnswer?: (id: string) => void;
}

/**
 * What Asterisk's events say of channels, as changes of legs: one pass, no questions, so that it keeps up with thousands
 * a second.
 *
 * ```
 * Newchannel ─ DialBegin ─ Newstate ─ BridgeEnter ─ Hold, Unhold ─ BridgeLeave ─ HangupRequest ─ Hangup
 *   Linkedid: what belongs to one call          └ joins calls: a transfer        └ status of SIP
 * ```
 */
export class ChannelEvents {
  readonly #channels = new Map<string, Seen>();
  /** Members by the bridge's id. */
  readonly #bridges = new Map<string, Set<string>>();
  readonly #options: ChannelEventsOptions;
  /** From a snapshot on, there is no channel that is not known. */
  #isComplete = false;

  constructor(options: ChannelEventsOptions = {}) {
    this.#options = options;
  }

  /** Channels that are followed. */
  get size(): number {
    return this.#channels.size;
  }

  /** `at` is in milliseconds since 1970. */
  take(event: AmiMessage, at: number): LiveChange[] {
    switch (event.get('Event')) {
      case 'Newchannel':
        return this.#newChannel(event, at);
      case 'Newstate':
        return this.#change(event, at, this.#stateOf(event, at));
      case 'NewCallerid':
      case 'NewAccountCode':
      case 'NewConnectedLine':
      case 'MixMonitorMute':
        return this.#change(event, at, {});
      case 'DialBegin':
        return this.#dialled(event, at);
      case 'BridgeEnter':
        return this.#enter(event, at);
      case 'BridgeLeave':
        this.#leave(event.get('Uniqueid') ?? '');
        return this.#change(event, at, {});
      case 'Hold':
        return this.#change(event, at, { state: 'held' });
      case 'Unhold':
        return this.#change(event, at, { state: 'answered' });
      case 'MusicOnHoldStart':
        return isPlaceOfHeld(event.get('Context')) ? this.#change(event, at, { state: 'held' }) : [];
      case 'MusicOnHoldStop':
        return isPlaceOfHeld(event.get('Context')) ? this.#change(event, at, { state: 'answered' }) : [];
      case 'MixMonitorStart':
        return this.#change(event, at, { recorded: true });
      case 'MixMonitorStop':
        return this.#change(event, at, { recorded: false });
      case 'Status':
        return this.#status(event, at);
      case 'HangupRequest':
        return this.#requested(event);
      case 'Hangup':
        return this.#ended(event, at);
      default:
        return [];
    }
  }

  /** Takes over what a snapshot says of channels whose beginning was not seen. */
  adopt(channels: readonly SeenChannel[]): void {
    const there = new Set(channels.map(({ facts }) => facts.id));
    for (const [id, { facts }] of this.#channels) {
      if (facts.startedAt === undefined && !there.has(id)) this.#forget(id);
    }
    for (const { facts, bridge } of channels) {
      const { id, channel, callId } = facts;
      const seen = this.#channels.get(id) ?? fresh(channel, callId);
      seen.facts = { ...facts, ...seen.facts };
      this.#channels.set(id, seen);
      if (bridge !== null && seen.bridge === null) this.#join(id, bridge);
    }
    this.#isComplete = true;
  }

  #newChannel(event: AmiMessage, at: number): LiveChange[] {
    const id = event.get('Uniqueid') ?? '';
    const channel = event.get('Channel') ?? '';
    const seen = fresh(channel, event.get('Linkedid') ?? '');
    this.#channels.set(id, seen);
    if (!seen.isTold) return [];
    // A channel that begins with `Ring` is one that called; those that are called begin with `Down`.
    const came = event.get('ChannelState') === '4' || event.get('ChannelStateDesc') === 'Ring';
    const facts: LegFacts = {
      id,
      ...identityOf(event),
      channel,
      way: came ? 'in' : 'out',
      endpoint: endpointOf(channel),
      dialled: came ? known(event.get('Exten')) : null,
      state: isUp(event) ? 'answered' : 'ringing',
      codec: null,
      startedAt: at,
      answeredAt: isUp(event) ? at : null,
      recorded: false,
    };
    seen.facts = { ...facts };
    return [{ kind: 'leg', id, at, facts }];
  }

  #stateOf(event: AmiMessage, at: number): Partial<LegFacts> {
    if (!isUp(event)) return {};
    const id = event.get('Uniqueid') ?? '';
    if (this.#channels.get(id)?.facts.answeredAt) return {};
    if (isParty(event.get('Channel') ?? '')) this.#options.onAnswer?.(id);
    return { state: 'answered', answeredAt: at };
  }

  /** Tells what differs from what is known. */
  #change(event: AmiMessage, at: number, more: Partial<LegFacts>): LiveChange[] {
    const id = event.get('Uniqueid');
    if (id === undefined) return [];
    const seen = this.#channels.get(id) ?? this.#met(id, event);
    if (seen === null) return [];
    const { callId, number, account, name } = identityOf(event);
    const facts: Partial<LegFacts> = { account, name, ...more };
    if (number !== null && !seen.isDialled) facts.number = number;
    const moved = callId !== seen.linked && callId !== '';
    if (moved) seen.linked = callId;
    // What joined a call through a Local channel stays there, though Asterisk says otherwise.
    if (moved || seen.facts.callId === undefined) facts.callId = seen.linked;
    const others = moved && seen.pair !== null ? this.#joinHalves(seen, callId, at) : [];
    return [...others, ...this.#tell(id, seen, facts, at)];
  }

  // Of a channel that was there before us all that is known is what its event says: the snapshot says the rest.
  #met(id: string, event: AmiMessage): Seen | null {
    if (this.#isComplete) return null;
    const seen = fresh(event.get('Channel') ?? '', event.get('Linkedid') ?? '');
    this.#channels.set(id, seen);
    return seen;
  }

  #forget(id: string): void {
    this.#leave(id);
    this.#channels.delete(id);
  }

  #tell(id: string, seen: Seen, facts: Partial<LegFacts>, at: number): LiveChange[] {
    const news: Partial<LegFacts> = {};
    let isNews = false;
    for (const key of Object.keys(facts) as (keyof LegFacts)[]) {
      if (seen.facts[key] === facts[key]) continue;
      news[key] = facts[key] as never;
      isNews = true;
    }
    if (!isNews) return [];
    Object.assign(seen.facts, news);
    return seen.isTold ? [{ kind: 'leg', id, at, facts: news }] : [];
  }

  #dialled(event: AmiMessage, at: number): LiveChange[] {
    const number = numberDialled(event.get('DialString'));
    const id = event.get('DestUniqueid') ?? '';
    const seen = this.#channels.get(id);
    if (number === null || seen === undefined) return [];
    seen.isDialled = true;
    return this.#tell(id, seen, { number }, at);
  }

  #enter(event: AmiMessage, at: number): LiveChange[] {
    const id = event.get('Uniqueid') ?? '';
    const bridge = event.get('BridgeUniqueid') ?? '';
    // Only who enters is told of with its new Linkedid: everybody else in the bridge has it, too, from here on.
    const changes = this.#change(event, at, {});
    this.#join(id, bridge);
    const linked = event.get('Linkedid') ?? '';
    // Members of a conference stay calls of their own.
    if (event.get('BridgeType') !== 'basic') return changes;
    for (const member of this.#bridges.get(bridge) ?? []) {
      const seen = this.#channels.get(member);
      if (member === id || seen === undefined || seen.linked === linked) continue;
      seen.linked = linked;
      if (seen.pair !== null) changes.push(...this.#joinHalves(seen, linked, at));
      changes.push(...this.#tell(member, seen, { callId: linked }, at));
    }
    return changes;
  }

  // The other half is in a bridge of its own, and Asterisk leaves it, and everybody there, in the call that it was in.
  #joinHalves(half: Seen, linked: string, at: number): LiveChange[] {
    const changes: LiveChange[] = [];
    for (const [id, other] of this.#channels) {
      if (other === half || other.pair !== half.pair || other.linked === linked) continue;
      other.linked = linked;
      for (const member of this.#bridges.get(other.bridge ?? '') ?? []) {
        const seen = this.#channels.get(member);
        if (member !== id && seen !== undefined)
          changes.push(...this.#tell(member, seen, { callId: linked }, at));
      }
    }
    return changes;
  }

  #join(id: string, bridge: string): void {
    this.#leave(id);
    const seen = this.#channels.get(id);
    if (seen === undefined || bridge === '') return;
    seen.bridge = bridge;
    const members = this.#bridges.get(bridge);
    if (members === undefined) this.#bridges.set(bridge, new Set([id]));
    else members.add(id);
  }

  #leave(id: string): void {
    const seen = this.#channels.get(id);
    if (seen === undefined || seen.bridge === null) return;
    const members = this.#bridges.get(seen.bridge);
    members?.delete(id);
    if (members?.size === 0) this.#bridges.delete(seen.bridge);
    seen.bridge = null;
  }

  #status(event: AmiMessage, at: number): LiveChange[] {
    const id = event.get('Uniqueid') ?? '';
    const seen = this.#channels.get(id);
    const codec = codecIn(event.get('Nativeformats'));
    return seen === undefined || codec === null ? [] : this.#tell(id, seen, { codec }, at);
  }

  #requested(event: AmiMessage): LiveChange[] {
    const seen = this.#channels.get(event.get('Uniqueid') ?? '');
    if (seen !== undefined) seen.sip ??= countIn(event, 'TechCause');
    return [];
  }

  #ended(event: AmiMessage, at: number): LiveChange[] {
    const id = event.get('Uniqueid') ?? '';
    const seen = this.#channels.get(id) ?? fresh(event.get('Channel') ?? '', '');
    this.#forget(id);
    if (!seen.isTold) return [];
    const end = {
      q850: countIn(event, 'Cause'),
      sip: seen.sip ?? countIn(event, 'TechCause'),
      text: event.get('Cause-txt') ?? '',
    };
    return [{ kind: 'leg-ended', id, at, end, quality: qualityIn(event) }];
  }
}

const fresh = (channel: string, linked: string): Seen => ({
  facts: {},
  isTold: isParty(channel),
  pair: localPair(channel),
  linked,
  bridge: null,
  isDialled: false,
  sip: null,
});
