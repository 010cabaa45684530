import type { LegFacts, LiveChange, TrunkFacts, UserFacts } from '../../../model/live/changes.ts';
import type { EventStream } from '../../control/event-queue.ts';
import type {
  CallingUser,
  ChannelRef,
  ConferenceChange,
  ConferenceRef,
  ControlPlane,
  DialledTarget,
  Inviting,
  LiveConference,
  Originated,
  Spying,
  SpyRequest,
} from '../../control-plane.ts';
import type { Engine } from '../../target.ts';
import type { AmiMessage } from '../ami/codec.ts';
import type { AmiConnection } from '../ami/connection.ts';
import { ChannelEvents } from './channel-events.ts';
import { CodecQuestions } from './codec-questions.ts';
import { changeConference, conferences, invite } from './conferences.ts';
import { Hands } from './hands.ts';
import { answer, hold, unhold } from './holding.ts';
import { originate } from './originate.ts';
import { park } from './parking.ts';
import { pauseRecording, startRecording, stopRecording } from './recording.ts';
import { channelsOf, legsAmong } from './snapshot.ts';
import { spy } from './spying.ts';
import { StandingEvents } from './standing-events.ts';
import { attendedTransfer, transfer } from './transfer.ts';
import { dtmf, hangup, mute } from './verbs.ts';

/** What `openControl` has opened. */
export interface OpenedSession {
  ami: AmiConnection;
  user: string;
  engine: Engine;
  boot: string;
  /** Events since the login; null where nobody asked for them. */
  stream: EventStream<AmiMessage> | null;
  /** What was taken from the stream already. */
  early: Promise<IteratorResult<AmiMessage>>[];
}

/** One session at a manager interface: its events as changes, and the verbs. */
export class AsteriskControl implements ControlPlane {
  readonly engine: Engine;
  readonly boot: string;
  readonly #session: OpenedSession;
  readonly #hands: Hands;
  readonly #channels: ChannelEvents;
  readonly #standings = new StandingEvents();

  constructor(session: OpenedSession) {
    this.engine = session.engine;
    this.boot = session.boot;
    this.#session = session;
    this.#hands = new Hands(session.ami, session.user);
    const codecs = new CodecQuestions(session.ami);
    this.#channels = new ChannelEvents({ onAnswer: (id) => codecs.ask(id) });
  }

  async legs(): Promise<LegFacts[]> {
    const channels = await channelsOf(this.#session.ami, Date.now);
    this.#channels.adopt(channels);
    return legsAmong(channels);
  }

  standings(): Promise<{ trunks: TrunkFacts[]; users: UserFacts[] }> {
    return this.#standings.load(this.#session.ami);
  }

  async *changes(): AsyncGenerator<LiveChange[], void, undefined> {
    const { stream, early } = this.#session;
    if (stream === null) throw new TypeError('the session was opened without events');
    try {
      for (;;) {
        const { done, value } = await (early.shift() ?? stream.next());
        if (done === true) return;
        const changes = this.#changesOf(value);
        // While somebody waits for the next event, none is laid up.
        const more = early.length === 0 ? stream.takeAll() : [];
        for (const event of more) changes.push(...this.#changesOf(event));
        if (changes.length > 0) yield changes;
      }
    } finally {
      await stream.return?.();
    }
  }

  #changesOf(event: AmiMessage): LiveChange[] {
    const at = Date.now();
    const changes = this.#channels.take(event, at);
    return changes.length > 0 ? changes : this.#standings.take(event, at);
  }

  hangup(leg: ChannelRef, q850: number): Promise<void> {
    return hangup(this.#hands, leg, q850);
  }

  originate(request: {
    user: CallingUser;
    to: string;
    signal?: AbortSignal | undefined;
  }): Promise<Originated> {
    return originate(this.#hands, request);
  }

  hold(leg: ChannelRef, other: ChannelRef | null): Promise<void> {
    return hold(this.#hands, leg, other);
  }

  unhold(leg: ChannelRef, other: ChannelRef | null): Promise<void> {
    return unhold(this.#hands, leg, other);
  }

  mute(leg: ChannelRef, on: boolean): Promise<void> {
    return mute(this.#hands, leg, on);
  }

  transfer(leg: ChannelRef, to: DialledTarget): Promise<void> {
    return transfer(this.#hands, leg, to);
  }

  attendedTransfer(leg: ChannelRef, other: ChannelRef, to: DialledTarget): Promise<void> {
    return attendedTransfer(this.#hands, leg, other, to);
  }

  park(leg: ChannelRef, options: { seconds: number }): Promise<{ slot: string }> {
    return park(this.#hands, leg, options);
  }

  dtmf(leg: ChannelRef, digits: string): Promise<void> {
    return dtmf(this.#hands, leg, digits);
  }

  spy(request: SpyRequest): Promise<Spying> {
    return spy(this.#hands, request);
  }

  answer(leg: ChannelRef): Promise<void> {
    return answer(this.#hands, leg);
  }

  reject(leg: ChannelRef, q850: number): Promise<void> {
    return hangup(this.#hands, leg, q850);
  }

  startRecording(leg: ChannelRef, path: string): Promise<void> {
    return startRecording(this.#hands, leg, path);
  }

  stopRecording(leg: ChannelRef): Promise<void> {
    return stopRecording(this.#hands, leg);
  }

  pauseRecording(leg: ChannelRef, on: boolean): Promise<void> {
    return pauseRecording(this.#hands, leg, on);
  }

  conferences(): Promise<LiveConference[]> {
    return conferences(this.#hands);
  }

  changeConference(conference: ConferenceRef, change: ConferenceChange): Promise<void> {
    return changeConference(this.#hands, conference, change);
  }

  invite(conference: ConferenceRef, to: DialledTarget, options: Inviting): Promise<Originated> {
    return invite(this.#hands, conference, to, options);
  }

  close(): Promise<void> {
    return this.#session.ami.close();
  }
}
