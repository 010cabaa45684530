import type { Twilio } from 'twilio';
import { SipctlError } from '../../errors.ts';
import type { Resource } from '../../plan/service-plan.ts';
import { type Asked, byIdOrName, meant, orNull, type Thing } from './thing.ts';

/** Lists of users are kept at the account, and then connected with a trunk. */
const listsOf = (client: Twilio, { api }: Pick<Asked, 'api'>) =>
  client.api.v2010.accounts(api.accountSid).sip.credentialLists;

/** The list of users that may call through a trunk. */
export const credentialList: Thing = {
  async find(asked) {
    const { api, signal } = asked;
    const found = await byIdOrName(
      asked,
      (id) => api.ask('reading the credential list', (client) => listsOf(client, asked)(id).fetch(), signal),
      () => api.ask('listing credential lists', (client) => listsOf(client, asked).list(), signal),
    );
    return found ? { id: found.sid, values: { friendlyName: found.friendlyName } } : null;
  },
  async make(asked, { name: friendlyName }) {
    const { api, signal } = asked;
    const made = await api.ask(
      'making the credential list',
      (client) => listsOf(client, asked).create({ friendlyName }),
      signal,
    );
    return made.sid;
  },
  async update(asked, { name: friendlyName }) {
    const { api, id, signal } = asked;
    await api.ask(
      'naming the credential list',
      (client) => listsOf(client, asked)(id).update({ friendlyName }),
      signal,
    );
    return id;
  },
  async remove(asked) {
    const { api, id, signal } = asked;
    // What sipctl made in it went before it.
    await expectListUnused(asked, new Set());
    await orNull(
      api.ask('removing the credential list', (client) => listsOf(client, asked)(id).remove(), signal),
    );
  },
};

/**
 * Users that somebody else entered in a list would be lost with it.
 * @param going SIDs of users that go before it
 * @throws SipctlError `refused`; like `TwilioApi.ask`
 */
export async function expectListUnused(
  asked: Pick<Asked, 'api' | 'signal'> & { id: string },
  going: ReadonlySet<string>,
): Promise<void> {
  const { api, id, signal } = asked;
  const users = await orNull(
    api.ask(
      'listing the users of the credential list',
      (client) => listsOf(client, asked)(id).credentials.list(),
      signal,
    ),
  );
  const others = (users ?? []).filter(({ sid }) => !going.has(sid));
  if (others.length > 0) throw foreignUsers(others.map(({ username }) => username));
}

/** The user that PBXs and LiveKit sign in as. */
export const credential: Thing = {
  async find(asked) {
    const { api, signal } = asked;
    const list = asked.ids.get('credential-list');
    if (list === undefined) return null;
    const all = await orNull(
      api.ask(
        'listing the users of the credential list',
        (client) => listsOf(client, asked)(list).credentials.list(),
        signal,
      ),
    );
    const found = meant(all ?? [], asked, ({ username }) => username);
    return found === undefined ? null : { id: found.sid, values: { username: found.username } };
  },
  async make(asked, resource) {
    const { api, signal } = asked;
    const list = within(asked);
    const password = passwordOf(resource);
    const made = await api.ask(
      'making the SIP user',
      (client) => listsOf(client, asked)(list).credentials.create({ username: resource.name, password }),
      signal,
    );
    return made.sid;
  },
  async update(asked, resource) {
    const { api, id, signal } = asked;
    const list = within(asked);
    const there = await credential.find(asked);
    // Twilio cannot rename a user: the new one is there before the old one goes.
    if (there !== null && there.values.username !== resource.name) {
      const known = await credential.find({ ...asked, id: null });
      const now =
        known === null
          ? await credential.make(asked, resource)
          : await credential.update({ ...asked, id: known.id }, resource);
      await credential.remove(asked);
      return now;
    }
    const password = passwordOf(resource);
    await api.ask(
      'setting the password of the SIP user',
      (client) => listsOf(client, asked)(list).credentials(id).update({ password }),
      signal,
    );
    return id;
  },
  async remove(asked) {
    const { api, id, signal } = asked;
    const list = asked.ids.get('credential-list');
    if (list === undefined) return;
    await orNull(
      api.ask(
        'removing the SIP user',
        (client) => listsOf(client, asked)(list).credentials(id).remove(),
        signal,
      ),
    );
  },
};

const within = ({ ids }: Asked): string => ids.get('credential-list') ?? '';

const passwordOf = ({ secrets }: Resource): string => secrets?.password?.reveal() ?? '';

const foreignUsers = (names: readonly string[]): SipctlError =>
  new SipctlError('refused', {
    code: 'twilio_list_in_use',
    message: `the credential list holds users that sipctl did not make: ${names.join(', ')}`,
    hint: 'remove them in the Twilio console, or keep the list',
  });
