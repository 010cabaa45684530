import { existsSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../src/model/call-record.ts';
import { copiedTables } from '../../src/store/copy.ts';
import { Store } from '../../src/store/store.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { type PostgresInstance, postgresAvailable, startPostgres } from './postgres.ts';

const missing = postgresAvailable();
let server: PostgresInstance;
let box: Sandbox;
let target: string;
let copies = 0;

describe.skipIf(missing !== null)(
  missing === null ? 'a copy of a database' : `a copy of a database (skipped: ${missing})`,
  () => {
    beforeAll(async () => {
      server = await startPostgres();
      server.psql('CREATE ROLE company LOGIN CREATEDB');
      server.psql('CREATE ROLE guest LOGIN');
    });
    afterAll(() => server?.stop());
    beforeEach(async () => {
      box = await sandbox();
      await describeSite();
      target = newDatabase();
    });

    const newDatabase = (): string => {
      const name = `copy_${++copies}`;
      server.psql(`CREATE DATABASE ${name} OWNER company`);
      return `postgres://company@${server.host}:${server.port}/${name}`;
    };
    const psql = (url: string, sql: string): string =>
      server.psql(sql, { database: url.slice(url.lastIndexOf('/') + 1) });
    const on = (db: string): { env: Record<string, string> } => ({ env: { SIPCTL_DB: db } });
    const digests = async (from: string, to: string) => {
      const ended = await box.ok(['db', 'copy', from, to, '--verify', '--json']);
      return ended.json().data as {
        same: boolean;
        rows: number;
        tables: { table: string; from: { rows: number } }[];
      };
    };

    it('has all tables but leases, grants and the list of migrations', async () => {
      await box.ok(['db', 'copy', box.db, target]);
      const tables = psql(
        target,
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
      );
      const expected = [...copiedTables, 'leases', 'access', 'sipctl_migrations'];
      expect(tables.split('\n').sort()).toEqual(expected.sort());
      const raw = new BetterSqlite3(box.db, { readonly: true });
      const here = raw.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all();
      raw.close();
      expect([...here].sort()).toEqual([...copiedTables, 'leases'].sort());
    });

    it('goes to PostgreSQL and back, value by value', async () => {
      const there = await box.ok(['db', 'copy', box.db, target]);
      expect(there.stdout).toMatch(/rows copied/);
      const back = join(box.dir, 'back.db');
      await box.ok(['db', 'copy', target, back]);
      const compared = await digests(box.db, back);
      expect(compared.same).toBe(true);
      // A table without rows would compare as well as one that was forgotten.
      const empty = compared.tables.filter(({ from }) => from.rows === 0).map(({ table }) => table);
      expect(empty).toEqual([]);
      const other = newDatabase();
      await box.ok(['db', 'copy', target, other]);
      expect((await digests(back, other)).same).toBe(true);
    });

    it('is worked with as the first one was', async () => {
      const plan = (await box.sipctl('plan --json')).json().data;
      await box.ok(['db', 'copy', box.db, target]);
      expect((await box.sipctl('plan --json', on(target))).json().data).toEqual(plan);
      const [before, after] = [
        await box.ok('audit verify --json'),
        await box.ok('audit verify --json', on(target)),
      ];
      expect((after.json().data as { head: unknown }).head).toEqual(
        (before.json().data as { head: unknown }).head,
      );
      expect((await box.ok('user show ann --tenant acme --reveal', on(target))).stdout).toContain(
        'phone-Secret-9',
      );
      // Ids go on where the copied ones end.
      await box.ok('user add late --tenant acme --extension 1999 --generate-password', on(target));
      await box.ok('audit verify', on(target));
      const ended = await box.sipctl(['db', 'copy', box.db, target, '--verify']);
      expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('users is not the same')]);
    });

    it('keeps a broken chain as it is', async () => {
      const raw = new BetterSqlite3(box.db);
      raw.exec('DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)');
      raw.exec("UPDATE audit SET actor = 'mallory' WHERE id = 3");
      raw.close();
      const before = await box.sipctl('audit verify');
      await box.ok(['db', 'copy', box.db, target]);
      const after = await box.sipctl('audit verify', on(target));
      expect([before.code, after.code, after.stderr]).toEqual([1, 1, before.stderr]);
      const back = join(box.dir, 'back.db');
      await box.ok(['db', 'copy', target, back]);
      expect((await digests(box.db, back)).same).toBe(true);
    });

    it('is made in an empty database only', async () => {
      await box.ok(['db', 'copy', box.db, target]);
      const before = psql(target, 'SELECT count(*) FROM users');
      const again = await box.sipctl(['db', 'copy', box.db, target]);
      expect([again.code, again.stderr]).toEqual([6, expect.stringContaining('is not empty')]);
      expect((await box.sipctl(['db', 'copy', target, box.db])).code).toBe(6);
      expect(psql(target, 'SELECT count(*) FROM users')).toBe(before);
      expect((await box.sipctl(['db', 'copy', box.db, box.db])).code).toBe(3);
    });

    it('is whole or not there', async () => {
      await box.ok('init', on(target));
      psql(target, 'DELETE FROM audit; DELETE FROM tenants');
      psql(target, "ALTER TABLE recordings ADD CHECK (path <> 'acme/2026-05-01/1.wav')");
      const ended = await box.sipctl(['db', 'copy', box.db, target]);
      expect(ended.code).not.toBe(0);
      expect(psql(target, 'SELECT (SELECT count(*) FROM tenants) + (SELECT count(*) FROM audit)')).toBe('0');
      psql(target, 'ALTER TABLE recordings DROP CONSTRAINT recordings_path_check');
      // A value that changes on its way is found before anything is kept.
      psql(
        target,
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.notes := 'x'; RETURN NEW; END $$",
      );
      psql(target, 'CREATE TRIGGER spoil BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION spoil()');
      const spoiled = await box.sipctl(['db', 'copy', box.db, target]);
      expect([spoiled.code, spoiled.stderr]).toEqual([1, expect.stringContaining('not the same in users')]);
      expect(psql(target, 'SELECT count(*) FROM tenants')).toBe('0');
      psql(target, 'DROP TRIGGER spoil ON users');
      await box.ok(['db', 'copy', box.db, target]);
      expect(psql(target, "SELECT tgenabled FROM pg_trigger WHERE tgname = 'sipctl_chain'")).toBe('O');
    });

    it('is refused to those who do not see everything, or own nothing', async () => {
      await box.ok(['db', 'copy', box.db, target]);
      const guest = target.replace('company@', 'guest@');
      await box.ok('access grant guest --role operator --tenant acme', on(target));
      const part = await box.sipctl(['db', 'copy', guest, join(box.dir, 'part.db')]);
      expect([part.code, part.stderr]).toEqual([4, expect.stringContaining('guest does not see all of it')]);
      expect(existsSync(join(box.dir, 'part.db'))).toBe(false);
      await box.ok('access grant guest --role viewer --all-tenants', on(target));
      await box.ok(['db', 'copy', guest, join(box.dir, 'whole.db')]);
      const into = await box.sipctl(['db', 'copy', box.db, newDatabase().replace('company@', 'guest@')]);
      expect(into.code, into.stderr).toBe(4);
    });

    it('is not made of a database that a run is working on', async () => {
      const store = await Store.open({
        file: box.db,
        keyFile: join(box.dir, 'key'),
        actor: 'x',
        now: () => new Date(),
      });
      const owner = { holder: 'ann@laptop (process 1)', host: 'elsewhere', pid: 1 };
      const lease = await store.lease('node pbx1', owner, { now: () => new Date(), isAlive: () => true });
      const ended = await box.sipctl(['db', 'copy', box.db, target]);
      expect([ended.code, ended.stderr]).toEqual([6, expect.stringContaining('ann@laptop')]);
      await lease.release();
      await store.close();
      await box.ok(['db', 'copy', box.db, target]);
    });

    it('takes addresses with a password from a variable, and never from the command line', async () => {
      const secret = target.replace('company@', 'company:top-Secret@');
      const ended = await box.sipctl(['db', 'copy', box.db, secret]);
      expect([ended.code, ended.stderr]).toEqual([3, expect.not.stringContaining('top-Secret')]);
      const done = await box.ok(['db', 'copy', box.db, 'env:TEAM_DB'], { env: { TEAM_DB: secret } });
      expect(done.stdout + done.stderr).not.toContain('top-Secret');
      expect((await box.sipctl(['db', 'copy', box.db, 'env:NOT_SET'])).code).toBe(3);
      expect((await box.sipctl(['db', 'copy', join(box.dir, 'nowhere.db'), newDatabase()])).code).toBe(5);
    });
  },
);

const call = (at: number): CallRecord => ({
  ...{
    node: 'pbx1',
    call: `call-${at}`,
    tenant: 'acme',
    direction: 'inbound',
    from: '+1555',
    fromName: 'Zoë 字 😀',
  },
  ...{ to: null, trunk: 'main', user: 'ann', channel: null, codec: 'opus' },
  ...{ startedAt: `2026-05-01T00:00:${String(at % 60).padStart(2, '0')}.000Z`, answeredAt: null },
  ...{ endedAt: '2026-05-01T01:00:00.000Z', talkSeconds: at, q850: 16, sip: null, cause: 'normal' },
  ...{
    mos: 4.1 + at / 997,
    lossPercent: 1 / 3,
    jitterMs: 1e-7,
    rttMs: null,
    recorded: at % 2 === 0,
    source: 'monitor',
  },
});

/** Something in every table, and more than a page of one. */
async function describeSite(): Promise<void> {
  const secret = { input: 'phone-Secret-9' };
  await box.ok('tenant add acme --domain acme.sip.example');
  await box.ok('user add ann --tenant acme --extension 1001 --password-stdin --codecs opus,ulaw', secret);
  await box.ok(
    'trunk add main --tenant acme --provider telnyx --username u1 --password-stdin --owner ann',
    secret,
  );
  await box.ok(
    'schedule add office --tenant acme --time-zone Europe/Berlin --open "mon-fri 09:00-17:00" --closed hangup',
  );
  await box.ok('number add +15551234567 --tenant acme --trunk main --to user:ann --schedule office');
  await box.ok('group add desk --tenant acme --members ann --extension 2000');
  await box.ok('ivr add menu --tenant acme --greeting welcome --key 1=user:ann');
  await box.ok('conference add room --tenant acme --extension 3000 --pin env:PIN', { env: { PIN: '4711' } });
  await box.ok('route add all --tenant acme --match 00 --trunks main');
  await box.ok('emergency add 112 --tenant acme --caller-id +15551234567');
  await box.ok(['node', 'add', 'pbx1', '--kind', 'asterisk', '--dir', box.dir]);
  await box.ok(
    'twilio account add tw --tenant acme --account-sid AC00000000000000000000000000000001 --auth-token env:PIN',
    { env: { PIN: '4711' } },
  );
  const store = await Store.open({
    ...{ file: box.db, keyFile: join(box.dir, 'config', 'sipctl', 'key'), actor: 'x', now: () => new Date() },
  });
  await store.keepCallRecords(Array.from({ length: 1100 }, (_, at) => call(at)));
  await store.recordDelivery({
    ...{ node: 'pbx1', generation: 1, base: 0, outcome: 'verified', detail: null },
    changes: { create: 1, update: 0, delete: 0 },
  });
  await store.recordings.note([
    {
      of: { node: 'pbx1', tenant: 'acme', path: 'acme/2026-05-01/1.wav' },
      facts: { size: 12, sha256: 'ab' },
    },
  ]);
  await store.close();
  const raw = new BetterSqlite3(box.db);
  const hard = 'lines\n\tand "quotes" \'; 字 😀 \\ \u0001';
  raw.prepare('UPDATE tenants SET notes = ?').run(hard);
  const at = "1, '2026-05-01', '2026-05-01'";
  raw.exec(`INSERT INTO twilio_trunks (id, tenant_id, name, account_id, domain_prefix, friendly_name, sip_username, sip_password,
      secure, recording, trim, trunk_id, enabled, created_at, updated_at)
    SELECT 7, tenant_id, 'tt', id, 'p', 'f', 'u', x'0102ff00', 1, 'none', 'none', (SELECT id FROM trunks), ${at} FROM twilio_accounts;
    INSERT INTO twilio_originations (id, tenant_id, name, twilio_trunk_id, sip_url, priority, weight, enabled, created_at, updated_at)
    SELECT 9, tenant_id, 'oo', id, 'sip:a', 1, 1, ${at} FROM twilio_trunks;
    INSERT INTO livekits (id, tenant_id, name, url, api_key, api_secret, twilio_trunk_id, room_prefix, enabled, created_at, updated_at)
    SELECT 3, tenant_id, 'lk', 'wss://l', 'k', x'00', id, 'r', ${at} FROM twilio_trunks;
    INSERT INTO service_resources (id, kind, tenant_id, object, key, name, at) SELECT 4, 'twilio', tenant_id, 'tt', 'k', 'n', '' FROM twilio_trunks`);
  raw.close();
}
