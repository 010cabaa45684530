import { isPostgresUrl } from '../model/database-url.ts';
import type { Secret } from '../model/secret.ts';
import { Keyring } from './keyring.ts';
import { type ReadSites, siteReader } from './sites.ts';

/** Reads the sites of a database that this process has open already: for another of its threads. */
export async function openSites(
  file: string,
  keyFile: string,
  password: Secret | null = null,
): Promise<{ read: ReadSites; close(): Promise<void> }> {
  const opened = isPostgresUrl(file)
    ? await (await import('./postgres/open.ts')).readPostgres(file, password)
    : (await import('./sqlite/open.ts')).readSqlite(file);
  let keyring: Keyring | null = null;
  const key = (): Keyring => {
    keyring ??= Keyring.read(keyFile);
    return keyring;
  };
  return { read: siteReader(opened, key), close: () => opened.close() };
}
