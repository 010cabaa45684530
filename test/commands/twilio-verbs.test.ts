import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { foreignNumber, freeNumbers } from '../support/twilio/account.ts';
import { misbehaviours } from '../support/twilio/faults.ts';
import { box, data, type Facts, ok, run, since, twilio, withTwilio } from './twilio-site.ts';

withTwilio();

describe('an account at Twilio', () => {
  it('is tried without making anything; live, a trunk is made and taken away again', async () => {
    const looked = await ok('twilio test');
    expect(looked.stdout).toContain('credentials: Twilio takes them');
    expect(looked.stdout).toContain('nothing was made');
    expect(twilio.exchanges.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect((await run('twilio test --live')).code).toBe(4);
    expect(twilio.exchanges.filter(({ method }) => method !== 'GET')).toEqual([]);
    const { checks } = await data<{ checks: { name: string; status: string }[] }>('twilio test --live --yes');
    expect(checks.map(({ name, status }) => `${name} ${status}`)).toEqual(
      ['credentials', 'trunks', 'numbers', 'make', 'repeat', 'take away'].map((name) => `${name} ok`),
    );
    expect(twilio.exchanges.filter(({ method }) => method === 'POST').length).toBeGreaterThan(4);
    expect(since.made()).toMatchObject({ trunks: [], credentialLists: [] });
    expect(await data('twilio list')).toMatchObject({ count: 0 });
  });

  it('is tried to the end: what was made goes, also where something in between is refused', async () => {
    twilio.fault({ route: /^POST .*OriginationUrls$/, does: misbehaviours['401'], times: 99 });
    const ended = await run('twilio test --live --yes');
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/failed +make: /);
    expect(since.made()).toMatchObject({ trunks: [], credentialLists: [] });
  });

  it('shows each request with --debug, and nothing that it carries', async () => {
    const { stderr } = await ok('twilio ensure --debug');
    expect(stderr).toMatch(/^POST \/v1\/Trunks: 201$/m);
    expect(stderr).toMatch(/^GET \/v1\/Trunks\S*: 200$/m);
    const { sipPassword } = await data<Facts>('twilio show --reveal');
    for (const secret of [sipPassword, twilio.account.authToken]) expect(stderr).not.toContain(secret);
    expect((await ok('twilio verify')).stderr).toBe('');
  });

  it('says where the credentials are wrong', async () => {
    await ok('twilio account set main --auth-token-stdin', { input: 'f'.repeat(32) });
    const ended = await run('twilio test --live --yes');
    expect([ended.code, ended.stdout]).toEqual([1, expect.stringMatching(/failed +credentials: /)]);
    expect(ended.stdout).not.toContain('make');
  });
});

describe('a trunk at Twilio', () => {
  beforeEach(async () => {
    await ok('twilio ensure');
  });

  it('gets numbers and loses them; one of somebody else stays where it is', async () => {
    const [number] = freeNumbers;
    await ok(`twilio number attach ${number}`);
    expect(since.made().numbers).toMatchObject([{ phoneNumber: number }]);
    expect((await ok('twilio number list')).stdout).toMatch(new RegExp(`\\${number}.*acme/main`));
    expect(await data(`number show ${number}`)).toMatchObject({ number: { trunk: 'twilio-main' } });
    const foreign = await run(`twilio number attach ${foreignNumber}`);
    expect([foreign.code, foreign.stderr]).toEqual([4, expect.stringContaining('another trunk')]);
    const unknown = await run('twilio number attach +4930000000');
    expect([unknown.code, unknown.stderr]).toEqual([5, expect.stringContaining('does not have +4930000000')]);
    await ok(`twilio number detach ${number}`);
    expect(since.made().numbers).toEqual([]);
    expect(await data(`number show ${number}`)).toMatchObject({ number: { trunk: null } });
  });

  it('sends calls to several addresses, changed and removed at once', async () => {
    await ok('twilio origination ensure one --sip-url sip:one.example.com --priority 5');
    await ok('twilio origination add two --sip-url sip:two.example.com --weight 20');
    expect(since.made().trunks[0]?.originations).toMatchObject([
      { sipUrl: 'sip:one.example.com', priority: 5 },
      { sipUrl: 'sip:two.example.com', weight: 20 },
    ]);
    await ok('twilio origination set one --sip-url sip:else.example.com');
    await ok('twilio origination disable two');
    await ok('twilio origination list');
    const two = since.made().trunks[0]?.originations.find(({ sipUrl }) => sipUrl === 'sip:two.example.com');
    expect(two?.enabled).toBe(false);
    await ok('twilio origination remove two --yes');
    expect(since.made().trunks[0]?.originations).toMatchObject([{ sipUrl: 'sip:else.example.com' }]);
  });

  it('is recorded, secured and given a new password, and the PBXs follow', async () => {
    const before = await data<Facts>('twilio show --reveal');
    await ok('twilio recording set --mode record-from-answer-dual --trim trim-silence');
    await ok('twilio secure on');
    await ok('twilio password rotate');
    const after = await data<Facts>('twilio show --reveal');
    expect(after.sipPassword).not.toBe(before.sipPassword);
    expect(since.made()).toMatchObject({
      trunks: [{ secure: true, recording: { mode: 'record-from-answer-dual', trim: 'trim-silence' } }],
      credentialLists: [{ credentials: [{ username: 'sip-acme', password: after.sipPassword }] }],
    });
    expect(await data('trunk show twilio-main --reveal')).toMatchObject({
      trunk: { transport: 'tls', srtp: true, password: after.sipPassword },
    });
    await ok('twilio secure off');
    expect(await data('trunk show twilio-main')).toMatchObject({ trunk: { transport: null, srtp: null } });
    expect((await run('twilio recording set')).code).toBe(3);
  });

  it('has recordings that can be listed and fetched', async () => {
    const [recording] = twilio.account.recordings;
    const call = recording?.callSid as string;
    expect(await data(`twilio recording list --call ${call}`)).toMatchObject({
      recordings: [{ id: recording?.sid, call }],
    });
    const file = join(box.dir, 'call.wav');
    await ok(`twilio recording get ${recording?.sid} -o ${file}`);
    expect(readFileSync(file).equals(recording?.audio as Buffer)).toBe(true);
    expect((await run(`twilio recording get ${recording?.sid} -o ${file}`)).code).toBe(6);
    expect((await ok('audit --json')).stdout).toContain('"fetch"');
  });
});

describe('a Twilio account', () => {
  it('is verified, by its token or by an API key', async () => {
    expect(await data('twilio account verify')).toMatchObject({ sid: twilio.account.sid });
    writeFileSync(join(box.dir, 'secret'), twilio.account.apiSecret);
    await ok(
      `twilio account add key --account-sid ${twilio.account.sid} --api-key ${twilio.account.apiKey} --api-secret-file ${join(box.dir, 'secret')}`,
    );
    await ok('twilio account verify key');
    await ok('twilio account set main --auth-token-stdin', { input: 'not the token of this account' });
    const denied = await run('twilio account verify main');
    expect([denied.code, denied.stderr]).toEqual([4, expect.stringContaining('hint:')]);
    expect(denied.stderr).not.toContain('not the token');
  });

  it('needs credentials, and a SID that is one', async () => {
    const without = await run(`twilio account add x --account-sid ${twilio.account.sid}`);
    expect([without.code, without.stderr]).toEqual([3, expect.stringContaining('--auth-token-stdin')]);
    const half = await run(`twilio account add x --account-sid AC1 --api-key ${twilio.account.apiKey}`);
    expect([half.code, half.stderr]).toEqual([3, expect.stringMatching(/'AC1'(.|\n)*api-secret/)]);
  });
});

describe('doctor twilio', () => {
  it('checks the account, the trunk, and where calls are sent', async () => {
    const before = await ok('doctor twilio');
    expect(before.stdout).toMatch(/ok .*account acme\/main: Twilio takes the credentials/);
    expect(before.stdout).toMatch(/warning .*twilio acme\/main|skipped .*LIVEKIT_SIP_URI/);
    await ok('twilio ensure --livekit-sip-uri sip:127.0.0.1:5060');
    const after = await ok('doctor');
    expect(after.stdout).toContain('twilio acme/main: as the database says');
    expect(after.stdout).toContain('origination acme/livekit: sip:127.0.0.1:5060');
    const wrong = await run('doctor twilio', { env: { LIVEKIT_SIP_URI: 'sip:abc.livekit.cloud' } });
    expect(wrong.stdout).toContain('sip:abc.sip.livekit.cloud');
    twilio.fault({ does: misbehaviours['401'], times: 99 });
    const denied = await run('doctor twilio');
    expect([denied.code, denied.stderr]).toEqual([1, expect.stringContaining('hint:')]);
  });
});

describe('completion', () => {
  const offered = async (...words: string[]): Promise<string[]> =>
    (await ok(`completion words -- ${words.join(' ')} ""`)).stdout.split('\n').filter((word) => word !== '');

  it('offers verbs below verbs, accounts and trunks by name', async () => {
    await ok('twilio ensure');
    expect(await offered('twilio')).toEqual(expect.arrayContaining(['account', 'ensure', 'secure']));
    expect(await offered('twilio', 'account')).toEqual(expect.arrayContaining(['add', 'verify']));
    expect(await offered('twilio', 'account', 'show')).toContain('main');
    expect(await offered('twilio', 'secure', 'on')).toContain('main');
    expect(await offered('twilio', 'ensure', '--account')).toEqual(['main']);
    expect(await offered('twilio', 'origination', 'add', 'x', '--twilio-trunk')).toEqual(['main']);
  });
});
