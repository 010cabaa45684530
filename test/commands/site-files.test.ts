import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Ended, type RunOptions, type Sandbox, sandbox, sandboxIn } from '../support/run-sipctl.ts';
import { onServer } from '../support/store-place.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await sandbox();
  mkdirSync(join(box.dir, 'asterisk'));
});

const secrets = { CARRIER: 'carrier-Secret-9', PHONE: 'phone-Secret-9' };

/** A tenant with a trunk, users, a menu, a number, and a folder node. */
const acme = (dir: string): string => `tenants:
  acme:
    domain: acme.sip.example
    trunks:
      main: {provider: telnyx, username: 1234567890, password: env:CARRIER, did: +15551234567}
    users:
      ann: {extension: 1001, password: env:PHONE, unanswered: ivr:menu, labels: [vip]}
      bob: {extension: 1002, password: generate}
    ivrs:
      menu: {greeting: custom/hi, keys: {1: user:ann, 2: user:bob}}
    numbers:
      +15551234567: {destination: ivr:menu}
nodes:
  pbx1: {kind: asterisk, dir: ${dir}}
`;

function write(text: string, name = 'site.yaml'): string {
  const file = join(box.dir, name);
  writeFileSync(file, text);
  return file;
}

const run = (words: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  box.sipctl(words, { env: secrets, ...options });
const written = async (text: string, ...flags: string[]): Promise<Ended> => {
  const ended = await run(['apply', '-f', write(text), '--no-apply', '--yes', ...flags]);
  expect(ended.stderr).toBe('');
  expect(ended.code).toBe(0);
  return ended;
};
const site = () => write(acme(join(box.dir, 'asterisk')));
const errorsOf = (ended: Ended): string[] => ended.json().errors.map(({ message }) => message);

describe('apply -f', () => {
  it('writes, delivers, and finds nothing to do the second time', async () => {
    const file = site();
    const first = await run(['apply', '-f', file, '--yes', '--json']);
    expect([first.code, first.json().changed]).toEqual([0, true]);
    expect(first.json().data).toMatchObject({ count: { create: 7, update: 0, delete: 0 }, unchanged: 0 });
    expect(existsSync(join(box.dir, 'asterisk', 'sipctl', 'current', 'manifest.json'))).toBe(true);
    const again = await run(['apply', '-f', file, '--json']);
    expect([again.code, again.json().changed]).toEqual([0, false]);
    expect((await run(['diff', '-f', file])).code).toBe(0);
    expect((await run(['plan', '--detailed-exitcode'])).code).toBe(0);
  });

  it.skipIf(onServer())(
    'does exactly what plan -f and --check foresaw, and those write nothing',
    async () => {
      const file = site();
      const before = readFileSync(box.db);
      const plan = await run(['plan', '-f', file, '--json', '--detailed-exitcode']);
      expect(plan.code).toBe(2);
      const check = await run(['apply', '-f', file, '--check', '--json']);
      expect(check.code).toBe(2);
      expect((await run(['user', 'list', '--tenant', 'default', '--json'])).json().data).toMatchObject({
        count: 0,
      });
      expect((await run(['tenant', 'list', '--json'])).json().data).toMatchObject({ count: 1 });
      expect(readFileSync(box.db).equals(before)).toBe(true);
      expect(readdirSync(join(box.dir, 'asterisk'))).toEqual([]);
      const foreseen = (
        plan.json().data as { plan: { nodes: { count: object; changes: { artifact: string }[] }[] } }
      ).plan;
      await written(readFileSync(file, 'utf8'));
      const after = (await run(['plan', '--json'])).json().data as typeof foreseen;
      expect(after.nodes[0]?.count).toEqual(foreseen.nodes[0]?.count);
      expect(after.nodes[0]?.changes).toEqual(foreseen.nodes[0]?.changes);
    },
  );

  it('asks nobody without a terminal: it refuses without --yes, and writes nothing', async () => {
    const ended = await run(['apply', '-f', site()]);
    expect([ended.code, ended.stderr]).toEqual([4, expect.stringContaining('--yes')]);
    expect((await run(['diff', '-f', site()])).code).toBe(2);
  });

  it('writes all or nothing', async () => {
    await written(acme(join(box.dir, 'asterisk')));
    const text = acme('/x').replace('extension: 1002', 'extension: 1001').replace('1234567890', '55');
    const ended = await run(['apply', '-f', write(text), '--yes', '--json']);
    expect([ended.code, errorsOf(ended)]).toEqual([
      3,
      expect.arrayContaining([expect.stringContaining('extension 1001')]),
    ]);
    expect((await run(['trunk', 'show', 'main', '--tenant', 'acme', '--json'])).json().data).toMatchObject({
      trunk: { username: '1234567890' },
    });
  });

  it('shows no secret anywhere: not in text, JSON, Markdown, audit or history', async () => {
    const file = site();
    const said: string[] = [];
    for (const words of [
      ...[
        ['diff', '-f', file],
        ['plan', '-f', file, '--diff'],
        ['plan', '-f', file, '--report', 'md'],
      ],
      ...[['apply', '-f', file, '--yes'], ['export'], ['export', '--secrets', 'env'], ['audit'], ['history']],
    ])
      for (const flags of [[], ['--json']]) {
        const { stdout, stderr } = await run([...words, ...flags]);
        said.push(stdout, stderr);
      }
    expect(said.join('').length).toBeGreaterThan(2000);
    for (const secret of Object.values(secrets)) expect(said.join('')).not.toContain(secret);
  });

  it('makes a generated secret once', async () => {
    await written(acme('/x'));
    const shown = async () =>
      (await run(['user', 'show', 'bob', '--tenant', 'acme', '--reveal', '--json'])).json().data as {
        user: { password: string };
      };
    const { password } = (await shown()).user;
    expect(password).toMatch(/^[A-Za-z0-9]{24}$/);
    expect((await written(acme('/x'))).stdout).toContain('nothing to change');
    expect((await shown()).user.password).toBe(password);
  });

  it('takes two objects that exchange what one may have, and a number that leaves a trunk that goes', async () => {
    await written(acme('/x'));
    const text = acme('/x')
      .replace('extension: 1001', 'extension: 9')
      .replace('extension: 1002', 'extension: 1001')
      .replace('extension: 9', 'extension: 1002')
      .replace(
        'main: {provider: telnyx, username: 1234567890',
        'other: {provider: telnyx, username: 1234567890',
      );
    await written(text, '--prune');
    const { data } = (await run(['export', '--tenant', 'acme', '--json'])).json() as {
      data: { site: { tenants: { acme: Record<string, Record<string, Record<string, unknown>>> } } };
    };
    const { users, trunks, numbers } = data.site.tenants.acme;
    expect([users?.ann?.extension, users?.bob?.extension]).toEqual(['1002', '1001']);
    expect([Object.keys(trunks ?? {}), numbers?.['+15551234567']?.trunk]).toEqual([['other'], 'other']);
  });

  it('records the number of a trunk, and keeps it where it prunes', async () => {
    const text = acme('/x').replace(/ {4}numbers:\n.*\n/, '');
    await written(text);
    expect((await written(text, '--prune')).stdout).toContain('nothing to change');
    expect((await run(['number', 'list', '--tenant', 'acme'])).stdout).toContain('+15551234567');
  });

  it('goes on without a node, and sees one that the file brings along', async () => {
    const text = 'tenants: {acme: {users: {ann: {extension: 1, password: generate}}}}';
    const ended = await run(['apply', '-f', write(text), '--yes']);
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('2 added')]);
  });
});

describe('--prune', () => {
  const users = (...names: string[]): string =>
    `tenants:\n  acme:\n    users:\n${names.map((name, at) => `      ${name}: {extension: ${2000 + at}, password: generate, labels: [${at % 2 === 0 ? 'even' : 'odd'}]}\n`).join('')}`;
  const names = Array.from({ length: 12 }, (_, at) => `user${String.fromCharCode(97 + at)}`);

  it('removes what the file no longer names, and nothing without it', async () => {
    await written(users(...names));
    await written('tenants: {other: {users: {olga: {extension: 1, password: generate}}}}');
    expect((await written(users(...names.slice(0, 10)))).stdout).toContain('nothing to change');
    await written(users(...names.slice(0, 10)), '--prune');
    const { data } = (await run(['user', 'list', '--all-tenants', '--json'])).json() as {
      data: { count: number };
    };
    expect(data.count).toBe(11);
  });

  it('wants the number of removals confirmed where it is many', async () => {
    await written(users(...names));
    const file = write(users(...names.slice(0, 5)));
    const refused = await run(['apply', '-f', file, '--no-apply', '--yes', '--prune', '--json']);
    expect([refused.code, errorsOf(refused)]).toEqual([4, ['7 of 12 objects would be removed']]);
    expect((await run(['apply', '-f', file, '--no-apply', '--yes', '--prune', '--confirm', '7'])).code).toBe(
      0,
    );
  });

  it('stays within a label', async () => {
    await written(users(...names));
    const file = write(users(...names.slice(0, 11)));
    await run(['apply', '-f', file, '--no-apply', '--yes', '--prune', '--label', 'even']);
    expect((await run(['diff', '-f', file, '--prune', '--json'])).json().data).toMatchObject({
      count: { delete: 1 },
    });
    await run(['apply', '-f', file, '--no-apply', '--yes', '--prune', '--label', 'odd']);
    expect((await run(['diff', '-f', file, '--prune'])).code).toBe(0);
  });

  it('names what else would be left without what it removes', async () => {
    const text =
      'tenants: {acme: {trunks: {main: {provider: custom_ip, host: a.example, networks: [192.0.2.1], labels: [old]}}, routes: {all: {match: [+], trunks: [main]}}}}';
    await written(text);
    const file = write(
      'tenants: {acme: {trunks: {new: {provider: custom_ip, host: b.example, networks: [192.0.2.2], labels: [old]}}}}',
    );
    const ended = await run([
      'apply',
      '-f',
      file,
      '--no-apply',
      '--yes',
      '--prune',
      '--label',
      'old',
      '--json',
    ]);
    expect([ended.code, errorsOf(ended)]).toEqual([
      3,
      ["acme: route all: trunks: trunk 'main' would be removed, and route all names it"],
    ]);
  });
});

describe('sources', () => {
  it('are files, folders and standard input together; a folder gives its site files in order', async () => {
    const folder = join(box.dir, 'site');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    mkdirSync(join(folder, '.git'));
    write('tenants: {acme: {domain: acme.example}}', 'site/1.yml');
    write(
      '{"tenants": {"acme": {"users": {"ann": {"extension": "1", "password": "file:pw"}}}}}',
      'site/sub/2.json',
    );
    write('phone-Secret-9\n', 'site/sub/pw');
    write('not: [a site', 'site/.git/3.yaml');
    write('# words', 'site/readme.md');
    const ended = await run(
      ['apply', '-f', folder, '-f', '-', '-f', join(folder, '1.yml'), '--no-apply', '--yes'],
      {
        input: 'tenants: {acme: {ivrs: {menu: {greeting: hi, keys: [1=user:ann]}}}}',
      },
    );
    expect([ended.stderr, ended.code]).toEqual(['', 0]);
    expect(ended.stdout).toContain('3 added');
  });

  it.each([
    ['that are not there', ['-f', 'nowhere.yaml'], 5, 'there is no file nowhere.yaml'],
    ['given twice as -', ['-f', '-', '-f', '-'], 64, '-f - is given twice'],
    ['that say nothing', ['-f', '/dev/null'], 3, 'declares nothing'],
    ['and none', [], 64, 'diff goes with -f'],
    ['with a label that is none', ['-f', '/dev/null', '--label', 'a b'], 3, 'is not a label'],
  ])('%s are told', async (_, flags, code, message) => {
    const ended = await run(['diff', ...flags], { input: '' });
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(message)]);
  });

  it('that are no text are told', async () => {
    const file = join(box.dir, 'site.yaml');
    writeFileSync(file, Buffer.from([0xff, 0xfe, 0x74, 0x00]));
    expect(errorsOf(await run(['diff', '-f', file, '--json']))).toEqual([`${file} is not a text in UTF-8`]);
  });

  it('run commands for secrets only where that is allowed, without a shell, and show nothing of them', async () => {
    const text = (command: string) =>
      `tenants: {acme: {users: {ann: {extension: 1, password: ${JSON.stringify(`cmd:${command}`)}}}}}`;
    const diff = async (command: string, ...flags: string[]) =>
      run(['diff', '-f', write(text(command)), '--json', ...flags]);
    const marker = join(box.dir, 'ran');
    expect((await diff(`touch ${marker}`)).code).toBe(3);
    expect(existsSync(marker)).toBe(false);
    expect((await diff(`printf 'a b;touch ${marker}'`, '--allow-commands')).code).toBe(2);
    expect(existsSync(marker)).toBe(false);
    const failed = await diff(
      "sh -c 'echo phone-Secret-9; echo phone-Secret-9 >&2; exit 3'",
      '--allow-commands',
    );
    expect(errorsOf(failed)).toEqual(['acme: user ann: password: the command sh ended with 3']);
    expect(failed.stdout + failed.stderr).not.toContain('Secret-9');
    expect(errorsOf(await diff('no-such-program-here', '--allow-commands'))[0]).toContain('is not there');
  });
});

describe('what came in between', () => {
  it('is told by its place in the file, and by the objects of others', async () => {
    await written(
      'tenants: {other: {users: {ann: {extension: 1, password: generate}}, numbers: {+15551234567: }}}',
    );
    const text =
      'tenants:\n  acme:\n    users:\n      ann: {extension: 1, password: generate}\n    numbers:\n      +15551234567:\n';
    const ended = await run(['diff', '-f', write(text), '--json']);
    expect(ended.json().errors).toMatchObject([
      { code: 'endpoint_taken', place: { line: 4, column: 7 } },
      { code: 'number_taken', place: { line: 6, column: 7 } },
    ]);
  });

  it('of moves to an empty database names what is missing, and env names what it needs', async () => {
    await written(acme('/x'));
    const bare = (await run(['export'])).stdout;
    const named = (await run(['export', '--secrets', 'env'])).stdout;
    const { sipctl, ok, dir } = sandboxIn(join(box.dir, 'empty'));
    mkdirSync(dir);
    await ok('init');
    writeFileSync(join(dir, 'bare.yaml'), bare);
    writeFileSync(join(dir, 'named.yaml'), named);
    const refused = await sipctl(['apply', '-f', join(dir, 'bare.yaml'), '--no-apply', '--yes', '--json']);
    expect(refused.code).toBe(3);
    const variables = [...named.matchAll(/env:(\w+)/g)].map(([, name]) => [name, 'moved-Secret-9']);
    expect(variables).toHaveLength(3);
    const env = Object.fromEntries(variables) as Record<string, string>;
    await ok(['apply', '-f', join(dir, 'named.yaml'), '--no-apply', '--yes'], { env });
    expect((await sipctl('export')).stdout).toBe(bare);
  });
});

describe('a path that never ends', () => {
  it('is refused, as a site file, as a secret, and as a table', async () => {
    const pipe = join(box.dir, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero']) {
      const message = `${path} cannot be read: it is a device or a named pipe`;
      const file = await run(['diff', '-f', path, '--json']);
      expect([file.code, errorsOf(file)]).toEqual([3, [message]]);
      const user = `tenants: {acme: {users: {ann: {extension: 1001, password: "file:${path}"}}}}`;
      const secret = await run(['diff', '-f', write(user), '--json']);
      expect([secret.code, errorsOf(secret)]).toEqual([3, [`acme: user ann: password: ${message}`]]);
      const table = await run(['import', 'csv', path, '--kind', 'users', '--json']);
      expect([table.code, errorsOf(table)]).toEqual([3, [message]]);
    }
  });
});

it('exports what is called like something that every object of JavaScript has', async () => {
  const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty'];
  const users = names.map((name, at) => `${name}: {extension: ${2001 + at}, password: generate}`);
  await written(`tenants: {constructor: {enabled: true, users: {${users.join(', ')}}}}`);
  const exported = await run(['export']);
  for (const name of names) expect(exported.stdout).toContain(`${name}:`);
  const back = await run(['diff', '-f', write(exported.stdout), '--prune', '--json']);
  expect([back.code, back.json().data]).toMatchObject([0, { count: { create: 0, update: 0, delete: 0 } }]);
});

it('asks a table for a password in words of a table', async () => {
  const file = write('username,extension\nann,1001\n', 'users.csv');
  const { code, stderr } = await run(['import', 'csv', file, '--kind', 'users', '--check']);
  expect(code).toBe(3);
  expect(stderr).toContain('--generate-passwords makes those of users');
  expect(stderr).not.toContain('env:NAME');
});
