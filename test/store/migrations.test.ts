import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { everyNoun } from '../../src/model/every-noun.ts';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import { newestSchema } from '../../src/store/database.ts';
import { Keyring } from '../../src/store/keyring.ts';
import { type Migration, migrations } from '../../src/store/migrations.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { columnOf, secretPlace } from '../../src/store/rows.ts';
import { integrityOf } from '../../src/store/sqlite/integrity.ts';
import { Store } from '../../src/store/store.ts';

const now = (): Date => new Date('2026-05-01T12:00:00Z');
const numbers = migrations.map(({ number }) => number);
let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sipctl-migrations-'));
  file = join(dir, 'site.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (): Promise<Store> => Store.open({ file, keyFile: join(dir, 'key'), actor: 'tester', now });

/** A database as the first schema made it, with one of everything. */
function firstDatabase(): void {
  const keyring = Keyring.create(join(dir, 'key'));
  const seal = (place: string, text: string): Buffer => keyring.seal(new Secret(text), place);
  const raw = new BetterSqlite3(file);
  for (const statement of (migrations[0] as Migration).statements) raw.exec(statement);
  raw.pragma('user_version = 1');
  const at = '2026-01-01T00:00:00.000Z';
  raw.prepare('INSERT INTO meta VALUES (?, ?), (?, ?)').run('key_id', keyring.id, 'salt', 'salt');
  raw.exec(`INSERT INTO tenants (id, name, domain, country, max_calls, enabled, revision, created_at, updated_at)
    VALUES (1, 'default', NULL, 'US', 5, 1, 'r1', '${at}', '${at}'), (7, 'acme', 'acme.example', 'DE', 9, 1, 'r7', '${at}', '${at}')`);
  raw
    .prepare(`INSERT INTO users (id, tenant_id, username, endpoint, extension, password, template, max_calls, labels, enabled,
      created_at, updated_at) VALUES (3, 7, 'ann', 'ann@acme.example', '1001', ?, 'basic_user', 2, 'a,b', 1, '${at}', '${at}')`)
    .run(seal(secretPlace('users', 3, 'password'), 'ann-secret'));
  raw
    .prepare(`INSERT INTO trunks (id, tenant_id, name, endpoint, provider, username, password, max_calls, inbound, outbound,
      priority, is_default, owner_id, enabled, created_at, updated_at)
      VALUES (4, 7, 'main', 'acme.main', 'telnyx', 'u', ?, 5, 1, 1, 10, 1, 3, 1, '${at}', '${at}')`)
    .run(seal(secretPlace('trunks', 4, 'password'), 'trunk-secret'));
  raw.exec(`INSERT INTO numbers (id, tenant_id, number, trunk_id, inbound, outbound, label, enabled, created_at, updated_at)
    VALUES (5, 7, '+4930111111', 4, 1, 0, 'front desk', 1, '${at}', '${at}'), (6, 1, '+4930222222', NULL, 1, 1, NULL, 0, '${at}', '${at}')`);
  raw.exec(
    `INSERT INTO audit (at, actor, action, noun, tenant, name, detail) VALUES ('${at}', 'ann', 'add', 'user', 'acme', 'ann', '{}')`,
  );
  raw.close();
}

describe('a database of the first schema', () => {
  it('keeps everything, and gets the defaults of what is new', async () => {
    firstDatabase();
    const store = await open();
    try {
      expect(store.opened.migrated.applied).toEqual(numbers.slice(1));
      const user = await store.records.get(nouns.user, { tenant: 'acme', name: 'ann' });
      expect(user).toMatchObject({
        id: 3,
        extension: '1001',
        maxCalls: 2,
        labels: ['a', 'b'],
        ringTime: 30,
        tollClass: 'all',
        voicemail: null,
        voicemailPin: null,
        unanswered: null,
      });
      expect(user.password.reveal()).toBe('ann-secret');
      const trunk = await store.records.get(nouns.trunk, { tenant: 'acme', name: 'main' });
      expect(trunk).toMatchObject({ owner: 'ann', isDefault: true, numberFormat: null });
      expect(trunk.password?.reveal()).toBe('trunk-secret');
      expect(await store.records.list(nouns.number)).toMatchObject([
        {
          id: 5,
          tenant: 'acme',
          number: '+4930111111',
          trunk: 'main',
          outbound: false,
          label: 'front desk',
          destination: null,
          schedule: null,
          record: false,
          variables: null,
          enabled: true,
        },
        { id: 6, tenant: 'default', number: '+4930222222', trunk: null, enabled: false },
      ]);
      expect((await store.tenantStates()).map(({ revision }) => revision)).toEqual(['r7', 'r1']);
      expect(await store.listAudit({ limit: 10 })).toHaveLength(1);
      expect(await store.verifyAudit(null)).toMatchObject({ rows: 1, anchored: 1, broken: null });
      const raw = new BetterSqlite3(file);
      expect(raw.pragma('foreign_key_check')).toEqual([]);
      raw.exec("UPDATE audit SET actor = 'bob'");
      raw.close();
      expect((await store.verifyAudit(null)).broken?.kind).toBe('changed');
      expect(integrityOf(file)).toBeNull();
    } finally {
      store.close();
    }
  });

  it('is copied before it is changed, once', async () => {
    firstDatabase();
    (await open()).close();
    (await open()).close();
    const [backup, ...more] = readdirSync(dir).filter((name) => name.endsWith('.bak'));
    expect(more).toEqual([]);
    const raw = new BetterSqlite3(join(dir, backup as string), { readonly: true });
    expect(raw.pragma('user_version', { simple: true })).toBe(1);
    expect(raw.prepare('SELECT count(*) FROM numbers').pluck().get()).toBe(2);
    raw.close();
  });

  it('still guards what the moved table guarded', async () => {
    firstDatabase();
    const store = await open();
    try {
      const { kysely } = store.opened;
      const insert = (tenant: number, number: string, trunk: number | null): Promise<unknown> =>
        kysely
          .insertInto('numbers')
          .values({
            ...{ tenant_id: tenant, number, trunk_id: trunk, inbound: 1, outbound: 1, enabled: 1 },
            ...{ created_at: '', updated_at: '' },
          })
          .execute();
      await expect(insert(1, '+4930111111', null)).rejects.toThrow(
        /UNIQUE constraint failed: numbers.number/,
      );
      await expect(insert(1, '+4930333333', 4)).rejects.toThrow(/FOREIGN KEY/);
      const trunk = kysely.deleteFrom('trunks').where('id', '=', 4);
      await expect(trunk.execute()).rejects.toThrow(/FOREIGN KEY/);
    } finally {
      store.close();
    }
  });

  it('can be looked at without being changed', async () => {
    firstDatabase();
    const store = await Store.open({ file, keyFile: join(dir, 'key'), actor: 'x', now, migrate: false });
    expect(await store.counts()).toEqual({ tenants: 2, users: 1, trunks: 1, numbers: 2, nodes: 0 });
    store.close();
  });
});

describe('the schema', () => {
  it('of a release is never edited', () => {
    const sums = migrations
      .slice(0, 1)
      .map(({ statements }) => createHash('sha256').update(statements.join('\n')).digest('hex').slice(0, 16));
    expect(sums).toEqual(['5a56a38c209a530c']);
  });

  it('has a column for every field of every noun, and no other', async () => {
    const opened = await openDatabase({ file, create: true, now });
    const raw = new BetterSqlite3(file, { readonly: true });
    const own = ['id', 'enabled', 'created_at', 'updated_at'];
    for (const noun of everyNoun) {
      const columns = raw.pragma(`table_info("${noun.table}")`) as { name: string; notnull: number }[];
      const fields = Object.entries(noun.fields).map(([name, field]) => columnOf(name, field));
      const extra =
        {
          tenant: ['revision'],
          user: ['endpoint', 'tenant_id'],
          trunk: ['endpoint', 'tenant_id'],
        }[noun.name] ?? (noun.tenantScoped ? ['tenant_id'] : []);
      const expected = [...own, noun.key, ...fields, ...extra].sort();
      expect([noun.name, columns.map(({ name }) => name).sort()]).toEqual([noun.name, expected]);
      for (const [name, field] of Object.entries(noun.fields)) {
        const column = columns.find((one) => one.name === columnOf(name, field));
        const needed = field.required === true || field.initial !== undefined;
        const isOpen = noun.name === 'tenant' && name === 'stunServer';
        if (!isOpen) expect([noun.name, name, column?.notnull]).toEqual([noun.name, name, needed ? 1 : 0]);
      }
    }
    raw.close();
    await opened.close();
    expect(newestSchema).toBe(numbers.at(-1));
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
  });
});
