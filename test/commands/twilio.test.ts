import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ended, RunOptions, Sandbox } from '../support/run-sipctl.ts';
import { sandbox } from '../support/run-sipctl.ts';
import { foreignNumber, freeNumbers } from '../support/twilio/account.ts';
import { misbehaviours } from '../support/twilio/faults.ts';
import { remember, type Since } from '../support/twilio/foreign.ts';
import { startTwilio, type TwilioServer } from '../support/twilio/server.ts';

let box: Sandbox;
let twilio: TwilioServer;
let since: Since;

beforeEach(async () => {
  twilio = await startTwilio();
  since = remember(twilio.account);
  box = await sandbox();
  await box.ok('tenant add acme');
  await box.ok(
    `twilio account add main --tenant acme --account-sid ${twilio.account.sid} --auth-token-stdin`,
    {
      input: twilio.account.authToken,
    },
  );
});
afterEach(async () => {
  expect(since.now()).toEqual(since.before);
  await twilio.close();
});

const env = (): Record<string, string> => ({
  SIPCTL_TWILIO_API: twilio.url,
  SIPCTL_SERVICE_TIMEOUT: '2',
  SIPCTL_TENANT: 'acme',
});
const run = (command: string, options: RunOptions = {}): Promise<Ended> =>
  box.sipctl(command, { ...options, env: { ...env(), ...options.env } });
const ok = (command: string, options: RunOptions = {}): Promise<Ended> =>
  box.ok(command, { ...options, env: { ...env(), ...options.env } });
const data = async <T = Record<string, never>>(command: string): Promise<T> =>
  (await ok(`${command} --json`)).json().data as T;

interface Facts {
  trunkSid: string;
  trunkName: string;
  domainName: string;
  domainPrefix: string;
  credentialListSid: string;
  sipUsername: string;
  sipPassword: string;
}

describe('twilio ensure', () => {
  it('makes a trunk with everything, once, and a trunk for the PBXs', async () => {
    const first = (await ok('twilio ensure --json')).json();
    expect(first).toMatchObject({
      ok: true,
      changed: true,
      data: { success: true, sipPassword: '[secret]' },
    });
    const facts = first.data as Facts;
    expect(facts.domainName).toMatch(/^user-acme-[0-9]+\.pstn\.twilio\.com$/);
    expect(facts.sipUsername).toBe('sip-acme');
    const made = since.made();
    expect(made.trunks).toMatchObject([
      { sid: facts.trunkSid, friendlyName: facts.trunkName, domainName: facts.domainName },
    ]);
    expect(made.credentialLists).toMatchObject([{ sid: facts.credentialListSid }]);
    const second = (await ok('twilio ensure --json')).json();
    expect(second).toMatchObject({ changed: false, data: { ...facts, service: { outcome: 'unchanged' } } });
    expect(since.made()).toEqual(made);
    expect(await data('trunk show twilio-main')).toMatchObject({
      trunk: { provider: 'twilio', host: facts.domainName, username: 'sip-acme', password: '[secret]' },
    });
    expect((await run('plan --detailed-exitcode')).code).toBe(0);
  });

  it('shows the password where it is asked to, with an audit row, and the same one to everybody', async () => {
    await ok('twilio ensure');
    const { sipPassword } = await data<Facts>('twilio show --reveal');
    expect(since.made().credentialLists[0]?.credentials).toMatchObject([
      { username: 'sip-acme', password: sipPassword },
    ]);
    expect(await data('trunk show twilio-main --reveal')).toMatchObject({ trunk: { password: sipPassword } });
    const said = await ok('twilio show');
    expect(said.stdout).toContain('[secret]');
    expect(said.stdout).not.toContain(sipPassword);
    const audit = await ok('audit --json');
    expect(audit.stdout).toContain('"reveal"');
    expect(audit.stdout).not.toContain(sipPassword);
  });

  it('takes an account with it, and sends calls to LiveKit', async () => {
    await box.ok('tenant add beta');
    const { sid, authToken } = twilio.account;
    const flags = `--account-sid ${sid} --auth-token-stdin --label Production`;
    await ok(`twilio ensure --tenant beta ${flags}`, {
      input: authToken,
      env: { LIVEKIT_SIP_URI: 'sip:example.sip.livekit.cloud' },
    });
    expect(since.made().trunks[0]?.originations).toMatchObject([{ sipUrl: 'sip:example.sip.livekit.cloud' }]);
    expect(await data('twilio show --tenant beta')).toMatchObject({
      label: 'Production',
      originations: [{ name: 'livekit', sipUrl: 'sip:example.sip.livekit.cloud' }],
    });
    await ok('twilio ensure --tenant beta --livekit-sip-uri sip:other.sip.livekit.cloud');
    expect(since.made().trunks[0]?.originations).toMatchObject([{ sipUrl: 'sip:other.sip.livekit.cloud' }]);
  });

  it('serves every account with --all, and says of each tenant what went wrong', async () => {
    await box.ok('tenant add beta');
    await box.ok(
      `twilio account add main --tenant beta --account-sid AC${'0'.repeat(32)} --auth-token-stdin`,
      {
        input: 'some other token',
      },
    );
    const ended = await run('twilio ensure --all --json');
    expect(ended.code).toBe(4);
    expect(ended.json().data).toMatchObject({ count: 1 });
    expect(ended.json().errors[0]?.message).toContain('tenant beta: ');
    expect(since.made().trunks).toHaveLength(1);
    await box.ok('twilio account disable main --tenant beta');
    expect((await run('twilio ensure --all --json')).json()).toMatchObject({ ok: true });
  });

  it('goes on after an answer that got lost, and chooses another name where its own is taken', async () => {
    const posted = /^POST \/v1\/Trunks$/;
    twilio.fault({ route: posted, does: misbehaviours['connection reset, but done'] });
    await ok('twilio ensure');
    expect(since.made().trunks).toHaveLength(1);
    await box.ok('tenant add beta');
    await box.ok(
      `twilio account add main --tenant beta --account-sid ${twilio.account.sid} --auth-token-stdin`,
      {
        input: twilio.account.authToken,
      },
    );
    const noon = Date.parse('2026-05-01T12:00:00Z');
    twilio.account.takenDomains.add(`user-beta-${noon}.pstn.twilio.com`);
    const atNoon = await run('twilio ensure --tenant beta', { now: () => new Date(noon) });
    expect([atNoon.code, atNoon.stderr]).toEqual([6, expect.stringContaining('Trunk Domain already taken')]);
    expect(since.made().credentialLists).toHaveLength(1);
    const later = () => new Date(noon + 1000);
    const ended = (await ok('twilio ensure --tenant beta --json', { now: later })).json();
    expect(ended.data).toMatchObject({ success: true, domainPrefix: `user-beta-${noon + 1000}` });
    expect(since.made().trunks).toHaveLength(2);
    expect(since.made().credentialLists).toHaveLength(2);
  });

  it('leaves nothing where Twilio refuses for good, and says why', async () => {
    twilio.fault({ route: /^POST .*CredentialLists$/, does: misbehaviours['401'], times: 99 });
    const ended = await run('twilio ensure --json');
    expect(ended.code).toBe(4);
    expect(ended.json()).toMatchObject({ ok: false, data: { success: false } });
    expect(ended.stdout).not.toContain(twilio.account.authToken);
    expect(since.made()).toMatchObject({ trunks: [], credentialLists: [] });
    expect((await run('trunk show twilio-main')).code).toBe(5);
    twilio.heal();
    await ok('twilio ensure');
    expect(since.made().trunks).toHaveLength(1);
  });
});

describe('a trunk at Twilio', () => {
  beforeEach(async () => {
    await ok('twilio ensure');
  });

  it('is verified, and missed where it is gone', async () => {
    await ok('twilio verify --check');
    const [made] = since.made().trunks;
    const own = twilio.account.trunks.find(({ sid }) => sid === made?.sid);
    if (own !== undefined) own.secure = true;
    const drifted = await run('twilio verify --check');
    expect([drifted.code, drifted.stdout]).toEqual([
      2,
      expect.stringContaining('trunk.secure: true → false'),
    ]);
    expect((await run('drift --check')).code).toBe(2);
    expect((await run('plan --detailed-exitcode')).code).toBe(2);
    twilio.account.trunks = twilio.account.trunks.filter((one) => one !== own);
    const gone = await run('twilio verify');
    expect([gone.code, gone.stderr]).toEqual([5, expect.stringContaining('gone: ')]);
    await ok('twilio ensure');
    expect(since.made().trunks).toHaveLength(1);
  });

  it('stands in plan and apply beside the nodes', async () => {
    mkdirSync(join(box.dir, 'pbx'));
    await ok(`node add pbx --kind asterisk --dir ${join(box.dir, 'pbx')}`);
    const unreachable = { env: { SIPCTL_TWILIO_API: 'http://127.0.0.1:1', SIPCTL_SERVICE_TIMEOUT: '0.2' } };
    const written = await run('twilio origination add pbx --sip-url sip:pbx.example.com', unreachable);
    expect(written.code).toBe(7);
    const plan = await run('plan');
    expect(plan.stdout).toContain('twilio acme/main\n    + origination pbx sipctl-pbx\n');
    expect(plan.stdout).toContain('Plan: 1 to create, 0 to change, 0 to delete at 1 service.');
    expect((await run('plan --node pbx')).stdout).not.toContain('twilio acme/main');
    const without = await run('plan --json', unreachable);
    expect([without.code, without.json().data]).toMatchObject([
      7,
      { nodes: [{ node: 'pbx' }], serviceFailures: [{ service: 'twilio acme/main' }] },
    ]);
    const applied = await run('apply --yes --json');
    expect(applied.json().data).toMatchObject({
      services: [{ service: 'twilio acme/main', outcome: 'verified', count: { create: 1 } }],
    });
    expect(since.made().trunks[0]?.originations).toMatchObject([{ sipUrl: 'sip:pbx.example.com' }]);
  });

  it('is planned with masked secrets; a saved plan is refused once it is another one', async () => {
    await ok(`twilio account add other --account-sid ${twilio.account.sid} --auth-token-stdin`, {
      input: twilio.account.authToken,
    });
    const unreachable = { env: { SIPCTL_TWILIO_API: 'http://127.0.0.1:1', SIPCTL_SERVICE_TIMEOUT: '0.2' } };
    expect((await run('twilio ensure second --account other', unreachable)).code).toBe(7);
    const { sipPassword } = await data<Facts>('twilio show second --reveal');
    const file = join(box.dir, 'plan.json');
    const plan = await ok(`plan --diff -o ${file}`);
    expect(plan.stdout).toContain('credential.password: (none) → [secret]');
    const json = await ok('plan --json');
    for (const text of [plan.stdout, json.stdout, readFileSync(file, 'utf8')]) {
      expect(text).not.toContain(sipPassword);
      expect(text).not.toContain(twilio.account.authToken);
    }
    const applied = await ok(`apply ${file}`);
    expect(applied.stderr).toContain("trunk 'twilio-second' of tenant 'acme' was added");
    expect(await data('trunk show twilio-second --reveal')).toMatchObject({
      trunk: { password: sipPassword },
    });
    expect(since.made().trunks).toHaveLength(2);
    const [own] = since.made().trunks;
    const changed = twilio.account.trunks.find(({ sid }) => sid === own?.sid);
    if (changed !== undefined) changed.secure = true;
    await ok(`plan -o ${file}`);
    if (changed !== undefined) changed.recording.mode = 'record-from-ringing';
    expect((await run(`apply ${file}`)).code).toBe(4);
    await ok('apply --yes');
    expect((await run('plan --detailed-exitcode')).code).toBe(0);
  });

  it('is changed by one run at a time', async () => {
    let second: Promise<Ended> | null = null;
    twilio.fault({
      route: /^POST \/v1\/Trunks\/TK[0-9a-f]+$/,
      does: {
        ...{ kind: 'event', takesEffect: false },
        happens: () => {
          second = run('twilio ensure');
        },
      },
    });
    await ok('twilio secure on', { env: { SIPCTL_SERVICE_TIMEOUT: '0.5' } });
    const late = (await second) as Ended | null;
    expect([late?.code, late?.stderr]).toEqual([6, expect.stringContaining('service twilio acme/main')]);
    await ok('twilio ensure');
  });

  it('is left as it is where it is disabled', async () => {
    await ok('twilio disable main');
    const [own] = since.made().trunks;
    const changed = twilio.account.trunks.find(({ sid }) => sid === own?.sid);
    if (changed !== undefined) changed.secure = true;
    expect((await run('drift --check')).code).toBe(0);
    expect((await run('plan')).code).toBe(5);
    await ok('twilio enable main');
    expect((await run('plan --detailed-exitcode')).code).toBe(2);
  });

  it('ends at an interrupt where it can go on', async () => {
    const controller = new AbortController();
    twilio.fault({
      route: /POST .*OriginationUrls/,
      does: { kind: 'event', takesEffect: true, happens: () => controller.abort() },
    });
    const ended = await run('twilio origination add one --sip-url sip:one.example.com', {
      signal: controller.signal,
    });
    expect(ended.code).toBe(130);
    await ok('twilio ensure');
    expect(since.made().trunks[0]?.originations).toHaveLength(1);
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

  it('is destroyed by its name only, with what sipctl made for it', async () => {
    const { trunkName } = await data<Facts>('twilio show');
    await ok('twilio origination add one --sip-url sip:one.example.com');
    await ok(`twilio number attach ${freeNumbers[0]}`);
    for (const flags of ['', '--yes', '--yes --confirm main', `--confirm ${trunkName}`])
      expect([flags, (await run(`twilio destroy ${flags}`)).code]).toEqual([flags, 4]);
    expect((await run('trunk remove twilio-main --cascade --yes')).code).toBe(6);
    expect((await run('tenant remove acme --cascade --yes')).code).toBe(6);
    await ok(`twilio destroy --yes --confirm ${trunkName}`);
    expect(since.made()).toMatchObject({ trunks: [], credentialLists: [], numbers: [] });
    expect((await run('twilio show')).code).toBe(5);
    expect((await run('trunk show twilio-main')).code).toBe(5);
    expect(await data(`number show ${freeNumbers[0]}`)).toMatchObject({ number: { trunk: null } });
    await ok('twilio ensure');
    expect(since.made().trunks).toHaveLength(1);
  });

  it('can be forgotten where nobody answers for its account any more', async () => {
    const { trunkName } = await data<Facts>('twilio show');
    const gone = { env: { SIPCTL_TWILIO_API: 'http://127.0.0.1:1', SIPCTL_SERVICE_TIMEOUT: '0.2' } };
    const confirmed = `--yes --confirm ${trunkName}`;
    expect((await run(`twilio destroy ${confirmed}`, gone)).code).toBe(7);
    expect((await run('twilio destroy --forget --yes', gone)).code).toBe(4);
    await ok(`twilio destroy --forget ${confirmed}`, gone);
    expect(since.made().trunks).toHaveLength(1);
    await ok('tenant remove acme --cascade --yes');
  });

  it('stays in its account', async () => {
    const moved = await run(`twilio account set main --account-sid AC${'1'.repeat(32)}`);
    expect([moved.code, moved.stderr]).toEqual([3, expect.stringContaining("Twilio trunk 'main' is in AC")]);
    const ensured = await run(`twilio ensure --account-sid AC${'1'.repeat(32)}`);
    expect([ensured.code, ensured.stderr]).toEqual([3, expect.stringContaining('twilio destroy main')]);
  });

  it('is an orphan once the database forgot it, and what looks alike is told, too', async () => {
    const orphans = await data<{ orphans: { name: string }[] }>('twilio orphans');
    expect(new Set(orphans.orphans.map(({ name }) => name))).toEqual(new Set(['main-trunk-acme-1500000000']));
    const other = join(box.dir, 'other.db');
    await ok(`init --db ${other}`);
    await ok(`tenant add acme --db ${other}`);
    await ok(`twilio account add main --db ${other} --account-sid ${twilio.account.sid} --auth-token-stdin`, {
      input: twilio.account.authToken,
    });
    const seen = await data<{ count: number }>(`twilio orphans --db ${other}`);
    expect(seen.count).toBe(4);
    expect((await run(`twilio orphans --db ${other} --remove`)).code).toBe(4);
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
