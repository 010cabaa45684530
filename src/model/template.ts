/**
 * Provider and user templates: what a carrier, or a kind of phone, needs; data without behaviour.
 * The catalog reads and checks them, the resolver merges them with an object, each platform renders them.
 */

/**
 * Section type → option → Handlebars expression. An option whose expression gives nothing is left out.
 * The key `$when` names a variable that must be true for the section to stand. A mark after a dot tells the
 * lines of one option apart: `set_var.tenant` and `set_var.limit` are two lines of `set_var`.
 */
export type Sections = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The option that a key of a section stands for: `set_var.limit` → `set_var`. */
export const optionName = (key: string): string => key.split('.', 1)[0] as string;

export type Transport = 'udp' | 'tcp' | 'tls';
export type AuthType = 'credential' | 'ip';
export type FromUserRule = 'account' | 'did' | 'did-plus' | 'caller';

export interface ProviderHost {
  host: string;
  region: string;
}

/** Addresses a carrier calls from, with where that was published and when it was read (ISO date). */
export interface PublishedNetworks {
  cidrs: readonly string[];
  source: string;
  read: string;
}

/** What a carrier is known to mean by a failure, in the words of `trunk test`. */
export interface KnownFailure {
  cause: string;
  /** null: wherever it comes. */
  stage: 'options' | 'register' | 'call' | null;
  /** Field of the trunk that is at fault. */
  field: string | null;
  means: string;
}

export interface ProviderTemplate {
  id: string;
  displayName: string;
  /** Where the shipped or the user's own file of this template stands. */
  origin: 'shipped' | 'overlay';
  docs: string;
  /** ISO date of the last reading of the carrier's documents. */
  verified: string;
  /** The first one is the default. */
  authTypes: readonly AuthType[];
  /** The first one is the default; empty where the carrier gives each customer a host, which is then asked for. */
  hosts: readonly ProviderHost[];
  /** How a customer's own host looks, for the prompt and the check: `{name}.pstn.twilio.com`. */
  hostPattern: string | null;
  ports: Readonly<Partial<Record<Transport, number>>>;
  /** The first one is the default. */
  transports: readonly Transport[];
  /** Trunk fields that must be given, per auth type. */
  requiredFields: Readonly<Partial<Record<AuthType, readonly string[]>>>;
  optionalFields: readonly string[];
  usernameRule: { pattern: string | null; help: string } | null;
  realm: string | null;
  /** null: not published; calls in are then matched by the registration, or the networks are asked for. */
  networks: PublishedNetworks | null;
  registration: { mode: 'required' | 'optional' | 'none'; expiry: number | null };
  fromUser: FromUserRule;
  callerIdHeaders: { pai: boolean; rpid: boolean };
  /** Where a called number stands in an INVITE; null: not published. */
  didSource: 'ruri' | 'to' | null;
  /** How the carrier writes called numbers, and wants them; words, null: not published. */
  didFormat: string | null;
  dialedFormat: string | null;
  /** The form of numbers that `dialedFormat` speaks of, where it is known; E.164 with `+` is sent where it is not. */
  numberFormat: 'plus' | 'digits' | 'national' | null;
  codecs: readonly string[];
  dtmf: DtmfMode;
  srtp: 'required' | 'optional' | 'unsupported' | null;
  /** Seconds between OPTIONS; 0 where the carrier does not answer them. */
  qualifyFrequency: number;
  t38: boolean | null;
  failures: readonly KnownFailure[];
  notes: readonly string[];
  asterisk: Sections;
}

/** How keys are told, in the words of PJSIP's `dtmf_mode`. */
export type DtmfMode = 'rfc4733' | 'inband' | 'info' | 'auto' | 'auto_info';

export interface UserTemplate {
  id: string;
  displayName: string;
  /** As it stands in the marker of the rendered file: `Mobile SIP User`. */
  title: string;
  origin: 'shipped' | 'overlay';
  description: string;
  codecs: readonly string[];
  maxContacts: number;
  qualifyFrequency: number;
  context: string | null;
  /** Users have a voicemail box unless they say otherwise. */
  voicemail: boolean;
  /** Where the documents' values were proved wrong on a real server, and what stands instead. */
  corrections: readonly string[];
  asterisk: Sections;
}

/** Every template by id, and the digest of all of them: a changed template re-renders every tenant. */
export interface Catalog {
  providers: ReadonlyMap<string, ProviderTemplate>;
  users: ReadonlyMap<string, UserTemplate>;
  digest: string;
}
