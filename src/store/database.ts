import type { Kysely } from 'kysely';
import type { Parties } from '../model/live/party.ts';
import type { Secret } from '../model/secret.ts';
import type { AccessControl } from './access.ts';
import { migrations } from './migrations.ts';

export type Row = Record<string, unknown>;
/** Tables are reached through the nouns' field tables, so that their columns are known by value, not by type. */
export type Schema = Record<string, Row>;
export type Database = Kysely<Schema>;

/** Which database, and what may be done to it when it is opened. */
export interface OpenOptions {
  /** The path of an SQLite file, or the address of a PostgreSQL database, without a password. */
  file: string;
  /** Of a PostgreSQL database; where it is not given, its clients' own places are looked at. */
  password?: Secret | null;
  create?: boolean;
  migrate?: boolean;
  now: () => Date;
}

/** How far a database's schema is. */
export interface SchemaState {
  version: number;
  /** Numbers of the migrations that it lacks. */
  pending: number[];
  tables: ReadonlySet<string>;
  bytes: number;
}

/** An open database, and all that its kind does in its own way; everything else is said in kysely's words. */
export interface OpenDatabase {
  /** As people are told: a path, or an address without a password. */
  readonly file: string;
  /** For reading; what is written goes through `transact`. */
  readonly kysely: Database;
  /** Migrations that were run when it was opened, and the backup made before. */
  readonly migrated: { applied: number[]; backup: string | null };
  readonly siteWords: SiteWords;
  /** Runs `work` in a transaction, as the only one that writes; all is kept, or nothing. */
  transact<T>(work: (database: Database) => Promise<T>): Promise<T>;
  /** Runs what may fail without an end to the transaction that it is in. */
  step<T>(database: Database, write: () => Promise<T>): Promise<T>;
  /** Ids of the next rows: known before, as secrets are sealed for their place. */
  nextIds(database: Database, table: string, count: number): Promise<number[]>;
  /** Adds many rows of one table; says which one failed, and why. */
  insertRows(database: Database, rows: NewRows): Promise<{ at: number; error: unknown } | null>;
  /** Adds rows of the audit trail as they are, in place of as its next ones. */
  keepingAudit(database: Database, work: () => Promise<void>): Promise<void>;
  /** Next ids come after those that rows were added with. */
  raiseIds(database: Database, tables: readonly string[]): Promise<void>;
  /** Who may do what; null where whoever can open the database may do everything. */
  readonly access: AccessControl | null;
  parties(): Promise<Parties>;
  /** What time it is for those who share the database; `own` is this machine's clock. */
  time(database: Database, own: () => Date): Promise<Date>;
  schemaState(): Promise<SchemaState>;
  /** Writes a consistent copy, even while others write. @throws SipctlError `refused` where that is not ours to do */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Rows of one table, by position. */
export interface NewRows {
  table: string;
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
}

/** How a kind of database makes JSON of what a tenant owns. */
export interface SiteWords {
  /** Bytes as hexadecimal digits. */
  hex(column: string): string;
  /** The text of an array of arrays: these expressions for each row of `from`. */
  arrays(expressions: readonly string[], from: string): string;
}

/** The schema that this sipctl makes and understands. */
export const newestSchema = (migrations.at(-1) as { number: number }).number;

/** Numbers of the migrations that a database of this version lacks. */
export const pendingAfter = (version: number): number[] =>
  migrations.map(({ number }) => number).filter((number) => number > version);
