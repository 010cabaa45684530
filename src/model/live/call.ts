import type { Party } from './party.ts';

/** Calls as they run, in words that all engines have in common. Times are milliseconds since 1970. */

export type CallState = 'ringing' | 'answered' | 'held' | 'ended';

/** As the tenant sees it. */
export type Direction = 'inbound' | 'outbound' | 'internal';

/** Why a call, or a leg of it, ended. */
export interface CallEnd {
  /** ITU-T Q.850; null where the engine tells none. */
  q850: number | null;
  /** Status of SIP; null where it was no SIP that ended it, or the engine does not tell it (Asterisk 16). */
  sip: number | null;
  /** The engine's word for it; where nobody saw the end: `not seen`. */
  text: string;
}

/** How the media came in, as far as the engine measured it. */
export interface Quality {
  /** 1 to 5. */
  mos: number | null;
  lossPercent: number | null;
  jitterMs: number | null;
  rttMs: number | null;
}

/** One channel of a call: what runs between the PBX and one party. */
export interface Leg {
  /** The engine's own: Uniqueid of Asterisk, UUID of FreeSWITCH. */
  id: string;
  /** The engine's name of it: `PJSIP/acme.telnyx_main-0000002a`. */
  channel: string;
  /** `in`: the party called the PBX; `out`: the PBX called the party. */
  way: 'in' | 'out';
  /** null where it is nobody that sipctl knows. */
  party: Party | null;
  /** The party's number, as the PBX shows it to others. */
  number: string | null;
  name: string | null;
  state: 'ringing' | 'answered' | 'held';
  /** As the engine calls it. */
  codec: string | null;
  startedAt: number;
  answeredAt: number | null;
}

/** One call, all legs joined. */
export interface Call {
  /** The engine's own, stable while the call lasts: Linkedid of Asterisk, UUID of the first leg on FreeSWITCH. */
  id: string;
  node: string;
  tenant: string | null;
  /** Name of the trunk that it runs over, where it does. */
  trunk: string | null;
  direction: Direction;
  /** Number or extension of the caller. */
  from: string | null;
  fromName: string | null;
  /** What was called. */
  to: string | null;
  state: CallState;
  codec: string | null;
  startedAt: number;
  answeredAt: number | null;
  endedAt: number | null;
  /** null until it ended. */
  end: CallEnd | null;
  quality: Quality | null;
  recorded: boolean;
  legs: readonly Leg[];
}

/** Seconds that it stands, or stood, from the answer on; 0 where it was not answered. */
export const talkSeconds = ({ answeredAt, endedAt }: Call, now: number): number =>
  answeredAt === null ? 0 : Math.max(0, Math.round(((endedAt ?? now) - answeredAt) / 1000));
