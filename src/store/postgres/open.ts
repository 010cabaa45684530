import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { SipctlError } from '../../errors.ts';
import type { Secret } from '../../model/secret.ts';
import {
  type Database,
  newestSchema,
  type OpenDatabase,
  type OpenOptions,
  pendingAfter,
  type Schema,
  type SchemaState,
  type SiteWords,
} from '../database.ts';
import { madeByNewer, noDatabase, notAFile, notOurs } from '../opening.ts';
import { accessControl } from './access.ts';
import { beside } from './address.ts';
import { insertRows } from './insert-rows.ts';
import { postgresMigrations } from './migrations.ts';
import { watchedParties } from './parties.ts';
import { connectedPool } from './pool.ts';

/** How long is waited for another writer, as with SQLite. */
const busyTimeoutMs = 10_000;
/** Of our advisory locks, so that they are not those of another program in the same database. */
const lockSpace = 7_460_287;

/** Opens a database of a PostgreSQL server; see `openDatabase`. */
export async function openPostgres(options: OpenOptions): Promise<OpenDatabase> {
  const { file, password = null, create, migrate } = options;
  const { kysely, close } = await (create === true ? made(file, password) : connected(file, password));
  try {
    const { version, tables } = await schemaState(kysely);
    if (!tables.has(history) && tables.size > 0) throw notOurs(file);
    if (version === 0 && create !== true) throw noDatabase(file);
    const applied = migrate === false ? [] : await brought(kysely, file, version);
    return openDatabaseOf(kysely, file, { applied, backup: null }, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** Further connections to a database that this process has open, for reading in another thread. */
export async function readPostgres(
  file: string,
  password: Secret | null,
): Promise<{ kysely: Database; siteWords: SiteWords; close(): Promise<void> }> {
  return { ...(await connected(file, password)), siteWords };
}

// Whoever may make databases need not make this one by hand.
async function made(file: string, password: Secret | null): ReturnType<typeof connected> {
  try {
    return await connected(file, password);
  } catch (error) {
    if (!(error instanceof SipctlError) || error.outcome !== 'notFound') throw error;
    const { database, url } = beside(file);
    const server = await connected(url, password);
    try {
      await createDatabase(server.kysely, database);
    } finally {
      await server.close();
    }
    return connected(file, password);
  }
}

/** Of a database that is there, or is being made by another one; PostgreSQL's manual, appendix A. */
const madeByAnother = ['42P04', '23505', '55006'];
const attempts = 20;

async function createDatabase(kysely: Database, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const there = await sql`SELECT 1 FROM pg_database WHERE datname = ${name}`.execute(kysely);
    if (there.rows.length > 0) return;
    try {
      await sql`CREATE DATABASE ${sql.id(name)} TEMPLATE template0 ENCODING 'UTF8'`.execute(kysely);
    } catch (error) {
      if (attempt === attempts || !madeByAnother.includes((error as { code: string }).code)) throw error;
      await sleep(100);
    }
  }
}

async function connected(
  file: string,
  password: Secret | null,
): Promise<{ kysely: Database; close(): Promise<void> }> {
  const pool = await connectedPool(file, password);
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  const close = async (): Promise<void> => {
    await kysely.destroy();
    // Of a database that nobody asked anything, kysely leaves the connection open.
    await pool.end();
  };
  return { kysely, close };
}

function openDatabaseOf(
  kysely: Database,
  file: string,
  migrated: OpenDatabase['migrated'],
  close: () => Promise<void>,
): OpenDatabase {
  const closed = new AbortController();
  return {
    ...{ file, kysely, migrated, siteWords, step },
    transact: (work) => transaction(kysely, work),
    nextIds: async (database, table, count) => {
      const sequence = sql`pg_get_serial_sequence(${`"${table}"`}, 'id')`;
      const ids = sql<{
        id: number;
      }>`SELECT nextval(${sequence}) AS id FROM generate_series(1, ${count}::int)`;
      return (await ids.execute(database)).rows.map(({ id }) => id);
    },
    insertRows: (database, rows) => insertRows(database, rows, step),
    access: accessControl(kysely, (work) => transaction(kysely, work)),
    keepingAudit: async (database, work) => {
      await sql`ALTER TABLE audit DISABLE TRIGGER USER`.execute(database);
      await work();
      await sql`ALTER TABLE audit ENABLE TRIGGER USER`.execute(database);
    },
    raiseIds: async (database, tables) => {
      for (const table of tables) {
        const [name, last] = [sql.table(table), sql`coalesce(max(id), 0)`];
        const sequence = sql`pg_get_serial_sequence(${`"${table}"`}, 'id')`;
        await sql`SELECT setval(${sequence}, ${last} + 1, false) FROM ${name}`.execute(database);
      }
    },
    parties: () => watchedParties(kysely, closed.signal),
    // Machines that share a database need not agree on the time.
    time: async (database) => {
      const now = sql<{ ms: number }>`SELECT floor(extract(epoch FROM clock_timestamp()) * 1000) AS ms`;
      return new Date((await now.execute(database)).rows[0]?.ms as number);
    },
    schemaState: () => schemaState(kysely),
    backup: async () => {
      throw notAFile(file);
    },
    close: async () => {
      closed.abort();
      await close();
    },
  };
}

// In the order of their ids, as SQLite reads them: PostgreSQL's own changes with every update.
const siteWords: SiteWords = {
  hex: (column) => `encode(${column}, 'hex')`,
  arrays: (expressions, from) =>
    `(SELECT coalesce(json_agg(json_build_array(${expressions.join(', ')}) ORDER BY id), '[]')::text FROM ${from})`,
};

// As with SQLite, one writes at a time; each statement sees what the writers before have kept.
const transaction = <T>(kysely: Database, work: (database: Database) => Promise<T>): Promise<T> =>
  kysely.transaction().execute(async (database) => {
    await sql`SELECT set_config('lock_timeout', ${String(busyTimeoutMs)}, true),
      pg_advisory_xact_lock(${lockSpace}::int, hashtext(current_schema()))`.execute(database);
    return work(database);
  });

// After a statement that failed, a transaction answers nothing more, unless it goes back to a savepoint.
async function step<T>(database: Database, write: () => Promise<T>): Promise<T> {
  await sql`SAVEPOINT step`.execute(database);
  try {
    const result = await write();
    await sql`RELEASE SAVEPOINT step`.execute(database);
    return result;
  } catch (error) {
    await sql`ROLLBACK TO SAVEPOINT step`.execute(database);
    throw error;
  }
}

/** The table of migrations that were run. */
const history = 'sipctl_migrations';

async function schemaState(database: Database): Promise<SchemaState> {
  const found = await sql<{ table: string; bytes: number }>`
    SELECT relname::text AS table, pg_database_size(current_database()) AS bytes FROM pg_class
    WHERE relkind IN ('r', 'p')
    AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())`.execute(database);
  const tables = new Set(found.rows.map(({ table }) => table));
  const version = tables.has(history) ? await schemaVersion(database) : 0;
  return { version, pending: pendingAfter(version), tables, bytes: found.rows[0]?.bytes ?? 0 };
}

async function schemaVersion(database: Database): Promise<number> {
  const row = await database
    .selectFrom(history)
    .select(({ fn }) => fn.max('number').as('last'))
    .executeTakeFirst();
  return (row?.last as number | null) ?? 0;
}

async function brought(kysely: Database, file: string, version: number): Promise<number[]> {
  if (version > newestSchema) throw madeByNewer(file);
  if (pendingAfter(version).length === 0) return [];
  return transaction(kysely, async (database) => {
    await sql`CREATE TABLE IF NOT EXISTS ${sql.id(history)} (
      number BIGINT PRIMARY KEY, name TEXT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT now())`.execute(
      database,
    );
    // Another process may have come first: what is pending is asked again inside the transaction.
    const pending = pendingAfter(await schemaVersion(database));
    for (const { number, name, statements } of postgresMigrations) {
      if (!pending.includes(number)) continue;
      await sql.raw(statements.join(';\n')).execute(database);
      await database.insertInto(history).values({ number, name }).execute();
    }
    return pending;
  });
}
