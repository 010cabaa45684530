import { randomBytes } from 'node:crypto';
import { SipctlError } from '../errors.ts';
import type { Database } from './database.ts';

/** Who asks for a lease, as the loser is told. */
export interface LeaseOwner {
  holder: string;
  host: string;
  pid: number;
}

export interface Lease {
  release(): Promise<void>;
}

const lifetimeMs = 60_000;
const renewEveryMs = 15_000;

export interface LeaseClock {
  now: () => Date;
  isAlive: (pid: number) => boolean;
}

/** From where one looks whether a lease is held: processes can be seen on one's own host only. */
export interface LeaseView extends LeaseClock {
  host: string;
}

/** The name of the lease under which a node is changed. */
export const nodeLease = (node: string): string => `node ${node}`;

/** False where the owner of a lease is gone. */
export function isHeld(lease: Readonly<Record<string, unknown>>, view: LeaseView): boolean {
  // Time decides here too: after a restart another process may have the number of the dead one.
  const expired = (lease.expires_at as string) < view.now().toISOString();
  return !expired && (lease.host !== view.host || view.isAlive(lease.pid as number));
}

/**
 * Takes the lease of a name; it is renewed while it is held. A lease whose owner is gone (its process on this
 * host, or its last renewal anywhere) is taken over.
 * @throws SipctlError `conflict` naming the holder
 */
export async function takeLease(
  transact: <T>(work: (database: Database) => Promise<T>) => Promise<T>,
  name: string,
  owner: LeaseOwner,
  clock: LeaseClock,
  time: (database: Database) => Promise<Date>,
): Promise<Lease> {
  const token = randomBytes(8).toString('hex');
  const expiry = (now: Date): string => new Date(now.getTime() + lifetimeMs).toISOString();
  await transact(async (database) => {
    const now = await time(database);
    const held = await database.selectFrom('leases').selectAll().where('name', '=', name).executeTakeFirst();
    if (held !== undefined) {
      if (isHeld(held, { ...clock, now: () => now, host: owner.host }))
        throw heldBy(name, held.holder as string, held.started_at as string);
      await database.deleteFrom('leases').where('name', '=', name).execute();
    }
    const row = { name, ...owner, token, started_at: clock.now().toISOString(), expires_at: expiry(now) };
    await database.insertInto('leases').values(row).execute();
  });
  const renew = (): Promise<unknown> =>
    transact(async (database) => {
      const values = { expires_at: expiry(await time(database)) };
      await database.updateTable('leases').set(values).where('token', '=', token).execute();
    });
  const timer = setInterval(() => void renew().catch(() => undefined), renewEveryMs);
  timer.unref();
  return {
    release: async () => {
      clearInterval(timer);
      await transact((database) => database.deleteFrom('leases').where('token', '=', token).execute());
    },
  };
}

function heldBy(name: string, holder: string, since: string): SipctlError {
  return new SipctlError('conflict', {
    code: 'locked',
    message: `${name} is being changed by ${holder} since ${since}`,
    hint: 'wait until that run has ended; the lock of a run that died is taken over by itself',
  });
}
