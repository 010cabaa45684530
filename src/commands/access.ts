import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { listing, table } from '../report/table.ts';
import { type AccessControl, type AccessRole, accessRoles, type Tenants } from '../store/access.ts';
import type { CommandSpec, Input, OptionSpec, Run } from './command.ts';
import { confirm } from './confirm.ts';

const list: Run = async (app) => {
  const control = await accessOf(app);
  const own = await control.own();
  const grants = await control.list();
  return {
    data: { own, grants, count: grants.length },
    text: (style) =>
      listing(
        [
          ['you are', own.isOwner ? `${own.login}, the owner of the database` : own.login],
          ['read', named(own.reads)],
          ['write', named(own.writes)],
          ['grant', named(own.grants)],
        ],
        style,
      ) +
      (grants.length === 0
        ? ''
        : `\n${table(
            grants,
            [
              { title: 'LOGIN', value: ({ login }) => login },
              { title: 'ROLE', value: ({ role }) => role },
              { title: 'TENANT', value: ({ tenant }) => tenant ?? '(all)' },
              { title: 'BY', value: ({ grantedBy }) => grantedBy },
              { title: 'AT', value: ({ at }) => at },
            ],
            style,
          )}`),
  };
};

const named = (tenants: Tenants): string =>
  tenants === 'all' ? 'every tenant' : tenants.length === 0 ? 'nothing' : tenants.join(', ');

const grant: Run = async (app, input) => {
  const login = input.args[0] as string;
  const role = roleOf(input);
  const tenant = scopeOf(app, input);
  if (tenant === undefined) throw noScope();
  if (input.options.sql === true) {
    const [who, scope] = [literal(login), tenant === null ? 'NULL' : literal(tenant)];
    return sqlAnswer([
      `CREATE ROLE ${identifier(login)} LOGIN;`,
      `SELECT sipctl_grant(${who}, '${role}', ${scope});`,
    ]);
  }
  const control = await accessOf(app);
  await control.grant(login, role, tenant);
  return {
    data: { login, role, tenant },
    changed: true,
    text: () => `${login} is ${role} of ${tenant ?? 'every tenant'}\n`,
  };
};

const revoke: Run = async (app, input) => {
  const login = input.args[0] as string;
  const tenant = scopeOf(app, input);
  if (input.options.sql === true) {
    const scope = typeof tenant === 'string' ? literal(tenant) : 'NULL';
    return sqlAnswer([`SELECT sipctl_revoke(${literal(login)}, ${scope}, ${tenant === undefined});`]);
  }
  const control = await accessOf(app);
  await confirm(
    app,
    `Take away what ${login} may do${tenant === undefined ? '' : ` in ${tenant ?? 'every tenant'}`}?`,
  );
  const revoked = await control.revoke(login, tenant);
  if (revoked === 0) throw nothingGranted(login);
  return {
    data: { login, tenant: tenant ?? null, revoked },
    changed: true,
    text: () =>
      `${revoked} taken away from ${login}; a session that is open feels it with its next statement\n`,
  };
};

/** The tenant that is named, null for all of them, undefined where nothing is said. */
function scopeOf(app: App, { options }: Input): string | null | undefined {
  if (options.allTenants === true) return null;
  return app.config.tenantNamed ? app.config.tenant : undefined;
}

function roleOf({ options }: Input): AccessRole {
  const role = accessRoles.find((one) => one === options.role);
  if (role !== undefined) return role;
  throw new SipctlError('invalid', {
    code: 'invalid_role',
    message: options.role === undefined ? 'role: which one is not said' : `role: '${options.role}' is none`,
    field: 'role',
    hint: `--role ${accessRoles.join('|')}`,
  });
}

const noScope = (): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_scope',
    message: 'for which tenant is not said',
    field: 'tenant',
    hint: '--tenant <name>, or --all-tenants',
  });

const nothingGranted = (login: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'grant_not_found',
    message: `nothing of that is granted to '${login}'`,
    field: 'login',
    hint: 'sipctl access list',
  });

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const sqlAnswer = (statements: readonly string[]): Awaited<ReturnType<Run>> => ({
  data: { sql: statements },
  text: () => `${statements.join('\n')}\n`,
});

async function accessOf(app: App): Promise<AccessControl> {
  const { access } = (await app.store()).opened;
  if (access !== null) return access;
  throw new SipctlError('refused', {
    code: 'access_of_file',
    message: `${app.config.db} is a file: who can write it can write all of it`,
    field: 'db',
    hint: 'roles need PostgreSQL: sipctl db copy <file> postgres://… moves there',
  });
}

const scope: OptionSpec = [
  '--all-tenants',
  'in every tenant, and what belongs to none; otherwise --tenant says where',
];
const asSql: OptionSpec = ['--sql', 'print the SQL of it and do nothing'];

export const access: CommandSpec = {
  name: 'access',
  summary: 'who may look, write and grant, in a PostgreSQL database',
  alone: 'list',
  verbs: [
    { name: 'list', summary: 'what you may do, and what is granted to whom', run: list },
    {
      name: 'grant',
      summary: 'let a PostgreSQL role look (viewer), write (operator), and grant (admin)',
      args: '<login>',
      options: [['--role <role>', 'viewer, operator or admin'], scope, asSql],
      examples: ['sipctl access grant ann --role operator --tenant acme'],
      run: grant,
    },
    {
      name: 'revoke',
      summary: 'take it away again: of a tenant, of all, or whatever there is',
      args: '<login>',
      options: [scope, asSql],
      run: revoke,
    },
  ],
};
