import { SipctlError } from '../../errors.ts';
import type { Resource } from '../../plan/service-plan.ts';
import { type Asked, byIdOrName, orNull, type Thing } from './thing.ts';

/** The trunk itself. */
export const trunk: Thing = {
  async find(asked) {
    const { api, signal } = asked;
    const found = await byIdOrName(
      asked,
      (id) => api.ask('reading the trunk', (client) => client.trunking.v1.trunks(id).fetch(), signal),
      () => api.ask('listing trunks', (client) => client.trunking.v1.trunks.list(), signal),
    );
    if (!found) return null;
    const { sid, friendlyName, domainName, secure } = found;
    return { id: sid, values: { friendlyName, domainName, secure } };
  },
  async make({ api, signal }, resource) {
    const { sid, accountSid } = await api.ask(
      'making the trunk',
      (client) => client.trunking.v1.trunks.create(valuesOf(resource)),
      signal,
    );
    if (accountSid === api.accountSid) return sid;
    // Trunks are made in the account that an API key belongs to, whatever account was named.
    await api.ask('removing the trunk again', (client) => client.trunking.v1.trunks(sid).remove(), signal);
    throw keyOfAnother(accountSid, api.accountSid);
  },
  async update({ api, id, signal }, resource) {
    await api.ask(
      'changing the trunk',
      (client) => client.trunking.v1.trunks(id).update(valuesOf(resource)),
      signal,
    );
    return id;
  },
  async remove(asked) {
    const { api, id, signal } = asked;
    // What sipctl put there went before it.
    await expectTrunkUnused(asked, new Set());
    await orNull(api.ask('removing the trunk', (client) => client.trunking.v1.trunks(id).remove(), signal));
  },
};

interface TrunkValues {
  friendlyName: string;
  domainName: string;
  secure: boolean;
}

const valuesOf = ({ values }: Resource): TrunkValues => values as unknown as TrunkValues;

/**
 * What somebody else put on a trunk would be lost with it: their numbers would not ring any more, and their addresses be
 * gone. Lists of users and of addresses belong to the account, and stay.
 * @param going SIDs of what goes before it
 * @throws SipctlError `refused`; like `TwilioApi.ask`
 */
export async function expectTrunkUnused(
  { api, id, signal }: Pick<Asked, 'api' | 'signal'> & { id: string },
  going: ReadonlySet<string>,
): Promise<void> {
  const there = await orNull(
    api.ask(
      'reading what belongs to the trunk',
      (client) => {
        const of = client.trunking.v1.trunks(id);
        return Promise.all([of.phoneNumbers.list(), of.originationUrls.list()]);
      },
      signal,
    ),
  );
  const [numbers, originations] = there ?? [[], []];
  const others = [
    ...numbers.map(({ sid, phoneNumber }) => ({ sid, title: `the number ${phoneNumber}` })),
    ...originations.map(({ sid, friendlyName }) => ({ sid, title: `the origination URL ${friendlyName}` })),
  ].filter(({ sid }) => !going.has(sid));
  if (others.length > 0) throw stillInUse(others.map(({ title }) => title));
}

const stillInUse = (others: readonly string[]): SipctlError =>
  new SipctlError('refused', {
    code: 'twilio_trunk_in_use',
    message: `the trunk has what sipctl did not make: ${others.join(', ')}`,
    hint: 'remove them from the trunk in the Twilio console, or keep the trunk',
  });

const keyOfAnother = (owner: string, account: string): SipctlError =>
  new SipctlError('refused', {
    code: 'twilio_key_of_another_account',
    message: `the API key belongs to account ${owner}, and not to ${account}: trunks would be made there`,
    hint: `make an API key within ${account}, and store it with sipctl twilio account set`,
  });
