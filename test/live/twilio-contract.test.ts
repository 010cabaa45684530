import { describe, expect, it, onTestFinished } from 'vitest';
import { contractOf } from '../support/twilio/contract.ts';
import { officialClient } from '../support/twilio/official-client.ts';
import { startTwilio, type TwilioServer } from '../support/twilio/server.ts';
import { twilioSpecifications } from './twilio-specification.ts';

const specifications = await twilioSpecifications();
const missing = 'missing' in specifications ? specifications.missing : null;

describe.skipIf(missing !== null)(
  `the server that stands in for Twilio, by Twilio's own specification${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    const judge = 'missing' in specifications ? () => [] : contractOf(specifications);

    async function started(): Promise<TwilioServer> {
      const server = await startTwilio({ contract: judge, largestPage: 3 });
      onTestFinished(() => server.close());
      return server;
    }

    it('answers all that it offers as it is described', async () => {
      const server = await started();
      await askEverything(server);
      expect(server.violations).toEqual([]);
      const routes = new Set(
        server.exchanges.map(({ method, path }) => `${method} ${path.replaceAll(/[A-Z]{2}\w{32}/g, '*')}`),
      );
      expect(routes.size).toBeGreaterThanOrEqual(39);
    });

    it.each([
      ['a field that is not described', 'POST', '/v1/Trunks', 'Friendlyname=a', 'Friendlyname'],
      ['a value of another type', 'POST', '/v1/Trunks', 'Secure=yes', 'body/Secure'],
      ['a missing field', 'POST', '/v1/Trunks/TK/OriginationUrls', 'FriendlyName=a', 'SipUrl'],
      [
        'a value that is none of those described',
        'POST',
        '/v1/Trunks/TK/Recording',
        'Mode=always',
        'body/Mode',
      ],
      ['a query that is not described', 'GET', '/v1/Trunks?Name=a', '', 'Name'],
      ['a number out of range', 'GET', '/v1/Trunks?PageSize=5000', '', 'PageSize'],
      ['a method that is not described', 'DELETE', '/v1/Trunks', '', 'in no specification'],
      ['a path that is not described', 'GET', '/v1/Trunkz', '', 'in no specification'],
      ['a SID of another kind', 'GET', '/v1/Trunks/CL', '', 'path/'],
    ])('sees %s', async (_, method, path, body, said) => {
      const server = await started();
      const { account } = server;
      const sid = (text: string) =>
        text
          .replace(/\bTK\b/, account.trunks[0]?.sid ?? '')
          .replace(/\bCL\b/, account.credentialLists[0]?.sid ?? '');
      await fetch(`${server.url}${sid(path)}`, {
        method,
        headers: {
          authorization: `Basic ${btoa(`${account.sid}:${account.authToken}`)}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        ...(body !== '' && { body }),
      });
      expect(server.violations.join('\n')).toContain(said);
    });

    it('sees an answer that is not as it is described', async () => {
      const server = await started();
      const [trunk] = server.account.trunks;
      if (trunk) Object.assign(trunk, { secure: 'yes' });
      await officialClient(server).trunking.v1.trunks.list();
      expect(server.violations.join('\n')).toContain('answer/trunks/0/secure must be boolean');
    });
  },
);

/** One request of each kind that the server knows. */
async function askEverything(server: TwilioServer): Promise<void> {
  const client = officialClient(server);
  const account = client.api.v2010.accounts(server.account.sid);
  await account.fetch();
  const lists = account.sip.credentialLists;
  const list = await lists.create({ friendlyName: 'mine' });
  await lists(list.sid).update({ friendlyName: 'still mine' });
  await lists(list.sid).fetch();
  await lists.list();
  const { credentials } = lists(list.sid);
  const credential = await credentials.create({ username: 'sip-acme', password: 'Abcdefgh1234' });
  await credentials.list();
  await credentials(credential.sid).update({ password: 'Bcdefgh12345' });
  await credentials(credential.sid).fetch();
  const { trunks } = client.trunking.v1;
  const trunk = await trunks.create({
    friendlyName: 'mine',
    domainName: 'user-a.pstn.twilio.com',
    secure: true,
  });
  const of = trunks(trunk.sid);
  await of.update({ secure: false });
  await of.fetch();
  await trunks.list();
  await of.credentialsLists.create({ credentialListSid: list.sid });
  await of.credentialsLists(list.sid).fetch();
  await of.credentialsLists.list();
  const [office] = server.account.trunks;
  await trunks(office?.sid ?? '').ipAccessControlLists.list();
  await of.recordings().update({ mode: 'record-from-ringing-dual', trim: 'trim-silence' });
  await of.recordings().fetch();
  const sipUrl = 'sip:project.sip.livekit.cloud;transport=tls';
  const urls = of.originationUrls;
  const url = await urls.create({ friendlyName: 'livekit', sipUrl, priority: 10, weight: 10, enabled: true });
  await urls(url.sid).update({ enabled: false, weight: 1 });
  await urls(url.sid).fetch();
  await urls.list();
  const [number] = await account.incomingPhoneNumbers.list({ phoneNumber: '+4930111001' });
  const phoneNumberSid = number?.sid ?? '';
  await account.incomingPhoneNumbers(phoneNumberSid).fetch();
  await of.phoneNumbers.create({ phoneNumberSid });
  await of.phoneNumbers(phoneNumberSid).fetch();
  await of.phoneNumbers.list();
  const [call] = await account.calls.list({ to: '+4930999001' });
  await account.calls(call?.sid ?? '').fetch();
  await account.calls(call?.sid ?? '').recordings.list();
  const [recording] = await account.recordings.list({ callSid: call?.sid ?? '' });
  await account.recordings(recording?.sid ?? '').fetch();
  const authorization = `Basic ${btoa(`${server.account.sid}:${server.account.authToken}`)}`;
  const path = `/2010-04-01/Accounts/${server.account.sid}/Recordings/${recording?.sid}`;
  for (const ending of ['.wav', '.mp3', '']) {
    const sound = await fetch(`${server.url}${path}${ending}`, { headers: { authorization } });
    expect(await sound.text()).toBe('RIFF of a short call');
  }
  await of.phoneNumbers(phoneNumberSid).remove();
  await urls(url.sid).remove();
  await of.credentialsLists(list.sid).remove();
  await of.remove();
  await credentials(credential.sid).remove();
  await lists(list.sid).remove();
}
