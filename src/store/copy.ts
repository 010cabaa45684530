import { createHash } from 'node:crypto';
import { SipctlError } from '../errors.ts';
import type { Database, OpenDatabase, Row } from './database.ts';

/**
 * Every table that is copied, each after those that it refers to. What the head of the audit trail's chain is comes last:
 * rows that are added move it. Leases are held by runs of now, and who may do what belongs to a server.
 */
export const copiedTables: readonly string[] = [
  ...['tenants', 'users', 'trunks', 'schedules', 'numbers', 'groups', 'ivrs', 'conferences', 'routes'],
  ...['emergencies', 'nodes', 'twilio_accounts', 'twilio_trunks', 'twilio_originations', 'livekits'],
  ...['service_resources', 'deliveries', 'recordings', 'cdrs', 'audit', 'meta'],
];

/** A table as it stands in a database. */
export interface TableDigest {
  table: string;
  rows: number;
  /** SHA-256 over all values of all rows in the order of their keys, in hex. */
  digest: string;
}

/** A table as it stands in each of two databases. */
export interface ComparedTable {
  table: string;
  from: Pick<TableDigest, 'rows' | 'digest'>;
  to: Pick<TableDigest, 'rows' | 'digest'>;
}

export const isSame = ({ from, to }: ComparedTable): boolean => from.digest === to.digest;

/**
 * Copies everything that a database holds into an empty one, and compares both before it is kept. Nobody writes to either
 * meanwhile. @throws SipctlError `conflict` where the target is not empty, `failed` where the copy is not the same
 */
export function copyDatabase(from: OpenDatabase, to: OpenDatabase): Promise<ComparedTable[]> {
  return from.transact((source) =>
    to.transact(async (target) => {
      await expectEmpty(target, to.file);
      await target.deleteFrom('meta').execute();
      const compared: ComparedTable[] = [];
      await to.keepingAudit(target, async () => {
        for (const table of copiedTables) compared.push(await copyTable(source, to, target, table));
      });
      await to.raiseIds(target, copiedTables.filter(hasIds));
      const differing = compared.filter((table) => !isSame(table));
      if (differing.length > 0) throw notTheSame(differing);
      return compared;
    }),
  );
}

/** Compares what two databases hold, table by table; nobody writes to either meanwhile. */
export function compareDatabases(from: OpenDatabase, to: OpenDatabase): Promise<ComparedTable[]> {
  return from.transact((source) =>
    to.transact(async (target) => {
      const compared: ComparedTable[] = [];
      for (const table of copiedTables)
        compared.push({ table, from: await digestOf(source, table), to: await digestOf(target, table) });
      return compared;
    }),
  );
}

const pageSize = 1000;
const hasIds = (table: string): boolean => table !== 'meta';
const keyOf = (table: string): string => (hasIds(table) ? 'id' : 'key');

async function copyTable(
  source: Database,
  to: OpenDatabase,
  target: Database,
  table: string,
): Promise<ComparedTable> {
  const digest = new Digest();
  for await (const page of pages(source, table)) {
    for (const row of page) digest.add(row);
    const columns = Object.keys(page[0] as Row);
    const rows = page.map((row) => columns.map((column) => row[column]));
    const failed = await to.insertRows(target, { table, columns, rows });
    if (failed !== null) throw failed.error;
  }
  return { table, from: digest.end(), to: await digestOf(target, table) };
}

async function digestOf(database: Database, table: string): Promise<Pick<TableDigest, 'rows' | 'digest'>> {
  const digest = new Digest();
  for await (const page of pages(database, table)) for (const row of page) digest.add(row);
  return digest.end();
}

async function* pages(database: Database, table: string): AsyncGenerator<Row[]> {
  const key = keyOf(table);
  for (let last: unknown = null; ; ) {
    let query = database.selectFrom(table).selectAll().orderBy(key).limit(pageSize);
    if (last !== null) query = query.where(key, '>', last);
    const page = await query.execute();
    if (page.length > 0) yield page;
    if (page.length < pageSize) return;
    last = page.at(-1)?.[key];
  }
}

class Digest {
  readonly #hash = createHash('sha256');
  #rows = 0;

  // By the names of columns: the order in which databases give them need not be the same.
  add(row: Row): void {
    for (const column of Object.keys(row).sort()) this.#hash.update(`${column}=${spelled(row[column])};`);
    this.#hash.update('\n');
    this.#rows++;
  }

  end(): Pick<TableDigest, 'rows' | 'digest'> {
    return { rows: this.#rows, digest: this.#hash.digest('hex') };
  }
}

function spelled(value: unknown): string {
  if (value === null) return '-';
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  return typeof value === 'number' ? `n${value}` : JSON.stringify(value);
}

async function expectEmpty(database: Database, file: string): Promise<void> {
  for (const table of copiedTables.filter(hasIds)) {
    const row = await database.selectFrom(table).select('id').limit(1).executeTakeFirst();
    if (row === undefined) continue;
    throw new SipctlError('conflict', {
      code: 'copy_target',
      message: `${file} is not empty: it has rows of ${table}`,
      field: 'to',
      hint: 'name a file that is not there yet, or an empty PostgreSQL database on which init was never run',
    });
  }
}

function notTheSame(differing: readonly ComparedTable[]): SipctlError {
  return new SipctlError('failed', {
    code: 'copy_differs',
    message: `the copy is not the same in ${differing.map(({ table }) => table).join(', ')}; nothing of it was kept`,
    hint: 'please report it: no database may change a value on its way',
  });
}
