import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { type Ended, type Sandbox, sandbox } from '../support/run-sipctl.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await sandbox();
  for (const tenant of ['acme', 'beta']) await box.ok(`tenant add ${tenant}`);
});

async function addNode(name: string, more = ''): Promise<void> {
  const dir = join(box.dir, name);
  mkdirSync(dir);
  await box.ok(`node add ${name} --kind asterisk --dir ${dir} ${more}`);
}
const carrier = '--provider custom_ip --host sip.example --networks';
const warnings = (ended: Ended): unknown =>
  (ended.json().warnings as { code: string }[]).map(({ code }) => code);

it('warns of the trunk that Asterisk cannot tell from another one, when it is added and in every plan with it', async () => {
  await addNode('pbx1');
  const first = await box.ok(`trunk add main --tenant acme ${carrier} 192.0.2.0/24 --json`);
  expect(warnings(first)).toEqual([]);
  const second = await box.ok(`trunk add main --tenant beta ${carrier} 192.0.2.7 --json`);
  expect(warnings(second)).toEqual(['shared_networks']);
  expect(warnings(await box.ok('plan --json'))).toEqual(['shared_networks']);
  expect((await box.ok('plan')).stderr).toContain('main of tenant beta');
  expect(warnings(await box.apply())).toEqual(['shared_networks']);
  expect(warnings(await box.ok('plan --json'))).toEqual([]);

  // What has nothing to do with it does not bring it up again.
  await box.ok('user add ann --extension 101 --generate-password');
  expect(warnings(await box.ok('plan --json'))).toEqual([]);
  const remedied = await box.ok('trunk set main --tenant beta --no-inbound --json');
  expect(warnings(remedied)).toEqual([]);
});

it('has nothing to say of tenants on different nodes', async () => {
  await addNode('pbx1', '--tenants acme');
  await addNode('pbx2', '--tenants beta');
  await box.ok(`trunk add main --tenant acme ${carrier} 192.0.2.0/24`);
  expect(warnings(await box.ok(`trunk add main --tenant beta ${carrier} 192.0.2.7 --json`))).toEqual([]);
  expect(warnings(await box.ok('plan --json'))).toEqual([]);
});

it('speaks of two trunks of one tenant at a carrier of the catalog, too', async () => {
  await addNode('pbx1');
  await box.ok('trunk add one --tenant acme --provider telnyx --auth ip');
  expect(warnings(await box.ok('trunk add two --tenant acme --provider telnyx --auth ip --json'))).toEqual([
    'shared_networks',
  ]);
  const registering = '--provider telnyx --username account --password env:PASSWORD';
  await box.ok('trunk disable two --tenant acme');
  await box.ok('trunk disable one --tenant acme');
  const env = { PASSWORD: 'secret' };
  await box.ok(`trunk add three --tenant acme ${registering}`, { env });
  expect(warnings(await box.ok(`trunk add four --tenant beta ${registering} --json`, { env }))).toEqual([]);
  expect(warnings(await box.ok('trunk enable one --tenant acme --json'))).toEqual(['shared_networks']);
});
