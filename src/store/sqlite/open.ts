import { chmodSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { SipctlError } from '../../errors.ts';
import {
  type Database,
  newestSchema,
  type OpenDatabase,
  type OpenOptions,
  pendingAfter,
  type Schema,
  type SiteWords,
} from '../database.ts';
import { databaseFailure } from '../failure.ts';
import { migrations } from '../migrations.ts';
import { madeByNewer, noDatabase, notOurs } from '../opening.ts';
import { storedParties } from './parties.ts';
import { withStatementCache } from './statement-cache.ts';

const busyTimeoutMs = 10_000;

/** Opens a file of SQLite; see `openDatabase`. */
export async function openSqlite({ file, now, create, migrate }: OpenOptions): Promise<OpenDatabase> {
  const isNew = !existsSync(file);
  if (isNew && create !== true) throw noDatabase(file);
  if (isNew) mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
  const raw = connect(file);
  let migrated: OpenDatabase['migrated'] = { applied: [], backup: null };
  try {
    if (schemaVersion(raw) === 0 && create !== true) throw noDatabase(file);
    if (migrate !== false) migrated = await brought(raw, file, now);
  } catch (error) {
    raw.close();
    throw databaseFailure(error, file) ?? error;
  }
  return openDatabaseOf(raw, file, migrated);
}

/** A second connection to a database that this process has open, for reading in another thread. */
export function readSqlite(file: string): { kysely: Database; siteWords: SiteWords; close(): Promise<void> } {
  const raw = new BetterSqlite3(file, { timeout: busyTimeoutMs, readonly: true });
  return { kysely: kyselyOf(raw), siteWords, close: async () => void raw.close() };
}

const kyselyOf = (raw: BetterSqlite3.Database): Database =>
  new Kysely<Schema>({ dialect: new SqliteDialect({ database: withStatementCache(raw) }) });

function openDatabaseOf(
  raw: BetterSqlite3.Database,
  file: string,
  migrated: OpenDatabase['migrated'],
): OpenDatabase {
  const kysely = kyselyOf(raw);
  return {
    ...{ file, kysely, migrated, siteWords, access: null },
    transact: (work) => transaction(raw, () => work(kysely)),
    // A statement that fails undoes itself, and the transaction goes on.
    step: (_, write) => write(),
    nextIds: async (_, table, count) => {
      const last = lastId(raw, table);
      return Array.from({ length: count }, (__, at) => last + 1 + at);
    },
    insertRows: async (_, { table, columns, rows }) => {
      const places = columns.map(() => '?').join(', ');
      const insert = raw.prepare(
        `INSERT INTO "${table}" (${columns.map(quoted).join(', ')}) VALUES (${places})`,
      );
      for (const [at, row] of rows.entries()) {
        try {
          insert.run(row);
        } catch (error) {
          return { at, error };
        }
      }
      return null;
    },
    // The head of the trail's chain is told by a trigger, and where there is none yet it tells nothing.
    keepingAudit: (_, work) => work(),
    raiseIds: async () => undefined,
    parties: async () => storedParties(raw),
    time: async (_, own) => own(),
    schemaState: async () => {
      const version = schemaVersion(raw);
      return { version, pending: pendingAfter(version), tables: tableNames(raw), bytes: statSync(file).size };
    },
    backup: (copy) => backup(raw, copy),
    close: async () => void raw.close(),
  };
}

const quoted = (column: string): string => `"${column}"`;

const lastId = (raw: BetterSqlite3.Database, table: string): number =>
  raw.prepare(`SELECT coalesce(max(id), 0) FROM "${table}"`).pluck().get() as number;

const siteWords: SiteWords = {
  hex: (column) => `hex(${column})`,
  arrays: (expressions, from) =>
    `(SELECT json_group_array(json_array(${expressions.join(', ')})) FROM ${from})`,
};

// IMMEDIATE: a transaction that reads first and writes then would fail where another writer came between.
async function transaction<T>(raw: BetterSqlite3.Database, work: () => Promise<T>): Promise<T> {
  raw.exec('BEGIN IMMEDIATE');
  try {
    const result = await work();
    raw.exec('COMMIT');
    return result;
  } catch (error) {
    if (raw.inTransaction) raw.exec('ROLLBACK');
    throw error;
  }
}

function connect(file: string): BetterSqlite3.Database {
  // The database holds sealed secrets and every customer's numbers: nobody else reads it.
  const before = process.umask(0o077);
  let raw: BetterSqlite3.Database | null = null;
  try {
    raw = new BetterSqlite3(file, { timeout: busyTimeoutMs });
    if (isForeign(raw)) throw notOurs(file);
    raw.pragma('journal_mode = WAL');
    raw.pragma('synchronous = NORMAL');
    raw.pragma('foreign_keys = ON');
    return raw;
  } catch (error) {
    raw?.close();
    throw error instanceof SipctlError ? error : unusable(file, error);
  } finally {
    process.umask(before);
  }
}

const isForeign = (raw: BetterSqlite3.Database): boolean =>
  raw.prepare("SELECT count(*) > 0 AND max(name = 'tenants') = 0 FROM sqlite_master").pluck().get() === 1;

/** The number of the last migration that a file has. */
export const schemaVersion = (raw: BetterSqlite3.Database): number =>
  raw.pragma('user_version', { simple: true }) as number;

const tableNames = (raw: BetterSqlite3.Database): ReadonlySet<string> =>
  new Set(raw.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[]);

async function brought(
  raw: BetterSqlite3.Database,
  file: string,
  now: () => Date,
): Promise<{ applied: number[]; backup: string | null }> {
  if (schemaVersion(raw) > newestSchema) throw madeByNewer(file);
  if (pendingAfter(schemaVersion(raw)).length === 0) return { applied: [], backup: null };
  const beside = schemaVersion(raw) === 0 ? null : await backupBeside(raw, file, now());
  const applied: number[] = [];
  // Another process may be migrating the same file: what is pending is asked again inside the transaction.
  raw
    .transaction(() => {
      for (const number of pendingAfter(schemaVersion(raw))) {
        const migration = migrations.find((one) => one.number === number);
        for (const statement of migration?.statements ?? []) raw.exec(statement);
        migration?.fill?.(raw);
        raw.pragma(`user_version = ${number}`);
        applied.push(number);
      }
    })
    .immediate();
  return { applied, backup: beside };
}

/** Copies the database to `<file>.<time>.bak`, consistent even while others write. */
async function backupBeside(raw: BetterSqlite3.Database, file: string, at: Date): Promise<string> {
  const copy = `${file}.${at.toISOString().replace(/[:.]/g, '-')}.bak`;
  await raw.backup(copy);
  return copy;
}

async function backup(raw: BetterSqlite3.Database, file: string): Promise<void> {
  if (!existsSync(dirname(file))) throw noFolder(dirname(file));
  try {
    await raw.backup(file);
  } catch (error) {
    rmSync(file, { force: true });
    throw databaseFailure(error, file) ?? error;
  }
  chmodSync(file, 0o600);
}

function unusable(file: string, error: unknown): SipctlError {
  const isFolder = existsSync(file) && statSync(file).isDirectory();
  const known = isFolder ? null : databaseFailure(error, file);
  if (known !== null) return known;
  const message = isFolder
    ? `${file} is a folder`
    : `${file} cannot be used as a database: ${(error as Error).message}`;
  return new SipctlError(
    'failed',
    { code: 'database_unusable', message, field: 'db', hint: 'check --db and SIPCTL_DB' },
    { cause: error },
  );
}

function noFolder(folder: string): SipctlError {
  return new SipctlError('notFound', {
    code: 'no_folder',
    message: `there is no folder ${folder}`,
    field: 'file',
    hint: 'make it first, or name another place',
  });
}
