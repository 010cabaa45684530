import type { OpenHours } from '../call-rules.ts';
import type { Destination } from '../destination.ts';
import type { Secret } from '../secret.ts';

/**
 * Where the calls of one tenant go, with nothing left open: names are those of enabled objects, templates and
 * defaults are filled in, numbers are canonical. Every engine renders it, and the simulator walks it, so it decides
 * all that can be decided before a call is there:
 *
 *   call in ─ InboundNumber ─ schedule? ─ Destination ─┬─ user ─ unanswered ─ Destination …
 *                                                      ├─ group, ivr ─ Destination …
 *   user dials ─ Dialled ─┬─ reach ────────────────────┴─ conference, voicemail, app, hangup
 *                         ├─ emergency ─ hops
 *                         └─ canonical / route ─ FlowRoute ─ hop, hop, …
 */
export interface CallFlow {
  tenant: string;
  /** Concurrent calls of the tenant; 0: no limit. Emergency calls count, and are never refused. */
  maxCalls: number;
  /** Of its country, `49`: the numbers that toll class `national` may call. */
  callingCode: string;
  /** E.164, shown on outside calls that no user makes; null: the main number of the trunk they take. */
  callerId: string | null;
  /**
   * All calls are recorded, emergency calls too. Otherwise a call is that for which a number called, a trunk it is sent
   * over or came in on, the user who calls, or one it is sent to says so; emergency calls are not.
   */
  record: boolean;
  /** What both parties hear when a recording begins, but on emergency calls: `tone`, or a sound file; null: nothing. */
  recordTone: string | null;
  users: readonly FlowUser[];
  groups: readonly FlowGroup[];
  ivrs: readonly FlowIvr[];
  conferences: readonly FlowConference[];
  schedules: readonly FlowSchedule[];
  /** What users may dial. The first that matches counts: exact digits first, then the longer literal, then more digits. */
  dialled: readonly Dialled[];
  inbound: readonly InboundNumber[];
  /** Trunks that calls may arrive on. */
  trunks: readonly FlowTrunk[];
  /** Accounts at carriers under which registered contacts are called, instead of a number: the DID stands in To then. */
  accounts: readonly string[];
  /** Calls to the outside in E.164. The first whose prefix matches counts: longer prefixes come first. */
  routes: readonly FlowRoute[];
}

export interface FlowUser {
  name: string;
  /** The endpoint on the PBX: `ann`, or `ann@acme.example`. */
  endpoint: string;
  extension: string;
  /** Of calls made and taken; 0: no limit. */
  maxCalls: number;
  /** Seconds. */
  ringTime: number;
  /** Where a call goes when nobody answers, all phones are gone, or the limit is reached; null: the caller is told so. */
  unanswered: Destination | null;
  mailbox: FlowMailbox | null;
  /** E.164, shown to the outside; null: the extension is all there is. */
  callerId: string | null;
  tollClass: 'internal' | 'national' | 'all';
  record: boolean;
}

export interface FlowTrunk {
  name: string;
  endpoint: string;
  /** Of calls in and out; 0: no limit. */
  maxCalls: number;
  record: boolean;
}

export interface FlowMailbox {
  /** `1001` in the voicemail context of the tenant. */
  box: string;
  context: string;
  /** null: the box opens for the user's own phone only. */
  pin: Secret | null;
  displayName: string;
  email: string | null;
  timeZone: string | null;
}

export interface FlowGroup {
  name: string;
  strategy: 'all' | 'order';
  members: readonly GroupMember[];
  /** Seconds: of all together, or of each in order. */
  ringTime: number;
  unanswered: Destination | null;
}

/** A user's own `unanswered` does not count inside a group. */
export type GroupMember = { kind: 'user'; name: string } | { kind: 'external'; number: string };

export interface FlowIvr {
  name: string;
  greeting: string;
  invalidSound: string;
  /** Key (0-9, * or #) → destination. */
  keys: readonly (readonly [key: string, destination: Destination])[];
  directDial: boolean;
  /** Seconds. */
  timeout: number;
  attempts: number;
  unanswered: Destination;
  invalid: Destination;
}

export interface FlowConference {
  name: string;
  pin: Secret | null;
  moderatorPin: Secret | null;
  profile: 'meeting' | 'lecture';
  waitForModerator: boolean;
  maxMembers: number;
  announce: boolean;
  record: boolean;
}

export interface FlowSchedule {
  name: string;
  timeZone: string;
  open: readonly OpenHours[];
  /** `2026-12-24` or `12-25`. */
  holidays: readonly string[];
  closed: Destination;
}

/**
 * What a caller dials: the literal characters, then so many digits, then any more characters (one at least) of those
 * that a phone can send: `0-9 * #`.
 */
export interface DialPattern {
  literal: string;
  anyDigits: number;
  more: boolean;
}

export interface Dialled {
  pattern: DialPattern;
  /** For people: `extension of user ann`, `national number of Germany`. */
  why: string;
  action: DialledAction;
}

export type DialledAction =
  | { kind: 'reach'; to: Destination }
  /** The caller's own voicemail box, or any: then the box is asked for, too. */
  | { kind: 'voicemail-menu'; box: 'own' | 'any' }
  | { kind: 'emergency'; emergency: FlowEmergency }
  /** Becomes E.164 by cutting and putting before, and is looked up in `routes`. */
  | { kind: 'canonical'; strip: number; prepend: string }
  /** A route that names the dialled digits themselves; its strip and prepend make the number that is sent. */
  | { kind: 'route'; route: FlowRoute };

export interface InboundNumber {
  /** E.164 */
  number: string;
  /** Every form in which a carrier may write it that no other number of the tenant claims; the canonical one first. */
  forms: readonly string[];
  /** Trunks that it may arrive on; null: on any of the tenant's. */
  trunk: string | null;
  schedule: string | null;
  destination: Destination;
  record: boolean;
  variables: readonly (readonly [name: string, value: string])[];
}

export interface FlowRoute {
  name: string;
  /** `+`, `+49`; or the dialled digits where a Dialled leads here. */
  match: string;
  hops: readonly Hop[];
  /** Q.850 causes after which the next hop is tried; a hop that cannot be reached or is at its limit is always passed. */
  failover: readonly number[];
  strip: number;
  prepend: string;
  /** E.164; takes the place of the caller's own. */
  callerId: string | null;
  /** Seconds. */
  ringTime: number;
}

export interface FlowEmergency {
  number: string;
  callerId: string;
  hops: readonly Hop[];
}

/** One trunk of a route. */
export interface Hop {
  trunk: string;
  endpoint: string;
  /** 0: no limit. */
  maxCalls: number;
  format: WireFormat;
  /** E.164: the trunk's main number, shown where neither the route nor the caller has one; null: nothing is known. */
  callerId: string | null;
  /** Before every number that is sent, as the carrier wants it. */
  techPrefix: string;
  record: boolean;
}

/**
 * How numbers in E.164 are written to a carrier, called and calling ones alike. `national`: numbers of the country
 * with its national prefix, others with its international one (`030…`, `001555…`); what does not start with `+` is
 * sent as it is.
 */
export type WireFormat =
  | { kind: 'plus' }
  | { kind: 'digits' }
  | { kind: 'national'; callingCode: string; nationalPrefix: string; internationalPrefix: string };
