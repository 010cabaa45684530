import type { Parties, Party } from '../../model/live/party.ts';
import type { Database } from '../database.ts';

/** How long what is known of parties may be out of date. */
const lookEveryMs = 2000;

/**
 * Trunks and users by the names of their endpoints. Who asks cannot wait for a server: all of them are held
 * here, and read again when the revision of a tenant shows that something changed.
 */
export async function watchedParties(database: Database, closed: AbortSignal): Promise<Parties> {
  let seen = await revisions(database);
  let known = await readParties(database);
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      const now = await revisions(database);
      if (now !== seen) known = await readParties(database);
      seen = now;
    } catch {
      // What was known is still the best there is; the next look may find the server again.
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), lookEveryMs);
  timer.unref();
  closed.addEventListener('abort', () => clearInterval(timer), { once: true });
  return { find: (endpoint) => known.get(folded(endpoint)) ?? null };
}

// Endpoints are equal whatever the case of their letters, of those that ASCII has.
const folded = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

async function revisions(database: Database): Promise<string> {
  const rows = await database.selectFrom('tenants').select(['name', 'revision']).orderBy('name').execute();
  return JSON.stringify(rows.map((row) => [row.name, row.revision]));
}

async function readParties(database: Database): Promise<Map<string, Party>> {
  const trunks = await database
    .selectFrom('trunks')
    .innerJoin('tenants', 'tenants.id', 'trunks.tenant_id')
    .select(['trunks.endpoint as endpoint', 'tenants.name as tenant', 'trunks.name as name'])
    .execute();
  const users = await database
    .selectFrom('users')
    .innerJoin('tenants', 'tenants.id', 'users.tenant_id')
    .select(['users.endpoint as endpoint', 'tenants.name as tenant', 'users.username as name', 'extension'])
    .execute();
  const party = (kind: Party['kind'], row: Record<string, unknown>): [string, Party] => [
    folded(row.endpoint as string),
    {
      kind,
      tenant: row.tenant as string,
      name: row.name as string,
      extension: (row.extension as string | undefined) ?? null,
    },
  ];
  return new Map([...trunks.map((row) => party('trunk', row)), ...users.map((row) => party('user', row))]);
}
