import { SipctlError } from '../../errors.ts';
import { type TwilioAccess, TwilioApi } from './client.ts';
import { findLeftovers, type Leftover, removeLeftover } from './leftovers.ts';
import { fetchSound } from './sound.ts';

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

/** What can be looked at in an account, beside one trunk. All throw like `TwilioApi.ask`. */
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

/** Looks at an account. @throws SipctlError `invalid` like `TwilioApi` */
export function twilioView(access: TwilioAccess): TwilioView {
  const api = new TwilioApi(access);
  return {
    verify: (signal) => verifyAccount(api, signal),
    leftovers: (signal) => findLeftovers(api, signal),
    removeLeftover: (leftover, signal) => removeLeftover(api, leftover, signal),
    numbers: (signal) => listNumbers(api, signal),
    recordings: (of, signal) => listRecordings(api, of, signal),
    fetchRecording: (id, take, signal) => fetchSound(api, id, take, signal),
  };
}

async function verifyAccount(api: TwilioApi, signal?: AbortSignal): Promise<AccountFacts> {
  const { accountSid } = api;
  try {
    const { sid, friendlyName, status, type } = await api.ask(
      'reading the account',
      (client) => client.api.v2010.accounts(accountSid).fetch(),
      signal,
    );
    return { sid, friendlyName, status, type };
  } catch (error) {
    const isDenied = error instanceof SipctlError && error.outcome === 'refused';
    if (!isDenied || !api.usesApiKey) throw error;
    // A standard key may do all that sipctl needs, and not this.
    await api.ask(
      'listing credential lists',
      (client) => client.api.v2010.accounts(accountSid).sip.credentialLists.list({ limit: 1 }),
      signal,
    );
    await api.ask('listing trunks', (client) => client.trunking.v1.trunks.list({ limit: 1 }), signal);
    return { sid: accountSid, friendlyName: null, status: null, type: null };
  }
}

async function listNumbers(api: TwilioApi, signal?: AbortSignal): Promise<BoughtNumber[]> {
  const all = await api.ask(
    'listing the numbers of the account',
    (client) => client.api.v2010.accounts(api.accountSid).incomingPhoneNumbers.list(),
    signal,
  );
  return all.map(({ sid, phoneNumber, friendlyName, trunkSid }) => ({
    id: sid,
    number: phoneNumber,
    friendlyName,
    trunkId: trunkSid || null,
  }));
}

async function listRecordings(
  api: TwilioApi,
  { call, limit }: { call: string | null; limit: number },
  signal?: AbortSignal,
): Promise<TwilioRecording[]> {
  const all = await api.ask(
    'listing recordings',
    (client) =>
      client.api.v2010
        .accounts(api.accountSid)
        .recordings.list({ limit, ...(call !== null && { callSid: call }) }),
    signal,
  );
  return all.map(({ sid, callSid, startTime, duration, channels, status }) => ({
    id: sid,
    call: callSid,
    startedAt: isDate(startTime) ? startTime.toISOString() : null,
    seconds: numberOf(duration),
    channels: numberOf(channels),
    status,
  }));
}

const isDate = (date: Date | null): date is Date => date !== null && !Number.isNaN(date.getTime());

/** Twilio counts in texts; -1 is what is not known yet. */
function numberOf(value: string | number | null): number | null {
  const number = Number(value ?? Number.NaN);
  return Number.isFinite(number) && number >= 0 ? number : null;
}
