import type { Twilio } from 'twilio';
import { SipctlError } from '../../errors.ts';
import type { Resource } from '../../plan/service-plan.ts';
import type { TwilioApi } from './client.ts';
import { type Asked, meant, orNull, type Thing } from './thing.ts';

/** What belongs to a trunk, and goes with it: where there is no trunk, there is none of it. */

const below = (client: Twilio, { ids }: Asked) => client.trunking.v1.trunks(ids.get('trunk') ?? '');

/** A list of what belongs to the trunk; null where there is no trunk. */
function listOf<T>(
  asked: Asked,
  what: string,
  list: (of: ReturnType<typeof below>) => Promise<T[]>,
): Promise<T[] | null> {
  if (!asked.ids.has('trunk')) return Promise.resolve(null);
  const { api, signal } = asked;
  return asked.once(what, () =>
    orNull(api.ask(`listing the ${what} of the trunk`, (client) => list(below(client, asked)), signal)),
  );
}

const change = <T>(
  asked: Asked,
  doing: string,
  call: (of: ReturnType<typeof below>) => Promise<T>,
): Promise<T> => asked.api.ask(doing, (client) => call(below(client, asked)), asked.signal);

async function takeAway(
  asked: Asked,
  doing: string,
  call: (of: ReturnType<typeof below>) => Promise<unknown>,
) {
  if (asked.ids.has('trunk')) await orNull(change(asked, doing, call));
}

/** That the users of the credential list may call through the trunk. */
export const association: Thing = {
  async find(asked) {
    const list = asked.ids.get('credential-list');
    const all = await listOf(asked, 'credential lists', (of) => of.credentialsLists.list());
    return list !== undefined && all?.some(({ sid }) => sid === list) ? { id: list, values: {} } : null;
  },
  async make(asked) {
    const credentialListSid = asked.ids.get('credential-list') ?? '';
    await change(asked, 'connecting the credential list with the trunk', (of) =>
      of.credentialsLists.create({ credentialListSid }),
    );
    return credentialListSid;
  },
  update: async ({ id }) => id,
  remove: (asked) =>
    takeAway(asked, 'parting the credential list from the trunk', (of) =>
      of.credentialsLists(asked.id).remove(),
    ),
};

/** What Twilio records; each trunk has this setting once, from the start. */
export const recording: Thing = {
  async find(asked) {
    const trunk = asked.ids.get('trunk');
    if (trunk === undefined) return null;
    const found = await orNull(change(asked, 'reading what is recorded', (of) => of.recordings().fetch()));
    return found === null ? null : { id: trunk, values: { mode: found.mode, trim: found.trim } };
  },
  make: (asked, resource) => setRecording(asked, resource),
  update: (asked, resource) => setRecording(asked, resource),
  remove: async () => undefined,
};

async function setRecording(asked: Asked, { values }: Resource): Promise<string> {
  const settings = values as unknown as RecordingValues;
  await change(asked, 'setting what is recorded', (of) => of.recordings().update(settings));
  return asked.ids.get('trunk') ?? '';
}

type RecordingValues = {
  mode: 'do-not-record' | 'record-from-ringing';
  trim: 'trim-silence' | 'do-not-trim';
};

/** An address that gets the calls to the numbers of the trunk. */
export const origination: Thing = {
  async find(asked) {
    const all = await listOf(asked, 'origination URLs', (of) => of.originationUrls.list());
    const found = meant(all ?? [], asked, ({ friendlyName }) => friendlyName);
    if (found === undefined) return null;
    const { sid, friendlyName, sipUrl, priority, weight, enabled } = found;
    return { id: sid, values: { friendlyName, sipUrl, priority, weight, enabled } };
  },
  async make(asked, resource) {
    const values = originationValues(resource);
    const made = await change(asked, `making the origination URL ${resource.name}`, (of) =>
      of.originationUrls.create(values),
    );
    return made.sid;
  },
  async update(asked, resource) {
    const values = originationValues(resource);
    await change(asked, `changing the origination URL ${resource.name}`, (of) =>
      of.originationUrls(asked.id).update(values),
    );
    return asked.id;
  },
  remove: (asked) =>
    takeAway(asked, `removing the origination URL ${asked.name}`, (of) =>
      of.originationUrls(asked.id).remove(),
    ),
};

interface OriginationValues {
  friendlyName: string;
  sipUrl: string;
  priority: number;
  weight: number;
  enabled: boolean;
}

const originationValues = ({ values }: Resource): OriginationValues => values as unknown as OriginationValues;

/** That calls to a number of the account arrive at the trunk. */
export const number: Thing = {
  async find(asked) {
    const all = await listOf(asked, 'numbers', (of) => of.phoneNumbers.list());
    const found = all?.find(({ phoneNumber }) => phoneNumber === asked.name);
    return found === undefined ? null : { id: found.sid, values: {} };
  },
  async make(asked, { name }) {
    const { api, ids, signal } = asked;
    const phoneNumberSid = await freeNumber(api, name, ids.get('trunk') ?? null, signal);
    await change(asked, `attaching the number ${name}`, (of) => of.phoneNumbers.create({ phoneNumberSid }));
    return phoneNumberSid;
  },
  update: async ({ id }) => id,
  remove: (asked) =>
    takeAway(asked, `detaching the number ${asked.name}`, (of) => of.phoneNumbers(asked.id).remove()),
};

/**
 * The SID of a number that can be attached to a trunk. Twilio itself takes it from another one without a word.
 * @throws SipctlError `notFound` where the account does not have it, `refused` where another trunk has it, like `TwilioApi.ask`
 */
export async function freeNumber(
  api: TwilioApi,
  name: string,
  trunk: string | null,
  signal: AbortSignal | undefined,
): Promise<string> {
  const bought = await api.ask(
    `looking for the number ${name}`,
    (client) => client.api.v2010.accounts(api.accountSid).incomingPhoneNumbers.list({ phoneNumber: name }),
    signal,
  );
  // Twilio also answers numbers that merely contain it.
  const found = bought.find(({ phoneNumber }) => phoneNumber === name);
  if (found === undefined) throw notBought(name, api.accountSid);
  if (found.trunkSid && found.trunkSid !== trunk) throw foreignTrunk(name, found.trunkSid);
  return found.sid;
}

const notBought = (name: string, account: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'twilio_number_missing',
    message: `the account ${account} has no number ${name}`,
    field: 'number',
    hint: 'buy or port it in the Twilio console first, or name the account that holds it',
  });

const foreignTrunk = (name: string, trunk: string): SipctlError =>
  new SipctlError('refused', {
    code: 'twilio_number_taken',
    message: `the number ${name} is attached to another trunk: ${trunk}`,
    field: 'number',
    hint: 'its calls would be cut off there: detach it from that trunk first, in the Twilio console or where that trunk is kept',
  });
