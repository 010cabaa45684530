import { openForReading } from './database.ts';
import { Keyring } from './keyring.ts';
import { type ReadSites, siteReader } from './sites.ts';

/** Reads the sites of a database that this process has open already: for another of its threads. */
export function openSites(file: string, keyFile: string): { read: ReadSites; close(): void } {
  const raw = openForReading(file);
  let keyring: Keyring | null = null;
  const opened = (): Keyring => {
    keyring ??= Keyring.read(keyFile);
    return keyring;
  };
  return { read: siteReader(raw, opened), close: () => raw.close() };
}
