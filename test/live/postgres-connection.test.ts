import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openSites } from '../../src/store/open-sites.ts';
import { type Ended, type Sandbox, sandboxIn } from '../support/run-sipctl.ts';
import { type Certificates, makeCertificates, whyNoOpenssl } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import { type PostgresInstance, postgresAvailable, startPostgres } from './postgres.ts';

const missing = postgresAvailable() ?? whyNoOpenssl;
const password = 'correct-horse';
/** As people choose them, and as the file of passwords has to have it. */
const [awkward, awkwardInFile] = ['a:b\\c', 'a\\:b\\\\c'];

describe.skipIf(missing !== null)(
  `the way to PostgreSQL${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let folder = '';
    let certificates: Certificates;
    let server: PostgresInstance;
    let plain: PostgresInstance;
    let at = '';
    let box: Sandbox;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sipctl-tls-'));
      chmodSync(folder, 0o755);
      certificates = makeCertificates(join(folder, 'certificates'), ['127.0.0.1', 'localhost']);
      const key = join(folder, 'server.key');
      copyFileSync(certificates.good.key, key);
      if (process.getuid?.() === 0) chownSync(key, 65_534, 65_534);
      chmodSync(key, 0o600);
      server = await startPostgres({
        settings: { ssl: 'on', ssl_cert_file: `'${certificates.good.cert}'`, ssl_key_file: `'${key}'` },
        hba: ['hostssl all secured 127.0.0.0/8 scram-sha-256', 'host all secured 127.0.0.0/8 reject'],
      });
      plain = await startPostgres();
      server.psql(`CREATE ROLE secured LOGIN CREATEDB PASSWORD '${password}'`);
      server.psql('CREATE ROLE reader LOGIN');
      at = `127.0.0.1:${server.port}`;
      box = sandboxIn(folder);
      await box.ok('init', { env: { SIPCTL_DB: `postgres://sipctl@${at}/site` } });
      await box.ok('init', { env: { SIPCTL_DB: `${plain.address}/site` } });
    }, 120_000);
    afterAll(async () => {
      await server?.stop();
      await plain?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const list = (db: string, env: Record<string, string> = {}): Promise<Ended> =>
      box.sipctl('tenant list', { env: { SIPCTL_DB: db, ...env } });
    const codeOf = (ended: Ended): string => /error: (.*)/.exec(ended.stderr)?.[1] ?? '';

    it.each([
      ['in the address', () => [`postgres://secured:${password}@${at}/site`, {}] as const],
      [
        'in the address, further back',
        () => [`postgres://secured@${at}/site?password=${password}`, {}] as const,
      ],
      ['in PGPASSWORD', () => [`postgres://secured@${at}/site`, { PGPASSWORD: password }] as const],
    ])('takes the password %s, and shows it nowhere', async (_, given) => {
      const [db, env] = given();
      server.psql('GRANT SELECT ON ALL TABLES IN SCHEMA public TO secured', { database: 'site' });
      const ended = await list(db, env);
      expect([ended.code, ended.stderr]).toEqual([0, '']);
      for (const command of [
        'db status',
        'doctor',
        'tenant add acme',
        'db backup x',
        'tenant list --debug',
      ]) {
        const { stdout, stderr } = await box.sipctl(command, { env: { SIPCTL_DB: db, ...env } });
        expect([command, (stdout + stderr).includes(password)]).toEqual([command, false]);
      }
    });

    it('finds the password where psql does', async () => {
      const file = join(folder, 'pgpass');
      const lines = ['# of all', '*:1:*:*:other', `127.0.0.1:${server.port}:site:secured:${awkwardInFile}`];
      writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
      server.psql(`ALTER ROLE secured PASSWORD '${awkward}'`);
      process.env.PGPASSFILE = file;
      onTestFinished(() => {
        delete process.env.PGPASSFILE;
        server.psql(`ALTER ROLE secured PASSWORD '${password}'`);
      });
      const ended = await list(`postgres://secured@${at}/site`);
      expect([ended.code, ended.stderr]).toEqual([0, '']);
      chmodSync(file, 0o644);
      expect((await list(`postgres://secured@${at}/site`)).code).toBe(4);
    });

    it('takes no password from the command line', async () => {
      const ended = await box.sipctl(['--db', `postgres://secured:${password}@${at}/site`, 'tenant', 'list']);
      expect([ended.code, codeOf(ended)]).toEqual([3, expect.stringContaining('password of a command line')]);
      expect(ended.stderr).not.toContain(password);
    });

    it.each([
      ['another password', 4, () => `postgres://secured:wrong-one@${at}/site`, 'does not let us in'],
      ['no password', 4, () => `postgres://secured@${at}/site`, 'does not let us in'],
      ['a user that is none', 4, () => `postgres://nobody@${at}/site`, 'does not let us in'],
      ['no such database', 5, () => `postgres://sipctl@${at}/none`, 'no sipctl database'],
      ['an empty database', 5, () => `postgres://sipctl@${at}/postgres`, 'no sipctl database'],
      ['no such host', 7, () => 'postgres://sipctl@host.invalid/site', 'does not answer'],
      [
        'TLS that is refused',
        4,
        () => `postgres://secured:${password}@${at}/site?sslmode=disable`,
        'does not let us in',
      ],
      ['TLS that is not there', 4, () => `${plain.address}/site?sslmode=require`, 'does not speak TLS'],
      ['an unknown setting', 3, () => `${plain.address}/site?sslmod=require`, "'sslmod' is nothing"],
      ['an unknown mode', 3, () => `${plain.address}/site?sslmode=maybe`, "sslmode 'maybe'"],
      ['no address', 3, () => 'postgres://a@b:c:d/site', 'is not the address'],
    ])('says what is wrong: %s', async (_, code, db, said) => {
      const ended = await list(db());
      expect([ended.code, codeOf(ended)]).toEqual([code, expect.stringContaining(said)]);
      expect(ended.stderr).toContain('hint:');
      expect(ended.stderr).not.toMatch(/wrong-one|correct-horse|\n\s+at /);
    });

    it('gives a server up that takes no connection', async () => {
      const [port = 0] = await freePorts('127.0.0.1', 1);
      expect((await list(`postgres://sipctl@127.0.0.1:${port}/site`)).code).toBe(7);
    });

    it.each([
      ['verify-full', 'ca', 0, ''],
      ['verify-ca', 'ca', 0, ''],
      ['require', null, 0, ''],
      ['require', 'stranger', 4, 'not trusted'],
      ['verify-full', null, 4, 'not trusted'],
      ['verify-full', 'stranger', 4, 'not trusted'],
    ] as const)('trusts a certificate as sslmode=%s with the authority %s has it', async (mode, authority, code, said) => {
      const file = authority === 'ca' ? certificates.ca : certificates.stranger.cert;
      const root = authority === null ? '' : `&sslrootcert=${file}`;
      const ended = await list(`postgres://secured:${password}@${at}/site?sslmode=${mode}${root}`);
      expect([ended.code, codeOf(ended)]).toEqual([code, expect.stringContaining(said)]);
    });

    it('is closed at once by a thread that found nothing to do', async () => {
      const idle = () =>
        plain.psql(
          "SELECT count(*) FROM pg_stat_activity WHERE datname = 'postgres' AND pid <> pg_backend_pid()",
        );
      const sites = await openSites(`${plain.address}/postgres`, join(folder, 'key'));
      expect(idle()).toBe('1');
      await sites.close();
      // Sooner than an idle connection is closed by itself.
      await vi.waitFor(() => expect(idle()).toBe('0'), { timeout: 5_000 });
    });

    it('goes through a socket, too', async () => {
      const db = `postgres://sipctl@/site?host=${server.folder}&port=${server.port}`;
      expect((await list(db)).code).toBe(0);
    });

    it('says who may not: a role without rights reads, writes and makes nothing', async () => {
      const db = `postgres://reader@${at}/site`;
      const read = await list(db);
      expect([read.code, codeOf(read)]).toEqual([4, expect.stringContaining('does not allow this')]);
      const made = await box.sipctl('init', { env: { SIPCTL_DB: `postgres://reader@${at}/fresh` } });
      expect([made.code, codeOf(made)]).toEqual([4, expect.stringContaining('does not allow this')]);
    });

    it('leaves to PostgreSQL what is its own: backup and restore', async () => {
      const env = { SIPCTL_DB: `${plain.address}/site` };
      for (const command of ['db backup copy', 'db restore copy --yes']) {
        const ended = await box.sipctl(command, { env });
        expect([command, ended.code, ended.stderr]).toEqual([command, 4, expect.stringContaining('pg_dump')]);
      }
      expect((await box.ok('db migrate --check --json', { env })).json().data).toMatchObject({
        schema: expect.any(Number),
      });
    });
  },
);
