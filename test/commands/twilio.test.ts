import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Ended } from '../support/run-sipctl.ts';
import { freeNumbers } from '../support/twilio/account.ts';
import { misbehaviours } from '../support/twilio/faults.ts';
import { box, data, type Facts, ok, run, since, twilio, withTwilio } from './twilio-site.ts';

withTwilio();

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

  it('gets its password written anew after a restore, as nobody knows which one it has', async () => {
    const backup = join(box.dir, 'backup.db');
    await ok(`db backup ${backup}`);
    await ok('twilio password rotate');
    await ok(`db restore ${backup} --yes`);
    expect((await run('plan')).stdout).toContain('credential.password: [secret] → [secret] (changed)');
    await ok('apply --yes');
    const { sipPassword } = await data<Facts>('twilio show --reveal');
    expect(since.made().credentialLists[0]?.credentials).toMatchObject([{ password: sipPassword }]);
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
