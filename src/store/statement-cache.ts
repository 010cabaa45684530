import type BetterSqlite3 from 'better-sqlite3';

const capacity = 200;

/**
 * A better-sqlite3 database as kysely sees it, with prepared statements kept by their text. Kysely prepares
 * each query anew; kept statements are twice as fast and leave the garbage collector alone.
 */
export function withStatementCache(database: BetterSqlite3.Database): BetterSqlite3.Database {
  const kept = new Map<string, BetterSqlite3.Statement>();
  const prepare = (sql: string): BetterSqlite3.Statement => {
    const known = kept.get(sql);
    if (known !== undefined) {
      // A statement that is being iterated cannot run a second time.
      if (known.busy) return database.prepare(sql);
      kept.delete(sql);
      kept.set(sql, known);
      return known;
    }
    const statement = database.prepare(sql);
    kept.set(sql, statement);
    if (kept.size > capacity) kept.delete(kept.keys().next().value as string);
    return statement;
  };
  return { prepare, close: () => database.close() } as unknown as BetterSqlite3.Database;
}
