import type { Account } from './account.ts';

/** What an account held at one time, and what came since. */
export interface Since {
  /** What was there, as it is now; equal to `before` where nobody touched it. */
  now(): Held;
  readonly before: Held;
  /** Only what was made since. */
  made(): Held;
}

/** An account without its secrets' meaning: all that can be changed by its API. */
export type Held = Pick<Account, 'trunks' | 'credentialLists' | 'numbers' | 'recordings' | 'calls'>;

/** Remembers all that an account holds, so that a test can tell what is somebody else's. */
export function remember(account: Account): Since {
  const before = structuredClone(heldBy(account, () => true));
  const known = new Set(Object.values(before).flatMap((rows) => rows.map(({ sid }) => sid)));
  // A free number may be attached: that is what it is there for.
  const free = new Set(before.numbers.filter(({ trunkSid }) => trunkSid === null).map(({ sid }) => sid));
  const withoutFree = (held: Held): Held => ({
    ...held,
    numbers: held.numbers.filter(({ sid }) => !free.has(sid)),
  });
  return {
    before: withoutFree(before),
    now: () => withoutFree(structuredClone(heldBy(account, (sid) => known.has(sid)))),
    made: () => ({
      ...structuredClone(heldBy(account, (sid) => !known.has(sid))),
      numbers: structuredClone(
        account.numbers.filter(({ sid, trunkSid }) => free.has(sid) && trunkSid !== null),
      ),
    }),
  };
}

const heldBy = (account: Account, isMeant: (sid: string) => boolean): Held => ({
  trunks: account.trunks.filter(({ sid }) => isMeant(sid)),
  credentialLists: account.credentialLists.filter(({ sid }) => isMeant(sid)),
  numbers: account.numbers.filter(({ sid }) => isMeant(sid)),
  recordings: account.recordings.filter(({ sid }) => isMeant(sid)),
  calls: account.calls.filter(({ sid }) => isMeant(sid)),
});
