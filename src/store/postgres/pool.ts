import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { Pool, PoolConfig } from 'pg';
import { SipctlError } from '../../errors.ts';
import type { Secret } from '../../model/secret.ts';
import { readAddress } from './address.ts';
import { postgresFailure } from './failure.ts';

/** Connections of one run: one that writes, and some that read meanwhile. */
const most = 4;

/** Types that come as texts, because they may be larger than a number of JavaScript: ours are not. */
const int8 = 20;
const numeric = 1700;

/**
 * Connections to a server, as kysely takes them; the first one is made at once.
 * @throws SipctlError `unreachable`, `refused`, `notFound`
 */
export async function connectedPool(url: string, password: Secret | null): Promise<PostgresPool> {
  const { Pool: PgPool, types } = (await import('pg')).default;
  const { config, plainIsFine } = readAddress(url, password);
  const getTypeParser = (type: number, format?: 'text' | 'binary'): unknown =>
    type === int8 || type === numeric ? Number : types.getTypeParser(type, format as 'text');
  const made = (ssl: PoolConfig['ssl']): Pool => {
    const pool = new PgPool({ ...config, ssl, max: most, types: { getTypeParser } } as PoolConfig);
    // Of connections that nobody uses at the moment; who uses the next one hears of it.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    return pool;
  };
  const tried = async (ssl: PoolConfig['ssl']): Promise<Pool> => {
    const pool = made(ssl);
    try {
      (await pool.connect()).release();
      return pool;
    } catch (error) {
      await pool.end();
      if (ssl !== false && plainIsFine && isWithoutTls(error)) return tried(false);
      throw postgresFailure(error, url) ?? error;
    }
  };
  return explaining(await tried(config.ssl), url, config.user);
}

const isWithoutTls = (error: unknown): boolean =>
  error instanceof Error && error.message.includes('does not support SSL');

// The only place that sees errors of the way to the server: later on nobody knows whose they are.
function explaining(pool: Pool, url: string, login: string | undefined): PostgresPool {
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof SipctlError ? error : (postgresFailure(error, url, login) ?? error);
    }
  };
  const clients = new WeakMap<object, PostgresPoolClient>();
  let ended: Promise<void> | null = null;
  return {
    connect: async () => {
      const client = await explained(() => pool.connect());
      const known = clients.get(client);
      if (known !== undefined) return known;
      const wrapped = {
        query: (text: string, values: readonly unknown[]) => explained(() => client.query(text, [...values])),
        release: () => client.release(),
      } as unknown as PostgresPoolClient;
      clients.set(client, wrapped);
      return wrapped;
    },
    end: () => {
      ended ??= pool.end();
      return ended;
    },
  } as PostgresPool;
}
