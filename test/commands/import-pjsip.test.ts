import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { handWritten, panelTrunks, panelUsers } from '../support/pjsip-samples.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

/** A sandbox with these files. */
async function withFiles(files: Readonly<Record<string, string>>): Promise<Sandbox> {
  const box = await sandbox();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(box.dir, 'etc', path, '..'), { recursive: true });
    writeFileSync(join(box.dir, 'etc', path), text);
  }
  return box;
}

const at = (box: Sandbox, path: string): string => join(box.dir, 'etc', path);
const trunk = async (box: Sandbox, name: string, tenant = 'default') =>
  (await box.ok(`trunk show ${name} --tenant ${tenant} --json`)).json().data as {
    trunk: Record<string, unknown>;
  };
const user = async (box: Sandbox, name: string, tenant = 'default') =>
  (await box.ok(`user show ${name} --tenant ${tenant} --json`)).json().data as {
    user: Record<string, unknown>;
  };

describe('import pjsip', () => {
  it('only shows with --check, writes all with --yes, and finds nothing new the second time', async () => {
    const box = await withFiles({ 'trunks.conf': panelTrunks, 'users.conf': panelUsers });
    const files = ['import', 'pjsip', at(box, 'trunks.conf'), at(box, 'users.conf')];
    const checked = await box.sipctl([...files, '--check']);
    expect(checked.code).toBe(2);
    expect((await box.ok('trunk list --json')).json().data).toMatchObject({ count: 0 });
    const written = await box.ok([...files, '--yes']);
    expect(written.stdout).toContain('endpoint telnyx_main-endpoint is called telnyx_main now');
    for (const secret of ['my_secret_password', 'secure_password_123'])
      expect(checked.stdout + checked.stderr + written.stdout + written.stderr).not.toContain(secret);
    expect((await trunk(box, 'telnyx_main')).trunk).toMatchObject({
      ...{
        provider: 'telnyx',
        host: null,
        username: '1234567890',
        did: '+15551234567',
        fromUser: 'did-plus',
      },
      ...{ codecs: null, networks: null, maxCalls: 0, inbound: true, outbound: true },
    });
    expect((await user(box, 'mobile_user_1')).user).toMatchObject({
      ...{ template: 'mobile_user', extension: '2001', codecs: null, maxContacts: null },
      options: ['aor.remove_existing=no', 'endpoint.rtp_keepalive=', 'endpoint.use_avpf=yes'],
    });
    expect((await box.ok('number list --json')).json().data).toMatchObject({ count: 1 });
    const again = await box.ok([...files, '--check', '--json']);
    expect(again.json().data).toMatchObject({ changes: [] });
  });

  it('tells of what it cannot keep with file and line, and fails on it with --strict', async () => {
    const box = await withFiles({ 'trunks.conf': panelTrunks });
    const told = await box.ok(['import', 'pjsip', at(box, 'trunks.conf'), '--yes', '--json']);
    expect(told.json().warnings).toMatchObject([{ code: 'not_taken_over', place: { line: 44, column: 1 } }]);
    const other = await withFiles({ 'trunks.conf': panelTrunks });
    const strict = await other.sipctl(['import', 'pjsip', at(other, 'trunks.conf'), '--yes', '--strict']);
    expect(strict.code).toBe(3);
    expect(strict.stderr).toContain('trunks.conf:44:1: ');
    expect((await other.ok('trunk list --json')).json().data).toMatchObject({ count: 0 });
  });

  it('goes by what it is told: tenants by context, values, names, exceptions', async () => {
    const box = await withFiles({
      'pjsip.conf': '#include d/*.conf\n',
      'd/a.conf': handWritten,
      'd/b.conf': panelTrunks,
    });
    await box.ok('tenant add acme --domain acme.example');
    const argv = [
      'import',
      'pjsip',
      at(box, 'pjsip.conf'),
      '--yes',
      '--keep-names',
      '--except',
      '1002,peer-trunk',
    ];
    argv.push(
      '--context-tenant',
      'from-internal=acme',
      '--set',
      '1001.extension=77',
      '--set',
      '1001.maxCalls=2',
    );
    await box.ok(argv);
    expect((await user(box, '1001', 'acme')).user).toMatchObject({
      extension: '77',
      maxCalls: 2,
      displayName: "Ann O'Hara",
    });
    expect((await trunk(box, 'telnyx_main-endpoint')).trunk).toMatchObject({ provider: 'telnyx' });
    expect((await trunk(box, 'carrier')).trunk).toMatchObject({
      ...{ provider: 'custom_credential', host: '198.51.100.20', transport: 'tcp', username: 'acct7' },
      ...{ authUsername: 'acct7-digest', realm: 'voice.example', fromUser: null, context: 'from-carrier' },
    });
    const users = (await box.ok('user list --all-tenants --json')).json().data as { count: number };
    expect(users.count).toBe(1);
  });

  it('takes the template’s values where it is asked to', async () => {
    const box = await withFiles({ 'trunks.conf': panelTrunks });
    await box.ok(['import', 'pjsip', at(box, 'trunks.conf'), '--yes', '--template-defaults']);
    const { options } = (await trunk(box, 'telnyx_main')).trunk as { options: string[] };
    expect(options).toEqual(['aor.qualify_frequency=60', 'endpoint.rewrite_contact=yes']);
  });

  it('writes nothing where one object cannot be read, and tells all that is wrong at once', async () => {
    const box = await withFiles({
      'pjsip.conf': `${panelUsers}
[alice]
type=endpoint
auth=alice
aors=alice
[alice]
type=auth
auth_type=md5
username=alice
md5_cred=0123456789abcdef0123456789abcdef
[alice]
type=aor
max_contacts=1
#exec /bin/true
`,
    });
    const ended = await box.sipctl(['import', 'pjsip', at(box, 'pjsip.conf'), '--yes', '--json']);
    expect(ended.code).toBe(3);
    expect(
      ended
        .json()
        .errors.map(({ code }) => code)
        .sort(),
    ).toEqual(['exec_refused', 'missing_extension', 'missing_password']);
    expect(ended.stdout).not.toContain('0123456789abcdef');
    expect((await box.ok('user list --json')).json().data).toMatchObject({ count: 0 });
  });

  it('makes passwords where only a hash is there, and it may', async () => {
    const text =
      '[1005]\ntype=endpoint\nauth=1005\naors=1005\n[1005]\ntype=auth\nauth_type=md5\nusername=1005\nmd5_cred=0123456789abcdef0123456789abcdef\n[1005]\ntype=aor\nmax_contacts=1\n';
    const box = await withFiles({ 'pjsip.conf': text });
    const ended = await box.ok(['import', 'pjsip', at(box, 'pjsip.conf'), '--yes', '--generate-passwords']);
    expect(ended.stdout + ended.stderr).not.toContain('0123456789abcdef');
    const { password } = (await box.ok('user show 1005 --reveal --json')).json().data['user' as never] as {
      password: string;
    };
    expect(password).toMatch(/^[A-Za-z0-9]{24}$/);
  });

  it('refuses flags that say nothing', async () => {
    const box = await withFiles({ 'pjsip.conf': panelUsers });
    const argv = [
      'import',
      'pjsip',
      at(box, 'pjsip.conf'),
      '--set',
      'x.password=hunter2',
      '--set',
      'nonsense',
    ];
    const ended = await box.sipctl([...argv, '--context-tenant', 'a', '--engine-version', '3']);
    expect(ended.code).toBe(3);
    expect(ended.stderr.match(/^error: /gm)).toHaveLength(4);
    expect(ended.stderr).not.toContain('hunter2');
    expect((await box.sipctl('import pjsip /nowhere/pjsip.conf')).code).toBe(5);
  });
});

describe('files that are made to wear a reader out', () => {
  it('takes patterns with ranges that run backwards, and with many stars', async () => {
    const stars = `${'*a'.repeat(14)}*b`;
    const box = await withFiles({
      'main.conf': `#include "x[z-a].conf"\n#include "${stars}"\n#include "u[!a-w]*r?.conf"\n`,
      [`${'a'.repeat(100)}`]: 'nonsense',
      'uxer1.conf': panelUsers,
      'uber1.conf': 'nonsense',
    });
    const { stdout } = await box.ok(['import', 'pjsip', at(box, 'main.conf'), '--yes', '--json']);
    expect(stdout).not.toContain('sipctl has a bug');
    expect((await box.ok('user list --json')).json().data).not.toMatchObject({ count: 0 });
  });

  it('refuses templates that double with every step', async () => {
    const doubling = Array.from({ length: 40 }, (_, at) => `[t${at + 1}](!,t${at},t${at})\n`).join('');
    const box = await withFiles({ 'main.conf': `[t0](!)\nrtp_timeout=1\n${doubling}` });
    const ended = await box.sipctl(['import', 'pjsip', at(box, 'main.conf'), '--json']);
    expect(ended.code).toBe(3);
    expect(ended.json().errors[0]).toMatchObject({ code: 'too_large' });
  });
});

it('repeats no value that holds a secret, or is called like one', async () => {
  const box = await withFiles({
    'main.conf': `[tr]
type=registration
server_uri=sip:sip.example.com
client_uri=sip:u@sip.example.com
outbound_auth=tr
[tr]
type=auth
auth_type=userpass
username=u
password=Carrier-Pass-1
secret=Carrier-Pass-2
[tr]
type=aor
contact=sip:u:Carrier-Pass-3@sip.example.com
[tr]
type=endpoint
outbound_auth=tr
aors=tr
set_var=SITE=west
set_var=API_TOKEN=Carrier-Pass-4
`,
  });
  const { stdout, stderr } = await box.sipctl(['import', 'pjsip', at(box, 'main.conf'), '--check']);
  expect(stderr).toContain('auth.secret=its secret becomes nothing');
  expect(stderr).toContain('endpoint.set_var=its secret becomes');
  expect(stdout).toContain('endpoint.set_var=SITE=west');
  expect(stdout + stderr).not.toContain('Carrier-Pass');
});
