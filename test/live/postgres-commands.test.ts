import { afterAll, describe } from 'vitest';
import { useServer } from '../support/store-place.ts';
import { postgresAvailable, startPostgres } from './postgres.ts';

const missing = postgresAvailable();
const suites = [
  'call-nouns',
  'cdr',
  'livekit',
  'monitor',
  'recording',
  'transcripts',
  'twilio-verbs',
] as const;

// The tests of commands, as they run on SQLite, each on a database of its own.
if (missing !== null) describe.skip(`commands on PostgreSQL (skipped: ${missing})`, () => undefined);
else {
  const server = await startPostgres();
  afterAll(() => server.stop());
  useServer(server.address);
  for (const suite of suites)
    describe(`on PostgreSQL, ${suite}`, () => import(`../commands/${suite}.test.ts`).then(() => undefined));
}
