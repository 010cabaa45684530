import type { CallEnd, Quality } from './call.ts';

/** What a back-end tells of its PBX, one change at a time; it knows channels, and nothing of tenants' names. */

/** What is known of one channel. */
export interface LegFacts {
  id: string;
  /** Channels that have it in common are one call. It can change while a channel lives: a transfer joins calls. */
  callId: string;
  channel: string;
  way: 'in' | 'out';
  /** Name of the endpoint or gateway, as `Parties` finds it; null for what is neither. */
  endpoint: string | null;
  /** The account code, which the dialplan sets to the tenant's name. */
  account: string | null;
  number: string | null;
  name: string | null;
  /** What a leg that came in called first, before the dialplan sent it anywhere. */
  dialled: string | null;
  state: 'ringing' | 'answered' | 'held';
  codec: string | null;
  /** Milliseconds since 1970. */
  startedAt: number;
  answeredAt: number | null;
  recorded: boolean;
}

/** How a trunk stands at its carrier, in the words of `monitor`. */
export type TrunkWord = 'registered' | 'trying' | 'unregistered' | 'rejected' | 'failed' | 'gave-up' | 'none';

export interface TrunkFacts {
  endpoint: string;
  /** `none`: it does not register. `gave-up`: it failed, and the PBX will not try again by itself. */
  registration: TrunkWord;
  /** Whether the carrier answers the OPTIONS of the PBX; null where it is not asked, or not known. */
  reachable: boolean | null;
  rttMs: number | null;
  /** The engine's own words. */
  detail: string;
}

export interface UserFacts {
  endpoint: string;
  /** Phones that are registered now. */
  contacts: number;
}

/** `at` is in milliseconds since 1970. */
export type LiveChange =
  /** A channel appeared or changed. The first one of a channel has all facts; a later one may have some. */
  | { kind: 'leg'; id: string; at: number; facts: Partial<LegFacts> }
  /** `facts`: of one that nothing was told of before, where its end says all there was. */
  | { kind: 'leg-ended'; id: string; at: number; end: CallEnd; quality: Quality | null; facts?: LegFacts }
  | { kind: 'trunk'; at: number; facts: TrunkFacts }
  | { kind: 'user'; at: number; facts: UserFacts }
  /** The PBX has other trunks or users than before: how all of them stand is to be asked anew. */
  | { kind: 'reloaded'; at: number };
