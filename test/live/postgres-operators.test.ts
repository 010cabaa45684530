import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useServer } from '../support/store-place.ts';
import { type PostgresInstance, postgresAvailable, startPostgres } from './postgres.ts';

const missing = postgresAvailable();

if (missing !== null) describe.skip(`operators at one PostgreSQL (skipped: ${missing})`, () => undefined);
else {
  const server = await startPostgres();
  afterAll(() => server.stop());
  useServer(server.address);
  describe('two applies, on PostgreSQL', () =>
    import('../pipeline/two-applies.test.ts').then(() => undefined));
  describe('operators at one PostgreSQL', operators);
}

async function operators(): Promise<void> {
  const { newCli } = await import('../cli/process.ts');

  it('who write at once lose nothing, and each write has its audit row', async () => {
    const cli = newCli();
    await cli.ok('init');
    await cli.ok('tenant add acme');
    const names = Array.from({ length: 8 }, (_, at) => `u${at}`);
    const runs = await Promise.all(
      names.map((name, at) =>
        cli.run(`user add ${name} --tenant acme --extension ${1000 + at} --generate-password`),
      ),
    );
    expect(runs.map(({ code }) => code)).toEqual(names.map(() => 0));
    const { data } = JSON.parse((await cli.ok('user list --tenant acme --json')).stdout);
    expect(data.users.map((user: { username: string }) => user.username)).toEqual(names);
    expect(new Set(data.users.map((user: { id: number }) => user.id)).size).toBe(8);
    const audit = JSON.parse((await cli.ok('audit --noun user --tenant acme --json')).stdout);
    expect(JSON.stringify(audit.data).match(/"action":"add"/g)).toHaveLength(8);
  });

  it('who take one name at once: one has it, the others are told so', async () => {
    const cli = newCli();
    await cli.ok('init');
    const runs = await Promise.all(
      Array.from({ length: 4 }, () => cli.run('user add ann --extension 1001 --generate-password')),
    );
    expect(runs.map(({ code }) => code).sort()).toEqual([0, 6, 6, 6]);
    for (const { code, stderr } of runs) if (code === 6) expect(stderr).toMatch(/'ann' (exists|has this)/);
  });

  it('who begin at once make one database, and one key of two is refused', async () => {
    const cli = newCli();
    const runs = await Promise.all([cli.run('init'), cli.run('init'), cli.run('init')]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    const add = 'user add ann --extension 1001 --generate-password';
    const other = { env: { SIPCTL_KEY_FILE: join(cli.dir, 'other', 'key') } };
    const refused = await cli.run(add, other);
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('is not at')]);
    mkdirSync(join(cli.dir, 'other'));
    writeFileSync(join(cli.dir, 'other', 'key'), `${Buffer.alloc(32, 7).toString('base64')}\n`, {
      mode: 0o600,
    });
    expect((await cli.run(add, other)).stderr).toContain('holds another key');
    await cli.ok(add);
  });

  it('who wait too long for another one’s transaction are told so', async () => {
    const cli = newCli();
    await cli.ok('init');
    const { Client } = (await import('pg')).default;
    const other = new Client({ connectionString: cli.db });
    await other.connect();
    await other.query('SELECT pg_advisory_lock(7460287, hashtext(current_schema()))');
    // Reading waits for nobody.
    await cli.ok('tenant list');
    const { code, stderr } = await cli.run('tenant add late');
    await other.end();
    expect([code, stderr]).toEqual([6, expect.stringContaining('kept busy')]);
    await cli.ok('tenant add late');
  });

  describe('whose server is lost', () => {
    let own: PostgresInstance;
    beforeAll(async () => {
      own = await startPostgres();
    });
    afterAll(() => own.stop());

    it('are told so, and keep nothing of a transaction that was open', async () => {
      const { Store } = await import('../../src/store/store.ts');
      const nouns = await import('../../src/model/nouns.ts');
      const cli = newCli();
      const file = `${own.address}/lost`;
      const options = { file, keyFile: join(cli.dir, 'key'), actor: 'tester', now: () => new Date() };
      const store = await Store.open({ ...options, create: true });
      const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost'";
      const broken = store.write(async (writer) => {
        await writer.add(nouns.tenant, { tenant: null, name: 'acme' }, {});
        own.psql(end);
        await writer.add(nouns.tenant, { tenant: null, name: 'beta' }, {});
      });
      await expect(broken).rejects.toMatchObject({ outcome: 'unreachable' });
      // The next statement takes another connection.
      expect((await store.tenantStates()).map(({ name }) => name)).toEqual(['default']);
      await store.write((writer) => writer.add(nouns.tenant, { tenant: null, name: 'acme' }, {}));
      await store.close();
      await own.stop();
      expect((await cli.run('tenant list', { env: { SIPCTL_DB: file } })).code).toBe(7);
    });
  });
}
