import { SipctlError } from '../../errors.ts';
import type { AccountFacts, BoughtNumber, TwilioRecording, TwilioView } from '../../model/twilio/view.ts';
import { type TwilioAccess, TwilioApi } from './client.ts';
import { findLeftovers, removeLeftover } from './leftovers.ts';
import { fetchSound } from './sound.ts';

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
