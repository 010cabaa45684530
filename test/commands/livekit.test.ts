import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateSIPDispatchRuleRequest,
  CreateSIPInboundTrunkRequest,
  CreateSIPOutboundTrunkRequest,
} from '@livekit/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import { twilioAccount } from '../../src/model/service-nouns.ts';
import { Store } from '../../src/store/store.ts';
import { LivekitServer } from '../support/livekit/livekit-server.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { freeNumbers } from '../support/twilio/account.ts';
import { startTwilio, type TwilioServer } from '../support/twilio/server.ts';

const [one, two] = freeNumbers;

interface Site {
  box: Sandbox;
  twilio: TwilioServer;
  livekit: LivekitServer;
  /** What `livekit add` needs beside its name. */
  project: string;
}

const acme = '--tenant acme';

/** Tenant acme with an account at Twilio, where nothing was made yet. */
async function accountSite(): Promise<Site> {
  const twilio = await startTwilio();
  onTestFinished(() => twilio.close());
  const livekit = await LivekitServer.start();
  const box = await sandbox();
  Object.assign(box.env, {
    SIPCTL_TWILIO_API: twilio.url,
    SIPCTL_SERVICE_TIMEOUT: '2',
    LK_SECRET: LivekitServer.apiSecret,
  });
  await box.ok('tenant add acme');
  const store = await Store.open({
    file: box.db,
    keyFile: join(box.dir, 'config', 'sipctl', 'key'),
    actor: 'test',
    now: () => new Date(),
  });
  await store.write((writer) =>
    writer.add(
      twilioAccount,
      { tenant: 'acme', name: 'main' },
      { accountSid: twilio.account.sid, authToken: new Secret(twilio.account.authToken) },
    ),
  );
  store.close();
  const project = `--url ${livekit.url} --api-key ${LivekitServer.apiKey} --api-secret env:LK_SECRET`;
  return { box, twilio, livekit, project };
}

/** The same, with the trunk at Twilio and two numbers on it. */
async function trunkSite(): Promise<Site> {
  const site = await accountSite();
  await site.box.ok(`livekit config ${acme} --ensure`);
  for (const number of [one, two]) await site.box.ok(`number add ${number} ${acme} --trunk twilio-main`);
  return site;
}

describe('livekit config', () => {
  it('says what is missing, and makes it where that is asked for', async () => {
    const { box, twilio } = await accountSite();
    const before = await box.sipctl(`livekit config ${acme} --json`);
    expect([before.code, before.json().errors[0]]).toMatchObject([
      5,
      { code: 'twilio_trunk_not_made', hint: expect.stringContaining('sipctl twilio ensure') },
    ]);
    const made = await box.ok(`livekit config ${acme} --ensure --json`);
    const [trunk] = twilio.account.trunks.slice(-1);
    const [list] = twilio.account.credentialLists.slice(-1);
    expect(made.json()).toMatchObject({
      changed: true,
      data: {
        config: {
          domainName: trunk?.domainName,
          sipUsername: 'sip-acme',
          sipPassword: '[secret]',
          trunkSid: trunk?.sid,
          credentialListSid: list?.sid,
        },
      },
    });
    expect((await box.ok(`livekit config ${acme} --json`)).json().changed).toBe(false);
  });

  it('shows the password when it is told to, and an audit row tells of that', async () => {
    const { box, twilio } = await trunkSite();
    const [list] = twilio.account.credentialLists.slice(-1);
    const { stdout } = await box.ok(`livekit config ${acme} --format json --reveal`);
    expect(JSON.parse(stdout)).toMatchObject({ sipPassword: list?.credentials[0]?.password });
    const audit = await box.ok(`audit ${acme} --json`);
    expect(audit.json().data).toMatchObject({
      entries: expect.arrayContaining([expect.objectContaining({ action: 'reveal', noun: 'twilioTrunk' })]),
    });
  });

  it('prints the requests of lk, which LiveKit’s protocol reads', async () => {
    const { box, livekit, project } = await trunkSite();
    await box.ok(`livekit add main ${acme} ${project} --agent receptionist`);
    const { stdout, stderr } = await box.ok(`livekit config ${acme} --format lk`);
    expect(stderr).toContain('ID-OF-THE-INBOUND-TRUNK');
    const files = JSON.parse(stdout);
    const inbound = CreateSIPInboundTrunkRequest.fromJson(files['inbound-trunk.json']).trunk;
    const outbound = CreateSIPOutboundTrunkRequest.fromJson(files['outbound-trunk.json']).trunk;
    const rule = CreateSIPDispatchRuleRequest.fromJson(files['dispatch-rule.json']).dispatchRule;
    expect(inbound?.numbers).toEqual([one, two]);
    expect(inbound?.allowedAddresses).toContain('54.172.60.0/30');
    expect(outbound?.authPassword).toBe('[secret]');
    expect(rule?.trunkIds).toEqual(['ID-OF-THE-INBOUND-TRUNK']);

    await box.ok(`livekit ensure ${acme}`);
    const folder = join(mkdtempSync(join(box.dir, 'lk-')), 'new');
    const refused = await box.sipctl(`livekit config ${acme} --format lk --output ${folder} --json`);
    expect([refused.code, refused.json().errors[0]?.code]).toEqual([3, 'masked_files']);
    await box.ok(`livekit config ${acme} --format lk --reveal --output ${folder}`);
    const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
    expect(statSync(join(folder, 'outbound-trunk.json')).mode & 0o777).toBe(0o600);
    // What sipctl made and what lk would make are the same.
    const [made] = livekit.state.outbound.values();
    expect(CreateSIPOutboundTrunkRequest.fromJson(read('outbound-trunk.json')).trunk).toMatchObject({
      name: made?.name,
      address: made?.address,
      numbers: made?.numbers,
      authUsername: made?.authUsername,
      authPassword: made?.authPassword,
      transport: made?.transport,
    });
    expect(read('dispatch-rule.json').dispatchRule.trunkIds).toEqual([...livekit.state.inbound.keys()]);
    const again = await box.sipctl(`livekit config ${acme} --format lk --reveal --output ${folder} --json`);
    expect([again.code, again.json().errors[0]?.code]).toEqual([6, 'not_written']);
  });
});

describe('livekit ensure', () => {
  it('makes the connection, its trunks and its rule, and the way from Twilio to them, once', async () => {
    const { box, twilio, livekit, project } = await trunkSite();
    const command = `livekit ensure main ${acme} ${project} --agent receptionist --sip-uri sip:abc.sip.livekit.cloud`;
    const first = await box.ok(`${command} --json`);
    expect(first.json()).toMatchObject({
      changed: true,
      data: {
        livekit: { name: 'main', twilioTrunk: 'main', apiSecret: '[secret]' },
        services: [
          { service: 'twilio acme/main', outcome: 'verified', count: { create: 3 } },
          { service: 'livekit acme/main', outcome: 'verified', count: { create: 3 } },
        ],
      },
      warnings: [],
    });
    const [trunk] = twilio.account.trunks.slice(-1);
    expect(trunk?.originations).toMatchObject([{ sipUrl: 'sip:abc.sip.livekit.cloud', enabled: true }]);
    expect([...livekit.state.inbound.values()]).toMatchObject([{ numbers: [one, two] }]);
    const said = JSON.stringify([first.stdout, first.stderr]);
    expect(said).not.toContain(LivekitServer.apiSecret);

    livekit.requests.length = 0;
    const again = await box.ok(`${command} --json`);
    expect(again.json().changed).toBe(false);
    expect((await box.ok(`livekit ensure ${acme} --json`)).json().changed).toBe(false);
    expect(livekit.writes).toEqual([]);
    const plan = await box.ok('plan --detailed-exitcode --json');
    expect(plan.json().data).toMatchObject({ services: [{ pending: false }, { pending: false }] });
  });

  it('takes the address of the configuration, and warns where nothing leads to LiveKit', async () => {
    const { box, twilio, project } = await trunkSite();
    const warned = await box.ok(`livekit ensure main ${acme} ${project} --json`);
    expect(warned.json().warnings).toMatchObject([{ code: 'livekit_not_led_to' }]);
    const led = await box.ok(`livekit ensure ${acme} --json`, {
      env: { LIVEKIT_SIP_URI: 'sip:project.example:5060' },
    });
    expect(led.json().warnings).toEqual([]);
    const [trunk] = twilio.account.trunks.slice(-1);
    expect(trunk?.originations).toMatchObject([{ sipUrl: 'sip:project.example:5060' }]);
  });

  it('warns where the trunk takes TLS only, and its calls would be sent in the clear', async () => {
    const { box, twilio, project } = await trunkSite();
    await box.ok(`livekit add main ${acme} ${project} --sip-uri sip:abc.sip.livekit.cloud`);
    await box.ok(`twilio secure on ${acme}`);
    const warned = await box.ok(`livekit ensure ${acme} --json`);
    expect(warned.json().warnings).toMatchObject([{ code: 'livekit_not_encrypted' }]);
    const encrypted = await box.ok(
      `livekit ensure ${acme} --sip-uri sip:abc.sip.livekit.cloud;transport=tls --json`,
    );
    expect(encrypted.json().warnings).toEqual([]);
    const [trunk] = twilio.account.trunks.slice(-1);
    expect(trunk?.originations).toMatchObject([{ sipUrl: 'sip:abc.sip.livekit.cloud;transport=tls' }]);
  });

  it('is an error without a connection, without numbers, and with a wrong secret', async () => {
    const { box, project } = await accountSite();
    const none = await box.sipctl(`livekit ensure ${acme} --json`);
    expect([none.code, none.json().errors[0]?.code]).toEqual([5, 'livekit_not_found']);
    await box.ok(`livekit config ${acme} --ensure`);
    const numberless = await box.sipctl(`livekit ensure main ${acme} ${project} --json`);
    expect([numberless.code, numberless.json().errors[0]]).toMatchObject([
      3,
      { code: 'livekit_no_numbers', hint: expect.stringContaining('--trunk twilio-main') },
    ]);
    await box.ok(`number add ${one} ${acme} --trunk twilio-main`);
    const wrong = await box.sipctl(`livekit ensure main ${acme} --api-secret env:LK_SECRET --json`, {
      env: { LK_SECRET: 'another-secret-of-thirty-two-characters' },
    });
    expect([wrong.code, wrong.json().errors[0]?.code]).toEqual([4, 'livekit_credentials']);
    expect(wrong.stdout + wrong.stderr).not.toContain('another-secret');
  });
});

describe('livekit verify and destroy', () => {
  it('tell what is gone and what differs, and take away what was made', async () => {
    const { box, twilio, livekit, project } = await trunkSite();
    await box.ok(`livekit add main ${acme} ${project} --agent receptionist`);
    const unmade = await box.sipctl(`livekit verify ${acme} --json`);
    expect([unmade.code, unmade.json().errors[0]?.code]).toEqual([5, 'service_not_made']);
    await box.ok(`livekit ensure ${acme}`);
    await box.ok(`livekit verify ${acme} --check`);

    const [inbound] = livekit.state.inbound.values();
    Object.assign(inbound ?? {}, { allowedAddresses: ['0.0.0.0/0'] });
    const differs = await box.sipctl(`livekit verify ${acme} --check`);
    expect([differs.code, differs.stdout]).toMatchObject([2, expect.stringContaining('0.0.0.0/0')]);
    await box.ok(`livekit verify ${acme}`);
    livekit.state.rules.clear();
    const gone = await box.sipctl(`livekit verify ${acme} --json`);
    expect([gone.code, gone.json().errors[0]?.code]).toEqual([5, 'service_gone']);
    await box.ok(`livekit ensure ${acme}`);

    const kept = await box.sipctl(`livekit remove main ${acme} --yes --json`);
    expect([kept.code, kept.json().errors[0]?.hint]).toMatchObject([
      6,
      expect.stringContaining('sipctl livekit destroy main'),
    ]);
    const unconfirmed = await box.sipctl(`livekit destroy main ${acme} --json`);
    expect([unconfirmed.code, unconfirmed.json().errors[0]?.message]).toMatchObject([
      4,
      expect.stringContaining('dispatch-rule'),
    ]);
    const trunks = twilio.account.trunks.length;
    await box.ok(`livekit destroy main ${acme} --yes`);
    expect([livekit.state.inbound.size, livekit.state.outbound.size, livekit.state.rules.size]).toEqual([
      0, 0, 0,
    ]);
    expect(twilio.account.trunks.length).toBe(trunks);
    expect((await box.ok(`livekit destroy main ${acme} --yes`)).stdout).toContain('made nothing there');
    await box.ok(`livekit remove main ${acme} --yes`);
    expect((await box.ok(`livekit list ${acme} --json`)).json().data).toMatchObject({ count: 0 });
  });

  it('warns where another address leaves behind what was made', async () => {
    const { box, livekit, project } = await trunkSite();
    await box.ok(`livekit add main ${acme} ${project}`);
    const other = 'wss://other.livekit.cloud';
    expect((await box.ok(`livekit set main ${acme} --url ${other} --json`)).json().warnings).toEqual([]);
    await box.ok(`livekit set main ${acme} --url ${livekit.url}`);
    await box.ok(`livekit ensure ${acme}`);
    const same = await box.ok(`livekit set main ${acme} --url ${livekit.url} --json`);
    expect(same.json().warnings).toEqual([]);
    const moved = await box.ok(`livekit set main ${acme} --url ${other} --json`);
    expect(moved.json().warnings).toMatchObject([
      { code: 'livekit_moved', message: expect.stringContaining(livekit.url) },
    ]);
  });
});
