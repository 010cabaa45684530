import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyChain } from '../../src/store/audit-verify.ts';
import { type Database, newestSchema, type OpenDatabase } from '../../src/store/database.ts';
import { migrations } from '../../src/store/migrations.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { postgresMigrations } from '../../src/store/postgres/migrations.ts';
import { type PostgresInstance, postgresAvailable, startPostgres } from './postgres.ts';

const missing = postgresAvailable();
const now = (): Date => new Date();
/** Of PostgreSQL only: SQLite has a number in the head of its file. */
const history = 'sipctl_migrations';
/** Of PostgreSQL only, too: files know no logins. */
const access = 'access';

/** A line for everything that a schema has, in words that both databases share. */
type Lines = string[];

interface SqliteColumn {
  name: string;
  type: string;
  notnull: number;
  dflt_value: string | null;
  pk: number;
}

function ofSqlite(raw: BetterSqlite3.Database): Lines {
  const ask = <T>(text: string): T[] => raw.prepare(text).all() as T[];
  const tables = ask<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").map(
    ({ name }) => name,
  );
  return tables.flatMap((table) => {
    const columns = ask<SqliteColumn>(`PRAGMA table_info("${table}")`);
    const keys = ask<{ id: number; seq: number; table: string; from: string; to: string }>(
      `PRAGMA foreign_key_list("${table}")`,
    );
    const indexes = ask<{ name: string; unique: number; origin: string; partial: number }>(
      `PRAGMA index_list("${table}")`,
    ).filter(({ origin }) => origin !== 'pk');
    return [
      ...columns.map(({ name, type, notnull, dflt_value, pk }) =>
        column(table, name, type, notnull === 1 || pk > 0, dflt_value),
      ),
      `${table}: primary key ${columns.filter(({ pk }) => pk > 0).map(({ name }) => name)}`,
      ...[...new Set(keys.map(({ id }) => id))].map((id) => {
        const of = keys.filter((key) => key.id === id).sort((one, other) => one.seq - other.seq);
        return `${table}: ${of.map(({ from }) => from)} refers to ${of[0]?.table} ${of.map(({ to }) => to)}`;
      }),
      ...indexes.map(({ name, unique, partial }) => {
        const parts = ask<{ name: string }>(`PRAGMA index_info("${name}")`);
        return index(
          table,
          unique === 1,
          partial === 1,
          parts.map((part) => part.name),
        );
      }),
    ];
  });
}

const column = (table: string, name: string, type: string, needed: boolean, initial: string | null): string =>
  `${table}.${name} ${type}${needed ? ', needed' : ''}${initial === null ? '' : `, ${initial}`}`;

const index = (table: string, unique: boolean, partial: boolean, columns: readonly string[]): string =>
  `${table}: ${unique ? 'unique ' : ''}${partial ? 'partial ' : ''}index of ${columns}`;

const types: Readonly<Record<string, string>> = {
  ...{ bigint: 'INTEGER', text: 'TEXT', bytea: 'BLOB', 'double precision': 'REAL' },
};

async function ofPostgres(database: Database): Promise<Lines> {
  const ask = async <T>(text: string): Promise<T[]> => (await sql.raw<T>(text).execute(database)).rows;
  const columns = await ask<{
    table: string;
    name: string;
    type: string;
    needed: boolean;
    initial: string | null;
  }>(
    `SELECT table_name AS table, column_name AS name, data_type AS type, is_nullable = 'NO' AS needed,
     column_default AS initial FROM information_schema.columns
     WHERE table_schema = current_schema() AND table_name NOT IN ('${history}', '${access}')`,
  );
  const constraints = await ask<{
    table: string;
    kind: string;
    columns: string;
    other: string;
    others: string;
  }>(
    `SELECT conrelid::regclass::text AS table, contype AS kind, confrelid::regclass::text AS other,
     (SELECT string_agg(attname, ',' ORDER BY at) FROM unnest(conkey) WITH ORDINALITY AS key (number, at)
      JOIN pg_attribute ON attrelid = conrelid AND attnum = number) AS columns,
     (SELECT string_agg(attname, ',' ORDER BY at) FROM unnest(confkey) WITH ORDINALITY AS key (number, at)
      JOIN pg_attribute ON attrelid = confrelid AND attnum = number) AS others
     FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
     AND contype IN ('p', 'f') AND conrelid::regclass::text NOT IN ('${history}', '${access}')`,
  );
  const indexes = await ask<{ table: string; unique: boolean; partial: boolean; columns: string }>(
    `SELECT indrelid::regclass::text AS table, indisunique AS unique, indpred IS NOT NULL AS partial,
     (SELECT string_agg(pg_get_indexdef(indexrelid, at::int, true), ',' ORDER BY at)
      FROM generate_series(1, indnkeyatts) AS at) AS columns
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE relnamespace = current_schema()::regnamespace AND NOT indisprimary
     AND indrelid::regclass::text <> '${access}'`,
  );
  const plain = (name: string): string => name.replace(/"/g, '');
  return [
    ...columns.map(({ table, name, type, needed, initial }) =>
      column(table, name, types[type] ?? type, needed, initial?.replace(/::\w+( COLLATE .*)?$/, '') ?? null),
    ),
    ...constraints.map(({ table, kind, columns: of, other, others }) =>
      kind === 'p'
        ? `${plain(table)}: primary key ${of}`
        : `${plain(table)}: ${of} refers to ${plain(other)} ${others}`,
    ),
    // What SQLite compares whatever its case is here compared in lower case.
    ...indexes.map(({ table, unique, partial, columns: of }) =>
      index(plain(table), unique, partial, [plain(of).replace(/lower\((\w+)\)/g, '$1')]),
    ),
  ];
}

describe.skipIf(missing !== null)(
  `the schema in PostgreSQL${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let dir = '';
    let server: PostgresInstance;
    let opened: OpenDatabase;
    let raw: BetterSqlite3.Database;
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'sipctl-schema-'));
      const file = join(dir, 'site.db');
      await (await openDatabase({ file, create: true, now })).close();
      raw = new BetterSqlite3(file, { readonly: true });
      server = await startPostgres();
      opened = await openDatabase({ file: `${server.address}/schema`, create: true, now });
    });
    afterAll(async () => {
      raw?.close();
      await opened?.close();
      await server?.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    it('has the tables, columns, keys and indexes that it has in SQLite, and no other', async () => {
      const [there, here] = [ofSqlite(raw).sort(), (await ofPostgres(opened.kysely)).sort()];
      expect(there.length).toBeGreaterThan(300);
      expect(here).toEqual(there);
    });

    it('orders and compares every text by its bytes', async () => {
      const other = await sql<{ name: string }>`SELECT relname || '.' || attname AS name
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      JOIN pg_collation ON pg_collation.oid = attcollation
      WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0
      AND relname <> ${history} AND collname <> 'C'`.execute(opened.kysely);
      expect(other.rows).toEqual([]);
    });

    it('has a trigger wherever SQLite has one, which says the same', async () => {
      const wanted = (
        raw.prepare("SELECT tbl_name AS tableName, sql FROM sqlite_master WHERE type = 'trigger'").all() as {
          tableName: string;
          sql: string;
        }[]
      ).map(({ tableName, sql: text }) => ({
        table: tableName,
        event: /(INSERT|UPDATE|DELETE)/.exec(text)?.[1] as string,
        // One that refuses says why; another one has its name in common with that of the server.
        said: /RAISE\(ABORT, '(.*?)'\)/.exec(text)?.[1] ?? 'audit_head',
      }));
      expect(wanted.length).toBeGreaterThan(40);
      const { rows } = await sql<{ table: string; events: string; body: string }>`
      SELECT relname AS table, pg_get_triggerdef(pg_trigger.oid) AS events, prosrc AS body
      FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
      WHERE NOT tgisinternal`.execute(opened.kysely);
      const lacking = wanted.filter(
        ({ table, event, said }) =>
          !rows.some((one) => one.table === table && one.events.includes(event) && one.body.includes(said)),
      );
      expect(lacking).toEqual([]);
    });

    it('was brought up by the same migrations, each noted with its name', async () => {
      const rows = await opened.kysely
        .selectFrom(history)
        .select(['number', 'name'])
        .orderBy('number')
        .execute();
      expect(rows).toEqual(migrations.map(({ number, name }) => ({ number, name })));
      expect(await opened.schemaState()).toMatchObject({ version: newestSchema, pending: [] });
    });

    it.each(
      migrations.slice(0, -1).map(({ number }) => number),
    )('is brought up from %i, with what is in it', async (last) => {
      const database = `from_${last}`;
      server.psql(`CREATE DATABASE ${database}`);
      const done = postgresMigrations.filter(({ number }) => number <= last);
      const tenant = `INSERT INTO tenants (id, name, country, max_calls, enabled, revision, created_at, updated_at)
        VALUES (7, 'acme', 'DE', 9, 1, 'r7', '', '')`;
      const number = `INSERT INTO numbers (id, tenant_id, number, inbound, outbound, enabled, created_at, updated_at)
        VALUES (5, 7, '+4930111111', 1, 0, 1, '', '')`;
      const row = `INSERT INTO audit (at, actor, action, noun, tenant, name, detail)
        VALUES ('2026', 'ann', 'add', 'tenant', 'acme', 'acme', '{}')`;
      const [first, ...more] = done.map(({ statements }) => statements);
      const noted = done.map((one) => `INSERT INTO ${history} VALUES (${one.number}, '${one.name}')`);
      const table = `CREATE TABLE ${history} (number BIGINT PRIMARY KEY, name TEXT NOT NULL, at TIMESTAMPTZ DEFAULT now())`;
      const all = [table, ...(first ?? []), tenant, number, row, row, ...more.flat(), ...noted];
      server.psql(all.join(';\n'), { database });
      const file = `${server.address}/${database}`;
      await expect(openDatabase({ file, migrate: false, now }).then(pendingOf)).resolves.toHaveLength(
        migrations.length - last,
      );
      const earlier = await openDatabase({ file, now });
      expect(earlier.migrated.applied).toEqual(migrations.slice(last).map((one) => one.number));
      expect((await ofPostgres(earlier.kysely)).sort()).toEqual((await ofPostgres(opened.kysely)).sort());
      expect(await earlier.kysely.selectFrom('numbers').select(['id', 'number', 'record']).execute()).toEqual(
        [{ id: 5, number: '+4930111111', record: 0 }],
      );
      expect(await verifyChain(earlier.kysely, null)).toMatchObject({ rows: 2, anchored: 2, broken: null });
      await earlier.close();
    });

    it('of a newer sipctl, and of another program, is left alone', async () => {
      server.psql('CREATE DATABASE newer');
      const file = `${server.address}/newer`;
      await (await openDatabase({ file, create: true, now })).close();
      server.psql(`INSERT INTO ${history} VALUES (99, 'later')`, { database: 'newer' });
      await expect(openDatabase({ file, now })).rejects.toMatchObject({
        problems: [{ code: 'database_newer' }],
      });
      server.psql('CREATE DATABASE foreigners');
      server.psql('CREATE TABLE tenants (id int)', { database: 'foreigners' });
      const theirs = openDatabase({ file: `${server.address}/foreigners`, create: true, now });
      await expect(theirs).rejects.toMatchObject({ problems: [{ code: 'database_foreign' }] });
      expect(
        server.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", { database: 'foreigners' }),
      ).toBe('1');
    });
  },
);

async function pendingOf(opened: OpenDatabase): Promise<number[]> {
  const { pending } = await opened.schemaState();
  await opened.close();
  return pending;
}
