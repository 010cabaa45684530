import BetterSqlite3 from 'better-sqlite3';

/** What is wrong with a database file; null when it is whole and sipctl's. */
export function integrityOf(file: string): string | null {
  try {
    const raw = new BetterSqlite3(file, { readonly: true });
    try {
      const [row] = raw.pragma('quick_check') as { quick_check: string }[];
      if (row?.quick_check !== 'ok') return row?.quick_check ?? 'no answer';
      const tables = raw.prepare("SELECT name FROM sqlite_master WHERE name IN ('tenants', 'meta')").all();
      return tables.length === 2 ? null : 'it was not made by sipctl';
    } finally {
      raw.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}
