import { waveFacts, waveHeaderBytes } from '../model/recording.ts';
import type { RecordingFacts } from '../store/recordings.ts';
import type { Store } from '../store/store.ts';
import type { FoundRecordings, Recording } from './recordings.ts';
import { byNode, removeRecordings } from './remove-recordings.ts';

/** An engine that writes nothing for so long has been killed, or has forgotten the file. */
const abandonedMs = 10 * 60_000;

/** How many files one question asks for. */
const batch = 100;

export interface Sealed {
  sealed: Recording[];
  /** Header without sound, of calls that nobody answered: removed. */
  emptied: Recording[];
}

/**
 * Notes the checksum of every finished recording that has none, takes the rights of others away, and removes what has no
 * sound. What is sealed is never sealed anew: a file that changed stays a finding.
 */
export async function sealRecordings(
  { recordings }: FoundRecordings,
  store: Store,
  now: Date,
): Promise<Sealed> {
  const done: Sealed = { sealed: [], emptied: [] };
  for (const all of byNode(recordings)) {
    const [first] = all;
    // One that was sealed had sound: that it has none now is a finding.
    const empty = all.filter((one) => one.empty && one.idleMs > abandonedMs && one.facts?.sha256 == null);
    const { removed, errors } = await removeRecordings(empty, store, 'no sound');
    if (errors[0] !== undefined) throw errors[0];
    done.emptied.push(...removed);
    const fresh = all.filter((one) => !one.writing && !one.empty && one.facts?.sha256 == null);
    for (let at = 0; at < fresh.length; at += batch)
      done.sealed.push(...(await sealSome(fresh.slice(at, at + batch), store, now)));
    await first?.folder.protect([]);
  }
  return done;
}

async function sealSome(some: readonly Recording[], store: Store, now: Date): Promise<Recording[]> {
  const finished: Recording[] = [];
  for (const one of some) {
    const isAbandoned = one.idleMs > abandonedMs;
    if (isAbandoned || waveFacts(await one.folder.head(one.path, waveHeaderBytes), one.size).finished)
      finished.push(one);
  }
  const [first] = finished;
  if (first === undefined) return [];
  const paths = finished.map(({ path }) => path);
  await first.folder.protect(paths);
  const digests = await first.folder.digests(paths);
  const sealed = finished.flatMap((one, at) => {
    const sha256 = digests[at] ?? null;
    const facts = { size: one.size, sha256, sealedAt: now.toISOString() };
    return sha256 === null ? [] : [{ of: one, facts }];
  });
  await store.recordings.note(sealed);
  return sealed.map(({ of }) => of);
}

/** How a sealed recording stands. */
export interface RecordingFinding {
  node: string;
  tenant: string | null;
  path: string;
  code: 'missing' | 'changed' | 'unsealed' | 'unknown';
}

export interface Verified {
  intact: number;
  findings: RecordingFinding[];
}

/** Compares every sealed recording with its file; `facts` are those of what was looked for. */
export async function verifyRecordings(
  found: FoundRecordings,
  facts: readonly RecordingFacts[],
): Promise<Verified> {
  const findings: RecordingFinding[] = found.strange.map(({ node, path }) => ({
    ...{ node, tenant: null, path, code: 'unknown' },
  }));
  let intact = 0;
  for (const [node, folder] of found.folders) {
    const sealed = facts.filter((one) => one.node === node && one.sha256 !== null);
    for (let at = 0; at < sealed.length; at += batch) {
      const some = sealed.slice(at, at + batch);
      const digests = await folder.digests(some.map(({ path }) => path));
      for (const [index, { tenant, path, sha256 }] of some.entries()) {
        const there = digests[index] ?? null;
        if (there === sha256) intact += 1;
        else findings.push({ node, tenant, path, code: there === null ? 'missing' : 'changed' });
      }
    }
  }
  const unsealed = found.recordings.filter((one) => !one.writing && !one.empty && one.facts?.sha256 == null);
  for (const { node, tenant, path } of unsealed) findings.push({ node, tenant, path, code: 'unsealed' });
  return { intact, findings };
}
