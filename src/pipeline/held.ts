import { createHash } from 'node:crypto';
import { SipctlError } from '../errors.ts';
import {
  type Artifact,
  damagedManifest,
  type HeldArtifact,
  type Manifest,
  storePath,
} from '../plan/generation.ts';
import { readManifest } from '../platforms/generation-files.ts';
import type { Target } from '../platforms/target.ts';

/** What a node holds now, by the manifest of the generation that `current` names; null before the first one. */
export async function heldGeneration(target: Target): Promise<Manifest | null> {
  const number = await target.files.current();
  return number === null ? null : readGeneration(target, number);
}

/** What a generation holds. @throws SipctlError `failed` where its manifest is gone or was changed */
export async function readGeneration({ node, files }: Target, number: number): Promise<Manifest> {
  const manifest = await readManifest(files, number);
  if (manifest === null) throw damagedManifest(`${node}: the manifest of generation ${number} is gone`);
  return manifest;
}

/** The generation in force, for a report; the last one known where that cannot be read. */
export async function inForce(target: Target, known: number): Promise<number> {
  try {
    return (await target.files.current()) ?? known;
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    return known;
  }
}

/** The texts of held artifacts, by their keys, in one go; null for a key that is null, or whose file is gone. */
export async function heldTexts(
  target: Target,
  held: Manifest | null,
  keys: readonly (string | null)[],
): Promise<(Buffer | null)[]> {
  const paths = keys.map((key) => {
    const artifact = key === null ? undefined : held?.artifacts[key];
    return artifact === undefined ? null : storePath(artifact);
  });
  const texts = await target.files.readAll(paths.filter((path) => path !== null));
  return paths.map((path) => (path === null ? null : (texts.shift() ?? null)));
}

/** The held artifacts as they really stand on the node: read, not believed. */
export async function undamaged(
  target: Target,
  held: Manifest | null,
): Promise<Record<string, HeldArtifact>> {
  const present: Record<string, HeldArtifact> = {};
  const all = Object.entries(held?.artifacts ?? {});
  const texts = await target.files.readAll(all.map(([, artifact]) => storePath(artifact)));
  for (const [at, [key, artifact]] of all.entries()) {
    const text = texts[at] ?? null;
    if (text !== null)
      present[key] = { ...artifact, sha256: createHash('sha256').update(text).digest('hex') };
  }
  return present;
}

/** All artifacts of a generation with their texts, as the node holds them. */
export async function artifactsOf(target: Target, manifest: Manifest): Promise<Artifact[]> {
  const all = Object.entries(manifest.artifacts);
  const texts = await target.files.readAll(all.map(([, held]) => storePath(held)));
  return all.map(([key, held], at) => ({ ...held, key, text: texts[at] ?? Buffer.alloc(0) }));
}
