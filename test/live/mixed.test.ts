import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ended, Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, asteriskAvailable, startAsterisk } from './asterisk.ts';
import { node as asteriskNode, attach, shown } from './attached.ts';
import { connectTo, type FreeswitchInstance, startFreeswitch, whyNoFreeswitch } from './freeswitch.ts';
import { addNode, node as freeswitchNode, shippedShape } from './freeswitch-site.ts';

const missing = asteriskAvailable('22') ?? whyNoFreeswitch;
const title = 'one database, an Asterisk and a FreeSWITCH';

/** What `--json` says of each node, by its name. */
interface Report {
  node: string;
  outcome: string;
  generation: number;
}

describe.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, () => {
  let asterisk: AsteriskInstance;
  let freeswitch: FreeswitchInstance;
  let box: Sandbox;

  beforeAll(async () => {
    asterisk = await startAsterisk({ version: '22' });
    freeswitch = await startFreeswitch(shippedShape);
    box = await attach(asterisk);
    await addNode(box, freeswitch);
    await box.ok('tenant add acme --domain acme.example --country US');
    await box.ok('user add ann --tenant acme --extension 1001 --display-name Ann --generate-password');
    await box.ok(
      'trunk add carrier --tenant acme --provider custom_ip --host 127.0.0.9 --networks 127.0.0.9 --did +15551234567',
    );
    await box.ok('number set +15551234567 --tenant acme --to user:ann');
  }, 150_000);
  afterAll(async () => {
    await freeswitch?.stop();
    await asterisk?.stop();
  });

  const reports = (ended: Ended): Map<string, Report> => {
    const { nodes } = ended.json().data as { nodes: Report[] };
    return new Map(nodes.map((one) => [one.node, one]));
  };
  const outcomes = (ended: Ended): Record<string, string> =>
    Object.fromEntries([...reports(ended)].map(([name, { outcome }]) => [name, outcome]));

  const onAsterisk = async (): Promise<string> =>
    (await shown(asterisk)).endpoint.get('ann@acme.example')?.Callerid ?? '';
  async function onFreeswitch(): Promise<string> {
    const esl = await connectTo(freeswitch);
    try {
      return (await esl.api('user_data ann@acme.example var effective_caller_id_name')).trim();
    } finally {
      await esl.close();
    }
  }

  it('are both done by one apply, and both proven', async () => {
    const ended = await box.apply();
    expect(ended.code, ended.stdout).toBe(0);
    expect(outcomes(ended)).toEqual({ [asteriskNode]: 'verified', [freeswitchNode]: 'verified' });
    expect(await onAsterisk()).toContain('"Ann"');
    expect(await onFreeswitch()).toBe('Ann');
    const drift = await box.sipctl('drift --check');
    expect([drift.code, drift.stdout]).toEqual([0, expect.stringContaining(freeswitchNode)]);
  });

  it('do not wait for each other: one is down, the other is done, and the report says which', async () => {
    const before = await freeswitchGeneration();
    await box.ok('user set ann --tenant acme --display-name Anna');
    await freeswitch.halt();
    const ended = await box.sipctl('apply --yes --json');
    expect(ended.code, ended.stdout).toBe(7);
    expect(outcomes(ended)).toEqual({ [asteriskNode]: 'verified', [freeswitchNode]: 'failed' });
    expect(reports(ended).get(freeswitchNode)?.generation).toBe(before);
    expect(ended.json()).toMatchObject({ ok: false, changed: true });
    const said = ended.json().errors.map(({ message }) => message);
    expect(said).toEqual([expect.stringContaining(`${freeswitch.esl.host}:${freeswitch.esl.port}`)]);
    expect(await onAsterisk()).toContain('"Anna"');
  });

  it('say the same to people', async () => {
    const ended = await box.sipctl('apply --yes');
    expect(ended.code).toBe(7);
    expect(ended.stdout).toMatch(
      new RegExp(`^${freeswitchNode}: failed, generation [0-9]+ stays in force$`, 'm'),
    );
    expect(ended.stdout).not.toMatch(new RegExp(`^${asteriskNode}: applied`, 'm'));
    const status = await box.sipctl('status');
    expect(status.code).toBe(7);
    expect(status.stdout).toMatch(new RegExp(`^${asteriskNode} .*verified, up to date$`, 'm'));
    expect(status.stdout).toMatch(new RegExp(`^${freeswitchNode} .*changes pending`, 'm'));
  });

  it('are both done when it is back, and only what was left is', async () => {
    const before = reports(await box.sipctl('apply --yes --json')).get(asteriskNode)?.generation;
    await freeswitch.resume();
    const ended = await box.apply();
    expect(ended.code, ended.stdout).toBe(0);
    const after = reports(ended);
    expect(after.get(freeswitchNode)?.outcome).toBe('verified');
    expect(after.get(asteriskNode)?.outcome ?? 'unchanged').toBe('unchanged');
    expect(after.get(asteriskNode)?.generation ?? before).toBe(before);
    expect(await onFreeswitch()).toBe('Anna');
    expect((await box.sipctl('drift --check')).code).toBe(0);
  });

  async function freeswitchGeneration(): Promise<number> {
    const { json } = await box.ok('status --json');
    const { nodes } = json().data as { nodes: { node: string; generation: number }[] };
    return nodes.find(({ node }) => node === freeswitchNode)?.generation ?? -1;
  }
});
