import { createHash } from 'node:crypto';
import type { Generations, NewGeneration } from '../../../src/files/generations.ts';
import {
  emptyManifest,
  type HeldArtifact,
  type Manifest,
  manifestFile,
  storePath,
  writeManifest,
} from '../../../src/plan/generation.ts';

/** Tenant → text of its one file. */
export type Site = Readonly<Record<string, string>>;

const file = 'pjsip_users.conf';

/** A generation as a run of sipctl would deliver it, without an engine or a database. */
export function sampleGeneration(number: number, site: Site): NewGeneration {
  const manifest: Manifest = { ...emptyManifest('0.0.0', new Date(0)), generation: number };
  const store = new Map<string, Buffer>();
  const includes: string[] = [];
  for (const [tenant, text] of Object.entries(site)) {
    const sha256 = createHash('sha256').update(text).digest('hex');
    const artifact: HeldArtifact = { tenant, file, sha256, objects: 1 };
    manifest.artifacts[`${tenant}/${file}`] = artifact;
    store.set(storePath(artifact), Buffer.from(text));
    includes.push(`#include sipctl/${storePath(artifact)}\n`);
  }
  const files = new Map([
    [file, includes.join('')],
    [manifestFile, writeManifest(manifest)],
  ]);
  return { number, store, files };
}

/**
 * The road in short: lock, write what differs, flip, mark, prune to the last two, unlock. What is in force
 * already is not delivered again, so a second run after a killed one does what is still to be done.
 */
export async function deliver(place: Generations, site: Site): Promise<void> {
  const unlock = await place.lock('test run');
  const held = await place.current();
  let number = held;
  if (held === null || !(await holds(place, held, site))) {
    number = Math.max(held ?? 0, (await place.list()).at(-1) ?? 0) + 1;
    await place.write(sampleGeneration(number, site));
    await place.flip(number);
  }
  if (number !== null) await place.markVerified(number);
  await prune(place);
  await unlock();
}

async function holds(place: Generations, number: number, site: Site): Promise<boolean> {
  const wanted = sampleGeneration(number, site).files.get(manifestFile);
  return (await place.read(manifestPath(number)))?.toString() === wanted;
}

async function prune(place: Generations): Promise<void> {
  await place.prune(new Set((await place.list()).slice(-2)));
}

const manifestPath = (number: number): string =>
  `generations/${String(number).padStart(6, '0')}/${manifestFile}`;
