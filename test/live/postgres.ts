import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './free-ports.ts';

export interface PostgresInstance {
  pid: number;
  host: string;
  port: number;
  /** Of its superuser, who is let in without a password: `postgres://sipctl@127.0.0.1:54321`. */
  address: string;
  /** Of its socket and its log. */
  folder: string;
  /** Runs SQL as somebody; answers the rows as `psql -At` prints them. @throws Error with what psql said */
  psql(sql: string, options?: { database?: string; user?: string; env?: Record<string, string> }): string;
  /** Ends it, by its process id, and removes its folder. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Of `postgresql.conf`, besides what tests need anyway. */
  settings?: Readonly<Record<string, string>>;
  /** Lines of `pg_hba.conf`, before the one that lets everybody in. */
  hba?: readonly string[];
}

const readyWithinMs = 30_000;
/** PostgreSQL refuses to be root; where the tests are, it is nobody. */
const nobody = 65_534;
const owner = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};

/** Programs of the machine: on the path, or where Debian has them. */
function programsHere(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).map((name) => join(debian, name, 'bin')) : [];
  return (
    [...folders, ...versions].find((folder) =>
      ['initdb', 'postgres', 'psql'].every((name) => existsSync(join(folder, name))),
    ) ?? null
  );
}

const here = programsHere();

/** Null where PostgreSQL can be run here, else the reason why not. */
export const postgresAvailable = (): string | null =>
  here === null ? 'there is no PostgreSQL on this machine' : null;

/** Path of one of PostgreSQL's programs. It finds the others beside itself, so that no private copy would do. */
const program = (name: string): string => join(here as string, name);

/** A server of PostgreSQL on an address of this machine. @throws Error with what it said when it does not start */
export async function startPostgres({ settings, hba = [] }: PostgresOptions = {}): Promise<PostgresInstance> {
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-postgres-'));
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const host = '127.0.0.1';
  const [port = 0] = await freePorts(host, 1);
  const how = ['--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'];
  execFileSync(program('initdb'), ['-D', data, '-U', 'sipctl', ...how], {
    ...owner,
    cwd: folder,
    stdio: 'pipe',
  });
  const everybody = 'host all all 127.0.0.0/8 trust\nlocal all all trust\n';
  writeFileSync(join(data, 'pg_hba.conf'), `${hba.join('\n')}\n${everybody}`);
  const set = {
    ...{ port: String(port), listen_addresses: `'${host}'`, unix_socket_directories: `'${folder}'` },
    ...{ fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
    ...{ shared_buffers: '16MB', log_timezone: 'UTC', timezone: 'UTC', autovacuum: 'off' },
    ...settings,
  };
  const lines = Object.entries(set).map(([name, value]) => `${name} = ${value}\n`);
  appendFileSync(join(data, 'postgresql.conf'), lines.join(''));
  const log: string[] = [];
  const child = spawn(program('postgres'), ['-D', data], {
    ...owner,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr?.on('data', (part: Buffer) => log.push(part.toString()));
  const instance: PostgresInstance = {
    ...{ pid: child.pid as number, host, port, folder },
    address: `postgres://sipctl@${host}:${port}`,
    psql: (sql, { database = 'postgres', user = 'sipctl', env = {} } = {}) => {
      const options = ['-X', '-At', '-v', 'ON_ERROR_STOP=1', '-h', host, '-p', String(port)];
      return execFileSync(program('psql'), [...options, '-U', user, '-d', database, '-c', sql], {
        ...{ encoding: 'utf8', stdio: 'pipe', env: { ...process.env, ...env } },
      }).trim();
    },
    stop: async () => {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await ready(child, log);
  } catch (error) {
    await instance.stop();
    throw error;
  }
  return instance;
}

async function ready(child: ChildProcess, log: readonly string[]): Promise<void> {
  for (const deadline = Date.now() + readyWithinMs; Date.now() < deadline; await sleep(20)) {
    if (log.join('').includes('ready to accept connections')) return;
    if (child.exitCode !== null) break;
  }
  throw new Error(`PostgreSQL did not start:\n${log.join('')}`);
}

// SIGINT: connections are ended, and the data are left whole.
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await gone;
}
