import type BetterSqlite3 from 'better-sqlite3';

const capacity = 200;

type Row = Record<string, unknown>;

/**
 * A better-sqlite3 database as kysely sees it. Statements are kept by their text, since kysely prepares each query
 * anew; and rows come over as arrays, which takes half the time of the objects that are then made of them here.
 */
export function withStatementCache(database: BetterSqlite3.Database): BetterSqlite3.Database {
  const kept = new Map<string, KeptStatement>();
  const prepare = (sql: string): KeptStatement => {
    const known = kept.get(sql);
    if (known !== undefined) {
      // A statement that is being iterated cannot run a second time.
      if (known.busy) return new KeptStatement(database.prepare(sql));
      kept.delete(sql);
      kept.set(sql, known);
      return known;
    }
    const statement = new KeptStatement(database.prepare(sql));
    kept.set(sql, statement);
    if (kept.size > capacity) kept.delete(kept.keys().next().value as string);
    return statement;
  };
  return { prepare, close: () => database.close() } as unknown as BetterSqlite3.Database;
}

/** The part of a statement that kysely uses. */
class KeptStatement {
  readonly #statement: BetterSqlite3.Statement;
  readonly #columns: readonly string[];

  constructor(statement: BetterSqlite3.Statement) {
    this.#statement = statement.reader ? statement.raw(true) : statement;
    this.#columns = statement.reader ? statement.columns().map(({ name }) => name) : [];
  }

  get reader(): boolean {
    return this.#statement.reader;
  }

  get busy(): boolean {
    return this.#statement.busy;
  }

  all(parameters: readonly unknown[]): Row[] {
    return (this.#statement.all(parameters) as unknown[][]).map((values) => this.#row(values));
  }

  *iterate(parameters: readonly unknown[]): IterableIterator<Row> {
    for (const values of this.#statement.iterate(parameters) as Iterable<unknown[]>) yield this.#row(values);
  }

  run(parameters: readonly unknown[]): BetterSqlite3.RunResult {
    return this.#statement.run(parameters);
  }

  #row(values: readonly unknown[]): Row {
    const row: Row = {};
    for (let at = 0; at < this.#columns.length; at++) row[this.#columns[at] as string] = values[at];
    return row;
  }
}
