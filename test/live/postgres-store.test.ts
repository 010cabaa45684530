import { afterAll, describe } from 'vitest';
import { useServer } from '../support/store-place.ts';
import { postgresAvailable, startPostgres } from './postgres.ts';

const missing = postgresAvailable();

const suites = ['store', 'calls', 'call-records', 'service-resources', 'audit-chain'] as const;

// The tests of the store, as they run on SQLite, each on a database of its own.
if (missing !== null) describe.skip(`a store in PostgreSQL (skipped: ${missing})`, () => undefined);
else {
  const server = await startPostgres();
  afterAll(() => server.stop());
  useServer(server.address);
  // What a file does before each of its tests is for those alone.
  for (const suite of suites)
    describe(`in PostgreSQL, ${suite}`, () => import(`../store/${suite}.test.ts`).then(() => undefined));
}
