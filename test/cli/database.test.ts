import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Cli, type Ended, executable, newCli, pendingSite } from './process.ts';

let cli: Cli;
beforeEach(() => {
  cli = newCli();
});

/** Ends with this code, one error, and a remedy; never with a stack. */
function expectError(ended: Ended, code: number, ...words: string[]): void {
  expect(ended, ended.stderr).toMatchObject({ code, signal: null, stdout: '' });
  expect(ended.stderr).toMatch(/^error: .+\n {2}hint: .+\n/);
  expect(ended.stderr).not.toMatch(/^\s+at |has a bug/m);
  for (const word of words) expect(ended.stderr).toContain(word);
}

const sql = (file: string, ...statements: string[]): void => {
  const database = new BetterSqlite3(file);
  for (const statement of statements) database.exec(statement);
  database.close();
};

// Root may write anywhere: as root, the command runs as a user who may not.
const asRoot = process.geteuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };
// Where sipctl lies in root's own home, nobody else can run it.
const nobodyCan =
  spawnSync(process.execPath, [executable, 'provider', 'list'], { ...nobody, env: {} }).status === 0;
const asAnother = it.skipIf(asRoot && !nobodyCan);

/** As somebody who owns nothing but what is handed over. */
function runLimited(argv: string, ...own: string[]): Promise<Ended> {
  if (!asRoot) return cli.run(argv);
  chmodSync(cli.dir, 0o755);
  for (const path of own) chownSync(path, nobody.uid, nobody.gid);
  return cli.run(argv, nobody);
}

describe('a database that is none of this sipctl’s', () => {
  it('is refused where a newer one made it, and left as it is', async () => {
    await cli.ok('init');
    sql(cli.db, 'PRAGMA user_version = 999');
    const before = readFileSync(cli.db);
    for (const argv of ['user list', 'init', 'plan', 'user add ann --extension 1 --generate-password'])
      expectError(await cli.run(argv), 4, 'was made by a newer sipctl', 'upgrade');
    expect((await cli.ok('db status')).stdout).toContain('999, of a newer sipctl');
    expect(readFileSync(cli.db).equals(before)).toBe(true);
  });

  it('is refused where another program made it, and gets no table', async () => {
    const file = join(cli.dir, 'places.sqlite');
    sql(file, 'CREATE TABLE places (x)');
    const before = readFileSync(file);
    for (const argv of ['init', 'user list', 'db status']) {
      expectError(await cli.run(`${argv} --db ${file}`), 3, 'not one of sipctl');
      expect(readFileSync(file).equals(before)).toBe(true);
    }
  });

  it('is told from a folder, a text, a device and an empty file', async () => {
    const text = join(cli.dir, 'text');
    writeFileSync(text, 'no database, but a text that is long enough to be looked at\n'.repeat(10));
    expectError(await cli.run(`user list --db ${cli.dir}`), 1, 'is a folder');
    expectError(await cli.run(['user', 'list', '--db', '']), 1, 'is a folder');
    expectError(await cli.run(`user list --db ${text}`), 1, 'no database at all');
    expectError(await cli.run('user list --db /dev/full'), 1, '/dev/full');
    const empty = join(cli.dir, 'empty');
    writeFileSync(empty, '');
    expectError(await cli.run(`user list --db ${empty}`), 5, 'sipctl init');
    await cli.ok(`init --db ${empty}`);
    await cli.ok(`user list --db ${empty}`);
  });

  it('is made with its folders where init is told to, and nowhere else', async () => {
    const file = join(cli.dir, 'a', 'b', 'c.db');
    expectError(await cli.run(`user list --db ${file}`), 5, 'sipctl init');
    expect(existsSync(join(cli.dir, 'a'))).toBe(false);
    await cli.ok(`init --db ${file}`);
    expect([statSync(file).mode & 0o777, statSync(join(cli.dir, 'a', 'b')).mode & 0o007]).toEqual([0o600, 0]);
  });
});

describe('a database that cannot be written', () => {
  asAnother('says so for a folder that is read-only', async () => {
    await cli.ok('init');
    const folder = join(cli.dir, 'read-only');
    mkdirSync(folder);
    const file = join(folder, 'site.db');
    cpSync(cli.db, file);
    chmodSync(file, 0o444);
    chmodSync(folder, 0o555);
    const ended = await runLimited(`tenant add acme --db ${file}`);
    chmodSync(folder, 0o755);
    expectError(ended, 4, file, 'owner and mode');
  });

  it('says so for a full disk, and keeps what was there', async () => {
    await cli.ok('init');
    await cli.ok('tenant add acme');
    // Blocks of 1,024 bytes: less than the log of one change takes.
    for (const argv of ['tenant add beta', 'user add ann --extension 1 --generate-password'])
      expectError(await cli.bash(`ulimit -f 4; sipctl ${argv}`), 1, 'the disk is full');
    expect((await cli.ok('tenant list --json')).stdout).not.toContain('beta');
    await cli.ok('tenant add beta');
    const fresh = join(cli.dir, 'fresh.db');
    expectError(await cli.bash(`ulimit -f 4; sipctl init --db ${fresh}`), 1, 'the disk is full');
    await cli.ok(`init --db ${fresh}`);
  });

  it('leaves a node as it is where the disk fills up under an apply', async () => {
    const pbx = await pendingSite(cli);
    await cli.ok('apply --yes');
    await cli.ok('user set ann --display-name Ann');
    expect((await cli.bash('ulimit -f 4; sipctl apply --yes')).code).toBe(1);
    expect(readdirSync(join(pbx, 'sipctl')).some((name) => name.startsWith('lock'))).toBe(false);
    await cli.ok('apply --yes');
    expect((await cli.run('plan --detailed-exitcode')).code).toBe(0);
  });

  it('waits for another writer, and gives up with 6', async () => {
    await cli.ok('init');
    const writer = new BetterSqlite3(cli.db);
    writer.exec('BEGIN IMMEDIATE');
    try {
      expect((await cli.run('tenant list')).code, 'readers need not wait').toBe(0);
      expectError(await cli.run('tenant add acme'), 6, 'kept busy by another process');
    } finally {
      writer.close();
    }
    await cli.ok('tenant add acme');
  }, 60_000);

  it('restores nothing, and loses nothing, where there is no room for the copy', async () => {
    await cli.ok('init');
    const backup = join(cli.dir, 'site.bak');
    await cli.ok(`db backup ${backup}`);
    await cli.ok('tenant add acme');
    expect((await cli.bash(`ulimit -f 40; sipctl db restore ${backup} --yes`)).code).not.toBe(0);
    await cli.ok('tenant show acme');
    expect(readdirSync(cli.dir).filter((name) => /restoring|replaced/.test(name))).toEqual([]);
    await cli.ok(`db restore ${backup} --yes`);
    expect((await cli.run('tenant show acme')).code).toBe(5);
  });

  it('names the place that a backup cannot be written to', async () => {
    await cli.ok('init');
    expectError(await cli.run('db backup /nonexistent/site.bak'), 5, '/nonexistent');
    expectError(await cli.run(`db backup ${cli.dir}`), 6, 'exists already');
    expectError(await cli.run('plan -o /nonexistent/plan.json'), 5);
    await cli.ok(['node', 'add', 'pbx', '--kind', 'asterisk', '--dir', cli.dir]);
    expectError(await cli.run('plan -o /nonexistent/plan.json'), 5, '/nonexistent/plan.json');
    expectError(await cli.run(['plan', '-o', cli.dir]), 3, 'is a folder');
  });
});

describe('the key', () => {
  const key = (): string => join(cli.dir, 'config', 'sipctl', 'key');
  const add = 'user add ann --extension 101 --generate-password';

  it('that is gone, another one, no key, or open to others is named with its remedy', async () => {
    await cli.ok('init');
    await cli.ok('user add bob --extension 102 --generate-password');
    const right = readFileSync(key());
    const spoiled: [string, number, () => void][] = [
      ['can be read by others', 4, () => chmodSync(key(), 0o644)],
      ['is not a sipctl key file', 3, () => writeFileSync(key(), 'text\n')],
      ['is not a sipctl key file', 3, () => writeFileSync(key(), '')],
      ['another key', 3, () => writeFileSync(key(), `${Buffer.alloc(32, 7).toString('base64')}\n`)],
    ];
    for (const [words, code, spoil] of spoiled) {
      spoil();
      expectError(await cli.run(add), code, words);
      expectError(await cli.run('user show bob --reveal'), code, words);
      writeFileSync(key(), right);
      chmodSync(key(), 0o600);
    }
    const elsewhere = { env: { SIPCTL_KEY_FILE: join(cli.dir, 'nowhere') } };
    expectError(await cli.run(add, elsewhere), 5, 'put the key file back');
    expect(existsSync(join(cli.dir, 'nowhere')), 'no second key is made').toBe(false);
    await cli.ok(add);
  });

  asAnother('that cannot be read is a finding of the doctor, and an error of who needs it', async () => {
    await cli.ok('init');
    const folder = join(cli.dir, 'closed');
    mkdirSync(folder);
    cpSync(key(), join(folder, 'key'));
    chmodSync(folder, 0o000);
    const env = { SIPCTL_KEY_FILE: join(folder, 'key') };
    chmodSync(cli.dir, 0o777);
    chmodSync(join(cli.dir, 'config'), 0o755);
    chmodSync(join(cli.dir, 'config', 'sipctl'), 0o755);
    if (asRoot)
      for (const name of readdirSync(cli.dir).filter((one) => one.startsWith('site.db')))
        chownSync(join(cli.dir, name), nobody.uid, nobody.gid);
    const limited = asRoot ? { env, ...nobody } : { env };
    const ended = await cli.run(add, limited);
    expect([ended.code === 4 || ended.code === 5, /^\s+at |has a bug/m.test(ended.stderr)]).toEqual([
      true,
      false,
    ]);
    const doctor = await cli.run('doctor', limited);
    expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringMatching(/failed +key: /)]);
    chmodSync(folder, 0o755);
  });

  asAnother('cannot be made where the folder is not one’s own', async () => {
    const closed = join(cli.dir, 'closed');
    mkdirSync(closed, { mode: 0o555 });
    chmodSync(cli.dir, 0o777);
    const env = { XDG_CONFIG_HOME: closed };
    const ended = await cli.run('init', asRoot ? { env, ...nobody } : { env });
    expectError(ended, 4, 'key', 'SIPCTL_KEY_FILE');
    const template = await cli.run('provider new own', asRoot ? { env, ...nobody } : { env });
    expectError(template, 4, 'permission denied');
  });
});

describe('many at once', () => {
  const all = (argv: (at: number) => string, count: number): Promise<Ended[]> =>
    Promise.all(Array.from({ length: count }, (_, at) => cli.run(argv(at))));
  const failures = (ended: readonly Ended[]): Ended[] => ended.filter(({ code }) => code !== 0);

  it('make one database and one key', async () => {
    expect(failures(await all(() => 'init', 6))).toEqual([]);
    expect(readdirSync(join(cli.dir, 'config', 'sipctl'))).toEqual(['key']);
    await cli.ok('user add ann --extension 101 --generate-password');
  });

  it('write each its own, while the key is changed below them; every secret can still be read', async () => {
    await cli.ok('init');
    const rotate = (at: number): boolean => at % 4 === 3;
    const ended = await all(
      (at) =>
        rotate(at) ? 'key rotate --yes' : `user add u${at} --extension ${100 + at} --generate-password`,
      12,
    );
    for (const [at, { code, stderr }] of ended.entries())
      expect([at, rotate(at) ? [0, 6].includes(code ?? -1) : code === 0, stderr]).toEqual([
        at,
        true,
        expect.anything(),
      ]);
    const users = JSON.parse((await cli.ok('user list --json')).stdout).data.users as { username: string }[];
    expect(users).toHaveLength(9);
    // Each row of the audit trail follows the one before, whichever process wrote it.
    expect((await cli.ok('audit verify')).stdout).toContain('unbroken');
    for (const { username } of users)
      expect((await cli.ok(`user show ${username} --reveal`)).stdout).toMatch(/password: +[A-Za-z0-9]{24}\n/);
    expect(readFileSync(join(cli.dir, 'config', 'sipctl', 'key'), 'utf8').match(/^[^#\n]+$/gm)).toHaveLength(
      1,
    );
  }, 60_000);

  it('are told by the name who was first', async () => {
    await cli.ok('init');
    const codes = (await all(() => 'user add ann --extension 101 --generate-password', 5)).map(
      ({ code }) => code,
    );
    expect(codes.sort()).toEqual([0, 6, 6, 6, 6]);
  });
});
