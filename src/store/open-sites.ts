import type { TenantSite } from '../model/site.ts';
import { openForReading } from './database.ts';
import { Keyring } from './keyring.ts';
import { tenantSites } from './sites.ts';

/** Reads the sites of a database that this process has open already: for another of its threads. */
export function openSites(
  file: string,
  keyFile: string,
): { read(names: readonly string[]): Iterable<TenantSite>; close(): void } {
  const raw = openForReading(file);
  let keyring: Keyring | null = null;
  const opened = (): Keyring => {
    keyring ??= Keyring.read(keyFile);
    return keyring;
  };
  return { read: (names) => tenantSites(raw, names, opened), close: () => raw.close() };
}
