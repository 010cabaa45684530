import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ended, Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { attach, node, settings, shown, withManager } from './attached.ts';
import { startWillingCarrier, type WillingCarrier } from './willing-carrier.ts';

const ann = 'ann@acme.sip.example';

describeAsterisk('what Asterisk would refuse', ({ start }) => {
  let asterisk: AsteriskInstance;
  let box: Sandbox;
  let carrier: WillingCarrier;
  let mainFile: string;
  let sound: string;

  beforeAll(async () => {
    // Foreign files stand around ours, so that a fault can be planted before them and after them.
    asterisk = await start({ pjsip: '#include before.conf\n', etc: { 'before.conf': '', 'after.conf': '' } });
    carrier = await startWillingCarrier(asterisk);
    box = await attach(asterisk);
    mainFile = join(asterisk.etc, 'pjsip.conf');
    appendFileSync(mainFile, '#include after.conf\n');
    sound = readFileSync(mainFile, 'utf8');
    await box.ok('tenant add acme --domain acme.sip.example');
    const trunk = `--tenant acme --provider custom_credential --host ${carrier.host} --password-stdin`;
    await box.ok(`trunk add tel ${trunk} --username account`, { input: 'x' });
    await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
    await box.ok('user add bob --tenant acme --extension 1002 --generate-password');
    expect((await box.apply()).code).toBe(0);
  });
  afterAll(() => carrier?.close());

  const plant = (file: string, text: string): void => writeFileSync(join(asterisk.etc, file), text);
  const reload = () => withManager(asterisk, (ami) => ami.action('Reload', { Module: 'res_pjsip.so' }));
  const current = (): Promise<string> => readlink(join(asterisk.etc, 'sipctl/current'));
  const messages = (ended: Ended): string =>
    ended
      .json()
      .errors.map(({ message }) => message)
      .join('\n');

  beforeEach(async () => {
    writeFileSync(mainFile, sound);
    plant('before.conf', '');
    plant('after.conf', '');
    // What the last test left undone is done now, and Asterisk is as it should be.
    await reload();
    const ended = await box.apply();
    expect(ended.code, ended.stdout).toBe(0);
    expect((await box.sipctl('drift --check')).stdout).not.toContain('ann');
  });

  let changes = 0;
  const change = () =>
    box.ok(`user set ann --tenant acme --display-name "Ann ${++changes}" --max-contacts ${changes + 2}`);

  /** Applies a change, which has to end with this code, and with everything running as before. */
  async function refuses(code: number): Promise<string> {
    const [before, generation] = [await settings(asterisk), await current()];
    const ended = await box.sipctl('apply --yes --json');
    expect(ended.code, ended.stdout).toBe(code);
    expect(ended.json()).toMatchObject({ ok: false, changed: false });
    expect(await settings(asterisk)).toEqual(before);
    expect(await current()).toBe(generation);
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(2);
    return messages(ended);
  }

  describe('files of somebody else', () => {
    it.each([
      'before.conf',
      'after.conf',
    ])('break without harm where ours are not in them: %s', async (file) => {
      plant(file, '[theirs]\ntype = aor\n\n[broken\ntype = endpoint\n');
      await change();
      const ended = await box.apply();
      expect(ended.code, ended.stdout).toBe(0);
      expect((await shown(asterisk)).endpoint.get(ann)?.Callerid).toContain(`Ann ${changes}`);
      expect((await box.sipctl('drift --check')).code).toBe(0);
    });

    it('stop an apply before anything is done where pjsip.conf is broken', async () => {
      writeFileSync(mainFile, sound.replace('#include before.conf', '[broken'));
      await change();
      expect(await refuses(4)).toMatch(/file pjsip\.conf: line [0-9]+: a section name has no ']'/);
      expect((await box.sipctl('drift --check --json')).code).toBe(2);
    });

    it('stop an apply before it takes everything away, where ours follow in a broken file', async () => {
      const ours = sound.match(/^#include pjsip_.*$/gm) ?? [];
      writeFileSync(mainFile, sound.replace(/^#include pjsip_.*\n/gm, ''));
      plant('before.conf', `\n[broken\n${ours.join('\n')}\n`);
      await change();
      expect(await refuses(4)).toMatch(/file before\.conf: line 2: a section name has no ']'/);
      plant('before.conf', `\n${ours.join('\n')}\n`);
      expect((await box.apply()).code).toBe(0);
    });

    it.each([
      ['before.conf', 'endpoint'],
      ['after.conf', 'endpoint'],
      ['after.conf', 'aor'],
    ])('hold a section of ours: %s, %s', async (file, type) => {
      plant(file, `[${ann}]\ntype = ${type}\n`);
      await change();
      const said = await refuses(8);
      expect(said).toContain(`user ann: ${type} ${ann} stands 2 times in pjsip.conf and its includes`);
      expect(said).toMatch(/sipctl\/store\/acme\/pjsip_users\.[0-9a-f]+\.conf/);
      const drift = await box.sipctl('drift --check');
      expect([drift.code, drift.stdout]).toEqual([2, expect.stringContaining('user ann')]);
    });

    it('take the name of a new user', async () => {
      plant('after.conf', '[new@acme.sip.example]\ntype = endpoint\ncontext = theirs\n');
      await box.ok('user add new --tenant acme --extension 1009 --generate-password');
      await reload();
      expect(await refuses(8)).toContain('user new: endpoint new@acme.sip.example stands 2 times');
      await box.ok('user remove new --tenant acme --yes');
    });

    it('keep every change of a type from being taken', async () => {
      plant('before.conf', '[theirs]\ntype = aor\n\n[theirs]\ntype = aor\n');
      await change();
      const said = await refuses(8);
      expect(said).toContain('section [theirs] of type aor: aor theirs stands 2 times');
      expect(said).toContain('user ann: aor: max_contacts is');
    });

    it('leave a trunk registered that was told to go', async () => {
      const registers = () => carrier.requests.filter(({ method }) => method === 'REGISTER');
      await expect
        .poll(() => registers().at(-1)?.expires, { timeout: 30_000, interval: 100 })
        .toBeGreaterThan(0);
      // The registration cannot go either: Asterisk takes no change of any.
      plant(
        'after.conf',
        '[theirs](!)\ntype = registration\nserver_uri = sip:127.0.0.1:9\nclient_uri = sip:a@127.0.0.1\n[one](theirs)\n[one](theirs)\n',
      );
      await box.ok('trunk disable tel --tenant acme');
      const before = registers().length;
      await refuses(8);
      await expect
        .poll(() => registers().at(-1)?.expires, { timeout: 30_000, interval: 100 })
        .toBeGreaterThan(0);
      expect(registers()[before]?.expires).toBe(0);
      await box.ok('trunk enable tel --tenant acme');
    });
  });

  describe('files of ours', () => {
    const storeFile = (): string => {
      const [, path = ''] =
        /#include (sipctl\/store\/acme\/pjsip_users\S+)/.exec(
          readFileSync(join(asterisk.etc, 'sipctl/current/pjsip_users.conf'), 'utf8'),
        ) ?? [];
      return join(asterisk.etc, path);
    };

    it('are drift where somebody edits them, and where Asterisk has read that', async () => {
      const text = readFileSync(storeFile(), 'utf8');
      writeFileSync(storeFile(), text.replace('"1002" <1002>', '"Mallory" <1002>\ncall_limit = 5'));
      const edited = await box.sipctl('drift --check');
      expect([edited.code, edited.stdout]).toEqual([2, expect.stringContaining('pjsip_users.')]);
      await reload();
      const refused = await box.sipctl('drift --check');
      expect([refused.code, refused.stdout]).toEqual([2, expect.stringContaining('user bob')]);
      await box.ok('apply --refresh --yes');
      expect(readFileSync(storeFile(), 'utf8')).toBe(text);
      await box.ok('drift --check');
    });

    it('are not even rendered with an option that Asterisk does not know', async () => {
      const templates = join(box.dir, 'templates');
      mkdirSync(join(templates, 'users'), { recursive: true });
      writeFileSync(
        join(templates, 'users/limited.yaml'),
        'id: limited\ndisplay_name: L\ntitle: Limited\ndescription: A limit.\nasterisk:\n  endpoint:\n    call_limit: 5\n',
      );
      const options = { env: { SIPCTL_TEMPLATES: templates } };
      await box.ok('user set bob --tenant acme --template limited', options);
      const generation = await current();
      const ended = await box.sipctl('apply --yes --json', options);
      expect(ended.code).toBe(3);
      expect(messages(ended)).toMatch(/limited[\s\S]*call_limit/);
      expect(await current()).toBe(generation);
      await box.ok('user set bob --tenant acme --template basic_user');
    });
  });

  describe('a manager user', () => {
    it('with too few rights is told which are missing, and nothing is done', async () => {
      await change();
      await box.ok(['node', 'set', node, '--ami-user', 'weak']);
      const said = await refuses(4);
      expect(said).toMatch(/'weak' may not deploy: .* needs write=config/);
      expect(said).toMatch(/'weak' may not verify: .* needs write=system/);
      await box.ok(['node', 'set', node, '--ami-user', 'sipctl']);
    });

    it('who reloads at the same time is waited for', async () => {
      let busy = true;
      const others = withManager(asterisk, async (ami) => {
        while (busy) await ami.action('Reload', { Module: 'res_pjsip.so' }).catch(() => undefined);
      });
      try {
        await change();
        expect((await box.apply()).code).toBe(0);
      } finally {
        busy = false;
        await others;
      }
      expect(existsSync(storeFileOf(asterisk))).toBe(true);
    });
  });
});

const storeFileOf = (asterisk: AsteriskInstance): string =>
  join(asterisk.etc, 'sipctl/current/pjsip_users.conf');
