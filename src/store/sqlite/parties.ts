import type BetterSqlite3 from 'better-sqlite3';
import type { Parties, Party } from '../../model/live/party.ts';

/** Finds trunks and users by the names of their endpoints, which are unique across tenants. */
export function storedParties(database: BetterSqlite3.Database): Parties {
  const statement = database.prepare(`
    SELECT 'trunk' AS kind, tenants.name AS tenant, trunks.name AS name, NULL AS extension
    FROM trunks JOIN tenants ON tenants.id = trunks.tenant_id WHERE trunks.endpoint = @endpoint
    UNION ALL
    SELECT 'user', tenants.name, users.username, users.extension
    FROM users JOIN tenants ON tenants.id = users.tenant_id WHERE users.endpoint = @endpoint`);
  return { find: (endpoint) => (statement.get({ endpoint }) as Party | undefined) ?? null };
}
