import { createHash } from 'node:crypto';

/** Names the server for the processes that a test starts, too. */
const variable = 'SIPCTL_TEST_SERVER';

/** From now on, stores of this test file are databases of that server: `postgres://user@host:port`. */
export function useServer(address: string): void {
  process.env[variable] = address;
}

/** What a process without an environment needs to find the same stores. */
export const serverEnvironment = (): Record<string, string> =>
  process.env[variable] ? { [variable]: process.env[variable] } : {};

/** Where a test's store is: at this path, or in a database that stands for it. */
export function storePlace(file: string): string {
  const address = process.env[variable];
  if (!address) return file;
  return `${address}/t_${createHash('sha256').update(file).digest('hex').slice(0, 16)}`;
}

/** Whether stores are databases of a server; what speaks of files has no meaning there. */
export const onServer = (): boolean => !!process.env[variable];
