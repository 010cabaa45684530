import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Tenant,
  type Trunk,
  tenant as tenantNoun,
  trunk as trunkNoun,
  type User,
  user as userNoun,
} from '../../src/model/nouns.ts';
import { resolveSite } from '../../src/model/resolve.ts';
import { Secret } from '../../src/model/secret.ts';
import type { TenantSite } from '../../src/model/site.ts';
import type { Catalog } from '../../src/model/template.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { type LiveNode, liveNode } from './live-node.ts';

describeAsterisk('verification', ({ start }) => {
  let asterisk: AsteriskInstance;
  let live: LiveNode;
  let whole: string;
  const mainFile = (): string => join(asterisk.etc, 'pjsip.conf');
  const plant = (file: 'before.conf' | 'after.conf', text: string): void =>
    writeFileSync(join(asterisk.etc, file), text);

  beforeAll(async () => {
    // Foreign files stand around ours, so that a fault can be planted before them and after them.
    asterisk = await start({
      pjsip: '#include before.conf\n',
      etc: { 'before.conf': '', 'after.conf': '' },
    });
    live = await liveNode(asterisk);
    await live.target.examine({ write: true });
    appendFileSync(mainFile(), '#include after.conf\n');
    whole = readFileSync(mainFile(), 'utf8');
  });

  // What is delivered and running when a test begins.
  const standing = {
    'acme/pjsip_trunks.conf': trunk('main', 'tel1'),
    'acme/pjsip_users.conf': user('1001') + user('1002'),
  };

  beforeEach(async () => {
    writeFileSync(mainFile(), whole);
    plant('before.conf', '');
    plant('after.conf', '');
    expect(await live.deliver(standing)).toEqual([]);
  });

  it('finds nothing where every provider and every kind of user is delivered', async () => {
    const artifacts = live.target.render(resolveSite(everything(live.catalog), live.catalog));
    expect(artifacts.slice(0, 2).map((artifact) => artifact.objects)).toEqual([
      live.catalog.providers.size,
      live.catalog.users.size,
    ]);
    const texts = Object.fromEntries(artifacts.map(({ key, text }) => [key, text.toString('utf8')]));
    expect(await live.deliver(texts)).toEqual([]);
  });

  it('finds nothing after values, sections and objects were taken away', async () => {
    expect(
      await live.deliver({
        'acme/pjsip_users.conf': user('1001', 'callerid = "Ann" <1001>', 'dtmf_mode = info'),
      }),
    ).toEqual([]);
    expect(await live.deliver({ 'acme/pjsip_users.conf': user('1001') })).toEqual([]);
    expect(await live.deliver({})).toEqual([]);
  });

  it('names the user whose new endpoint was refused', async () => {
    const findings = await live.deliver({
      ...standing,
      'acme/pjsip_users.conf': user('1001') + user('1003', 'call_limit = 5'),
    });
    expect(findings).toEqual([
      expect.objectContaining({
        object: 'user 1003',
        tenant: 'acme',
        code: 'missing',
        message: expect.stringContaining('endpoint 1003'),
      }),
    ]);
    expect(findings[0]?.file).toMatch(/^sipctl\/store\/acme\/pjsip_users\.[0-9a-f]+\.conf$/);
  });

  it('names the option that a refused change left at its old value', async () => {
    const findings = await live.deliver({
      ...standing,
      'acme/pjsip_users.conf': user('1001', 'dtmf_mode = info', 'call_limit = 5') + user('1002'),
    });
    expect(findings.map(({ object, code }) => [object, code])).toEqual([['user 1001', 'differs']]);
    expect(findings[0]?.message).toContain(`dtmf_mode is 'rfc4733', delivered 'info'`);
  });

  it('sees an option that a refused change should have taken away', async () => {
    expect(await live.deliver({ 'acme/pjsip_users.conf': user('1001', 'from_user = ann') })).toEqual([]);
    const findings = await live.deliver({ 'acme/pjsip_users.conf': user('1001', 'call_limit = 5') });
    expect(findings.map(({ message }) => message).join()).toContain(`from_user is still 'ann'`);
  });

  it('says that a password differs, and never which', async () => {
    const artifacts = await live.place({ 'acme/pjsip_users.conf': user('1001') });
    await live.reload(artifacts);
    const other = artifacts.map((artifact) => ({
      ...artifact,
      text: Buffer.from(
        artifact.text.toString().replace('password = secret-1001', 'password = changed-by-hand'),
      ),
    }));
    const running = await live.target.connect();
    const findings = await running.verify(other, new Set(other.map(({ key }) => key)));
    await running.close();
    expect(findings).toEqual([
      expect.objectContaining({ object: 'user 1001', code: 'differs', message: 'auth: password differs' }),
    ]);
  });

  it('names the line of pjsip.conf that makes Asterisk take no change at all', async () => {
    for (const [fault, message] of [
      ['[broken', `a section name has no ']'`],
      ['#include not-there.conf', 'not-there.conf is missing'],
    ]) {
      writeFileSync(mainFile(), `${fault}\n${whole}`);
      const findings = await live.deliver({ ...standing, 'acme/pjsip_users.conf': user('1003') });
      expect(findings).toEqual([
        expect.objectContaining({
          ...{ code: 'syntax', file: 'pjsip.conf' },
          message: expect.stringContaining(`line 1: ${message}; no change is taken`),
        }),
      ]);
    }
  });

  it('names the file whose unclosed bracket or comment keeps ours from being read', async () => {
    writeFileSync(mainFile(), whole.replace(/#include pjsip_.*\n/g, ''));
    for (const [fault, message] of [
      ['[broken', `a section name has no ']'`],
      [';-- open', 'a block comment is not closed'],
      ['#include not-there.conf', 'not-there.conf is missing'],
    ]) {
      plant('before.conf', `\n${fault}\n#include pjsip_trunks.conf\n#include pjsip_users.conf\n`);
      const findings = await live.deliver(standing);
      expect(findings.map(({ code, object }) => [code, object.replace(/[0-9a-f]{16}/, '<hash>')])).toEqual([
        ['syntax', 'file before.conf'],
        ['not-included', 'file sipctl/store/acme/pjsip_trunks.<hash>.conf'],
        ['not-included', 'file sipctl/store/acme/pjsip_users.<hash>.conf'],
      ]);
      expect(findings[0]?.message).toContain(`line 2: ${message}`);
    }
    plant('before.conf', '');
    expect((await live.deliver(standing))[0]).toMatchObject({
      ...{ code: 'not-included', object: 'file pjsip.conf' },
      message: expect.stringContaining('sipctl node init <node> --write'),
    });
  });

  it('lets foreign files be broken that ours do not depend on', async () => {
    const changed = { ...standing, 'acme/pjsip_users.conf': user('1001', 'dtmf_mode = info') };
    plant('before.conf', '[broken\ntype = aor\n');
    plant('after.conf', '#include not-there.conf\n');
    expect(await live.deliver(changed)).toEqual([]);
  });

  it('names the user whose name a foreign section takes', async () => {
    plant('after.conf', '[1003]\ntype = endpoint\ncontext = elsewhere\n');
    const findings = await live.deliver({
      ...standing,
      'acme/pjsip_users.conf': user('1001') + user('1003'),
    });
    expect(findings[0]).toMatchObject({
      object: 'user 1003',
      code: 'unexpected',
      message: expect.stringContaining('endpoint 1003 stands 2 times'),
    });
    expect(findings).toContainEqual(expect.objectContaining({ object: 'user 1003', code: 'missing' }));
  });

  it('warns of a foreign section of the same name even where all values are right', async () => {
    plant('after.conf', '[1001]\ntype = endpoint\n');
    const findings = await live.deliver(standing);
    expect(findings).toEqual([expect.objectContaining({ object: 'user 1001', code: 'unexpected' })]);
  });

  it('lets a foreign section share a name with another type', async () => {
    plant('after.conf', '[1001]\ntype = acl\npermit = 10.0.0.0/8\n');
    expect(await live.deliver(standing)).toEqual([]);
  });

  it('names foreign duplicates that keep every change from being taken', async () => {
    plant('before.conf', '[other]\ntype = aor\n\n[other]\ntype = aor\n');
    const changed = {
      ...standing,
      'acme/pjsip_users.conf': user('1001').replace('max_contacts = 1', 'max_contacts = 7'),
    };
    const findings = await live.deliver(changed);
    expect(findings[0]).toMatchObject({ object: 'section [other] of type aor', code: 'unexpected' });
    expect(findings).toContainEqual(
      expect.objectContaining({
        object: 'user 1001',
        code: 'differs',
        message: `aor: max_contacts is '1', delivered '7'`,
      }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({
        object: 'user 1002',
        code: 'unexpected',
        message: expect.stringContaining('still runs'),
      }),
    );
  });

  it('names a transport that does not run', async () => {
    const findings = await live.deliver({
      'acme/pjsip_trunks.conf': trunk('main', 'tel1', 'transport-nowhere'),
    });
    expect(findings.map(({ object, message }) => [object, message])).toEqual([
      ['trunk main', expect.stringContaining('registration: the transport transport-nowhere does not run')],
      ['trunk main', expect.stringContaining('endpoint: the transport transport-nowhere does not run')],
    ]);
  });

  it('says so where a delivered file is broken, or gone', async () => {
    const [artifact] = await live.place({ 'acme/pjsip_users.conf': `${user('1001')}[open\n` });
    expect(await live.reload([artifact as NonNullable<typeof artifact>])).toContainEqual(
      expect.objectContaining({
        code: 'syntax',
        object: expect.stringContaining('file sipctl/store/acme/pjsip_users.'),
      }),
    );
    const other = { ...(artifact as NonNullable<typeof artifact>), sha256: '0'.repeat(64) };
    expect(await live.reload([other])).toContainEqual(
      expect.objectContaining({ code: 'missing', message: expect.stringContaining('cannot read it') }),
    );
  });

  it('reports registrations and endpoints with their contacts', async () => {
    const running = await live.target.connect();
    const states = await running.states();
    await running.close();
    expect(states).toContainEqual({ id: 'tel1', kind: 'registration', state: 'Unregistered', contacts: 0 });
    expect(states).toContainEqual(expect.objectContaining({ id: 'tel1', kind: 'endpoint', contacts: 1 }));
    expect(states).toContainEqual(expect.objectContaining({ id: '1001', kind: 'endpoint', contacts: 0 }));
  });

  it('unregisters what is there, and lets be what is not', async () => {
    const running = await live.target.connect();
    await running.perform({ kind: 'unregister', registration: 'tel1' });
    await running.perform({ kind: 'unregister', registration: 'never-was' });
    await running.close();
  });

  it('waits while another reload is at work', async () => {
    const running = await Promise.all([live.target.connect(), live.target.connect(), live.target.connect()]);
    await Promise.all(running.map((one) => one.perform({ kind: 'reload-module', module: 'res_pjsip.so' })));
    await Promise.all(running.map((one) => one.close()));
  });

  describe('without the rights for it', () => {
    it('refuses before anything is done, and names the class', async () => {
      const weak = await liveNode(asterisk, 'weak');
      await expect(weak.target.connect()).rejects.toMatchObject({
        outcome: 'refused',
        message: expect.stringContaining('config'),
      });
    });
  });
});

function user(name: string, ...endpoint: string[]): string {
  return [
    `; === SIP USER: ${name} (Basic SIP User) ===`,
    `[${name}]\ntype = auth\nauth_type = userpass\nusername = ${name}\npassword = secret-${name}`,
    `[${name}]\ntype = aor\nmax_contacts = 1\nremove_existing = yes`,
    `[${name}]\ntype = endpoint\ncontext = default\ndisallow = all\nallow = ulaw,alaw\nauth = ${name}\naors = ${name}`,
    ...endpoint,
    `; === END SIP USER: ${name} ===\n\n`,
  ].join('\n');
}

function trunk(name: string, id: string, transport = 'transport-udp'): string {
  return [
    `; === TRUNK: ${name} ===`,
    `[${id}]\ntype = auth\nauth_type = userpass\nusername = acct\npassword = a\\;b#c`,
    `[${id}]\ntype = aor\ncontact = sip:127.0.0.1:9`,
    `[${id}]\ntype = registration\nserver_uri = sip:127.0.0.1:9\nclient_uri = sip:acct@127.0.0.1:9\noutbound_auth = ${id}`,
    `transport = ${transport}\nline = yes\nendpoint = ${id}\nmax_random_initial_delay = 600\nmax_retries = 4294967295`,
    `[${id}]\ntype = endpoint\ntransport = ${transport}\ncontext = from-trunk\ndisallow = all\nallow = ulaw\noutbound_auth = ${id}\naors = ${id}`,
    `[${id}]\ntype = identify\nendpoint = ${id}\nmatch = 192.0.2.0/28,198.51.100.7`,
    `; === END TRUNK: ${name} ===\n\n`,
  ].join('\n');
}

/** A tenant with a trunk at every provider and a user of every template, with everything set that can be. */
function everything(catalog: Catalog): TenantSite {
  const blank = (fields: object): object =>
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, 'initial' in field ? field.initial : null]),
    );
  const stored = { id: 1, enabled: true, createdAt: '', updatedAt: '', tenant: 'acme' };
  return {
    tenant: {
      ...blank(tenantNoun.fields),
      ...stored,
      name: 'acme',
      revision: '1',
      context: 'default',
    } as unknown as Tenant,
    trunks: [...catalog.providers.values()].map(
      (provider) =>
        ({
          ...blank(trunkNoun.fields),
          ...stored,
          name: provider.id,
          provider: provider.id,
          // A name would be looked up by Asterisk, and there is no name server in a test.
          host: '127.0.0.1',
          username: 'account1',
          password: new Secret('a;b "c" <d>'),
          did: '+15551234567',
          networks: ['192.0.2.0/28', '198.51.100.7', '2001:db8::/32'],
        }) as unknown as Trunk,
    ),
    users: [...catalog.users.values()].map(
      (template, at) =>
        ({
          ...blank(userNoun.fields),
          ...stored,
          username: `user${at}`,
          extension: `10${at}`,
          password: new Secret('päss;wörd'),
          displayName: 'Zoë "Z" O\'Neil; B\\C',
          template: template.id,
          callerId: '+15557654321',
          mailbox: '1001@default',
          video: ['h264', 'vp8'],
        }) as unknown as User,
    ),
    numbers: [],
    groups: [],
    ivrs: [],
    conferences: [],
    schedules: [],
    routes: [],
    emergencies: [],
  };
}
