import { createHash } from 'node:crypto';

/** The address of a PostgreSQL server, with a `?` or without; null: stores are files. */
let server: { address: string; parameters: string } | null = null;

/** From now on, stores of this test file are databases of that server: `postgres://user@host:port`. */
export function useServer(address: string, parameters = ''): void {
  server = { address, parameters };
}

/** Where a test's store is: at this path, or in a database that stands for it. */
export function storePlace(file: string): string {
  if (server === null) return file;
  const name = createHash('sha256').update(file).digest('hex').slice(0, 16);
  return `${server.address}/t_${name}${server.parameters}`;
}

/** Whether stores are databases of a server; what speaks of files has no meaning there. */
export const onServer = (): boolean => server !== null;
