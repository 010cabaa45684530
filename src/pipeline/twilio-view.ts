/** What an account is, as Twilio tells it. */
export interface AccountFacts {
  sid: string;
  friendlyName: string;
  status: string;
  type: string;
}

/** A trunk or a credential list that bears a name of the kind that sipctl chooses. */
export interface Leftover {
  kind: 'trunk' | 'credential-list';
  id: string;
  name: string;
  /** UTC, ISO 8601. */
  createdAt: string;
}

/** A phone number of the account. */
export interface AccountNumber {
  id: string;
  /** E.164. */
  number: string;
  friendlyName: string;
  /** The trunk that it is attached to. */
  trunkId: string | null;
}

/** A recording that Twilio made of a call. */
export interface TrunkRecording {
  id: string;
  call: string;
  startedAt: string | null;
  seconds: number | null;
  channels: number | null;
  status: string;
}

/** What is only looked at in an account at Twilio. Everything throws SipctlError as a `Service` does. */
export interface TwilioView {
  verify(signal?: AbortSignal): Promise<AccountFacts>;
  leftovers(signal?: AbortSignal): Promise<Leftover[]>;
  removeLeftover(one: Leftover, signal?: AbortSignal): Promise<void>;
  numbers(signal?: AbortSignal): Promise<AccountNumber[]>;
  /** The newest first; of one call, or of all. */
  recordings(filter: { call: string | null; limit: number }, signal?: AbortSignal): Promise<TrunkRecording[]>;
  /** Hands over a recording part by part; gives its bytes. */
  fetchRecording(id: string, take: (chunk: Buffer) => Promise<void>, signal?: AbortSignal): Promise<number>;
}
