import { SipctlError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Recording } from './recordings.ts';

export interface Removed {
  removed: Recording[];
  /** Those that somebody holds by now. */
  kept: Recording[];
  /** Of nodes where it failed: what is left there is known as before. */
  errors: SipctlError[];
}

/** Removes recordings, each with an audit row. One that is held is not removed, whoever asks. */
export async function removeRecordings(
  recordings: readonly Recording[],
  store: Store,
  why: string,
): Promise<Removed> {
  const forgotten = await store.recordings.forget(
    recordings.map((one) => ({
      of: one,
      audit: {
        ...{ action: 'remove', noun: 'recording', tenant: one.tenant, name: one.id },
        detail: { node: one.node, path: one.path, size: one.size, sha256: one.facts?.sha256 ?? null, why },
      },
    })),
  );
  const free = new Set(forgotten.map(({ node, path }) => `${node} ${path}`));
  const isFree = ({ node, path }: Recording): boolean => free.has(`${node} ${path}`);
  const done: Removed = { removed: [], kept: recordings.filter((one) => !isFree(one)), errors: [] };
  for (const group of byNode(recordings.filter(isFree))) {
    try {
      await group[0]?.folder.remove(group.map(({ path }) => path));
      done.removed.push(...group);
    } catch (error) {
      if (!(error instanceof SipctlError)) throw error;
      done.errors.push(error);
      const known = group.flatMap((one) => (one.facts === null ? [] : [{ of: one, facts: one.facts }]));
      await store.recordings.note(known);
    }
  }
  return done;
}

/** Recordings of one node each. */
export function byNode(recordings: readonly Recording[]): Recording[][] {
  const nodes = new Map<string, Recording[]>();
  for (const one of recordings) nodes.set(one.node, [...(nodes.get(one.node) ?? []), one]);
  return [...nodes.values()];
}
