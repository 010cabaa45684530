import BetterSqlite3 from 'better-sqlite3';
import { newestSchema } from '../database.ts';
import { schemaVersion } from './open.ts';

/** What is wrong with a database file; null when it is whole, and one that this sipctl understands. */
export function integrityOf(file: string): string | null {
  try {
    const raw = new BetterSqlite3(file, { readonly: true });
    try {
      const [row] = raw.pragma('quick_check') as { quick_check: string }[];
      if (row?.quick_check !== 'ok') return row?.quick_check ?? 'no answer';
      const tables = raw.prepare("SELECT name FROM sqlite_master WHERE name IN ('tenants', 'meta')").all();
      if (tables.length !== 2) return 'it was not made by sipctl';
      return schemaVersion(raw) > newestSchema ? 'it was made by a newer sipctl' : null;
    } finally {
      raw.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}
