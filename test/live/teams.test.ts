import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tableRules } from '../../src/store/postgres/access-schema.ts';
import { type PostgresInstance, postgresAvailable, startPostgres } from './postgres.ts';
import { company, logins, makeLogins, type TeamSite, teamSite } from './teams-site.ts';

const missing = postgresAvailable();
let server: PostgresInstance;
let site: TeamSite;

describe.skipIf(missing !== null)(missing === null ? 'a team' : `a team (skipped: ${missing})`, () => {
  beforeAll(async () => {
    server = await startPostgres();
    makeLogins(server);
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    site = await teamSite(server);
  });

  const names = async (login: string, query: string): Promise<string[]> =>
    (await site.sql(login, query)).split('\n').filter(Boolean);
  const tables = (): Promise<string[]> =>
    names(
      company,
      "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
    );
  /** Everything that the database holds, row by row, as its owner reads it. */
  const everything = async (): Promise<string[]> => {
    const rows: string[] = [];
    for (const table of await tables())
      rows.push(...(await names(company, `SELECT '${table} ' || t::text FROM "${table}" t ORDER BY 1`)));
    return rows;
  };

  it('has rules for every table, and every table is closed by them', async () => {
    expect(Object.keys(tableRules).sort()).toEqual(await tables());
    const open =
      "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT relrowsecurity";
    expect(await names(company, open)).toEqual([]);
  });

  it.each([
    ['vera', ['acme', 'beta', 'default']],
    ['vic', ['acme']],
    ['olga', ['acme', 'beta', 'default']],
    ['opa', ['acme']],
    ['ada', ['acme']],
    ['adam', ['acme', 'beta', 'default']],
  ] as const)('%s sees its tenants, with every program', async (login, seen) => {
    expect(await names(login, 'SELECT name FROM tenants ORDER BY 1')).toEqual(seen);
    const list = (await site.okAs(login, 'tenant list --json')).json().data as {
      tenants: { name: string }[];
    };
    expect(list.tenants.map(({ name }) => name)).toEqual(seen);
    let text = '';
    for (const table of await tables()) text += await site.sql(login, `SELECT t::text FROM "${table}" t`);
    // The names of customers stand in users, numbers, nodes, histories; none of another tenant in any of them.
    expect(/beta|2222/.test(text)).toBe(seen.some((name) => name === 'beta'));
    expect(text).toMatch(/acme/);
  });

  it('lets nobody in who was granted nothing', async () => {
    expect(await site.sql('nobody_yet', 'SELECT * FROM tenants')).toContain('permission denied');
    expect(await names('nobody_yet', 'SELECT * FROM sipctl_hidden_nodes()')).toEqual([]);
    const ended = await site.as('nobody_yet', 'user list --tenant acme');
    expect([ended.code, ended.stderr]).toEqual([4, expect.stringContaining("'nobody_yet'")]);
  });

  it('has viewers who change nothing, whatever they come with', async () => {
    const before = await everything();
    for (const table of await tables()) {
      const [column] = await names(
        company,
        `SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = '"${table}"'::regclass AND attnum = 1`,
      );
      for (const login of ['vera', 'vic'])
        for (const statement of [
          `DELETE FROM "${table}"`,
          `TRUNCATE "${table}" CASCADE`,
          `INSERT INTO "${table}" DEFAULT VALUES`,
          `UPDATE "${table}" SET ${column} = NULL`,
          `DROP TABLE "${table}"`,
          `ALTER TABLE "${table}" DISABLE ROW LEVEL SECURITY`,
        ]) {
          const said = await site.sql(login, statement);
          expect([login, statement, said]).toEqual([
            login,
            statement,
            expect.stringMatching(/permission denied|must be owner/),
          ]);
        }
    }
    expect(site.psql('vera', "UPDATE users SET notes = 'x'")).toContain('permission denied for table users');
    expect(await everything()).toEqual(before);
  });

  it('has operators of a tenant who reach nothing of another one, whatever they try', async () => {
    await site.sql(
      company,
      `INSERT INTO cdrs (node, call, tenant, direction, started_at, ended_at, talk_seconds, cause, recorded, source)
       VALUES ('n', 'c', 'gone', 'inbound', '', '', 0, '', 0, '')`,
    );
    const others = async (): Promise<string[]> =>
      (await everything()).filter((row) => !/^audit .*opa:/.test(row) && !/acme-ann|acme-new/.test(row));
    const before = await others();
    const user =
      'id, tenant_id, username, endpoint, extension, password, template, max_calls, enabled, created_at, updated_at';
    const beta = '(SELECT 3::bigint)';
    const attempts = [
      "UPDATE users SET notes = 'x' WHERE username = 'beta-ann'",
      `UPDATE users SET tenant_id = ${beta} WHERE username = 'acme-ann'`,
      `INSERT INTO users (${user}) VALUES (99, 3, 'in', 'in@beta', '7', '\\x00', 'basic_user', 1, 1, '', '')`,
      'UPDATE users SET tenant_id = (SELECT id FROM tenants)',
      'DELETE FROM trunks WHERE tenant_id <> (SELECT id FROM tenants)',
      "UPDATE tenants SET name = 'beta'",
      // A tenant that is gone, and whose calls are still there.
      "UPDATE tenants SET name = 'gone'; SELECT 'saw ' || call || ' beta' FROM cdrs",
      'UPDATE tenants SET id = 99',
      'DELETE FROM tenants',
      "UPDATE nodes SET tenants = 'acme'",
      "UPDATE nodes SET tenants = NULL WHERE name = 'acme-pbx'",
      'DELETE FROM nodes',
      "INSERT INTO access VALUES ('opa', 'admin', NULL, 'opa', '')",
      "UPDATE access SET role = 'admin', tenant_id = NULL",
      "SELECT sipctl_grant('opa', 'admin', NULL)",
      "SELECT sipctl_grant('opa', 'operator', 'beta')",
      "SELECT sipctl_revoke('vera', NULL, true)",
      "SELECT sipctl_privileges('opa')",
      'UPDATE audit SET actor = NULL',
      'DELETE FROM audit',
      'TRUNCATE audit',
      "INSERT INTO audit (at, actor, action, noun, tenant, name, detail) VALUES ('1999', 'adam', 'add', 'user', 'beta', 'x', '{}')",
      "INSERT INTO audit (at, actor, action, noun, tenant, name, detail) VALUES ('1999', 'adam', 'add', 'node', NULL, 'x', '{}')",
      "INSERT INTO audit (at, actor, action, noun, tenant, name, detail) VALUES ('1999', 'a', 'add', 'user', 'acme', 'x', 'no json')",
      "UPDATE meta SET value = 'x'",
      "INSERT INTO meta VALUES ('audit_head2', 'x')",
      'DELETE FROM meta',
      "INSERT INTO leases VALUES ('the key', 'a', 'b', 1, 't', '', '')",
      "INSERT INTO leases VALUES ('node both-pbx', 'a', 'b', 1, 't', '', '')",
      "INSERT INTO deliveries (node, generation, base, at, actor, outcome, changes) VALUES ('beta-pbx', 1, 0, '', '', 'verified', '{}')",
      "INSERT INTO cdrs (node, call, tenant, direction, started_at, ended_at, talk_seconds, cause, recorded, source) VALUES ('n', 'c', 'beta', 'inbound', '', '', 0, '', 0, '')",
      'SET ROLE company; DELETE FROM users',
      'SET SESSION AUTHORIZATION company; DELETE FROM users',
      'SET row_security = off; DELETE FROM users',
      'ALTER TABLE users DISABLE ROW LEVEL SECURITY',
      'ALTER POLICY sipctl_select ON users USING (true)',
      'CREATE OR REPLACE FUNCTION sipctl_all(need text) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$',
      'CREATE FUNCTION public.sipctl_all(need varchar) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$',
      'CREATE TABLE public.access (pg_role text, role text, tenant_id bigint)',
      // Temporary tables come before all others, unless a function says where it looks.
      `CREATE TEMP TABLE access (pg_role text, role text, tenant_id bigint); INSERT INTO access VALUES ('opa', 'admin', NULL);
       SET search_path = pg_temp, public; UPDATE public.users SET notes = 'x' WHERE tenant_id = 3; SELECT sipctl_grant('opa', 'admin', NULL)`,
      `CREATE TEMP TABLE tenants (id bigint, name text, domain text); INSERT INTO tenants VALUES (3, 'acme', NULL);
       SET search_path = pg_temp, public; DELETE FROM public.users WHERE tenant_id = 3`,
      `CREATE TEMP TABLE trunks (endpoint text); INSERT INTO public.users (${user}) VALUES (98, 2, 'x', 'beta.main', '77', '\\x00', 'basic_user', 1, 1, '', '')`,
      'LOCK TABLE access; DELETE FROM access',
      "COPY users TO PROGRAM 'cat'",
      "COPY audit FROM PROGRAM 'cat'",
      'GRANT ALL ON users TO PUBLIC; SELECT 1 FROM users WHERE tenant_id = 3',
      'ALTER TABLE audit DISABLE TRIGGER ALL',
      'DROP TRIGGER sipctl_chain ON audit',
      'CREATE ROLE mallory SUPERUSER',
      'GRANT company TO opa',
    ];
    for (const attempt of attempts) {
      const said = await site.sql('opa', attempt);
      expect([attempt, said]).toEqual([attempt, expect.not.stringMatching(/beta|2222/)]);
    }
    expect(await others()).toEqual(before);
    // What an own function sees of rows that it is shown before the policy would be what it must not see.
    const leak = `CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
      $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$; SELECT count(*) FROM users WHERE pg_temp.leak(username)`;
    expect(await names('opa', leak)).toContain('1');
    expect(await site.sql('opa', `${leak.replace('NOTICE', 'EXCEPTION')}`)).toMatch(/saw acme-ann/);
    expect(
      await names('opa', "SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'users'"),
    ).toEqual([]);
  });

  it('writes rows of the audit trail for whoever logs in, and at its own time', async () => {
    await site.sql(
      'opa',
      "INSERT INTO audit (id, at, actor, action, noun, tenant, name, detail, hash) VALUES (1, '1999', 'adam', 'add', 'user', 'acme', 'x', '{}', 'h')",
    );
    await site.okAs('opa', 'user set acme-ann --tenant acme --max-calls 3', {
      now: () => new Date('1999-01-01T00:00:00Z'),
    });
    const last = await names(company, "SELECT actor FROM audit WHERE at > '2000' ORDER BY id DESC LIMIT 2");
    expect(last).toEqual([expect.stringMatching(/^opa: .+@.+ \(process \d+\)$/), 'opa: adam']);
    expect((await site.okAs('vera', 'audit verify')).stdout).toContain('unbroken');
    const ended = await site.as('vic', 'audit verify');
    expect([ended.code, ended.stderr]).toEqual([4, expect.stringContaining("'vic'")]);
    expect((await site.okAs('vic', 'audit --tenant acme --json')).stdout).not.toContain('beta');
  });

  it('refuses with exit 4, and says who may not do what', async () => {
    for (const [login, command] of [
      ['vera', 'user set acme-ann --tenant acme --max-calls 3'],
      ['vera', 'tenant add gamma'],
      ['vic', 'user remove acme-ann --tenant acme --yes'],
      ['opa', 'tenant add gamma'],
      ['opa', 'node set acme-pbx --keep 9'],
      ['opa', 'node remove acme-pbx --yes'],
      ['opa', 'access grant opa --role admin --tenant acme'],
      ['ada', 'access grant rob --role viewer --all-tenants'],
      ['ada', 'access grant rob --role viewer --tenant beta'],
      ['olga', 'access revoke vera --yes'],
      ['olga', 'key rotate --yes'],
      ['ada', 'key rotate --yes'],
    ] as const) {
      const before = await everything();
      const ended = await site.as(login, command);
      expect([login, command, ended.code], ended.stderr).toEqual([login, command, 4]);
      expect(ended.stderr).toContain(login);
      expect(ended.stderr).toMatch(/hint: /);
      expect(await everything()).toEqual(before);
    }
    for (const login of ['vic', 'opa'])
      expect((await site.as(login, 'user set beta-ann --tenant beta --max-calls 3')).code).toBe(5);
  });

  it('has operators who work in their tenants as before', async () => {
    await site.okAs('opa', 'user add acme-new --tenant acme --extension 1002 --generate-password');
    await site.okAs('opa', 'user set acme-new --tenant acme --max-calls 7');
    await site.okAs('opa', 'tenant set acme --max-calls 50');
    expect((await site.okAs('opa', 'user show acme-ann --tenant acme --reveal')).stdout).toContain(
      'acme-phone-Secret',
    );
    const taken = await site.as('opa', 'number add +15550002222 --tenant acme --trunk main');
    expect([taken.code, taken.stderr]).toEqual([6, expect.not.stringContaining('beta')]);
    await site.okAs('opa', 'apply --node acme-pbx --yes');
    expect((await site.okAs('vic', 'plan --node acme-pbx')).stdout).toContain('Nothing to do.');
    expect((await site.okAs('opa', 'history')).stdout).toContain('acme-pbx');
    expect((await site.okAs('olga', 'plan --node every-pbx')).stdout).toContain('beta-ann');
    await site.okAs('olga', 'tenant add gamma');
    await site.okAs('opa', 'user remove acme-new --tenant acme --yes');
  });

  it('never plans a node that serves tenants which the login does not see', async () => {
    for (const node of ['acme-pbx', 'both-pbx', 'beta-pbx'])
      await site.okAs(company, `node set ${node} --labels edge`);
    await site.okAs(company, 'apply --yes');
    for (const command of [
      'plan',
      'apply --yes',
      'drift',
      'plan --node both-pbx',
      'apply --yes --node every-pbx',
      'plan --node beta-pbx',
      'plan --node @edge',
      'plan --node acme-pbx,both-pbx',
      'rollback both-pbx --yes',
    ]) {
      const ended = await site.as('opa', command);
      expect([command, ended.code], ended.stdout + ended.stderr).toEqual([
        command,
        command.startsWith('rollback') ? expect.toBeOneOf([4, 5]) : 4,
      ]);
      expect(ended.stdout).not.toMatch(/beta|delete/);
    }
    const files = readFileSync(join(site.box.dir, 'both-pbx/sipctl/current/pjsip_users.conf'), 'utf8');
    expect(files).toContain('beta');
    expect((await site.okAs('opa', 'plan --node acme-pbx')).stdout).toContain('Nothing to do.');
    // Where no node serves both, nothing has to be named.
    await site.okAs(company, 'node disable every-pbx both-pbx').catch(async () => {
      await site.okAs(company, 'node disable every-pbx');
      await site.okAs(company, 'node disable both-pbx');
    });
    expect((await site.okAs('opa', 'plan')).stdout).toContain('Nothing to do.');
  });

  it('feels a revocation at once, in sessions that are open too', async () => {
    const client = new pg.Client({ connectionString: site.url('opa') });
    await client.connect();
    try {
      const count = async (): Promise<number> =>
        Number((await client.query('SELECT count(*) FROM users')).rows[0].count);
      expect(await count()).toBe(1);
      await site.okAs('ada', 'access grant opa --role viewer --tenant acme');
      await expect(client.query("UPDATE users SET notes = 'x'")).rejects.toThrow('permission denied');
      await site.okAs('adam', 'access grant opa --role operator --all-tenants');
      expect(await count()).toBe(2);
      await site.okAs('adam', 'access revoke opa --yes');
      await expect(count()).rejects.toThrow('permission denied');
    } finally {
      await client.end();
    }
  });

  it('grants to groups, to several tenants, and nothing twice', async () => {
    await site.okAs('adam', 'access grant desk --role operator --tenant acme');
    expect(await names('rob', 'SELECT name FROM tenants')).toEqual(['acme']);
    await site.okAs('adam', 'access grant rob --role viewer --tenant beta');
    expect(await names('rob', 'SELECT name FROM tenants ORDER BY 1')).toEqual(['acme', 'beta']);
    // What one may read of one tenant and write of another stays apart.
    expect((await site.as('rob', 'user set beta-ann --tenant beta --max-calls 9')).code).toBe(4);
    await site.okAs('rob', 'user set acme-ann --tenant acme --max-calls 9');
    expect(
      await site.sql(
        'rob',
        "UPDATE users SET tenant_id = (SELECT id FROM tenants WHERE name = 'acme') WHERE username = 'beta-ann'",
      ),
    ).toBe('UPDATE 0');
    const { grants } = (await site.okAs('adam', 'access list --json')).json().data as {
      grants: { login: string }[];
    };
    expect(grants.filter(({ login }) => login === 'rob' || login === 'desk')).toMatchObject([
      { login: 'desk', role: 'operator', tenant: 'acme', grantedBy: 'adam' },
      { login: 'rob', role: 'viewer', tenant: 'beta' },
    ]);
    expect((await site.okAs('opa', 'access')).stdout).not.toContain('vera');
    expect((await site.okAs('adam', 'audit --all-tenants --noun access')).stdout).toContain('access desk');
    await site.okAs('adam', 'access revoke desk --yes');
    expect(await names('rob', 'SELECT name FROM tenants')).toEqual(['beta']);
    expect((await site.as('adam', 'access revoke desk --yes')).code).toBe(5);
  });

  it('takes back what belonged to a tenant with it, and leaves no grant for all', async () => {
    await site.okAs('olga', 'tenant add gamma');
    await site.okAs('adam', 'access grant rob --role operator --tenant gamma');
    await site.okAs('olga', 'tenant remove gamma --yes');
    expect(await names('rob', 'SELECT name FROM tenants')).toEqual([]);
  });

  it('says what is wrong with a grant', async () => {
    for (const [command, code, word] of [
      ['access grant nowhere --role viewer --tenant acme', 5, 'CREATE ROLE'],
      ['access grant rob --role viewer --tenant nowhere', 5, 'nowhere'],
      ['access grant rob --role king --tenant acme', 3, 'viewer|operator|admin'],
      ['access grant rob --role viewer', 3, '--all-tenants'],
      ['access revoke rob --yes', 5, 'rob'],
    ] as const) {
      const ended = await site.as('adam', command);
      expect([command, ended.code, ended.stderr]).toEqual([command, code, expect.stringContaining(word)]);
    }
  });

  it('prints grants as SQL that does the same', async () => {
    const { stdout } = await site.okAs('adam', [
      'access',
      'grant',
      'o"dd',
      '--role',
      'viewer',
      '--tenant',
      'acme',
      '--sql',
    ]);
    server.psql(stdout, { database: site.database });
    expect(await site.sql('o"dd', 'SELECT name FROM tenants')).toBe('acme');
    server.psql((await site.okAs('adam', ['access', 'revoke', 'o"dd', '--sql'])).stdout, {
      database: site.database,
    });
    expect(await site.sql('o"dd', 'SELECT name FROM tenants')).toContain('permission denied');
  });

  it('keeps one chain while many write at once', async () => {
    const writers = ['olga', 'opa', 'adam', 'ada', company];
    const ended = await Promise.all(
      Array.from({ length: 15 }, (_, at) =>
        site.as(
          writers[at % writers.length] as string,
          `user add u${at} --tenant acme --extension ${2000 + at} --generate-password`,
        ),
      ),
    );
    expect(ended.map(({ code }) => code)).toEqual(Array.from({ length: 15 }, () => 0));
    expect((await site.okAs(company, 'audit verify')).stdout).toContain('unbroken');
    await site.sql(company, "UPDATE audit SET actor = 'x' WHERE id = 9");
    expect((await site.as('vera', 'audit verify')).stderr).toContain('row 9');
  });

  it('has the roles that the documentation names', () => {
    const text = readFileSync(new URL('../../docs/teams.md', import.meta.url), 'utf8');
    for (const role of new Set(Object.values(logins).map(([one]) => one)))
      expect(text).toContain(`| ${role} |`);
  });
});
