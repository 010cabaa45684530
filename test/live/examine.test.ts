import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import type { Check } from '../../src/platforms/target.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { type LiveNode, liveNode } from './live-node.ts';

const named = (checks: readonly Check[], name: string): Check => {
  const found = checks.find((check) => check.name === name);
  if (found === undefined)
    throw new Error(`no check '${name}' among ${checks.map((one) => one.name).join(', ')}`);
  return found;
};
const troubles = (checks: readonly Check[]): string[] =>
  checks.filter((check) => check.status === 'failed').map((check) => check.name);

const managerConf = ({ ami: { host, port, secret } }: AsteriskInstance, write: string): string =>
  `[general]\nenabled = yes\nbindaddr = ${host}\nport = ${port}\n[deploy]\nsecret = ${secret}\nread =\nwrite = ${write}\n`;

describeAsterisk('examining a node', ({ version, start }) => {
  let asterisk: AsteriskInstance;
  let live: LiveNode;
  const path = (name: string): string => join(asterisk.etc, name);
  const text = (name: string): string => readFileSync(path(name), 'utf8');

  describe('that sipctl has never seen', () => {
    let pristine: string;

    beforeAll(async () => {
      asterisk = await start();
      pristine = mkdtempSync(join(tmpdir(), 'sipctl-pristine-'));
      cpSync(asterisk.etc, pristine, { recursive: true });
    });

    beforeEach(async () => {
      for (const name of readdirSync(asterisk.etc)) rmSync(path(name), { recursive: true });
      cpSync(pristine, asterisk.etc, { recursive: true });
      await asterisk.cli('manager reload');
      await asterisk.cli('module reload res_pjsip.so');
      live = await liveNode(asterisk);
    });

    afterAll(() => rmSync(pristine, { recursive: true }));

    const files = (): [string, string][] =>
      readdirSync(asterisk.etc, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => [entry.name, text(entry.name)]);

    it('says what is missing, changes nothing, then adds it once', async () => {
      const [before, untouched] = [text('pjsip.conf'), files()];
      const found = await live.target.examine({ write: false });
      expect(troubles(found)).toEqual([
        'generation',
        'include pjsip_trunks.conf',
        'include pjsip_users.conf',
        'include voicemail_boxes.conf',
        'include confbridge_rooms.conf',
        'include extensions_calls.conf',
      ]);
      for (const check of found.filter((one) => one.status === 'failed')) {
        expect(check.hint).toBe('sipctl node init pbx1 --write');
      }
      expect(files()).toEqual(untouched);

      const written = await live.target.examine({ write: true });
      expect(troubles(written)).toEqual([]);
      expect(text('pjsip.conf')).toBe(
        `${before}\n; What sipctl delivers:\n#include pjsip_trunks.conf\n#include pjsip_users.conf\n`,
      );
      expect(text('pjsip_users.conf')).toMatch(
        /^; Made by sipctl[\s\S]*\n#include sipctl\/current\/pjsip_users.conf\n$/,
      );
      expect(await live.files.current()).toBe(0);

      const after = files();
      expect(troubles(await live.target.examine({ write: true }))).toEqual([]);
      expect(files()).toEqual(after);
    });

    it('is then ready to be delivered to', async () => {
      await live.target.examine({ write: true });
      expect(await live.deliver({ 'acme/pjsip_users.conf': user })).toEqual([]);
      expect(named(await live.target.examine({ write: false }), 'generation')).toMatchObject({
        status: 'ok',
        message: 'generation 1 is in force, and Asterisk was seen to run it',
      });
    });

    it('keeps a backup of pjsip.conf, and its mode', async () => {
      const before = text('pjsip.conf');
      await live.target.examine({ write: true });
      const backups = readdirSync(asterisk.etc).filter((name) => name.startsWith('pjsip.conf.sipctl-backup'));
      expect(backups.map(text)).toEqual([before]);
    });

    it('keeps every byte of a file that is in another encoding', async () => {
      const latin1 = Buffer.concat([readFileSync(path('pjsip.conf')), Buffer.from('; Büro\n', 'latin1')]);
      writeFileSync(path('pjsip.conf'), latin1);
      await live.target.examine({ write: true });
      expect(readFileSync(path('pjsip.conf')).subarray(0, latin1.length)).toEqual(latin1);
    });

    it('never overwrites a file of somebody else, and takes the way out that it advises', async () => {
      const foreign = '[1001]\ntype = endpoint\n';
      writeFileSync(path('pjsip_users.conf'), foreign);
      const found = await live.target.examine({ write: true });
      expect(troubles(found)).toEqual(['include pjsip_users.conf']);
      expect(named(found, 'include pjsip_users.conf').hint).toBe(
        `mv ${path('pjsip_users.conf')} ${path('pjsip_users_local.conf')}; put the line ` +
          `'#include pjsip_users_local.conf' into ${path('pjsip.conf')}; then: sipctl node init pbx1 --write`,
      );
      expect(text('pjsip_users.conf')).toBe(foreign);

      renameSync(path('pjsip_users.conf'), path('pjsip_users_local.conf'));
      writeFileSync(path('pjsip.conf'), `${text('pjsip.conf')}#include pjsip_users_local.conf\n`);
      expect(troubles(await live.target.examine({ write: true }))).toEqual([]);
      expect(await live.deliver({ 'acme/pjsip_users.conf': user })).toEqual([]);
      expect(await asterisk.cli('pjsip show endpoints')).toContain('1001');
    });

    it('takes a pattern for an include, and a comment for none', async () => {
      const transports = text('pjsip.conf');
      writeFileSync(
        path('pjsip.conf'),
        `${transports};#include pjsip_trunks.conf\n;--\n#include pjsip_users.conf\n--;\n`,
      );
      expect(troubles(await live.target.examine({ write: false }))).toContain('include pjsip_users.conf');
      writeFileSync(path('pjsip.conf'), `${transports}#include pjsip_*.conf\n`);
      expect(troubles(await live.target.examine({ write: true }))).toEqual([]);
      expect(text('pjsip.conf')).toBe(`${transports}#include pjsip_*.conf\n`);
      expect(await live.deliver({ 'acme/pjsip_users.conf': user })).toEqual([]);
    });

    it('refuses an include that stands twice', async () => {
      await live.target.examine({ write: true });
      writeFileSync(path('pjsip.conf'), `${text('pjsip.conf')}#include pjsip_users.conf\n`);
      const found = named(await live.target.examine({ write: true }), 'include pjsip_users.conf');
      expect(found).toMatchObject({ status: 'failed', message: expect.stringContaining('2 times') });
      expect(found.hint).toMatch(/^keep one of these include lines: pjsip.conf:\d+, pjsip.conf:\d+$/);
    });

    it('names the line that keeps pjsip.conf from being read, and adds nothing behind it', async () => {
      const broken = `${text('pjsip.conf')}[open\n`;
      writeFileSync(path('pjsip.conf'), broken);
      const found = await live.target.examine({ write: true });
      expect(troubles(found)).toContain('pjsip.conf');
      const line = broken.split('\n').length - 1;
      expect(named(found, 'syntax').message).toContain(`pjsip.conf:${line}: a section name has no ']'`);
      expect(text('pjsip.conf')).toBe(broken);
    });

    it('names the folder that Asterisk reads where it is another one', async () => {
      const other = mkdtempSync(join(tmpdir(), 'sipctl-other-'));
      cpSync(pristine, other, { recursive: true });
      const elsewhere = await liveNode(asterisk, 'deploy', { dir: other });
      const found = named(await elsewhere.target.examine({ write: true }), 'reading');
      expect(found).toMatchObject({
        status: 'failed',
        message: expect.stringMatching(
          /^Asterisk cannot read sipctl\/current\/pjsip_trunks.conf, .*extensions_calls.conf$/,
        ),
        hint: expect.stringContaining(`sipctl node set pbx1 --dir ${asterisk.etc}`),
      });
      rmSync(other, { recursive: true });
    });

    it('asks for the rights that are missing, and no more', async () => {
      const weak = await liveNode(asterisk, 'weak');
      const found = await weak.target.examine({ write: true });
      const rights = found.filter((check) => check.name.startsWith('rights: '));
      expect(rights.map(({ name, status }) => [name, status])).toEqual([
        ['rights: deploy', 'failed'],
        ['rights: reload', 'failed'],
        ['rights: verify calls', 'ok'],
        ['rights: verify', 'failed'],
        ['rights: registrations', 'ok'],
      ]);
      expect(rights[3]).toMatchObject({
        message: expect.stringContaining(`'weak' may not verify: PJSIPShowEndpoint`),
        hint: expect.stringContaining('section [weak]: write = config,system;'),
      });
    });

    it('is content with the rights that it advises', async () => {
      writeFileSync(path('manager.conf'), managerConf(asterisk, 'config,system'));
      await asterisk.cli('manager reload');
      const found = await live.target.examine({ write: true });
      expect(found.filter((check) => check.status === 'failed' || check.status === 'warning')).toEqual([]);
      expect(await live.deliver({ 'acme/pjsip_users.conf': user })).toEqual([]);
    });

    it.each([
      ['config', ['rights: verify', 'rights: registrations']],
      ['system', ['rights: deploy', 'rights: verify calls']],
      ['reporting', ['rights: deploy', 'rights: reload', 'rights: verify']],
    ])('sees what write=%s does not allow', async (write, missing) => {
      writeFileSync(path('manager.conf'), managerConf(asterisk, write));
      await asterisk.cli('manager reload');
      expect(
        troubles(await live.target.examine({ write: true })).filter((name) => name.startsWith('rights')),
      ).toEqual(missing);
    });

    it('says what of live calls a manager user may do, and what each thing lacks', async () => {
      writeFileSync(path('manager.conf'), managerConf(asterisk, 'config,system'));
      await asterisk.cli('manager reload');
      const provisioning = await live.target.examineFeatures();
      expect(named(provisioning, 'monitor')).toMatchObject({
        status: 'failed',
        hint: expect.stringContaining('read = system,call'),
      });
      expect(named(provisioning, 'originate')).toMatchObject({
        status: 'warning',
        message: expect.stringContaining('Originate needs write=originate'),
      });
      const all = managerConf(asterisk, 'config,system,reporting,call,originate');
      writeFileSync(path('manager.conf'), all.replace('read =', 'read = system,call'));
      await asterisk.cli('manager reload');
      expect(new Set((await live.target.examineFeatures()).map(({ status }) => status))).toEqual(
        new Set(['ok']),
      );
      const found = await live.target.examine({ write: false });
      expect(named(found, 'rights: make and change calls').message).toContain('call,originate');
      await asterisk.cli('module unload res_mutestream.so');
      expect(named(await live.target.examineFeatures(), 'hang up, hold, mute, transfer, DTMF')).toMatchObject(
        {
          status: 'warning',
          message: 'not loaded: res_mutestream.so',
        },
      );
      await asterisk.cli('module load res_mutestream.so');
    });

    it('warns of rights that nobody needs, and of a weak secret', async () => {
      writeFileSync(
        path('manager.conf'),
        managerConf({ ...asterisk, ami: { ...asterisk.ami, secret: 'amp111' } }, 'all'),
      );
      await asterisk.cli('manager reload');
      const weak = await liveNode(asterisk, 'deploy', { amiSecret: new Secret('amp111') });
      const found = await weak.target.examine({ write: true });
      expect(named(found, 'rights: no more than needed')).toMatchObject({
        status: 'warning',
        message: expect.stringContaining('command'),
      });
      expect(named(found, 'manager secret').status).toBe('warning');
      expect(JSON.stringify(found)).not.toContain('amp111');
    });

    it('says what an unreachable or refused login needs, and still looks at the files', async () => {
      const wrong = await liveNode(asterisk, 'deploy', { amiSecret: new Secret('wrong') });
      expect(named(await wrong.target.examine({ write: false }), 'manager interface')).toMatchObject({
        status: 'failed',
        hint: expect.stringContaining('[deploy]'),
      });
      const away = await liveNode(asterisk, 'deploy', { ami: `${asterisk.host}:1` });
      const found = await away.target.examine({ write: false });
      expect(named(found, 'manager interface')).toMatchObject({
        status: 'failed',
        hint: expect.stringContaining('manager.conf'),
      });
      expect(named(found, 'transport udp').status).toBe('ok');
    });

    it('speaks TLS to a manager interface whose authority it is given', async (context) => {
      if (asterisk.sip.tls === null) return context.skip('there is no openssl to make a certificate with');
      const port = await freePort(asterisk.host);
      const tls = `tlsenable = yes\ntlsbindaddr = ${asterisk.host}:${port}\ntlscertfile = ${path('tls.pem')}\n`;
      writeFileSync(
        path('manager.conf'),
        managerConf(asterisk, 'config,system').replace('[deploy]', `${tls}[deploy]`),
      );
      await asterisk.cli('manager reload');
      const settings = { ami: `${asterisk.host}:${port}`, amiTls: true };
      const strangers = await liveNode(asterisk, 'deploy', settings);
      const refused = named(await strangers.target.examine({ write: false }), 'manager interface');
      expect(refused).toMatchObject({ status: 'failed', message: expect.stringContaining('certificate') });
      const known = await liveNode(asterisk, 'deploy', { ...settings, amiCa: path('tls.crt') });
      expect(troubles(await known.target.examine({ write: true }))).toEqual([]);
      expect(await known.deliver({ 'acme/pjsip_users.conf': user })).toEqual([]);
      const missing = await liveNode(asterisk, 'deploy', { ...settings, amiCa: path('no-such.crt') });
      expect(named(await missing.target.examine({ write: false }), 'manager interface').hint).toContain(
        '--ami-ca',
      );
    });

    it('skips what only Asterisk can say where no manager interface is set', async () => {
      const silent = await liveNode(asterisk, 'deploy', { ami: null, amiUser: null, amiSecret: null });
      const found = await silent.target.examine({ write: true });
      expect(troubles(found)).toEqual([]);
      expect(found.filter((check) => check.status === 'skipped').map((check) => check.name)).toEqual([
        'manager interface',
        'rights',
        'version',
        'reading',
      ]);
      expect(named(found, 'rights').hint).toContain('write = config,system');
    });

    it('compares versions', async () => {
      const found = async (engineVersion: '16' | '22' | '23' | null): Promise<Check> =>
        named(
          await (await liveNode(asterisk, 'deploy', { engineVersion })).target.examine({ write: false }),
          'version',
        );
      expect(await found(null)).toMatchObject({
        status: 'ok',
        message: expect.stringContaining(`Asterisk ${version}.`),
      });
      expect(await found(version)).toMatchObject({ status: 'ok' });
      expect(await found('23')).toMatchObject({
        status: 'failed',
        hint: expect.stringContaining(`--engine-version ${version}`),
      });
      if (version === '22') expect(await found('16')).toMatchObject({ status: 'warning' });
    });

    it('looks for the transports that trunks name', async () => {
      const other = await liveNode(asterisk, 'deploy', { transports: ['tls=my-tls', 'tcp=transport-udp'] });
      const found = await other.target.examine({ write: false });
      expect(named(found, 'transport udp').status).toBe('ok');
      expect(named(found, 'transport tcp')).toMatchObject({
        status: 'failed',
        message: 'transport-udp is a transport for udp',
      });
      expect(named(found, 'transport tls')).toMatchObject({
        status: 'warning',
        hint: expect.stringContaining('tls=transport-tls'),
      });
    });
  });
});

const freePort = (host: string): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, host, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const user = `; === SIP USER: 1009 (Basic SIP User) ===
[1009]
type = auth
auth_type = userpass
username = 1009
password = p

[1009]
type = aor
max_contacts = 1

[1009]
type = endpoint
context = default
disallow = all
allow = ulaw
auth = 1009
aors = 1009
; === END SIP USER: 1009 ===
`;
