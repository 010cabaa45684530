import type { LegFacts, LiveChange } from '../../../model/live/changes.ts';
import { type EslEvent, wantedHeaders } from '../esl/codec.ts';
import { CallIds, sourceOf } from './call-ids.ts';
import {
  type ChannelText,
  channelHeaders,
  endOf,
  heldVariable,
  isLoopback,
  millis,
  origin,
  ownFacts,
  qualityOf,
  standing,
} from './channel.ts';

/** The events that tell all there is to know of channels. */
export const channelEvents = [
  'CHANNEL_CREATE',
  'CHANNEL_ANSWER',
  'CHANNEL_BRIDGE',
  'CHANNEL_HOLD',
  'CHANNEL_UNHOLD',
  'CHANNEL_HANGUP_COMPLETE',
  'RECORD_START',
  'RECORD_STOP',
] as const;

const wanted = wantedHeaders(channelHeaders);

/** The event of sipctl's own that says that a channel waits with music, or does so no more. */
export const heldEvent = 'sipctl::held';

/** What was told of a channel that is there. */
interface Told {
  /** `Event-Sequence` of the last one: threads overtake each other on their way to the socket. */
  sequence: number;
  /** False of a leg that came in, as long as the dialplan has not found out whose it is. */
  isPlaced: boolean;
  /** Its beginning, held back until it is known whose it is: else nobody who watches a tenant would be told of it. */
  untold: Extract<LiveChange, { kind: 'leg' }> | null;
  /** Files that are recorded to now. */
  recordings: Set<string>;
}

/** A dump with the id it was asked for. */
export interface Dump {
  channel: ChannelText;
  /** Files that are recorded to now. */
  recordings: readonly string[];
}

/** Makes changes of calls out of what FreeSWITCH tells of its channels. It keeps a few words of each that is there. */
export class ChannelChanges {
  readonly #calls = new CallIds();
  readonly #told = new Map<string, Told>();
  /** Which ended last: what is on its way of them must not bring them back. */
  readonly #ended = new Set<string>();

  /** Channels that are remembered. */
  get size(): number {
    return this.#calls.size;
  }

  read(event: EslEvent): LiveChange[] {
    event.pick(wanted);
    const id = event.get('Unique-ID');
    if (id === undefined || this.#ended.has(id)) return [];
    const name = event.name;
    if (name === 'CUSTOM') return this.#held(id, event);
    const at = millis(event.get('Event-Date-Timestamp')) ?? 0;
    if (name === 'CHANNEL_HANGUP_COMPLETE') return this.#end(id, event, at);
    if (event.get('Answer-State') === 'hangup')
      return name === 'RECORD_STOP' ? this.#record(id, event, at) : [];
    if (isLoopback(event)) {
      this.#calls.add(id, event, startOf(event, at));
      return name === 'CHANNEL_BRIDGE' ? this.#bridge(event, at) : [];
    }
    if (!this.#told.has(id)) return [...this.#begin(id, event, at), ...this.#after(name, id, event, at)];
    return [...this.#update(id, event, at), ...this.#after(name, id, event, at)];
  }

  /** Takes in what is there; gives the legs that are to be told of. */
  take(dumps: readonly Dump[], at: number): LegFacts[] {
    const there = dumps.flatMap(({ channel, recordings }) => {
      const id = channel.get('Unique-ID') ?? '';
      return this.#ended.has(id) ? [] : [{ id, channel, recordings, startedAt: startOf(channel, at) }];
    });
    this.#calls.take(there);
    return there.flatMap(({ id, channel, recordings }) => {
      if (isLoopback(channel) || channel.get('Answer-State') === 'hangup') return [];
      const facts = ownFacts(channel, at);
      if (!this.#told.has(id)) this.#told.set(id, newTold(0, facts.way === 'out' || facts.endpoint !== null));
      const told = this.#told.get(id);
      for (const file of recordings) told?.recordings.add(file);
      return [{ ...facts, callId: this.#calls.of(id) ?? id, recorded: recordings.length > 0 }];
    });
  }

  // FreeSWITCH tells of phones that hold only.
  #held(id: string, event: EslEvent): LiveChange[] {
    const at = millis(event.get('Event-Date-Timestamp')) ?? 0;
    if (!this.#told.has(id)) return [];
    const state = event.get(heldVariable) === 'true' ? 'held' : 'answered';
    return [{ kind: 'leg', id, at, facts: { id, state } }];
  }

  #begin(id: string, event: EslEvent, at: number): LiveChange[] {
    const own = ownFacts(event, at);
    const callId = this.#calls.add(id, event, own.startedAt);
    const isPlaced = own.way === 'out' || own.endpoint !== null;
    const told = newTold(sequenceOf(event), isPlaced);
    this.#told.set(id, told);
    const begun = { kind: 'leg', id, at, facts: { ...own, callId, recorded: false } } as const;
    if (isPlaced || event.name !== 'CHANNEL_CREATE') return [...this.#placeCaller(event, at), begun];
    told.untold = begun;
    return [];
  }

  // What a leg brings forth carries what the dialplan found out of the caller.
  #placeCaller(event: EslEvent, at: number): LiveChange[] {
    const source = sourceOf(event);
    return source === null || this.#told.get(source)?.isPlaced !== false
      ? []
      : this.#place(source, event, at);
  }

  /** What is now known of whose leg this is, with its beginning where that was held back. */
  #place(id: string, channel: ChannelText, at: number): LiveChange[] {
    const told = this.#told.get(id);
    if (told === undefined || told.isPlaced) return [];
    const { user, trunk, account } = origin(channel);
    const { untold } = told;
    told.untold = null;
    told.isPlaced = user !== null || trunk !== null;
    const whose = { endpoint: user ?? trunk, account };
    if (untold !== null) return [{ ...untold, facts: { ...untold.facts, ...whose } }];
    return told.isPlaced ? [{ kind: 'leg', id, at, facts: { id, ...whose } }] : [];
  }

  #update(id: string, event: EslEvent, at: number): LiveChange[] {
    const told = this.#told.get(id) as Told;
    const sequence = sequenceOf(event);
    if (sequence < told.sequence) return [];
    told.sequence = sequence;
    const facts = { id, ...standing(event, at) };
    return [...this.#place(id, event, at), { kind: 'leg', id, at, facts }];
  }

  #after(name: string, id: string, event: EslEvent, at: number): LiveChange[] {
    if (name === 'CHANNEL_BRIDGE') return this.#bridge(event, at);
    if (name === 'RECORD_START' || name === 'RECORD_STOP') return this.#record(id, event, at);
    return [];
  }

  #bridge(event: EslEvent, at: number): LiveChange[] {
    const [a, b] = [event.get('Bridge-A-Unique-ID'), event.get('Bridge-B-Unique-ID')];
    const joined = a === undefined || b === undefined ? null : this.#calls.join(a, b);
    if (joined === null || !this.#told.has(joined.id)) return [];
    const { id, callId } = joined;
    return [{ kind: 'leg', id, at, facts: { id, callId } }];
  }

  #record(id: string, event: EslEvent, at: number): LiveChange[] {
    const told = this.#told.get(id);
    const file = event.get('Record-File-Path');
    if (told === undefined || file === undefined) return [];
    if (event.name === 'RECORD_START') told.recordings.add(file);
    else told.recordings.delete(file);
    return [{ kind: 'leg', id, at, facts: { id, recorded: told.recordings.size > 0 } }];
  }

  #end(id: string, event: EslEvent, at: number): LiveChange[] {
    const placed = this.#place(id, event, at);
    const unseen = this.#told.has(id) || isLoopback(event) ? {} : { facts: this.#unseen(id, event, at) };
    this.#calls.remove(id);
    this.#told.delete(id);
    this.#forget(id);
    if (isLoopback(event)) return [];
    const ended = { kind: 'leg-ended', id, at, end: endOf(event), quality: qualityOf(event) } as const;
    return [...placed, { ...ended, ...unseen }];
  }

  /** What the end of a leg says of it all, where nothing was told of it before. */
  #unseen(id: string, event: EslEvent, at: number): LegFacts {
    const own = ownFacts(event, at);
    const { user, trunk, account } = origin(event);
    const whose = own.endpoint === null ? { endpoint: user ?? trunk, account } : {};
    const answeredAt = millis(event.get('Caller-Channel-Answered-Time'));
    const codec = event.get('variable_rtp_use_codec_name') ?? null;
    const talk = answeredAt === null ? {} : ({ state: 'answered', answeredAt, codec } as const);
    return { ...own, ...whose, ...talk, callId: this.#calls.add(id, event, own.startedAt), recorded: false };
  }

  #forget(id: string): void {
    this.#ended.add(id);
    if (this.#ended.size <= remembered) return;
    const [oldest] = this.#ended;
    if (oldest !== undefined) this.#ended.delete(oldest);
  }
}

/** Ended channels; more than end in the time that an event takes through FreeSWITCH's queues. */
const remembered = 4096;

const newTold = (sequence: number, isPlaced: boolean): Told => ({
  ...{ sequence, isPlaced, untold: null },
  recordings: new Set(),
});

const sequenceOf = (event: EslEvent): number => Number(event.get('Event-Sequence') ?? 0);

const startOf = (channel: ChannelText, at: number): number =>
  millis(channel.get('Caller-Channel-Created-Time')) ?? at;
