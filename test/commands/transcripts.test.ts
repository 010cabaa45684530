import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/errors.ts';
import { localGenerations } from '../../src/files/local.ts';
import { needs } from '../../src/platforms/asterisk/rights.ts';
import { type AmiScript, message, startAmiServer } from '../support/ami-server.ts';
import { type Ended, type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { onServer } from '../support/store-place.ts';

const secrets = ['carrier-Secret-9', 'phone-Secret-9', 'manager-Secret-9', 'turn-Secret-9'];

let box: Sandbox;
let pbx: string;

beforeEach(async () => {
  box = await sandbox();
  pbx = join(box.dir, 'asterisk');
  mkdirSync(pbx);
  writeFileSync(
    join(pbx, 'pjsip.conf'),
    '[transport-udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:5060\n',
  );
});

/** A tenant with a trunk and two users, and a folder node. */
async function site(): Promise<void> {
  await box.ok(
    'tenant add acme --display-name "ACME Corp" --domain acme.sip.example --country US --max-calls 5',
  );
  await box.ok(
    'trunk add telnyx_main --tenant acme --provider telnyx --username 1234567890 --password-stdin --did +15551234567 --context from-trunk --codecs ulaw,alaw,g722',
    { input: 'carrier-Secret-9' },
  );
  await box.ok(
    'user add john_doe --tenant acme --extension 1001 --template basic_user --password env:PHONE',
    {
      env: { PHONE: 'phone-Secret-9' },
    },
  );
  await box.ok(['node', 'add', 'pbx1', '--kind', 'asterisk', '--dir', pbx]);
  await box.ok('node init pbx1 --write');
}

/** The same command in both forms ends with the same code; the JSON says the same error. */
async function failsAlike(command: string, code: number, errorCode: string, field?: string): Promise<Ended> {
  const plain = await box.sipctl(command);
  const json = await box.sipctl(`${command} --json`);
  expect([command, plain.code, json.code], plain.stderr).toEqual([command, code, code]);
  expect(plain.stderr).toMatch(/^error: /);
  const document = json.json();
  expect(document).toMatchObject({ schema: 'sipctl/v1', ok: false });
  expect(document.errors.map((error) => error.code)).toContain(errorCode);
  if (field !== undefined) expect(document.errors.map((error) => error.field)).toContain(field);
  expect(document.errors.every((error) => (error.hint ?? '') !== '')).toBe(true);
  return plain;
}

describe('exit codes', () => {
  it('0: the five-minute walk on a folder, then nothing to do', async () => {
    await site();
    const plan = await box.ok('plan');
    expect(plan.stdout).toContain('+ trunk telnyx_main');
    expect(plan.stdout).toContain('+ user john_doe');
    expect(plan.stdout).toContain('4 to create, 0 to change, 0 to delete');
    await box.apply();
    expect((await box.ok('plan --detailed-exitcode')).stdout).toContain('Nothing to do.');
    expect((await box.ok('apply --yes')).stdout).toContain('Nothing to do.');
    expect(readFileSync(join(pbx, 'sipctl/current/pjsip_trunks.conf'), 'utf8')).toContain(
      '#include sipctl/store/acme/',
    );
  });

  it('1: a failure of the machine below, with nothing half done', async () => {
    await box.ok(['node', 'add', 'pbx1', '--kind', 'asterisk', '--dir', join(box.dir, 'nowhere')]);
    const ended = await box.sipctl('node init pbx1 --write');
    expect(ended.code).toBe(exitCodes.failed.code);
  });

  it('2: changes pending, only where asked for', async () => {
    await site();
    expect((await box.sipctl('plan')).code).toBe(0);
    const asked = await box.sipctl('plan --detailed-exitcode --json');
    expect([asked.code, asked.json().ok, asked.json().errors]).toEqual([2, true, []]);
  });

  it('2: drift, only where asked for', async () => {
    await site();
    await box.apply();
    const [tenant] = readdirSync(join(pbx, 'sipctl/store'));
    const [file] = readdirSync(join(pbx, 'sipctl/store', tenant as string));
    writeFileSync(join(pbx, 'sipctl/store', tenant as string, file as string), '; edited\n');
    expect((await box.sipctl('drift')).code).toBe(0);
    const checked = await box.sipctl('drift --check');
    expect([checked.code, checked.stdout]).toEqual([2, expect.stringContaining('was edited by hand')]);
  });

  it('3: bad input, every complaint at once', async () => {
    await failsAlike('tenant add Bad.Name', 3, 'invalid_name', 'name');
    await failsAlike('number add 5551234567', 3, 'invalid_number', 'number');
    const ended = await box.sipctl(
      'trunk add x --provider telnyx --host bad..host --port 99999 --codecs pcmu --auth magic --json',
    );
    expect(ended.json().errors.map((error) => error.field)).toEqual(
      expect.arrayContaining(['host', 'port', 'codecs', 'authType', 'username', 'password']),
    );
    await failsAlike('user add ann', 3, 'missing_extension', 'extension');
    await failsAlike('trunk add x --provider telnix', 3, 'unknown_provider', 'provider');
    const registering = 'trunk add x --provider sipgate --username 1234567t0 --password env:PASSWORD --json';
    const refused = await box.sipctl(`${registering} --no-registration`, { env: { PASSWORD: 'secret' } });
    expect([refused.code, refused.json().errors]).toMatchObject([
      3,
      [
        {
          code: 'registration_required',
          field: 'registration',
          hint: expect.stringContaining('--registration'),
        },
      ],
    ]);
  });

  it('4: refused without --yes, for unsafe plans and stale plan files', async () => {
    await site();
    await failsAlike('trunk remove telnyx_main --tenant acme --cascade', 4, 'not_confirmed');
    await failsAlike('apply', 4, 'not_confirmed');
    await failsAlike('tenant remove default --yes', 4, 'default_tenant');
    const file = join(box.dir, 'plan.json');
    await box.ok(['plan', '-o', file]);
    await box.ok('user set john_doe --tenant acme --display-name John');
    await failsAlike(`apply ${file}`, 4, 'plan_stale', 'plan');
    await box.ok(['plan', '-o', file]);
    expect((await box.sipctl(['apply', file])).code).toBe(0);
  });

  it('4: more than 30 % of ten or more deleted, unless the count is confirmed', async () => {
    await box.ok(['node', 'add', 'pbx1', '--kind', 'asterisk', '--dir', pbx]);
    for (let at = 0; at < 12; at++)
      await box.ok(`user add u${at} --extension ${100 + at} --generate-password`);
    await box.apply();
    for (let at = 0; at < 4; at++) await box.ok(`user remove u${at} --yes`);
    const refused = await box.sipctl('apply --yes --json');
    expect([refused.code, refused.json().errors[0]?.hint]).toEqual([
      4,
      expect.stringContaining('--confirm 4'),
    ]);
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(2);
    expect((await box.sipctl('apply --yes --confirm 3')).code).toBe(4);
    expect((await box.sipctl('apply --yes --confirm 4')).code).toBe(0);
  });

  it('5: not found, with the near miss named', async () => {
    await site();
    const ended = await failsAlike('user show John_Doe --tenant acme', 5, 'user_not_found', 'username');
    expect(ended.stderr).toContain("did you mean 'john_doe'?");
    await failsAlike('tenant show nobody', 5, 'tenant_not_found');
    await failsAlike('user list --tenant nobody', 5, 'tenant_not_found', 'tenant');
    await failsAlike('provider show telnix', 5, 'provider_not_found');
    await failsAlike('rollback pbx1 --to 77 --yes', 5, 'no_generation', 'to');
    const without = await box.sipctl('tenant list', { env: { SIPCTL_DB: join(box.dir, 'none.db') } });
    expect([without.code, existsSync(join(box.dir, 'none.db'))]).toEqual([5, false]);
  });

  it('6: what exists already, and what is in use', async () => {
    await site();
    await failsAlike('tenant add acme', 6, 'tenant_exists');
    await failsAlike('trunk remove telnyx_main --tenant acme --yes', 6, 'trunk_in_use');
    await failsAlike(
      'user add ann --tenant acme --extension 1001 --generate-password',
      6,
      'extension_taken',
      'extension',
    );
  });

  it('6: a node that another run is changing, with its holder', async () => {
    await site();
    await box.ok('plan');
    const unlock = await localGenerations(pbx, { now: () => new Date() }).lock('bob@elsewhere');
    const ended = await box.sipctl('apply --yes');
    await unlock();
    expect([ended.code, ended.stderr]).toEqual([6, expect.stringContaining('bob@elsewhere')]);
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(2);
  });

  it('7: a PBX that does not answer; nothing was delivered', async () => {
    await site();
    await box.ok('node set pbx1 --ami 127.0.0.1:1 --ami-user sipctl --ami-secret env:AMI', {
      env: { AMI: 'manager-Secret-9' },
    });
    const before = readFileSync(join(pbx, 'sipctl/current/manifest.json'), 'utf8');
    const ended = await box.sipctl('apply --yes --json');
    expect(ended.code).toBe(7);
    expect(ended.json()).toMatchObject({ ok: false, changed: false });
    expect(readFileSync(join(pbx, 'sipctl/current/manifest.json'), 'utf8')).toBe(before);
  });

  it('9: a system that shows nothing of what was delivered, neither new nor old', async () => {
    await site();
    await box.apply();
    const server = await startAmiServer({
      username: 'sipctl',
      secret: 'manager-Secret-9',
      answer: forgetful,
    });
    try {
      await box.ok(`node set pbx1 --ami 127.0.0.1:${server.port} --ami-user sipctl --ami-secret env:AMI`, {
        env: { AMI: 'manager-Secret-9' },
      });
      await box.ok('user set john_doe --tenant acme --display-name John');
      const ended = await box.sipctl('apply --yes --json');
      expect(ended.code, ended.stdout).toBe(9);
      expect(JSON.stringify(ended.json())).not.toContain('Secret-9');
    } finally {
      await server.close();
    }
  });

  it('64: wrong usage', async () => {
    await failsAlike('nonsense', 64, 'unknown_command');
    await failsAlike('trunk', 64, 'usage');
    await failsAlike('trunk ad x', 64, 'usage');
    await failsAlike('tenant add', 64, 'usage');
    await failsAlike('tenant list --nonsense', 64, 'usage');
  });

  it('130: interrupted before anything was put in force', async () => {
    await site();
    const controller = new AbortController();
    controller.abort();
    const ended = await box.sipctl('apply --yes', { signal: controller.signal });
    expect(ended.code).toBe(130);
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(2);
  });
});

describe('secrets', () => {
  it('stand in no output, plan file, audit row or database file; and in the files that need them', async () => {
    await site();
    await box.ok(
      'tenant set acme --turn-server turn:turn.example.com --turn-username t --turn-password env:TURN',
      { env: { TURN: 'turn-Secret-9' } },
    );
    const said: Ended[] = [];
    const plan = join(box.dir, 'plan.json');
    for (const command of [
      'plan --diff',
      `plan -o ${plan}`,
      'render --tenant acme',
      'trunk show telnyx_main --tenant acme',
      'user list --tenant acme',
      'tenant sip acme',
      'audit --all-tenants --limit 100',
      'apply --yes',
      'status',
      'history',
      'drift',
      'doctor',
    ]) {
      said.push(await box.sipctl(command), await box.sipctl(`${command} --json`));
    }
    const everything = [
      ...said.flatMap(({ stdout, stderr }) => [stdout, stderr]),
      readFileSync(plan, 'utf8'),
    ].join('\n');
    const database = readdirSync(box.dir)
      .filter((name) => name.startsWith('site.db'))
      .map((name) => readFileSync(join(box.dir, name)).toString('latin1'));
    for (const secret of secrets)
      expect([secret, everything.includes(secret), database.some((bytes) => bytes.includes(secret))]).toEqual(
        [secret, false, false],
      );
    expect(delivered(pbx)).toContain('carrier-Secret-9');
  });

  it('are shown by --reveal alone, which leaves an audit row', async () => {
    await site();
    const shown = await box.ok('user show john_doe --tenant acme --reveal --json');
    expect(shown.stdout).toContain('phone-Secret-9');
    expect((await box.ok('audit --tenant acme')).stdout).toContain('reveal');
    expect((await box.ok('render --tenant acme --reveal')).stdout).toContain('carrier-Secret-9');
  });

  it('are not taken from the command line, nor repeated when somebody tries', async () => {
    const ended = await box.sipctl('user add ann --extension 1 --password hunter2-hunter2');
    expect(ended.code).toBe(3);
    expect(ended.stdout + ended.stderr).not.toContain('hunter2');
  });

  it('come from stdin, a file or the environment, and only from one of them', async () => {
    const file = join(box.dir, 'secret');
    writeFileSync(file, 'from-file\n');
    await box.ok(`user add a --extension 1 --password-file ${file}`);
    await box.ok('user add b --extension 2 --password-stdin', { input: 'from-stdin\n' });
    await box.ok('user add c --extension 3 --password env:P', { env: { P: 'from-env' } });
    const revealed = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => (await box.ok(`user show ${name} --reveal --json`)).json().data),
    );
    expect(revealed).toMatchObject([
      { user: { password: 'from-file' } },
      { user: { password: 'from-stdin' } },
      { user: { password: 'from-env' } },
    ]);
    expect(
      (await box.sipctl(`user add d --extension 4 --password-file ${file} --generate-password`)).code,
    ).toBe(3);
    expect((await box.sipctl('user add d --extension 4 --password env:NONE')).stderr).toContain(
      'the environment has no NONE',
    );
  });
});

describe('verbs', () => {
  it('mean the same for every noun: add refuses what exists, set what does not, ensure repeats', async () => {
    await site();
    const ensure =
      'user ensure ann --tenant acme --extension 1002 --generate-password --display-name Ann --json';
    const changed = [(await box.ok(ensure)).json().changed, (await box.ok(ensure)).json().changed];
    expect(changed).toEqual([true, false]);
    expect((await box.sipctl('user set nobody --tenant acme --display-name X')).code).toBe(5);
    await box.ok('trunk disable telnyx_main --tenant acme');
    expect((await box.ok('plan')).stdout).not.toContain('trunk telnyx_main');
    await box.ok('trunk enable telnyx_main --tenant acme');
    await box.ok('trunk remove telnyx_main --tenant acme --cascade --yes');
    expect((await box.ok('number list --tenant acme --json')).json().data).toMatchObject({ count: 0 });
  });

  it('write, plan and apply in one go with --apply', async () => {
    await site();
    const ended = await box.ok('user set john_doe --tenant acme --display-name John --apply --yes --json');
    expect(ended.json()).toMatchObject({
      ok: true,
      changed: true,
      data: {
        user: { displayName: 'John' },
        apply: { nodes: [{ outcome: 'delivered' }], reload: { attempted: false } },
      },
    });
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(0);
  });

  it('take their flags before and after the verb', async () => {
    await site();
    const forms = [
      '--json --tenant acme user list',
      'user --tenant acme list --json',
      'user list --json --tenant acme',
    ];
    const answers = await Promise.all(forms.map(async (form) => (await box.ok(form)).stdout));
    expect(new Set(answers).size).toBe(1);
  });

  it('take a value back to its default', async () => {
    await site();
    await box.ok('trunk set telnyx_main --tenant acme --host carrier.example.com');
    await box.ok('trunk set telnyx_main --tenant acme --unset host');
    expect((await box.ok('trunk show telnyx_main --tenant acme')).stdout).toContain(
      'sip.telnyx.com (template telnyx)',
    );
    expect((await box.sipctl('trunk set telnyx_main --tenant acme --unset provider')).code).toBe(3);
  });
});

describe('rollback and history', () => {
  it('puts the generation before in force, and says that the database is ahead', async () => {
    await site();
    await box.apply();
    const first = delivered(pbx);
    await box.ok('user set john_doe --tenant acme --display-name John');
    await box.apply();
    expect(delivered(pbx)).not.toBe(first);
    const ended = await box.ok('rollback pbx1 --yes --json');
    expect(ended.json()).toMatchObject({
      changed: true,
      data: { generation: 1, base: 2, count: { update: 1 } },
      warnings: [{ code: 'database_ahead' }],
    });
    expect(delivered(pbx)).toBe(first);
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(2);
    await box.apply();
    expect((await box.ok('history --json')).json().data).toMatchObject({ count: 4 });
  });

  it('goes back on several nodes; one that cannot does not keep the others', async () => {
    await site();
    for (const name of ['pbx2', 'pbx3']) {
      mkdirSync(join(box.dir, name));
      await box.ok([
        'node',
        'add',
        name,
        '--kind',
        'asterisk',
        '--dir',
        join(box.dir, name),
        '--labels',
        'east',
      ]);
    }
    await box.ok('apply --yes --node pbx1,pbx2');
    await box.ok('user set john_doe --tenant acme --display-name John');
    await box.ok('apply --yes --node pbx1,pbx2');
    await failsAlike('rollback pbx1,pbx2 --to 1 --yes', 3, 'invalid_to', 'to');
    await failsAlike('rollback pbx1,pbx9 --yes', 5, 'node_not_found');
    await failsAlike('rollback @west --yes', 5, 'label_not_found', 'node');
    await failsAlike('rollback @east,pbx1', 4, 'not_confirmed');
    const ended = await box.sipctl('rollback @east,pbx1 --yes --json');
    expect([ended.code, ended.json().errors]).toMatchObject([5, [{ code: 'no_generation' }]]);
    expect(ended.json()).toMatchObject({
      changed: true,
      data: {
        nodes: [
          { node: 'pbx1', generation: 1, base: 2 },
          { node: 'pbx2', generation: 1, base: 2 },
        ],
      },
    });
  });
});

describe('the database commands', () => {
  it.skipIf(onServer())('back up and restore; a restored database is planned anew', async () => {
    await site();
    await box.apply();
    const copy = join(box.dir, 'copy.bak');
    await box.ok(['db', 'backup', copy]);
    expect(statSync(copy).mode & 0o077).toBe(0);
    expect((await box.sipctl(['db', 'backup', copy])).code).toBe(6);
    await box.ok('user add ann --tenant acme --extension 1002 --generate-password');
    await box.apply();
    await box.ok(['db', 'restore', copy, '--yes']);
    expect((await box.ok('plan')).stdout).toContain('- user ann');
    writeFileSync(copy, 'no database');
    expect((await box.sipctl(['db', 'restore', copy, '--yes'])).code).toBe(3);
    expect((await box.ok('user list --tenant acme --json')).json().data).toMatchObject({ count: 1 });
  });

  it('say what is there', async () => {
    await site();
    expect((await box.ok('db status --json')).json().data).toMatchObject({
      pending: [],
      rows: { users: 1, trunks: 1, numbers: 1 },
    });
    expect((await box.ok('db migrate --check')).stdout).toContain('nothing to migrate');
    await box.ok('key rotate --yes');
    expect((await box.sipctl('plan')).code).toBe(0);
  });
});

/** An Asterisk that allows and acknowledges everything, and has nothing of it. */
const forgetful: NonNullable<AmiScript['answer']> = (action) => {
  const allowed = needs.flatMap(({ actions }) => actions).map((name) => `${name}: x  (Priv: system)`);
  if (action.name === 'ListCommands') return message(action, 'Response: Success', ...allowed);
  if (action.name === 'CoreSettings') return message(action, 'Response: Success', 'AsteriskVersion: 22.10.1');
  if (action.name.startsWith('PJSIPShow'))
    return message(action, 'Response: Error', 'Message: No endpoints found');
  if (['Reload', 'ListCategories', 'GetConfig'].includes(action.name))
    return message(action, 'Response: Success');
  return undefined;
};

/** All delivered texts of the generation in force. */
function delivered(dir: string): string {
  const { artifacts } = JSON.parse(readFileSync(join(dir, 'sipctl/current/manifest.json'), 'utf8')) as {
    artifacts: Record<string, { sha256: string }>;
  };
  const files = readdirSync(join(dir, 'sipctl/store'), { recursive: true }) as string[];
  const wanted = Object.values(artifacts).map(({ sha256 }) => sha256.slice(0, 16));
  return files
    .filter((file) => wanted.some((hash) => file.includes(hash)))
    .sort()
    .map((file) => readFileSync(join(dir, 'sipctl/store', file), 'utf8'))
    .join('');
}
