import type { LegFacts, LiveChange, TrunkFacts, UserFacts } from '../model/live/changes.ts';

/** One end of a running call, as the engine knows it. */
export interface ChannelRef {
  /** `LegFacts.id` */
  id: string;
  /** `LegFacts.channel` */
  channel: string;
}

/** A user whose phones are rung, and in whose name is dialled. */
export interface CallingUser {
  /** The name on the PBX: `ann@acme.sip.example`. */
  endpoint: string;
  tenant: string;
  username: string;
  extension: string;
  /** Seconds that the phones may ring. */
  ringSeconds: number;
}

/** Where a call is sent: what a user of the tenant would dial, an extension or a number in E.164. */
export interface DialledTarget {
  tenant: string;
  dialled: string;
}

/** What became of a call that was asked for. */
export interface Originated {
  /** True once the phone was picked up; the number is dialled then, and its progress is that of any call. */
  answered: boolean;
  callId: string | null;
  /** Where it was not answered. */
  q850: number | null;
  sip: number | null;
  text: string;
}

/** `listen`: nobody hears the supervisor; `whisper`: only the party at `leg` does; `barge`: both do. */
export type SpyMode = 'listen' | 'whisper' | 'barge';

export interface SpyRequest {
  supervisor: CallingUser;
  leg: ChannelRef;
  mode: SpyMode;
  /** Ends the ringing; who has picked up is taken off by `stop`. */
  signal?: AbortSignal;
}

/** How somebody is called into a conference. */
export interface Inviting {
  ringSeconds: number;
  /** Ends the ringing. */
  signal?: AbortSignal;
}

/** A supervisor on a call. */
export interface Spying {
  /** The supervisor's own channel. */
  id: string;
  /** Settles when it is over, by whomever: seconds that the supervisor was on it. */
  ended: Promise<number>;
  stop(): Promise<void>;
}

export interface LiveMember {
  /** As the verbs of conferences take it: the channel on Asterisk, the member's number on FreeSWITCH. */
  id: string;
  /** `LegFacts.id` */
  leg: string;
  number: string | null;
  name: string | null;
  role: 'moderator' | 'participant';
  muted: boolean;
  talking: boolean;
  /** Seconds since 1970, in milliseconds; null where the engine does not tell. */
  joinedAt: number | null;
}

export interface LiveConference {
  tenant: string;
  /** As the noun `conference` has it. */
  name: string;
  locked: boolean;
  recorded: boolean;
  members: readonly LiveMember[];
}

export interface ConferenceRef {
  tenant: string;
  name: string;
}

export type ConferenceChange =
  | { verb: 'mute' | 'unmute' | 'kick'; member: string }
  | { verb: 'lock' | 'unlock' }
  /** `path` as for a call. */
  | { verb: 'record'; path: string }
  | { verb: 'stop-recording' };

/**
 * One session at a running PBX: what goes on there, and the verbs. Every verb answers with what the engine did, which it
 * is asked for afterwards, because both engines say "success" to what they do not do.
 *
 * All verbs throw SipctlError: `notFound` where the channel, call or conference is not there (any more), `refused` where the
 * engine cannot do it or its account may not (with the reason), `failed` where it was tried and did not come about,
 * `unreachable` where the connection was lost.
 */
export interface ControlPlane {
  /** As `Engine` of a target that is connected. */
  readonly engine: { kind: string; version: string };
  /** Another word means that the engine was restarted. */
  readonly boot: string;
  /** Every channel there is now. */
  legs(): Promise<LegFacts[]>;
  /** How every trunk stands now, and which users have phones registered. */
  standings(): Promise<{ trunks: TrunkFacts[]; users: UserFacts[] }>;
  /**
   * Everything from the opening of the session on, in order, as much at a time as is there. Throws where the connection is
   * lost.
   */
  changes(): AsyncIterableIterator<LiveChange[]>;

  /** Ends one channel, and with it a call of two. */
  hangup(leg: ChannelRef, q850: number): Promise<void>;
  /** Rings the user's phones, and dials for the user once one is picked up. Answers when that is decided. */
  originate(request: {
    user: CallingUser;
    to: string;
    signal?: AbortSignal | undefined;
  }): Promise<Originated>;
  /** The held party hears music. `other` is the party that holds. */
  hold(leg: ChannelRef, other: ChannelRef | null): Promise<void>;
  unhold(leg: ChannelRef, other: ChannelRef | null): Promise<void>;
  /** Silences what the party at this leg says. */
  mute(leg: ChannelRef, on: boolean): Promise<void>;
  /** Sends the party at `leg` elsewhere; whoever it talked to is hung up. */
  transfer(leg: ChannelRef, to: DialledTarget): Promise<void>;
  /** `leg` talks to `to` first; when that party answers, `other` is joined with it, and `leg` leaves. */
  attendedTransfer(leg: ChannelRef, other: ChannelRef, to: DialledTarget): Promise<void>;
  /** Parks the party at `leg`; `slot` is what is dialled to take it back. */
  park(leg: ChannelRef, options: { seconds: number }): Promise<{ slot: string }>;
  /** Sends DTMF to the party at `leg`, digit by digit. */
  dtmf(leg: ChannelRef, digits: string): Promise<void>;
  spy(request: SpyRequest): Promise<Spying>;
  /** Answers a call that rings here: makes the engine take it, in the place of the phones that ring. */
  answer(leg: ChannelRef): Promise<void>;
  /** Refuses a call that rings. */
  reject(leg: ChannelRef, q850: number): Promise<void>;
  /** `path` is relative to the folder of recordings of the engine; both directions are in the file. */
  startRecording(leg: ChannelRef, path: string): Promise<void>;
  stopRecording(leg: ChannelRef): Promise<void>;
  /** Silence is written in the place of what is said, so that card data is in no file. */
  pauseRecording(leg: ChannelRef, on: boolean): Promise<void>;
  conferences(): Promise<LiveConference[]>;
  changeConference(conference: ConferenceRef, change: ConferenceChange): Promise<void>;
  /** Calls somebody into a conference; answers like `originate`. */
  invite(conference: ConferenceRef, to: DialledTarget, options: Inviting): Promise<Originated>;

  close(): Promise<void>;
}
