import type { Destination } from '../destination.ts';
import type { DialPattern } from './call-flow.ts';

/** A call that is only thought of, what it meets, and everything that was decided on its way, as data. */

export type SimulatedCall = InboundCall | UserCall;

export interface InboundCall {
  kind: 'inbound';
  /** The user part of the request URI, in whatever form. */
  requestUri: string;
  /** The user part of To; null: as the request URI. */
  to: string | null;
  /** The trunk it arrives on; null: one that has no limit. */
  trunk: string | null;
  /** The calling number as the carrier wrote it. */
  from: string | null;
  at: Date;
}

export interface UserCall {
  kind: 'user';
  user: string;
  dialled: string;
  at: Date;
}

/** What a user's phones do: `offline` where none is registered. */
export type PhoneState = 'answers' | 'no-answer' | 'busy' | 'rejects' | 'offline';

/** What the call meets. Whoever is not named here answers; whatever is not named is empty. */
export interface World {
  phones?: Readonly<Record<string, PhoneState>>;
  /** By trunk: not reachable, or the cause (ITU-T Q.850) with which it ends the call. */
  trunks?: Readonly<Record<string, 'down' | number>>;
  /** What the caller enters, menu by menu and attempt by attempt; empty: nothing. When all is used up: nothing. */
  pressed?: readonly string[];
  /** Calls that are there already. */
  calls?: {
    tenant?: number;
    users?: Readonly<Record<string, number>>;
    trunks?: Readonly<Record<string, number>>;
  };
}

/** One thing that was looked at, and what came of it. */
export type Decision =
  | { step: 'entered'; direction: Direction; variables: Readonly<Record<string, string>> }
  | { step: 'limit'; of: 'tenant' | 'user' | 'trunk'; name: string; calls: number; limit: number; over: boolean }
  | { step: 'called-number'; header: 'request-uri' | 'to'; value: string; why: 'known' | 'unknown' | 'account'; number: string | null }
  | { step: 'schedule'; schedule: string; localTime: string; open: boolean; why: 'hours' | 'outside-hours' | 'holiday' }
  | { step: 'dialled'; digits: string; pattern: DialPattern | null; why: string | null }
  | { step: 'canonical'; number: string; good: boolean }
  | { step: 'own-number'; number: string }
  | { step: 'toll-class'; user: string; tollClass: 'internal' | 'national' | 'all'; allowed: boolean }
  | { step: 'route'; number: string; route: string | null; match: string | null; sent: string | null }
  | { step: 'caller-id'; number: string | null; from: 'route' | 'user' | 'tenant' | 'trunk' | 'emergency' | 'none' }
  | ({ step: 'hop'; next: boolean } & HopAttempt)
  | { step: 'destination'; to: Destination; why: DestinationReason }
  | { step: 'ring'; users: readonly string[]; seconds: number; result: RingResult }
  | { step: 'menu'; ivr: string; attempt: number; entered: string; result: 'key' | 'extension' | 'wrong' | 'nothing' }
  | { step: 'recording' };

export type Direction = 'internal' | 'inbound' | 'outbound' | 'emergency';

export type DestinationReason =
  | 'number'
  | 'closed'
  | 'dialled'
  | 'unanswered'
  | 'invalid'
  | 'key'
  | 'extension'
  | 'mailbox';

export type RingResult = 'answered' | 'no-answer' | 'busy' | 'offline' | 'limit';

/** One trunk that was tried, with what it was sent. */
export interface HopAttempt {
  trunk: string;
  /** As it stands in the request URI. */
  number: string;
  /** As it is shown to the carrier; null: whatever the caller's phone shows. */
  callerId: string | null;
  result: 'answered' | 'unreachable' | 'limit' | number;
}

/** How a call ends, or with whom it talks. */
export type CallOutcome =
  /** `users`: whose phones ring in the end; one of them answers. */
  | { kind: 'user'; users: readonly string[]; endpoints: readonly string[] }
  | ({ kind: 'trunk' } & HopAttempt)
  | { kind: 'conference'; room: string }
  /** `busy`: the greeting says so. */
  | { kind: 'voicemail'; user: string; box: string; greeting: 'unavailable' | 'busy' }
  | { kind: 'voicemail-menu'; box: string | null }
  | { kind: 'app'; context: string; number: string }
  | { kind: 'refused'; q850: number; sip: number }
  /** Destinations that lead to each other, which no call leaves by itself. */
  | { kind: 'loop' };

export interface Simulation {
  decisions: readonly Decision[];
  outcome: CallOutcome;
  /** Trunks that were tried, in order. */
  hops: readonly HopAttempt[];
  /** Of the caller's channel when the call ends. */
  variables: Readonly<Record<string, string>>;
  recorded: boolean;
}
