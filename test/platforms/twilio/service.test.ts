import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/model/secret.ts';
import { planService, planServices } from '../../../src/pipeline/hosted-services.ts';
import { foreignNumber, freeNumbers } from '../../support/twilio/account.ts';
import { misbehaviours } from '../../support/twilio/faults.ts';
import { Refused } from '../../support/twilio/refused.ts';
import { originationOf, type Provisioned, password, provisioned } from './provisioned.ts';

/** What the account holds of the trunk of the tests: exactly one of everything. */
const oneOfEverything = {
  credentialLists: [
    {
      friendlyName: 'main-trunk-acme-1700000000000',
      credentials: [{ username: 'sip-acme', password }],
    },
  ],
  trunks: [
    {
      friendlyName: 'main-trunk-acme-1700000000000',
      domainName: 'user-acme-1700000000000.pstn.twilio.com',
      secure: false,
      recording: { mode: 'do-not-record', trim: 'do-not-trim' },
      originations: [{ friendlyName: 'sipctl-livekit', sipUrl: 'sip:project.sip.livekit.cloud' }],
    },
  ],
  numbers: [{ phoneNumber: freeNumbers[0] }],
};

/** Demands that the trunk is there as it should be, that all of it is remembered, and that nothing else was touched. */
async function expectComplete({ since, server, entries, plan }: Provisioned): Promise<void> {
  const made = since.made();
  expect(made).toMatchObject(oneOfEverything);
  const [list, trunk, number] = [made.credentialLists[0], made.trunks[0], made.numbers[0]];
  expect(trunk?.credentialLists).toEqual([list?.sid]);
  expect(number?.trunkSid).toBe(trunk?.sid);
  expect([...entries.values()].map(({ key, id }) => [key, id])).toEqual([
    ['credential-list', list?.sid],
    ['credential', list?.credentials[0]?.sid],
    ['trunk', trunk?.sid],
    ['association', list?.sid],
    ['recording', trunk?.sid],
    ['origination livekit', trunk?.originations[0]?.sid],
    [`number ${freeNumbers[0]}`, number?.sid],
  ]);
  expect(since.now()).toEqual(since.before);
  expect(server.violations).toEqual([]);
  expect((await plan()).changes).toEqual([]);
}

describe('a trunk at Twilio', () => {
  it('is made, thing by thing, and then left alone', async () => {
    const site = await provisioned();
    const outcome = await site.ensure();
    expect(outcome).toMatchObject({ outcome: 'verified', error: null });
    expect(outcome.done.map(({ action, key }) => `${action} ${key}`)).toEqual([
      'create credential-list',
      'create credential',
      'create trunk',
      'create association',
      'create recording',
      'create origination livekit',
      `create number ${freeNumbers[0]}`,
    ]);
    await expectComplete(site);
    const asked = site.server.exchanges.length;
    expect(await site.ensure()).toMatchObject({ outcome: 'unchanged' });
    expect(site.server.exchanges.slice(asked).map(({ method }) => method)).toEqual(Array(7).fill('GET'));
  });

  it('is changed where it differs, and nowhere else', async () => {
    const site = await provisioned();
    await site.ensure();
    const [trunk] = site.since.made().trunks;
    const parts = {
      ...site.parts,
      trunk: { ...site.parts.trunk, secure: true, recording: 'record-from-answer-dual' as const },
      originations: [originationOf('pbx', 'sip:pbx.example.com;transport=tls')],
      numbers: [freeNumbers[1]],
    };
    expect((await site.ensure(parts)).done.map(({ action, key }) => `${action} ${key}`)).toEqual([
      'update trunk',
      'update recording',
      'create origination pbx',
      `create number ${freeNumbers[1]}`,
      `delete number ${freeNumbers[0]}`,
      'delete origination livekit',
    ]);
    expect(site.since.made()).toMatchObject({
      trunks: [
        {
          sid: trunk?.sid,
          secure: true,
          recording: { mode: 'record-from-answer-dual' },
          originations: [{ sipUrl: 'sip:pbx.example.com;transport=tls' }],
        },
      ],
      numbers: [{ phoneNumber: freeNumbers[1] }],
    });
    expect((await site.plan(parts)).changes).toEqual([]);
    expect(site.since.now()).toEqual(site.since.before);
  });

  it('gets another password, and another user, without a moment that has none', async () => {
    const site = await provisioned();
    await site.ensure();
    const rotated = {
      ...site.parts,
      trunk: { ...site.parts.trunk, sipPassword: new Secret('Zyxwvuts98765432') },
    };
    const { changes } = await site.plan(rotated);
    expect(changes).toMatchObject([
      { action: 'update', key: 'credential', options: [{ before: '[secret]', after: '[secret]' }] },
    ]);
    await site.ensure(rotated);
    const users = () => site.since.made().credentialLists[0]?.credentials;
    expect(users()).toMatchObject([{ username: 'sip-acme', password: 'Zyxwvuts98765432' }]);
    const renamed = { ...rotated, trunk: { ...rotated.trunk, sipUsername: 'sip-acme-2' } };
    const asked = site.server.exchanges.length;
    expect(await site.ensure(renamed)).toMatchObject({ outcome: 'verified' });
    expect(users()).toMatchObject([{ username: 'sip-acme-2', password: 'Zyxwvuts98765432' }]);
    const writes = site.server.exchanges.slice(asked).filter(({ method }) => method !== 'GET');
    expect(writes.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
    expect((await site.plan(renamed)).changes).toEqual([]);
  });

  it('is made whole again where somebody changed it in the console', async () => {
    const site = await provisioned();
    await site.ensure();
    const trunk = site.server.account.trunks.at(-1);
    const number = site.server.account.numbers.find(({ phoneNumber }) => phoneNumber === freeNumbers[0]);
    if (trunk === undefined || number === undefined) throw new Error('nothing was made');
    trunk.friendlyName = 'renamed';
    trunk.credentialLists = [];
    trunk.originations = [];
    number.trunkSid = null;
    expect((await site.plan()).changes.map(({ action, key }) => `${action} ${key}`)).toEqual([
      'update trunk',
      'create association',
      'create origination livekit',
      `create number ${freeNumbers[0]}`,
    ]);
    expect(await site.ensure()).toMatchObject({ outcome: 'verified' });
    await expectComplete(site);
  });

  it('goes without a trace', async () => {
    const site = await provisioned();
    await site.ensure();
    expect(await site.destroy()).toMatchObject({ outcome: 'verified', error: null });
    expect(site.since.made()).toMatchObject({ trunks: [], credentialLists: [], numbers: [] });
    expect(site.since.now()).toEqual(site.since.before);
    expect([...site.entries]).toEqual([]);
  });

  it('stays where others have put something on it', async () => {
    const site = await provisioned();
    await site.ensure();
    const trunk = site.server.account.trunks.at(-1);
    trunk?.originations.push({
      sid: site.server.account.newSid('OU'),
      ...originationOf('x', 'sip:else.example.com'),
      friendlyName: 'livekit',
    });
    const { error } = await site.destroy();
    expect(error?.problems).toMatchObject([{ code: 'twilio_trunk_in_use' }]);
    expect(error?.message).toContain('the origination URL livekit');
    expect(site.server.account.trunks).toContain(trunk);
  });
});

describe('a thing that is to be made', () => {
  const make = async (site: Provisioned, key: string, ids: Record<string, string> = {}) => {
    const { service } = site.planned();
    const desired = service.desired.find((resource) => resource.key === key);
    if (desired === undefined) throw new Error(`there is no ${key}`);
    const { name } = desired;
    const change = { action: 'create' as const, key, name, id: null, desired, options: [] };
    return service.perform(change, new Map(Object.entries(ids)));
  };

  it('is taken as it is where it is there, and brought up to date', async () => {
    const site = await provisioned();
    const list = await make(site, 'credential-list');
    expect(await make(site, 'credential-list')).toBe(list);
    const trunk = await make(site, 'trunk');
    const [made] = site.since.made().trunks;
    expect(made?.sid).toBe(trunk);
    for (const one of site.server.account.trunks) if (one.sid === trunk) one.secure = true;
    expect(await make(site, 'trunk')).toBe(trunk);
    expect(site.since.made().trunks).toMatchObject([{ sid: trunk, secure: false }]);
    // Nobody can read a password: it is set anew.
    const user = await make(site, 'credential', { 'credential-list': list });
    for (const one of site.server.account.credentialLists)
      for (const credential of one.credentials)
        if (credential.sid === user) credential.password = 'Other1234567';
    expect(await make(site, 'credential', { 'credential-list': list })).toBe(user);
    expect(site.since.made()).toMatchObject({ credentialLists: [{ credentials: [{ password }] }] });
  });

  it('is made once where answers are lost, and is waited for where Twilio is busy', async () => {
    const site = await provisioned();
    const route = /^POST \/v1\/Trunks$/;
    site.server.fault({ route, does: misbehaviours['connection reset, but done'] });
    await make(site, 'trunk');
    expect(site.since.made().trunks).toHaveLength(1);
    const lists = /^POST .*\/CredentialLists\.json$/;
    site.server.fault({ route: lists, does: misbehaviours['500'], times: 2 });
    site.server.fault({ route: lists, does: misbehaviours['429'], from: 3 });
    await make(site, 'credential-list');
    expect(site.since.made().credentialLists).toHaveLength(1);
    // Twilio asked for a second, the longest wait was half of one.
    expect(site.waits).toEqual([500, 500, 1000, 1000]);
  });

  it('is refused without a word of its password, where Twilio says that again', async () => {
    const site = await provisioned();
    const { sid, authToken } = site.server.account;
    const list = await make(site, 'credential-list');
    const basic = Buffer.from(`${sid}:${authToken}`).toString('base64');
    const refused = new Refused(400, 21243, `${password} is too simple (Basic ${basic})`);
    const does = { ...misbehaviours['401'], refused };
    site.server.fault({ route: /^POST .*\/Credentials\.json$/, does });
    await expect(make(site, 'credential', { 'credential-list': list })).rejects.toThrow(
      '[secret] is too simple (Basic [secret])',
    );
  });

  it('is not made in another account, where the API key belongs to that', async () => {
    const site = await provisioned();
    const { account } = site.server;
    site.parts.account = {
      ...site.parts.account,
      accountSid: `AC${'0'.repeat(32)}`,
      authToken: null,
      apiKey: account.apiKey,
      apiSecret: new Secret(account.apiSecret),
    };
    await expect(make(site, 'trunk')).rejects.toMatchObject({
      outcome: 'refused',
      problems: [{ code: 'twilio_key_of_another_account' }],
    });
    expect(site.since.made().trunks).toEqual([]);
    expect(site.since.now()).toEqual(site.since.before);
  });
});

describe('a plan of several trunks', () => {
  it('goes on past one that cannot be read, and ends where it is interrupted', async () => {
    const site = await provisioned();
    const both = [site.planned(), site.planned()];
    site.server.fault({ does: misbehaviours['401'], times: 2 });
    const { services, serviceFailures } = await planServices(both);
    expect([services.length, serviceFailures.length]).toEqual([1, 1]);
    await expect(planServices(both, AbortSignal.abort())).rejects.toMatchObject({ outcome: 'interrupted' });
  });
});

describe('a trunk that goes', () => {
  it('stays whole where others put something on it, or into its list: that is seen before', async () => {
    const site = await provisioned();
    await site.ensure();
    const { account } = site.server;
    const trunk = account.trunks.at(-1);
    const list = account.credentialLists.at(-1);
    const origination = { sipUrl: 'sip:b.example.com', priority: 1, weight: 1, enabled: true };
    trunk?.originations.push({ sid: account.newSid('OU'), friendlyName: 'backup', ...origination });
    list?.credentials.push({ sid: account.newSid('CR'), username: 'bob', password: 'Something1234' });
    const before = site.since.made();
    const { changes, refusals } = await planService(site.planned(site.parts, true));
    expect(changes.every(({ action }) => action === 'delete')).toBe(true);
    expect(refusals.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'twilio_trunk_in_use: the trunk has what sipctl did not make: the origination URL backup',
      'twilio_list_in_use: the credential list holds users that sipctl did not make: bob',
    ]);
    expect(site.since.made()).toEqual(before);
    trunk?.originations.pop();
    list?.credentials.pop();
    expect((await planService(site.planned(site.parts, true))).refusals).toEqual([]);
  });
});

describe('a number', () => {
  it('of another trunk is not taken from there', async () => {
    const site = await provisioned();
    const parts = { ...site.parts, numbers: [foreignNumber] };
    const { refusals } = await site.plan(parts);
    expect(refusals).toMatchObject([
      { code: 'twilio_number_taken', message: expect.stringContaining(foreignNumber) },
    ]);
    const { error, outcome } = await site.ensure(parts);
    expect(outcome).toBe('taken-back');
    expect(error).toMatchObject({ outcome: 'refused', problems: [{ code: 'twilio_number_taken' }] });
    expect(site.since.now()).toEqual(site.since.before);
    expect(site.since.made()).toMatchObject({ trunks: [], credentialLists: [], numbers: [] });
  });

  it('that the account does not have is said so', async () => {
    const site = await provisioned();
    // Part of one that is there: Twilio looks for what contains it.
    const { error } = await site.ensure({ ...site.parts, numbers: [freeNumbers[0].slice(0, -1)] });
    expect(error).toMatchObject({ outcome: 'notFound', problems: [{ code: 'twilio_number_missing' }] });
  });
});
