import { afterAll, describe } from 'vitest';
import { useServer } from '../support/store-place.ts';
import { postgresAvailable, startPostgres } from './postgres.ts';

const missing = postgresAvailable();

// Site files on a database of each test's own, as they run on SQLite.
if (missing !== null) describe.skip(`site files in PostgreSQL (skipped: ${missing})`, () => undefined);
else {
  const server = await startPostgres();
  afterAll(() => server.stop());
  useServer(server.address);
  describe('in PostgreSQL, a change', () => import('../pipeline/site-change.test.ts').then(() => undefined));
  describe('in PostgreSQL, site files', () => import('../commands/site-files.test.ts').then(() => undefined));
}
