import { existsSync, readdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { attach, settings, withManager } from './attached.ts';

const ann = 'ann@acme.sip.example';

interface Found {
  object: string;
  differs: string[];
  message: string;
}

describeAsterisk('drift of a running Asterisk', ({ start }) => {
  let asterisk: AsteriskInstance;
  let box: Sandbox;
  let before: string[];

  beforeAll(async () => {
    asterisk = await start({});
    box = await attach(asterisk);
    await box.ok('tenant add acme --domain acme.sip.example');
    await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
    await box.ok('user add bob --tenant acme --extension 1002 --generate-password');
    await box.ok('trunk add office --tenant acme --provider custom_ip --host 127.0.0.9 --networks 127.0.0.9');
    expect((await box.apply()).code).toBe(0);
    before = await settings(asterisk);
  }, 120_000);

  // What a test left undone would be found here.
  beforeEach(async () => {
    expect(await apart()).toEqual([]);
    expect(await settings(asterisk)).toEqual(before);
  });

  // One test that fails is not to fail the next ones.
  afterEach(() => box.sipctl('drift revert --yes'));

  const reload = (module: string) => withManager(asterisk, (ami) => ami.action('Reload', { Module: module }));
  const sipctl = (path: string): string => join(asterisk.etc, 'sipctl', path);
  const current = (): string => sipctl('current');

  function storeFile(name: string): string {
    const folder = sipctl('store/acme');
    const [, path = ''] =
      new RegExp(`#include (sipctl/store/acme/${name}\\S+)`).exec(
        readFileSync(join(current(), `${name}.conf`), 'utf8'),
      ) ?? [];
    return path === '' ? join(folder, readdirSync(folder)[0] ?? '') : join(asterisk.etc, path);
  }

  function edit(name: string, from: RegExp, to: string): void {
    const text = readFileSync(storeFile(name), 'utf8');
    expect(text).toMatch(from);
    writeFileSync(storeFile(name), text.replace(from, to));
  }

  async function found(): Promise<Found[]> {
    const ended = await box.sipctl('drift --check --json');
    const [drift] = (ended.json().data as { nodes: { findings: Found[]; errors: object[] }[] }).nodes;
    expect(drift?.errors).toEqual([]);
    expect(ended.code).toBe((drift?.findings.length ?? 0) > 0 ? 2 : 0);
    return drift?.findings ?? [];
  }

  const apart = async (): Promise<string[]> =>
    (await found())
      .filter(({ object }) => !object.startsWith('file '))
      .map(({ object, differs }) => `${object}: ${differs.join('+')}`);

  async function reverts(): Promise<void> {
    const ended = await box.sipctl('drift revert --yes --json');
    expect(ended.code, ended.stdout).toBe(0);
    expect(ended.json()).toMatchObject({ changed: true, data: { nodes: [{ outcome: 'verified' }] } });
    await box.ok('plan --detailed-exitcode');
  }

  describe('is found and reverted', () => {
    it('in a file, before and after Asterisk has read it', async () => {
      edit('pjsip_users', /"1001" <1001>/, '"Mallory" <1001>');
      expect(await apart()).toEqual(['user ann: files']);
      await reload('res_pjsip.so');
      expect(await apart()).toEqual(['user ann: files+running']);
      expect(await settings(asterisk)).not.toEqual(before);
      await reverts();
    });

    it('in force only, where the file is as it was again', async () => {
      const text = readFileSync(storeFile('pjsip_users'), 'utf8');
      const file = storeFile('pjsip_users');
      edit('pjsip_users', /"1001" <1001>/, '"Mallory" <1001>');
      await reload('res_pjsip.so');
      writeFileSync(file, text);
      expect(await apart()).toEqual(['user ann: running']);
      await reverts();
    });

    it('made by the manager interface itself', async () => {
      const file = storeFile('pjsip_users').slice(asterisk.etc.length + 1);
      await withManager(asterisk, (ami) =>
        ami.action('UpdateConfig', {
          ...{ SrcFilename: file, DstFilename: file, Reload: 'yes' },
          ...{
            'Action-000000': 'Append',
            'Cat-000000': ann,
            'Var-000000': 'call_group',
            'Value-000000': '3',
          },
        }),
      );
      await reload('res_pjsip.so');
      const objects = await found();
      expect(objects.map(({ differs }) => differs.join('+'))).toContain('files');
      await reverts();
    });

    it('where a store file is gone, and Asterisk has noticed', async () => {
      unlinkSync(storeFile('pjsip_users'));
      expect(
        (await found()).some(({ object, message }) => object.startsWith('file ') && /is gone/.test(message)),
      ).toBe(true);
      await reload('res_pjsip.so');
      expect((await settings(asterisk)).some((line) => line.includes(ann))).toBe(false);
      await reverts();
    });

    it.each([
      ['gone', () => unlinkSync(current())],
      [
        'leading nowhere',
        () => {
          unlinkSync(current());
          symlinkSync('generations/999999', current());
        },
      ],
    ])('where current is %s, and Asterisk has noticed', async (_, harm) => {
      harm();
      expect(await apart()).toContain('link current: files');
      await reload('res_pjsip.so');
      expect((await settings(asterisk)).some((line) => line.includes(ann))).toBe(false);
      await reverts();
      expect(existsSync(current())).toBe(true);
    });

    it('in the dialplan: an extension that was removed by hand', async () => {
      const context = (await asterisk.cli('dialplan show')).match(/Context '(t-acme\S*)' created/)?.[1] ?? '';
      expect(context).not.toBe('');
      const lines = (await asterisk.cli(`dialplan show ${context}`)).match(/'([^']+)' =>/)?.[1] ?? '';
      await asterisk.cli(`dialplan remove extension ${lines}@${context}`);
      const objects = await found();
      expect(objects.length).toBeGreaterThan(0);
      expect(objects.every(({ differs }) => differs.join() === 'running')).toBe(true);
      await reverts();
    });
  });

  describe('is adopted', () => {
    /** Takes the edit over, and applies it: then nothing is apart, and what ran with it runs with it still. */
    async function adopts(flags = ''): Promise<string> {
      await reload('res_pjsip.so');
      const edited = await settings(asterisk);
      const shown = await box.sipctl(`drift adopt --check${flags}`);
      expect(shown.code, shown.stdout + shown.stderr).toBe(2);
      const ended = await box.sipctl(`drift adopt --yes --apply${flags}`);
      expect(ended.code, ended.stdout + ended.stderr).toBe(0);
      expect(await apart()).toEqual([]);
      expect(await settings(asterisk)).toEqual(edited);
      return shown.stdout + shown.stderr;
    }

    afterEach(async () => {
      before = await settings(asterisk);
    });

    it('as fields and as options, where several objects were edited', async () => {
      edit('pjsip_users', /"1001" <1001>/, '"Ann Öz" <1001>');
      edit(
        'pjsip_users',
        /(\[bob@acme\.sip\.example\]\ntype *= *endpoint\n)/,
        '$1device_state_busy_at = 2\n',
      );
      edit('pjsip_trunks', /(type *= *aor\n)/, '$1qualify_timeout = 5\n');
      const said = await adopts();
      expect(said).toMatch(/user ann\n +displayName: \(not set\) → Ann Öz/);
      expect(said).toMatch(/user bob\n +options: .*device_state_busy_at=2/);
      expect(said).toMatch(/trunk office\n +options: .*qualify_timeout=5/);
    });

    it('with a password, which is never shown', async () => {
      edit('pjsip_users', /^password *= *.*$/m, 'password = taken-Over-1');
      const said = await adopts();
      expect(said).toContain('password: [secret] changed');
      expect(said).not.toContain('taken-Over');
      const { stdout } = await box.ok('user show ann --tenant acme --reveal --json');
      expect(stdout).toContain('taken-Over-1');
    });

    it('of one object only, where it is named', async () => {
      edit('pjsip_users', /"Ann Öz" <1001>/, '"Ann Two" <1001>');
      edit('pjsip_users', /"1002" <1002>/, '"Bob Two" <1002>');
      const ended = await box.ok('drift adopt user:bob --yes');
      expect(ended.stdout).toContain('user bob');
      expect(ended.stdout).not.toContain('user ann');
      expect(ended.stderr).toContain('user ann was edited, too, and was not asked for');
      await box.ok('apply --yes');
      expect(await apart()).toEqual([]);
    });

    it('as a user that was added, and one that was taken out', async () => {
      const text = readFileSync(storeFile('pjsip_users'), 'utf8');
      const ofBob = /; === SIP USER: bob[\s\S]*?; === END SIP USER: bob ===\n/.exec(text)?.[0] ?? '';
      expect(ofBob).not.toBe('');
      const ofEve = ofBob
        .replaceAll('bob', 'eve')
        .replaceAll('1002', '1003')
        .replaceAll('"Bob Two"', '"Eve"');
      writeFileSync(storeFile('pjsip_users'), text.replace(ofBob, ofEve));
      const said = await adopts();
      expect(said).toMatch(/\+ user eve/);
      expect(said).toMatch(/user bob\n +enabled: (?:true|yes) → (?:false|no)/);
    });
  });
});
