import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { type Ended, type Sandbox, sandboxIn } from '../support/run-sipctl.ts';
import type { PostgresInstance } from './postgres.ts';

/** A company's database with two customers, and people who may do different things in it. */
export interface TeamSite {
  box: Sandbox;
  database: string;
  /** Runs sipctl as one of the logins; they share the key file. */
  as(
    login: string,
    command: string | readonly string[],
    options?: Parameters<Sandbox['sipctl']>[1],
  ): Promise<Ended>;
  /** The same, for a command that has to succeed. */
  okAs(
    login: string,
    command: string | readonly string[],
    options?: Parameters<Sandbox['sipctl']>[1],
  ): Promise<Ended>;
  /** SQL in a session of its own, past sipctl: rows as `psql -At` prints them, or what the server complains of. */
  sql(login: string, statements: string): Promise<string>;
  /** The same by psql itself. */
  psql(login: string, statements: string): string;
  url(login: string): string;
}

/** A login of the server that owns the database and is no superuser. */
export const company = 'company';

/** Logins and what each of them may do. */
export const logins = {
  vera: ['viewer', '--all-tenants'],
  vic: ['viewer', '--tenant acme'],
  olga: ['operator', '--all-tenants'],
  opa: ['operator', '--tenant acme'],
  adam: ['admin', '--all-tenants'],
  ada: ['admin', '--tenant acme'],
} as const;

let made = 0;

/** Roles of a server are there once, for all its databases. */
export function makeLogins(server: PostgresInstance): void {
  for (const login of [company, ...Object.keys(logins), 'nobody_yet', 'rob'])
    server.psql(`CREATE ROLE ${login} LOGIN`);
  server.psql('CREATE ROLE desk NOLOGIN; GRANT desk TO rob');
}

export async function teamSite(server: PostgresInstance): Promise<TeamSite> {
  const database = `team_${++made}`;
  server.psql(`CREATE DATABASE ${database} OWNER ${company}`);
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-teams-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const box = sandboxIn(dir);
  const url = (login: string): string => `postgres://${login}@${server.host}:${server.port}/${database}`;
  const as: TeamSite['as'] = (login, command, options = {}) =>
    box.sipctl(command, { ...options, env: { ...options.env, SIPCTL_DB: url(login) } });
  const okAs: TeamSite['okAs'] = (login, command, options = {}) =>
    box.ok(command, { ...options, env: { ...options.env, SIPCTL_DB: url(login) } });
  const sql: TeamSite['sql'] = (login, statements) => session(url(login), statements);
  const psql: TeamSite['psql'] = (login, statements) => {
    try {
      return server.psql(statements, { database, user: login });
    } catch (error) {
      return (error as { stderr?: string }).stderr ?? String(error);
    }
  };
  const site = { box, database, as, okAs, sql, psql, url };
  await describeCompany(site);
  return site;
}

async function session(address: string, statements: string): Promise<string> {
  const client = new pg.Client({ connectionString: address });
  const said: string[] = [];
  client.on('notice', ({ message }) => said.push(message ?? ''));
  await client.connect();
  try {
    const answers = await client.query({ text: statements, rowMode: 'array' });
    for (const { rows, command, rowCount } of [answers].flat())
      said.push(
        ...(rows.length > 0
          ? rows.map((row) => row.join('|'))
          : command === 'SELECT'
            ? []
            : [`${command} ${rowCount}`]),
      );
  } catch (error) {
    said.push(`ERROR: ${(error as Error).message}`);
  } finally {
    await client.end();
  }
  return said.join('\n');
}

async function describeCompany({ box, okAs }: TeamSite): Promise<void> {
  await okAs(company, 'init');
  for (const tenant of ['acme', 'beta']) {
    await okAs(company, `tenant add ${tenant} --domain ${tenant}.sip.example`);
    await okAs(
      company,
      `trunk add main --tenant ${tenant} --provider telnyx --username ${tenant}-line --password-stdin`,
      {
        input: `${tenant}-trunk-Secret`,
      },
    );
    await okAs(company, `user add ${tenant}-ann --tenant ${tenant} --extension 1001 --password-stdin`, {
      input: `${tenant}-phone-Secret`,
    });
    await okAs(
      company,
      `number add +1555000${tenant === 'acme' ? '1111' : '2222'} --tenant ${tenant} --trunk main`,
    );
  }
  for (const [node, tenants] of [
    ['acme-pbx', '--tenants acme'],
    ['beta-pbx', '--tenants beta'],
    ['both-pbx', '--tenants acme,beta'],
    ['every-pbx', ''],
  ]) {
    const dir = join(box.dir, node as string);
    mkdirSync(dir);
    writeFileSync(
      join(dir, 'pjsip.conf'),
      '[transport-udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:5060\n',
    );
    await okAs(company, `node add ${node} --kind asterisk --dir ${dir} ${tenants}`.trim());
    await okAs(company, `node init ${node} --write`);
  }
  for (const [login, [role, scope]] of Object.entries(logins))
    await okAs(company, `access grant ${login} --role ${role} ${scope}`);
}
