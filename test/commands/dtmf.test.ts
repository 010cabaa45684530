import { expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

const rendered = async (box: Sandbox, node: string): Promise<string> =>
  (await box.ok(`render --node ${node} --tenant acme`)).stdout;

it('tells keys as the trunk and the user say, else as their templates do, on both engines', async () => {
  const box = await sandbox();
  const secret = { env: { P: 'some-long-password-9' } };
  await box.ok('tenant add acme --domain acme.example');
  await box.ok('trunk add main --tenant acme --provider telnyx --username abcd1234 --password env:P', secret);
  await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
  await box.ok(['node', 'add', 'pbx1', '--kind', 'asterisk', '--dir', box.dir]);
  await box.ok(['node', 'add', 'fs1', '--kind', 'freeswitch', '--dir', box.dir]);
  const modes = async () => (await rendered(box, 'pbx1')).match(/(?<=^dtmf_mode=).*$/gm);
  expect(await modes()).toEqual(['rfc4733', 'rfc4733']);
  expect(await rendered(box, 'fs1')).not.toContain('dtmf_type');
  await box.ok('trunk set main --tenant acme --dtmf inband');
  await box.ok('user set ann --tenant acme --dtmf info');
  expect((await modes())?.sort()).toEqual(['inband', 'info']);
  const xml = await rendered(box, 'fs1');
  expect(xml).toContain('<variable name="dtmf_type" value="none" direction="outbound"/>');
  expect(xml).toContain('<param name="dial-var-dtmf_type" value="info"/>');
  expect(xml).toContain('<variable name="dtmf_type" value="info"/>');
  const refused = await box.sipctl('user set ann --tenant acme --dtmf sms');
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('rfc4733') });
  expect((await box.ok('trunk show main --tenant acme')).stdout).toMatch(/dtmf:\s+inband/);
});
