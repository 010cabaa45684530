import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { SipctlError } from '../errors.ts';
import { databaseFailure } from './failure.ts';
import { migrations } from './migrations.ts';
import { withStatementCache } from './statement-cache.ts';

export type Row = Record<string, unknown>;
/** Tables are reached through the nouns' field tables, so that their columns are known by value, not by type. */
export type Schema = Record<string, Row>;
export type Database = Kysely<Schema>;

export interface OpenDatabase {
  file: string;
  /** For what kysely has no words for: pragmas, backup, bulk statements. */
  raw: BetterSqlite3.Database;
  kysely: Database;
  /** Migrations that were run when it was opened, and the backup made before. */
  migrated: { applied: number[]; backup: string | null };
  close(): void;
}

const busyTimeoutMs = 10_000;

/**
 * Opens the database and brings its schema up to date.
 * @throws SipctlError `notFound` when it does not exist and `create` is not set
 */
export async function openDatabase(
  file: string,
  options: { create?: boolean; migrate?: boolean; now: () => Date },
): Promise<OpenDatabase> {
  const isNew = !existsSync(file);
  if (isNew && options.create !== true) throw noDatabase(file);
  if (isNew) mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
  const raw = connect(file);
  let migrated: OpenDatabase['migrated'] = { applied: [], backup: null };
  try {
    if (schemaVersion(raw) === 0 && options.create !== true) throw noDatabase(file);
    if (options.migrate !== false) migrated = await migrate(raw, file, options.now);
  } catch (error) {
    raw.close();
    throw databaseFailure(error, file) ?? error;
  }
  const kysely = new Kysely<Schema>({ dialect: new SqliteDialect({ database: withStatementCache(raw) }) });
  return { file, raw, kysely, migrated, close: () => raw.close() };
}

/** A second connection to a database that this process has open, for reading in another thread. */
export const openForReading = (file: string): BetterSqlite3.Database =>
  new BetterSqlite3(file, { timeout: busyTimeoutMs, readonly: true });

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

// Another program's database must not get our tables by a slip in --db.
const isForeign = (raw: BetterSqlite3.Database): boolean =>
  raw.prepare("SELECT count(*) > 0 AND max(name = 'tenants') = 0 FROM sqlite_master").pluck().get() === 1;

/** Numbers of the migrations that a database lacks. */
export function pendingMigrations(raw: BetterSqlite3.Database): number[] {
  const applied = schemaVersion(raw);
  return migrations.filter((migration) => migration.number > applied).map((migration) => migration.number);
}

export const schemaVersion = (raw: BetterSqlite3.Database): number =>
  raw.pragma('user_version', { simple: true }) as number;

export const tableNames = (raw: BetterSqlite3.Database): ReadonlySet<string> =>
  new Set(raw.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[]);

/** The schema that this sipctl makes and understands. */
export const newestSchema = (migrations.at(-1) as { number: number }).number;

async function migrate(
  raw: BetterSqlite3.Database,
  file: string,
  now: () => Date,
): Promise<{ applied: number[]; backup: string | null }> {
  if (schemaVersion(raw) > newestSchema) {
    throw new SipctlError('refused', {
      code: 'database_newer',
      message: `${file} was made by a newer sipctl`,
      hint: 'upgrade sipctl on this machine',
    });
  }
  if (pendingMigrations(raw).length === 0) return { applied: [], backup: null };
  const backup = schemaVersion(raw) === 0 ? null : await backupBeside(raw, file, now());
  const applied: number[] = [];
  // Another process may be migrating the same file: what is pending is asked again inside the transaction.
  raw
    .transaction(() => {
      for (const number of pendingMigrations(raw)) {
        const migration = migrations.find((one) => one.number === number);
        for (const statement of migration?.statements ?? []) raw.exec(statement);
        migration?.fill?.(raw);
        raw.pragma(`user_version = ${number}`);
        applied.push(number);
      }
    })
    .immediate();
  return { applied, backup };
}

/** Copies the database to `<file>.<time>.bak`, consistent even while others write. */
async function backupBeside(raw: BetterSqlite3.Database, file: string, at: Date): Promise<string> {
  const backup = `${file}.${at.toISOString().replace(/[:.]/g, '-')}.bak`;
  await raw.backup(backup);
  return backup;
}

function noDatabase(file: string): SipctlError {
  return new SipctlError('notFound', {
    code: 'no_database',
    message: `there is no sipctl database at ${file}`,
    field: 'db',
    hint: 'run: sipctl init, or name another one with --db or SIPCTL_DB',
  });
}

function notOurs(file: string): SipctlError {
  return new SipctlError('invalid', {
    code: 'database_foreign',
    message: `${file} is a database, but not one of sipctl`,
    field: 'db',
    hint: 'check --db and SIPCTL_DB',
  });
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
