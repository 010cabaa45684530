/** Something that bears a name of sipctl's. */
export interface Leftover {
  kind: 'trunk' | 'credential-list';
  id: string;
  name: string;
  /** UTC, ISO 8601. */
  createdAt: string;
}

/** Who an account belongs to. */
export interface AccountFacts {
  sid: string;
  /** null, and so on, where an API key signed in that may not read the account. */
  friendlyName: string | null;
  status: string | null;
  type: string | null;
}

export interface BoughtNumber {
  id: string;
  /** E.164, with the plus. */
  number: string;
  friendlyName: string;
  /** The trunk that it is attached to; null: none. */
  trunkId: string | null;
}

export interface TwilioRecording {
  id: string;
  call: string;
  /** UTC, ISO 8601. */
  startedAt: string | null;
  /** null until the call has ended. */
  seconds: number | null;
  channels: number | null;
  status: string;
}

/** What can be looked at in an account, beside one trunk. All throw SipctlError as a `Service` does. */
export interface TwilioView {
  /** Proves that the credentials are right. */
  verify(signal?: AbortSignal): Promise<AccountFacts>;
  /** All trunks and credential lists whose names sipctl could have chosen, remembered or not. */
  leftovers(signal?: AbortSignal): Promise<Leftover[]>;
  /** Takes one of them away. @throws SipctlError `refused` where it has another name by now, or is in use */
  removeLeftover(leftover: Leftover, signal?: AbortSignal): Promise<void>;
  numbers(signal?: AbortSignal): Promise<BoughtNumber[]>;
  /** The newest first; of one call, or of all. */
  recordings(of: { call: string | null; limit: number }, signal?: AbortSignal): Promise<TwilioRecording[]>;
  /** The sound of a recording as WAV, bit by bit. @returns how many bytes it has */
  fetchRecording(id: string, take: (bytes: Buffer) => Promise<void>, signal?: AbortSignal): Promise<number>;
}
