import type { Conference, Emergency, Group, Ivr, Route, Schedule } from './call-nouns.ts';
import type { CallFlow } from './flow/call-flow.ts';
import type { PhoneNumber, Tenant, Trunk, User } from './nouns.ts';
import type { Secret } from './secret.ts';
import type {
  AuthType,
  DtmfMode,
  FromUserRule,
  ProviderTemplate,
  Transport,
  UserTemplate,
} from './template.ts';

/** Everything one tenant owns, as stored. */
export interface TenantSite {
  tenant: Tenant;
  trunks: readonly Trunk[];
  users: readonly User[];
  numbers: readonly PhoneNumber[];
  groups: readonly Group[];
  ivrs: readonly Ivr[];
  conferences: readonly Conference[];
  schedules: readonly Schedule[];
  routes: readonly Route[];
  emergencies: readonly Emergency[];
}

/** A trunk with every open field filled from its template and its tenant: what is rendered and shown. */
export interface ResolvedTrunk {
  /** The name of its objects on a PBX. */
  id: string;
  name: string;
  tenant: string;
  template: ProviderTemplate;
  authType: AuthType;
  host: string;
  port: number;
  /** The port stands in URIs only where it is not the default of the transport, or was set. */
  portGiven: boolean;
  transport: Transport;
  username: string | null;
  authUsername: string | null;
  password: Secret | null;
  realm: string | null;
  did: string | null;
  fromUser: FromUserRule;
  fromDomain: string;
  registration: boolean;
  expiry: number;
  codecs: readonly string[];
  dtmf: DtmfMode;
  srtp: boolean;
  context: string;
  networks: readonly string[];
  numberFormat: 'plus' | 'digits' | 'national';
  techPrefix: string | null;
  outboundProxy: string | null;
  maxCalls: number;
  inbound: boolean;
  outbound: boolean;
  qualifyFrequency: number;
  /** `section.option=value` lines over those of the template. */
  options: readonly string[];
}

export interface ResolvedUser {
  /** The name of its objects on a PBX: `user`, or `user@domain`. */
  id: string;
  username: string;
  tenant: string;
  domain: string | null;
  template: UserTemplate;
  password: Secret;
  extension: string;
  displayName: string | null;
  codecs: readonly string[];
  dtmf: DtmfMode;
  maxContacts: number;
  qualifyFrequency: number;
  transport: string | null;
  context: string;
  /** E.164; stands in the endpoint only where the user's calls enter a context of the operator's own. */
  callerId: string | null;
  /** `1001@t-acme`, or several with commas: the boxes whose waiting messages the phone shows. */
  mailbox: string | null;
  /** Keeps a box of its own, where unanswered calls leave a message. */
  voicemail: boolean;
  maxCalls: number;
  /** `section.option=value` lines over those of the template. */
  options: readonly string[];
}

/** What is rendered for one tenant: enabled objects only, nothing at all for a disabled tenant. */
export interface ResolvedSite {
  tenant: Tenant;
  trunks: readonly ResolvedTrunk[];
  users: readonly ResolvedUser[];
  flow: CallFlow;
}
