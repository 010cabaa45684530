import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await sandbox();
});

/** Fails with this code, the same in both forms; a remedy for each complaint, and no talk of bugs. */
async function expectRefused(argv: readonly string[], code: number, field?: string): Promise<void> {
  const plain = await box.sipctl(argv);
  const json = await box.sipctl([...argv, '--json']);
  expect([argv, plain.code, json.code], plain.stderr).toEqual([argv, code, code]);
  expect(plain.stderr).not.toMatch(/^\s+at |has a bug/m);
  const { errors } = json.json();
  expect(errors.every(({ hint }) => (hint ?? '') !== '')).toBe(true);
  if (field !== undefined) expect([argv, errors.map((error) => error.field)]).toEqual([argv, [field]]);
}

const carrier = ['--provider', 'custom_ip', '--host', 'h.example', '--networks', '192.0.2.1'];
const phone = ['--extension', '101', '--generate-password'];

describe('values that are none', () => {
  it.each([
    ['--display-name', '', 'displayName'],
    ['--display-name', ' ', 'displayName'],
    ['--display-name', 'a\nb', 'displayName'],
    ['--display-name', 'x'.repeat(101), 'displayName'],
    ['--display-name', '\u202etxt', 'displayName'],
    ['--max-calls', '', 'maxCalls'],
    ['--max-calls', '-1', 'maxCalls'],
    ['--max-calls', '1e3', 'maxCalls'],
    ['--max-calls', '1.5', 'maxCalls'],
    ['--max-calls', '9007199254740993', 'maxCalls'],
    ['--max-calls', '9'.repeat(400), 'maxCalls'],
    ['--max-calls', 'NaN', 'maxCalls'],
    ['--codecs', '', 'codecs'],
    ['--codecs', 'ulaw,', 'codecs'],
    ['--codecs', 'constructor', 'codecs'],
    ['--template', '', 'template'],
    ['--template', 'Basic', 'template'],
    ['--template', 'constructor', 'template'],
    ['--context', 'a]b', 'context'],
    ['--transport', '[x]', 'transport'],
    ['--unset', '', 'unset'],
    ['--unset', 'constructor', 'unset'],
    ['--unset', '__proto__', 'unset'],
    ['--unset', 'extension', 'unset'],
  ])('of a user are refused: %s %j', async (flag, value, field) => {
    await box.ok(['user', 'add', 'ann', ...phone]);
    await expectRefused(['user', 'set', 'ann', flag, value], 3, field);
  });

  it('of the tenant that is meant are refused before anything is read', async () => {
    for (const value of ['', ' ', '../x', 'a/b', 'A', 'a\nb', '__proto__', '-', 'x'.repeat(41), "' OR 1=1"])
      await expectRefused(['user', 'list', '--tenant', value], 3, 'tenant');
    await expectRefused(['user', 'list', '--tenant', 'constructor'], 5, 'tenant');
  });

  it('of a number to confirm, of rows, of a generation are refused', async () => {
    for (const value of ['', '0', '-1', 'x', '1.5', '9'.repeat(30)]) {
      await expectRefused(['plan', '--confirm', value], 3, 'confirm');
      await expectRefused(['history', '--limit', value], 3, 'limit');
    }
    await box.ok(['node', 'add', 'pbx', '--kind', 'asterisk', '--dir', box.dir]);
    await expectRefused(['rollback', 'pbx', '--to', '-1'], 3, 'to');
    await expectRefused(['rollback', 'pbx', '--to', '9'.repeat(30)], 3, 'to');
    for (const node of ['', ',', 'nope', 'pbx,nope']) await expectRefused(['plan', '--node', node], 5);
  });
});

describe('a trunk without a provider', () => {
  it('is told so, whether it was left out or mistyped', async () => {
    await expectRefused(['trunk', 'add', 'main'], 3, 'provider');
    for (const provider of ['', 'Telnyx', '__proto__', 'a b'])
      await expectRefused(['trunk', 'add', 'main', '--provider', provider], 3, 'provider');
    for (const provider of ['constructor', 'valueof', 'telnix'])
      await expectRefused(['trunk', 'add', 'main', '--provider', provider], 3, 'provider');
  });
});

describe('names that every object of the language has', () => {
  // Those that are names here, too; the others are refused by the rules.
  const names = ['constructor', 'valueOf', 'toString', 'hasOwnProperty', 'isPrototypeOf'];

  it('are names like others, all the way to the PBX and back', async () => {
    mkdirSync(join(box.dir, 'pbx'));
    await box.ok(['node', 'add', 'constructor', '--kind', 'asterisk', '--dir', join(box.dir, 'pbx')]);
    await box.ok('tenant add constructor --domain constructor');
    for (const [at, name] of names.entries()) {
      await box.ok([
        'user',
        'add',
        name,
        '--tenant',
        'constructor',
        '--extension',
        `${at}`,
        '--generate-password',
      ]);
      await box.ok(['trunk', 'add', name, '--tenant', 'constructor', ...carrier]);
    }
    await box.apply();
    for (const name of names) {
      await box.ok(['user', 'set', name, '--tenant', 'constructor', '--display-name', `New ${name}`]);
      const plan = await box.ok('plan --diff');
      expect(plan.stdout).toContain(`~ user ${name}\n`);
      await box.apply();
      await box.ok(['trunk', 'remove', name, '--tenant', 'constructor', '--yes']);
      expect((await box.ok('plan')).stdout).toContain(`- trunk ${name}\n`);
      await box.apply();
    }
    expect((await box.ok('drift --check')).stdout).toContain('no drift');
    expect((await box.ok('tenant sip constructor')).stdout).toContain('sip:valueOf@constructor');
    expect((await box.ok('audit --tenant constructor --noun user --json')).json().data).toMatchObject({
      count: 10,
    });
    await box.ok('tenant remove constructor --cascade --yes');
    await box.ok('apply --yes --confirm 5');
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(0);
  });

  it('are no commands, verbs, flags, providers or templates', async () => {
    for (const name of ['__proto__', ...names]) {
      await expectRefused([name], 64);
      await expectRefused(['user', name], 64);
      await expectRefused(['user', 'list', `--${name}`], 64);
      await expectRefused(['provider', 'show', name], 5);
      await expectRefused(['user-template', 'show', name], 5);
    }
    for (const name of ['__proto__', '__defineGetter__']) {
      await expectRefused(['tenant', 'add', name], 3, 'name');
      await expectRefused(['user', 'add', name, ...phone], 3, 'username');
      await expectRefused(['trunk', 'add', name, ...carrier], 3, 'name');
    }
  });
});

describe('a template of one’s own that is taken away', () => {
  it('is named with who uses it, by every command that needs it, and can be replaced', async () => {
    const folder = join(box.dir, 'config', 'sipctl', 'templates', 'users');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'own_phone.yaml');
    writeFileSync(
      file,
      'id: own_phone\ndisplay_name: Own\ntitle: Own SIP User\ndescription: own\ncodecs: [ulaw]\nmax_contacts: 1\n',
    );
    mkdirSync(join(box.dir, 'pbx'));
    await box.ok(['node', 'add', 'pbx', '--kind', 'asterisk', '--dir', join(box.dir, 'pbx')]);
    await box.ok(['user', 'add', 'ann', ...phone, '--template', 'own_phone']);
    await box.apply();
    rmSync(file);
    for (const argv of [['plan'], ['plan', '--refresh'], ['apply', '--yes'], ['render'], ['status']]) {
      const ended = await box.sipctl(argv);
      expect([argv, ended.code], ended.stderr).toEqual([argv, 5]);
      expect(ended.stderr).toContain("user ann of tenant default uses the user-template 'own_phone'");
      expect(ended.stderr).not.toContain('has a bug');
    }
    expect(readFileSync(join(box.dir, 'pbx', 'sipctl', 'current', 'manifest.json'), 'utf8')).toContain(
      'pjsip_users.conf',
    );
    await box.ok('user show ann');
    await box.ok('user set ann --template basic_user');
    await box.apply();
  });
});

describe('flags that are given twice', () => {
  it('count once, the last one; of two ways to give a secret neither does', async () => {
    await box.ok([
      'user',
      'add',
      'ann',
      '--extension',
      '1',
      ...phone,
      '--display-name',
      'A',
      '--display-name',
      'B',
    ]);
    expect((await box.ok('user show ann --json')).json().data).toMatchObject({
      user: { extension: '101', displayName: 'B' },
    });
    await expectRefused(['user', 'set', 'ann', '--generate-password', '--password', 'env:X'], 3, 'password');
    await box.ok(['trunk', 'add', 'main', ...carrier, '--inbound', '--no-inbound']);
    expect((await box.ok('trunk show main --json')).json().data).toMatchObject({ trunk: { inbound: false } });
  });
});
