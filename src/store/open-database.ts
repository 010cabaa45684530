import { isPostgresUrl } from '../model/database-url.ts';
import type { OpenDatabase, OpenOptions } from './database.ts';

/**
 * Opens the database and brings its schema up to date.
 * @throws SipctlError `notFound` when it does not exist and `create` is not set, `unreachable`, `refused`
 */
export async function openDatabase(options: OpenOptions): Promise<OpenDatabase> {
  if (isPostgresUrl(options.file)) return (await import('./postgres/open.ts')).openPostgres(options);
  return (await import('./sqlite/open.ts')).openSqlite(options);
}
