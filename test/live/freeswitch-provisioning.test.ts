import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { reloadXml } from '../../src/platforms/freeswitch/esl/commands.ts';
import type { Sandbox } from '../support/run-sipctl.ts';
import { writeTone } from './calls/sound.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { attach, node, shippedShape } from './freeswitch-site.ts';
import { register, sippAvailable } from './sipp.ts';

const noPhones = sippAvailable();

describeFreeswitch('provisioning', (start) => {
  let freeswitch: FreeswitchInstance;
  let box: Sandbox;

  beforeAll(async () => {
    freeswitch = await start(shippedShape);
    box = await attach(freeswitch);
  }, 90_000);

  async function applied(): Promise<void> {
    const ended = await box.apply();
    expect(ended.code, ended.stdout).toBe(0);
    const { nodes } = ended.json().data as { nodes: { outcome: string }[] };
    expect(nodes.map(({ outcome }) => outcome)).toEqual(['verified']);
  }

  it('has nothing left to do after node init', async () => {
    const { json } = await box.ok(`node init ${node} --write --json`);
    const { checks } = json().data as { checks: { name: string; status: string; changed?: true }[] };
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(checks.filter(({ changed }) => changed)).toEqual([]);
  });

  it('looks for what rooms ask with, and voicemail speaks in', async () => {
    const states = async () => {
      const { checks } = (await box.sipctl(`node init ${node} --json`)).json().data as {
        checks: { name: string; status: string }[];
      };
      return Object.fromEntries(checks.map(({ name, status }) => [name, status]));
    };
    expect(await states()).toMatchObject({ sounds: 'warning' });
    expect(await states()).not.toHaveProperty('phrases');
    writeTone(join(dirname(freeswitch.conf), 'sounds/conference/8000/conf-pin.wav'), 440, 0.1);
    expect(await states()).toMatchObject({ sounds: 'ok' });
    const phrases = join(freeswitch.conf, 'lang/en/en.xml');
    renameSync(phrases, `${phrases}.away`);
    const esl = await connectTo(freeswitch);
    await reloadXml((command) => esl.api(command));
    expect(await states()).toMatchObject({ phrases: 'warning' });
    renameSync(`${phrases}.away`, phrases);
    await reloadXml((command) => esl.api(command));
    await esl.close();
  });

  it('refuses users of a tenant that has no domain, and says what to do', async () => {
    await box.ok('tenant add plain');
    await box.ok('user add zoe --tenant plain --extension 1001 --password env:PW', { env: { PW: 'p' } });
    const ended = await box.sipctl('apply --yes --json');
    expect(ended.code).toBe(3);
    expect(ended.stdout).toContain('sipctl tenant set plain --domain');
    await box.ok(`tenant remove plain --yes --cascade`);
  });

  it('delivers a user and a trunk, and sees both run', async () => {
    await box.ok('tenant add acme --domain acme.example');
    await box.ok(
      'user add ann --tenant acme --extension 1001 --password env:PW --display-name "Änne & <Co>"',
      {
        env: { PW: 'right $${oops} ${system(id)}' },
      },
    );
    await box.ok(
      `trunk add carrier --tenant acme --provider custom_credential --host ${freeswitch.host} --port 5099 --username acme --password env:PW --no-registration`,
      { env: { PW: '$${oops}"<&' } },
    );
    await applied();
  });

  it.skipIf(noPhones !== null)('lets the phone in with the right password only', async () => {
    const phone = { host: freeswitch.host, port: 5060, user: 'ann', domain: 'acme.example' };
    const right = await register({ ...phone, password: 'right $${oops} ${system(id)}' });
    expect(right.statuses, right.trace).toEqual([401, 200]);
    for (const password of ['wrong', '', 'right']) {
      const wrong = await register({ ...phone, password });
      expect(wrong.statuses, wrong.trace).toContain(403);
    }
  });

  it('changes the gateway that changed, and takes away what is removed', async () => {
    await box.ok('trunk set carrier --tenant acme --port 5098');
    const { stdout } = await box.sipctl('plan');
    expect(stdout).toContain('reload: unregister acme.carrier, reload gateways');
    await applied();
    await box.ok('user set ann --tenant acme --extension 1009');
    expect((await box.sipctl('plan')).stdout).toContain('reload: reload xml');
    await applied();
    await box.ok('trunk remove carrier --tenant acme --yes');
    await applied();
  });
});
