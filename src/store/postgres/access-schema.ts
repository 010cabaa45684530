/**
 * Who may do what, by PostgreSQL's own means: privileges of tables say what kind of statement a role may send at all,
 * policies of rows (PostgreSQL's manual, 5.8) say for which tenants. What was granted stands in the table `access`, which
 * nobody but the owner can write; `sipctl_grant` and `sipctl_revoke` do it for those who may grant.
 */

const anyTenant = (need: 'read' | 'write' | 'admin'): string => `(SELECT sipctl_all('${need}'))`;
const byId = (column: string, need: 'read' | 'write'): string =>
  `${anyTenant(need)} OR ${column} IN (SELECT sipctl_tenants('${need}'))`;
const byName = (column: string, need: 'read' | 'write'): string =>
  `${anyTenant(need)} OR ${column} IN (SELECT sipctl_tenant_names('${need}'))`;
// A node holds the passwords of its engine, which open the calls of everybody on it.
const wholeNode = (need: 'read' | 'write'): string =>
  `${anyTenant(need)} OR string_to_array(tenants, ',') <@ ARRAY(SELECT sipctl_tenant_names('${need}'))`;
const onNode = (column: string, need: 'read' | 'write'): string =>
  `${anyTenant(need)} OR ${column} IN (SELECT name FROM nodes WHERE ${wholeNode(need)})`;

interface Rules {
  read: string;
  /** Rows that may be changed or removed, and what they may be afterwards. */
  write?: string;
  /** Where it is not `write`. */
  add?: string;
  remove?: string;
}

const owned: Rules = { read: byId('tenant_id', 'read'), write: byId('tenant_id', 'write') };
const named: Rules = { read: byName('tenant', 'read'), write: byName('tenant', 'write') };

const leased = `${anyTenant('write')}
  OR name IN (SELECT 'node ' || nodes.name FROM nodes WHERE ${wholeNode('write')})
  OR split_part(name, ' ', 1) = 'service'
     AND split_part(split_part(name, ' ', 3), '/', 1) IN (SELECT sipctl_tenant_names('write'))`;

/** The rules of each table. One that is not here can be read and written by the owner only. */
export const tableRules: Readonly<Record<string, Rules>> = {
  tenants: {
    read: byId('id', 'read'),
    write: byId('id', 'write'),
    add: anyTenant('write'),
    remove: anyTenant('write'),
  },
  ...Object.fromEntries(
    [
      ...[
        'users',
        'trunks',
        'numbers',
        'groups',
        'ivrs',
        'conferences',
        'schedules',
        'routes',
        'emergencies',
      ],
      ...['twilio_accounts', 'twilio_trunks', 'twilio_originations', 'livekits', 'service_resources'],
    ].map((table) => [table, owned]),
  ),
  nodes: { read: wholeNode('read'), write: anyTenant('write') },
  deliveries: { read: onNode('node', 'read'), write: onNode('node', 'write') },
  leases: { read: 'true', write: leased },
  recordings: named,
  cdrs: named,
  // Written once, and never again.
  audit: { read: byName('tenant', 'read'), add: byName('tenant', 'write') },
  meta: { read: 'true', write: `${anyTenant('admin')} AND key NOT LIKE 'audit\\_%'` },
  sipctl_migrations: { read: 'true' },
  access: {
    read: `EXISTS (SELECT FROM sipctl_granted('admin'))
      OR pg_role IN (SELECT rolname FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER'))`,
  },
};

function policies(table: string, { read, write, add = write, remove = write }: Rules): string[] {
  const policy = (command: string, rule: string): string =>
    `CREATE POLICY sipctl_${command.toLowerCase()} ON "${table}" FOR ${command} ${rule}`;
  return [
    `ALTER TABLE "${table}" ENABLE ROW LEVEL SECURITY`,
    policy('SELECT', `USING (${read})`),
    ...(add === undefined ? [] : [policy('INSERT', `WITH CHECK (${add})`)]),
    ...(write === undefined ? [] : [policy('UPDATE', `USING (${write}) WITH CHECK (${write})`)]),
    ...(remove === undefined ? [] : [policy('DELETE', `USING (${remove})`)]),
  ];
}

/** Runs as the owner of the tables, whoever calls it. */
const asOwner = 'SECURITY DEFINER SET search_path FROM CURRENT';

/** The trigger of the audit trail puts the login before it. */
const caller = "current_setting('application_name')";

const questions: readonly string[] = [
  `CREATE FUNCTION sipctl_is_owner() RETURNS boolean LANGUAGE sql STABLE ${asOwner} AS $$
    SELECT pg_has_role(session_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'tenants'::regclass $$`,
  // A role that was dropped may still stand here; it is nobody's.
  `CREATE FUNCTION sipctl_granted(need text) RETURNS TABLE (tenant bigint) LANGUAGE sql STABLE ${asOwner} AS $$
    SELECT tenant_id FROM access JOIN pg_roles ON rolname = pg_role
    WHERE pg_has_role(session_user, pg_roles.oid, 'MEMBER')
    AND (need = 'read' OR role = 'admin' OR need = 'write' AND role = 'operator')
    UNION ALL SELECT NULL WHERE sipctl_is_owner() $$`,
  `CREATE FUNCTION sipctl_all(need text) RETURNS boolean LANGUAGE sql STABLE ${asOwner} AS $$
    SELECT EXISTS (SELECT FROM sipctl_granted(need) WHERE tenant IS NULL) $$`,
  `CREATE FUNCTION sipctl_tenants(need text) RETURNS SETOF bigint LANGUAGE sql STABLE ${asOwner} AS $$
    SELECT id FROM tenants WHERE sipctl_all(need) OR id IN (SELECT tenant FROM sipctl_granted(need)) $$`,
  `CREATE FUNCTION sipctl_tenant_names(need text) RETURNS SETOF text LANGUAGE sql STABLE ${asOwner} AS $$
    SELECT name FROM tenants WHERE id IN (SELECT sipctl_tenants(need)) $$`,
  // Names, labels and nothing else: who does not see a node is told of it, and takes what it holds for nobody's waste.
  `CREATE FUNCTION sipctl_hidden_nodes() RETURNS TABLE (node text, tags text, active boolean, shared boolean)
    LANGUAGE sql STABLE ${asOwner} AS $$
    SELECT name, labels, enabled = 1,
      tenants IS NULL OR string_to_array(tenants, ',') && ARRAY(SELECT sipctl_tenant_names('read'))
    FROM nodes WHERE EXISTS (SELECT FROM sipctl_granted('read')) AND NOT coalesce(${wholeNode('read')}, false)
    ORDER BY name $$`,
];

const granting: readonly string[] = [
  `CREATE TABLE access (
    pg_role TEXT COLLATE "C" NOT NULL, role TEXT COLLATE "C" NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    tenant_id BIGINT REFERENCES tenants (id) ON DELETE CASCADE,
    granted_by TEXT COLLATE "C" NOT NULL, at TEXT COLLATE "C" NOT NULL)`,
  'CREATE UNIQUE INDEX access_once ON access (pg_role, coalesce(tenant_id, 0))',
  `CREATE FUNCTION sipctl_now() RETURNS text LANGUAGE sql AS $$
    SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$`,
  // Tables without policies are left out: what was forgotten is closed, not open.
  `CREATE FUNCTION sipctl_privileges(target text) RETURNS void LANGUAGE plpgsql ${asOwner} AS $$
    DECLARE schema name := current_schema(); one record; kinds text;
    BEGIN
      EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', schema, target);
      EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM %I', schema, target);
      IF NOT EXISTS (SELECT FROM access WHERE pg_role = target) THEN
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', schema, target);
        RETURN;
      END IF;
      EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', schema, target);
      FOR one IN SELECT oid, relname FROM pg_class
        WHERE relnamespace = schema::regnamespace AND relkind = 'r' AND relrowsecurity
      LOOP
        SELECT string_agg(DISTINCT CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' ELSE 'DELETE' END, ', ')
          INTO kinds FROM pg_policy WHERE polrelid = one.oid AND (polcmd = 'r'
            OR EXISTS (SELECT FROM access WHERE pg_role = target AND role IN ('operator', 'admin')));
        EXECUTE format('GRANT %s ON %I.%I TO %I', kinds, schema, one.relname, target);
      END LOOP;
      IF EXISTS (SELECT FROM access WHERE pg_role = target AND role IN ('operator', 'admin')) THEN
        EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', schema, target);
      END IF;
    END $$`,
  'REVOKE ALL ON FUNCTION sipctl_privileges(text) FROM PUBLIC',
  `CREATE FUNCTION sipctl_grant(target text, wanted text, tenant text) RETURNS void LANGUAGE plpgsql ${asOwner} AS $$
    DECLARE scope bigint;
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = target) THEN
        RAISE EXCEPTION 'there is no PostgreSQL role %', target USING ERRCODE = 'undefined_object';
      END IF;
      IF tenant IS NOT NULL THEN
        SELECT id INTO scope FROM tenants WHERE name = tenant AND id IN (SELECT sipctl_tenants('admin'));
      END IF;
      IF NOT sipctl_all('admin') AND scope IS NULL THEN
        RAISE EXCEPTION '% may not grant this', session_user USING ERRCODE = 'insufficient_privilege';
      END IF;
      IF tenant IS NOT NULL AND scope IS NULL THEN
        RAISE EXCEPTION 'there is no tenant %', tenant USING ERRCODE = 'no_data_found';
      END IF;
      INSERT INTO access VALUES (target, wanted, scope, session_user, sipctl_now())
        ON CONFLICT (pg_role, coalesce(tenant_id, 0)) DO UPDATE
        SET role = excluded.role, granted_by = excluded.granted_by, at = excluded.at;
      PERFORM sipctl_privileges(target);
      INSERT INTO audit (at, actor, action, noun, tenant, name, detail) VALUES (sipctl_now(), ${caller}, 'grant',
        'access', tenant, target, format('{"role":{"to":%s}}', to_json(wanted)));
    END $$`,
  // Of a tenant, or of all tenants; or everything that the caller may take away.
  `CREATE FUNCTION sipctl_revoke(target text, tenant text, everything boolean) RETURNS bigint LANGUAGE plpgsql ${asOwner} AS $$
    DECLARE one record; taken bigint := 0;
    BEGIN
      IF NOT EXISTS (SELECT FROM sipctl_granted('admin')) THEN
        RAISE EXCEPTION '% may not revoke this', session_user USING ERRCODE = 'insufficient_privilege';
      END IF;
      FOR one IN DELETE FROM access USING (SELECT NULL::bigint AS id, NULL::text AS name UNION ALL SELECT t.id, t.name FROM tenants t) AS scope
        WHERE pg_role = target AND tenant_id IS NOT DISTINCT FROM scope.id
        AND (everything OR scope.name IS NOT DISTINCT FROM tenant)
        AND (sipctl_all('admin') OR tenant_id IN (SELECT sipctl_tenants('admin')))
        RETURNING role, scope.name
      LOOP
        taken := taken + 1;
        INSERT INTO audit (at, actor, action, noun, tenant, name, detail) VALUES (sipctl_now(), ${caller}, 'revoke',
          'access', one.name, target, format('{"role":{"from":%s}}', to_json(one.role)));
      END LOOP;
      IF taken > 0 AND EXISTS (SELECT FROM pg_roles WHERE rolname = target) THEN
        PERFORM sipctl_privileges(target);
      END IF;
      RETURN taken;
    END $$`,
];

// Histories and nodes know a tenant by its name: under another one, its people would see what was another's.
const keptNames: readonly string[] = [
  `CREATE FUNCTION sipctl_keep_name() RETURNS trigger LANGUAGE plpgsql ${asOwner} AS $$ BEGIN
    IF (NEW.id <> OLD.id OR NEW.name <> OLD.name) AND NOT sipctl_all('write') THEN
      RAISE EXCEPTION '% may not rename a tenant', session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW; END $$`,
  'CREATE TRIGGER sipctl_keep_name BEFORE UPDATE ON tenants FOR EACH ROW EXECUTE FUNCTION sipctl_keep_name()',
];

// In a schema that somebody may put temporary tables before, a function of the owner's would read those.
const closeSearchPaths = `DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT oid::regprocedure AS name FROM pg_proc WHERE prosecdef AND pronamespace = current_schema()::regnamespace
  LOOP EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one.name, current_schema()); END LOOP; END $$`;

// Before PostgreSQL 15 everybody could make functions there, which the owner's would call by mistake.
const closeSchema = `DO $$ BEGIN EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema()); END $$`;

/** Roles, their rights, and the functions that grant them. */
export const accessStatements: readonly string[] = [
  ...granting.slice(0, 2),
  ...questions,
  ...granting.slice(2),
  ...Object.entries(tableRules).flatMap(([table, rules]) => policies(table, rules)),
  ...keptNames,
  closeSearchPaths,
  closeSchema,
];
