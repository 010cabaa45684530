import { sql } from 'kysely';
import { SipctlError } from '../../errors.ts';
import type { AccessControl, Grant, HiddenNode, OwnAccess, Tenants } from '../access.ts';
import type { Database } from '../database.ts';

type Transact = <T>(work: (database: Database) => Promise<T>) => Promise<T>;

/** Roles and their tenants, which the server itself enforces; see `accessStatements`. */
export function accessControl(database: Database, transact: Transact): AccessControl {
  return {
    own: () => own(database),
    list: () => list(database),
    grant: async (login, role, tenant) => {
      const work = sql`SELECT sipctl_grant(${login}, ${role}, ${tenant})`;
      await explained(() => transact((inside) => work.execute(inside)));
    },
    revoke: async (login, tenant) => {
      const everything = tenant === undefined;
      const work = sql<{ taken: number }>`
        SELECT sipctl_revoke(${login}, ${tenant ?? null}, ${everything}) AS taken`;
      const { rows } = await explained(() => transact((inside) => work.execute(inside)));
      return rows[0]?.taken ?? 0;
    },
    hiddenNodes: async () => {
      const hidden = sql<Omit<HiddenNode, 'labels'> & { tags: string | null }>`
        SELECT node AS name, tags, active AS enabled, shared AS "isShared" FROM sipctl_hidden_nodes()`;
      const { rows } = await hidden.execute(database);
      return rows.map(({ tags, ...node }) => ({ ...node, labels: tags?.split(',') ?? [] }));
    },
  };
}

async function own(database: Database): Promise<OwnAccess> {
  const { rows } = await sql<Record<string, unknown>>`
    SELECT session_user::text AS login, sipctl_is_owner() AS "isOwner",
      sipctl_all('read') AS "readsAll", ARRAY(SELECT sipctl_tenant_names('read') ORDER BY 1) AS reads,
      sipctl_all('write') AS "writesAll", ARRAY(SELECT sipctl_tenant_names('write') ORDER BY 1) AS writes,
      sipctl_all('admin') AS "grantsAll", ARRAY(SELECT sipctl_tenant_names('admin') ORDER BY 1) AS grants
  `.execute(database);
  const row = rows[0] ?? {};
  const tenants = (which: string): Tenants =>
    row[`${which}All`] === true ? 'all' : (row[which] as string[]);
  return {
    login: row.login as string,
    isOwner: row.isOwner === true,
    reads: tenants('reads'),
    writes: tenants('writes'),
    grants: tenants('grants'),
  };
}

async function list(database: Database): Promise<Grant[]> {
  const { rows } = await sql<Grant>`
    SELECT pg_role AS login, role, tenants.name AS tenant, granted_by AS "grantedBy", access.at AS at
    FROM access LEFT JOIN tenants ON tenants.id = tenant_id ORDER BY 1, 3 NULLS FIRST`.execute(database);
  return rows;
}

/** What the functions of the server refuse with, by SQLSTATE. */
const refusals: Readonly<Record<string, { code: string; hint: string }>> = {
  '42704': {
    code: 'login_not_found',
    hint: 'whoever looks after the server makes it: CREATE ROLE … LOGIN PASSWORD …',
  },
  P0002: { code: 'tenant_not_found', hint: 'sipctl tenant list' },
};

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const found = refusals[String((error as { code?: unknown }).code)];
    if (found === undefined || !(error instanceof Error)) throw error;
    const problem = { ...found, message: error.message, field: found.code.split('_')[0] as string };
    throw new SipctlError('notFound', problem, { cause: error });
  }
}
