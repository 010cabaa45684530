import { describe, expect, it, onTestFinished } from 'vitest';
import { foreignNumber, freeNumbers } from '../support/twilio/account.ts';
import { misbehaviours } from '../support/twilio/faults.ts';
import { remember } from '../support/twilio/foreign.ts';
import { officialClient } from '../support/twilio/official-client.ts';
import { startTwilio, type TwilioOptions, type TwilioServer } from '../support/twilio/server.ts';

async function started(options?: TwilioOptions): Promise<TwilioServer> {
  const server = await startTwilio(options);
  onTestFinished(() => server.close());
  return server;
}

const code = (wanted: number) => expect.objectContaining({ code: wanted });
const domainName = 'user-acme-1.pstn.twilio.com';

describe("the server that stands in for Twilio, asked by Twilio's own client", () => {
  it('keeps what is made, and shows it', async () => {
    const server = await started();
    const client = officialClient(server);
    const since = remember(server.account);
    const list = await client.api.v2010
      .accounts(server.account.sid)
      .sip.credentialLists.create({ friendlyName: 'main-trunk-acme-1' });
    const credential = await client.sip
      .credentialLists(list.sid)
      .credentials.create({ username: 'sip-acme', password: 'Abcdefgh1234' });
    const trunk = await client.trunking.v1.trunks.create({ friendlyName: 'main-trunk-acme-1', domainName });
    const of = client.trunking.v1.trunks(trunk.sid);
    await of.credentialsLists.create({ credentialListSid: list.sid });
    await of.recordings().update({ mode: 'record-from-answer' });
    await of.originationUrls.create({
      friendlyName: 'livekit',
      sipUrl: 'sip:project.sip.livekit.cloud',
      priority: 10,
      weight: 10,
      enabled: true,
    });
    const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: freeNumbers[0] });
    await of.phoneNumbers.create({ phoneNumberSid: number?.sid ?? '' });

    expect(since.made()).toMatchObject({
      trunks: [
        {
          domainName,
          secure: false,
          recording: { mode: 'record-from-answer', trim: 'do-not-trim' },
          credentialLists: [list.sid],
          originations: [{ sipUrl: 'sip:project.sip.livekit.cloud' }],
        },
      ],
      credentialLists: [{ credentials: [{ sid: credential.sid, password: 'Abcdefgh1234' }] }],
      numbers: [{ phoneNumber: freeNumbers[0], trunkSid: trunk.sid }],
    });
    expect(since.now()).toEqual(since.before);
    expect((await of.fetch()).authTypeSet).toEqual(['CREDENTIAL_LIST']);
    expect((await of.recordings().fetch()).mode).toBe('record-from-answer');
    expect((await of.phoneNumbers.list()).map(({ phoneNumber }) => phoneNumber)).toEqual([freeNumbers[0]]);
    expect(JSON.stringify(await client.sip.credentialLists(list.sid).credentials.list())).not.toContain(
      'Abcd',
    );
    expect(server.violations).toEqual([]);
  });

  it('tells long lists page by page', async () => {
    const server = await started({ largestPage: 2 });
    const client = officialClient(server);
    for (const number of [1, 2, 3, 4])
      await client.trunking.v1.trunks.create({ friendlyName: `trunk ${number}` });
    const names = (await client.trunking.v1.trunks.list()).map(({ friendlyName }) => friendlyName);
    expect(names.slice(-4)).toEqual(['trunk 1', 'trunk 2', 'trunk 3', 'trunk 4']);
    expect(await client.incomingPhoneNumbers.list()).toHaveLength(server.account.numbers.length);
    expect(
      server.exchanges.filter(({ method, path }) => method === 'GET' && path === '/v1/Trunks'),
    ).toHaveLength(4);
  });

  it('refuses what Twilio refuses', async () => {
    const server = await started();
    const client = officialClient(server);
    const { trunks } = client.trunking.v1;
    const { credentialLists } = client.sip;
    await expect(trunks.create({ domainName: 'taken-elsewhere.pstn.twilio.com' })).rejects.toEqual(
      code(21248),
    );
    await expect(trunks.create({ domainName: 'acme.example.com' })).rejects.toEqual(code(21245));
    await expect(credentialLists.create({ friendlyName: 'office phones' })).rejects.toEqual(code(21240));
    const list = await credentialLists.create({ friendlyName: 'mine' });
    const { credentials } = credentialLists(list.sid);
    const password = 'Abcdefgh1234';
    await expect(credentials.create({ username: 'a', password: 'short' })).rejects.toEqual(code(21243));
    await expect(credentials.create({ username: 'a'.repeat(33), password })).rejects.toEqual(code(21243));
    await credentials.create({ username: 'a', password });
    await expect(credentials.create({ username: 'a', password })).rejects.toEqual(code(21243));
    const trunk = await trunks.create({ domainName });
    const of = trunks(trunk.sid);
    await of.credentialsLists.create({ credentialListSid: list.sid });
    const again = of.credentialsLists.create({ credentialListSid: list.sid });
    await expect(again).rejects.toEqual(expect.objectContaining({ status: 409 }));
    await expect(credentialLists(list.sid).remove()).rejects.toEqual(
      expect.objectContaining({ status: 409 }),
    );
    await of.remove();
    await expect(of.fetch()).rejects.toEqual(code(20404));
    // Kept from everybody for a while after its trunk is gone.
    await expect(trunks.create({ domainName })).rejects.toEqual(code(21248));
  });

  it('takes a number from another trunk without a word', async () => {
    const server = await started();
    const client = officialClient(server);
    const since = remember(server.account);
    const trunk = await client.trunking.v1.trunks.create({ domainName });
    const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: foreignNumber });
    await client.trunking.v1.trunks(trunk.sid).phoneNumbers.create({ phoneNumberSid: number?.sid ?? '' });
    expect(since.now()).not.toEqual(since.before);
  });

  it('wants the right credentials', async () => {
    const server = await started();
    const { url, account } = server;
    const stranger = officialClient({ url, account: { ...account, authToken: 'f'.repeat(32) } });
    await expect(stranger.trunking.v1.trunks.list()).rejects.toEqual(code(20003));
    const get = (authorization?: string) =>
      fetch(`${url}/v1/Trunks`, { headers: authorization ? { authorization } : {} });
    expect((await get()).status).toBe(401);
    const key = Buffer.from(`${account.apiKey}:${account.apiSecret}`).toString('base64');
    expect((await get(`Basic ${key}`)).status).toBe(200);
  });

  it('misbehaves when it is told to, once', async () => {
    const server = await started();
    const client = officialClient(server);
    const create = (friendlyName: string) => client.trunking.v1.trunks.create({ friendlyName });
    const made = (friendlyName: string) =>
      server.account.trunks.filter((trunk) => trunk.friendlyName === friendlyName).length;
    const route = /^POST \/v1\/Trunks$/;
    for (const [name, does] of Object.entries(misbehaviours)) {
      if (does.kind === 'silence') continue;
      server.fault({ route, does });
      await client.trunking.v1.trunks.list();
      await expect(create(name), name).rejects.toThrow();
      expect(made(name), name).toBe(does.takesEffect ? 1 : 0);
      await create(name);
      expect(made(name), name).toBe(does.takesEffect ? 2 : 1);
    }
  });

  it('passes everything on where it stands before another, and adds its faults', async () => {
    const other = await started();
    const upstream = { trunking: other.url, api: other.url };
    const server = await started({ account: other.account, upstream });
    const client = officialClient(server);
    await client.sip.credentialLists.create({ friendlyName: 'mine' });
    await expect(client.sip.credentialLists.create({ friendlyName: 'mine' })).rejects.toEqual(code(21240));
    server.fault({ route: /^POST/, does: misbehaviours['500, but done'] });
    await expect(client.trunking.v1.trunks.create({ domainName })).rejects.toEqual(code(20500));
    const trunk = (await client.trunking.v1.trunks.list()).at(-1);
    expect(trunk).toMatchObject({ domainName });
    await client.trunking.v1.trunks(trunk?.sid ?? '').remove();
    expect(other.exchanges.map(({ answer }) => answer?.status)).toEqual([201, 400, 201, 200, 204]);
  });
});
