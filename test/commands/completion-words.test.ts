import { beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await sandbox();
  await box.ok('tenant add acme --domain acme.example');
  await box.ok('user add ann --extension 101 --generate-password');
  await box.ok('user add alf --extension 102 --generate-password');
  await box.ok('user add other --tenant acme --extension 101 --generate-password');
  await box.ok('group add sales --members ann');
  await box.ok('trunk add main --provider custom_ip --host carrier.example --networks 192.0.2.1');
});

/** What is offered after these words; the last one is being typed. */
const offered = async (...typed: string[]): Promise<string[]> =>
  (await box.ok(['completion', 'words', '--', ...typed])).stdout.split('\n').filter((word) => word !== '');

const number = ['number', 'add', '+15551234567'];

describe('completion', () => {
  it('offers destinations of the tenant that is named', async () => {
    const all = await offered(...number, '--to', '');
    expect(all).toEqual(
      expect.arrayContaining([
        'user:ann',
        'voicemail:alf',
        'group:sales',
        'hangup:busy',
        'app:',
        'external:',
      ]),
    );
    expect(all.join()).not.toContain('other');
    expect(await offered(...number, '--to', 'user:a')).toEqual(['user:alf', 'user:ann']);
    expect(await offered(...number, '--tenant', 'acme', '--to', 'user:')).toEqual(['user:other']);
    expect(await offered('schedule', 'set', 'x', '--closed', 'gr')).toEqual(['group:sales']);
  });

  it('offers only what bash would replace, where bash takes words apart', async () => {
    expect(await offered(...number, '--to', 'user', ':')).toEqual(['alf', 'ann']);
    expect(await offered(...number, '--to', 'user', ':', '')).toEqual(['alf', 'ann']);
    expect(await offered(...number, '--to', 'user', ':', 'an')).toEqual(['ann']);
    expect(await offered('ivr', 'add', 'x', '--key', '1', '=', 'user', ':', 'an')).toEqual(['ann']);
    expect(await offered('ivr', 'add', 'x', '--key', '1', '=', 'gr')).toEqual(['group:sales']);
  });

  it('offers members, trunks, owners and objects by name, lists part by part', async () => {
    expect(await offered('group', 'set', 'sales', '--members', 'a')).toEqual(['alf', 'ann']);
    expect(await offered('group', 'set', 'sales', '--members', 'ann,al')).toEqual(['ann,alf']);
    expect(await offered('route', 'add', 'x', '--trunks', 'ma')).toEqual(['main']);
    expect(await offered('trunk', 'set', 'main', '--owner', 'al')).toEqual(['alf']);
    expect(await offered(...number, '--trunk', '')).toEqual(['main']);
    expect(await offered('group', 'show', 's')).toEqual(['sales']);
  });

  it('offers the keys of a menu, then where they lead', async () => {
    expect(await offered('ivr', 'add', 'x', '--key', '')).toHaveLength(12);
    expect(await offered('ivr', 'add', 'x', '--key', '1=user:an')).toEqual(['1=user:ann']);
    expect(await offered('ivr', 'add', 'x', '--key', '1=user:ann,2=gr')).toEqual([
      '1=user:ann,2=group:sales',
    ]);
  });

  it('offers nothing for a flag that names nothing, and verbs and flags as before', async () => {
    expect(await offered('ivr', '')).toContain('ensure');
    expect(await offered('ivr', 'add', 'x', '--di')).toEqual(['--direct-dial']);
  });
});
