import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import type { PoolConfig } from 'pg';
import { type Problem, SipctlError } from '../../errors.ts';
import type { Secret } from '../../model/secret.ts';
import { passwordFromFile } from './password-file.ts';

/** How a server is reached. */
export interface Address {
  config: PoolConfig;
  /** Whether a server that knows no TLS is talked to all the same. */
  plainIsFine: boolean;
}

/** What an address may say after its `?`, as libpq has it (PostgreSQL's manual, 34.1.2). */
const known = [
  ...['host', 'port', 'user', 'dbname', 'options', 'application_name', 'connect_timeout'],
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey'],
];
const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof modes)[number];

const usualFolder = '/var/run/postgresql';
const connectSeconds = 10;

/**
 * Reads the address of a PostgreSQL database. What it leaves open comes from libpq's own variables.
 * @throws SipctlError `invalid` with every complaint
 */
export function readAddress(url: string, password: Secret | null, env = process.env): Address {
  const parsed = parsedUrl(url);
  const parameters = Object.fromEntries(parsed.searchParams);
  const mode = parameters.sslmode ?? env.PGSSLMODE ?? 'prefer';
  const problems = problemsOf(parameters, mode);
  if (problems.length > 0) throw new SipctlError('invalid', problems);
  const port = Number(parameters.port ?? (parsed.port || env.PGPORT || 5432));
  const host = parameters.host ?? (hostOf(parsed) || env.PGHOST || usualHost(port));
  const user = parameters.user ?? (decodeURIComponent(parsed.username) || env.PGUSER || userInfo().username);
  const named = parameters.dbname ?? (decodeURIComponent(parsed.pathname.slice(1)) || env.PGDATABASE);
  const database = named ?? user;
  const found = (): string | null => passwordFromFile({ host, port, database, user }, env);
  return {
    plainIsFine: mode === 'prefer' || mode === 'allow',
    config: {
      ...{ host, port, database, user },
      // Asked for when the server wants one; else the driver would look for it in its own way.
      password: () => password?.reveal() ?? found() ?? '',
      ...(parameters.options === undefined ? {} : { options: parameters.options }),
      application_name: parameters.application_name ?? 'sipctl',
      connectionTimeoutMillis: Number(parameters.connect_timeout ?? connectSeconds) * 1000,
      keepAlive: true,
      // A socket is a file of this machine.
      ssl: host.startsWith('/') ? false : tls(mode as Mode, parameters, env),
    },
  };
}

/** The name of the database of an address, and the address of the one that every server has. */
export function beside(url: string): { database: string; url: string } {
  const { database = '' } = readAddress(url, null).config;
  const [, start = '', end = ''] = /^(\w+:\/\/[^/?#]*)[^?#]*(.*)$/s.exec(url) ?? [];
  return { database, url: `${start}/postgres${end.replace(/([?&])dbname=[^&#]*&?/, '$1')}` };
}

const nobody = 'nowhere.invalid';

// An address without a host is none to the rules of URLs where it has a user.
function parsedUrl(url: string): URL {
  const withHost = url.replace(/^(\w+:\/\/[^/?#]*@)(?=[/?#]|$)/, `$1${nobody}`);
  if (URL.canParse(withHost)) return new URL(withHost);
  throw new SipctlError('invalid', {
    code: 'invalid_db',
    message: `db: ${url} is not the address of a database`,
    field: 'db',
    hint: 'write postgres://user@host:port/database, or postgres:///database?host=/var/run/postgresql for a socket',
  });
}

const hostOf = ({ hostname }: URL): string =>
  hostname === nobody ? '' : decodeURIComponent(hostname).replace(/^\[(.+)\]$/, '$1');

const usualHost = (port: number): string =>
  existsSync(`${usualFolder}/.s.PGSQL.${port}`) ? usualFolder : 'localhost';

function problemsOf(parameters: Readonly<Record<string, string>>, mode: string): Problem[] {
  const strange = Object.keys(parameters).filter((name) => !known.includes(name));
  const problems = strange.map((name) => ({
    code: 'invalid_db',
    message: `db: '${name}' is nothing that is known of an address`,
    field: 'db',
    hint: `known: ${known.join(', ')}`,
  }));
  if ((modes as readonly string[]).includes(mode)) return problems;
  const message = `db: sslmode '${mode}' is not known`;
  return [
    ...problems,
    { code: 'invalid_db', message, field: 'db', hint: `choose one of ${modes.join(', ')}` },
  ];
}

function tls(
  mode: Mode,
  { sslrootcert, sslcert, sslkey }: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv,
): ConnectionOptions | false {
  if (mode === 'disable') return false;
  const authorities = sslrootcert ?? env.PGSSLROOTCERT;
  const isChecked = mode.startsWith('verify') || (mode === 'require' && authorities !== undefined);
  return {
    ...(authorities === undefined || authorities === 'system' ? {} : { ca: content(authorities) }),
    ...(sslcert === undefined ? {} : { cert: content(sslcert) }),
    ...(sslkey === undefined ? {} : { key: content(sslkey) }),
    rejectUnauthorized: isChecked,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

function content(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SipctlError('invalid', {
      code: 'invalid_db',
      message: `db: ${file} cannot be read: ${(error as Error).message}`,
      field: 'db',
      hint: 'check sslrootcert, sslcert and sslkey',
    });
  }
}
