import { SipctlError } from '../../errors.ts';
import { isChosenDomain, isChosenName } from '../../model/twilio/names.ts';
import type { Leftover } from '../../model/twilio/view.ts';
import type { TwilioApi } from './client.ts';
import { originationMark } from './resources.ts';
import { orNull } from './thing.ts';

interface Named {
  sid: string;
  friendlyName: string;
  dateCreated: Date;
  /** Of a trunk. */
  domainName?: string;
}

/** All trunks and credential lists whose names sipctl could have chosen. @throws like `TwilioApi.ask` */
export async function findLeftovers(api: TwilioApi, signal?: AbortSignal): Promise<Leftover[]> {
  const [trunks, lists] = await Promise.all([allTrunks(api, signal), allLists(api, signal)]);
  const entry = (kind: Leftover['kind']) => (one: Named) => ({
    kind,
    id: one.sid,
    name: one.friendlyName,
    createdAt: one.dateCreated.toISOString(),
  });
  return [
    ...trunks.filter(isOurs).map(entry('trunk')),
    ...lists.filter(isOurs).map(entry('credential-list')),
  ];
}

const isOurs = ({ friendlyName, domainName }: Named): boolean =>
  isChosenName(friendlyName ?? '') || isChosenDomain(domainName ?? '');

const allTrunks = (api: TwilioApi, signal?: AbortSignal) =>
  api.ask('listing trunks', (client) => client.trunking.v1.trunks.list(), signal);

const allLists = (api: TwilioApi, signal?: AbortSignal) =>
  api.ask(
    'listing credential lists',
    (client) => client.api.v2010.accounts(api.accountSid).sip.credentialLists.list(),
    signal,
  );

/**
 * Takes away what `findLeftovers` found; what is gone already is no error.
 * @throws SipctlError `refused` where it is in use, or bears another name by now
 */
export const removeLeftover = (api: TwilioApi, leftover: Leftover, signal?: AbortSignal): Promise<void> =>
  leftover.kind === 'trunk' ? removeTrunk(api, leftover, signal) : removeList(api, leftover, signal);

async function removeTrunk(api: TwilioApi, { id, name }: Leftover, signal?: AbortSignal): Promise<void> {
  const found = await orNull(
    api.ask('reading the trunk', (client) => client.trunking.v1.trunks(id).fetch(), signal),
  );
  if (found === null) return;
  if (!isOurs(found)) throw renamed(name, found.friendlyName);
  const [numbers, originations] = await api.ask(
    'reading what belongs to the trunk',
    (client) => {
      const of = client.trunking.v1.trunks(id);
      return Promise.all([of.phoneNumbers.list(), of.originationUrls.list()]);
    },
    signal,
  );
  const foreign = originations.filter(({ friendlyName }) => !friendlyName.startsWith(originationMark));
  const uses = [
    ...numbers.map(({ phoneNumber }) => `the number ${phoneNumber}`),
    ...foreign.map(({ friendlyName }) => `the origination URL ${friendlyName}`),
  ];
  if (uses.length > 0) throw inUse(`the trunk ${name}`, uses);
  await orNull(api.ask('removing the trunk', (client) => client.trunking.v1.trunks(id).remove(), signal));
}

async function removeList(api: TwilioApi, { id, name }: Leftover, signal?: AbortSignal): Promise<void> {
  const list = await orNull(
    api.ask(
      'reading the credential list',
      (client) => client.api.v2010.accounts(api.accountSid).sip.credentialLists(id).fetch(),
      signal,
    ),
  );
  if (list === null) return;
  if (!isOurs(list)) throw renamed(name, list.friendlyName);
  const uses: string[] = [];
  for (const { sid, friendlyName } of await allTrunks(api, signal)) {
    const connected = await api.ask(
      `listing the credential lists of the trunk ${friendlyName}`,
      (client) => client.trunking.v1.trunks(sid).credentialsLists.list(),
      signal,
    );
    if (connected.some((one) => one.sid === id)) uses.push(`the trunk ${friendlyName}`);
  }
  if (uses.length > 0) throw inUse(`the credential list ${name}`, uses);
  await orNull(
    api.ask(
      'removing the credential list',
      (client) => client.api.v2010.accounts(api.accountSid).sip.credentialLists(id).remove(),
      signal,
    ),
  );
}

const renamed = (name: string, now: string): SipctlError =>
  new SipctlError('refused', {
    code: 'twilio_renamed',
    message: `${name} is called ${now} by now: it is somebody else's`,
    hint: 'see sipctl twilio orphans',
  });

const inUse = (what: string, uses: readonly string[]): SipctlError =>
  new SipctlError('refused', {
    code: 'twilio_in_use',
    message: `${what} is in use: ${uses.join(', ')}`,
    hint: 'it may belong to another installation; take it away in the Twilio console where it does not',
  });
