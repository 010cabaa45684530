import type { Destination } from '../destination.ts';
import type { DialPattern } from './call-flow.ts';

/** A call that is only thought of, what it meets, and everything that is decided on its way, as data. */
export type SimulatedCall = InboundCall | UserCall;

export interface InboundCall {
  kind: 'inbound';
  /** The user part of the request URI, in whatever form. */
  requestUri: string;
  /** The user part of To; null: as the request URI. */
  to: string | null;
  /** The trunk it arrives on; null: one without a limit. */
  trunk: string | null;
  /** The calling number as the carrier writes it. */
  from: string | null;
  at: Date;
}

export interface UserCall {
  kind: 'user';
  user: string;
  dialled: string;
  at: Date;
}

/** What a user's phones do; `offline` where none is registered. */
export type PhoneState = 'answers' | 'no-answer' | 'busy' | 'rejects' | 'offline';

/** What the call meets. Whoever is not named answers. */
export interface World {
  phones?: Readonly<Record<string, PhoneState>>;
  /** By trunk: it cannot be reached, or the cause (ITU-T Q.850) with which it ends the call. */
  trunks?: Readonly<Record<string, 'down' | number>>;
  /** What the caller enters, one by one where a menu or a room asks; empty: nothing, as when there is no more. */
  pressed?: readonly string[];
  /** Calls that are there already. */
  calls?: {
    tenant?: number;
    users?: Readonly<Record<string, number>>;
    trunks?: Readonly<Record<string, number>>;
  };
}

export type Direction = 'internal' | 'inbound' | 'outbound' | 'emergency';

/** One thing that was looked at, and what came of it. */
export type Decision =
  | { step: 'entered'; direction: Direction }
  | {
      step: 'limit';
      of: 'tenant' | 'user' | 'trunk';
      name: string;
      /** With this one. */
      calls: number;
      limit: number;
      over: boolean;
    }
  | {
      step: 'called-number';
      header: 'request-uri' | 'to';
      value: string;
      /** null: no number of the tenant, or an account at the carrier, which says nothing. */
      number: string | null;
    }
  | {
      step: 'schedule';
      schedule: string;
      timeZone: string;
      /** `sat 2026-11-21 10:05` */
      localTime: string;
      result: 'open' | 'closed' | 'holiday';
    }
  | { step: 'dialled'; digits: string; pattern: DialPattern | null; why: string | null }
  | { step: 'canonical'; number: string; good: boolean }
  | { step: 'own-number'; number: string }
  | { step: 'toll-class'; tollClass: 'internal' | 'national' | 'all'; allowed: boolean }
  | { step: 'route'; number: string; route: string | null; match: string | null; sent: string | null }
  | ({ step: 'hop'; callerIdOf: CallerIdOrigin; next: boolean } & HopAttempt)
  | { step: 'destination'; to: Destination; because: Because }
  | { step: 'ring'; users: readonly string[]; seconds: number; result: RingResult }
  | { step: 'passed-over'; user: string; result: RingResult }
  | {
      step: 'menu';
      ivr: string;
      attempt: number;
      entered: string;
      result: 'key' | 'extension' | 'wrong' | 'nothing';
    }
  | { step: 'pin'; room: string; result: 'moderator' | 'participant' | 'wrong' };

/** Whose number is shown; `none`: what the caller's phone shows. */
export type CallerIdOrigin = 'route' | 'caller' | 'tenant' | 'trunk' | 'emergency' | 'none';

export type Because =
  | 'number'
  | 'closed'
  | 'dialled'
  | 'unanswered'
  | 'mailbox'
  | 'key'
  | 'extension'
  | 'invalid';

export type RingResult = 'answered' | 'no-answer' | 'busy' | 'rejected' | 'offline' | 'limit';

/** One trunk that was tried, with what it was sent. */
export interface HopAttempt {
  trunk: string;
  /** As it stands in the request URI. */
  number: string;
  /** As it is written to the carrier. */
  callerId: string | null;
  /** A number is the cause of ITU-T Q.850. */
  result: 'answered' | 'unreachable' | 'limit' | number;
}

/** With whom the caller talks in the end, or what the caller is told. */
export type CallOutcome =
  /** `rings`: everybody whose phones ring at the same time; `user` answers. */
  | { kind: 'user'; user: string; endpoint: string; rings: readonly string[] }
  | { kind: 'outside'; trunk: string; number: string; callerId: string | null }
  /** `unknown`: the PIN is asked for, and it is not said what the caller enters. */
  | { kind: 'conference'; room: string; role: 'moderator' | 'participant' | 'unknown' }
  | { kind: 'voicemail'; user: string; box: string; greeting: 'unavailable' | 'busy' }
  /** The own box, or null where any may be named. */
  | { kind: 'voicemail-menu'; box: string | null }
  | { kind: 'app'; context: string; number: string }
  | { kind: 'refused'; q850: number; sip: number }
  /** Destinations that lead to each other without end. */
  | { kind: 'loop' };

export interface Simulation {
  decisions: readonly Decision[];
  outcome: CallOutcome;
  /** The trunks that were tried, in order. */
  hops: readonly HopAttempt[];
  /** On the caller's channel in the end; those that sipctl sets and those of the number. */
  variables: Readonly<Record<string, string>>;
  /** A file is written of the talk. */
  recorded: boolean;
  /** The call was answered, so that whatever ends it is no refusal to the caller's phone. */
  answered: boolean;
}
