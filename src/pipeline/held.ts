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

/** The text of one held artifact, or null where its file is gone. */
export function heldText(target: Target, held: Manifest, key: string): Promise<Buffer | null> {
  const artifact = held.artifacts[key];
  return artifact === undefined ? Promise.resolve(null) : target.files.read(storePath(artifact));
}

/** The held artifacts as they really stand on the node: read, not believed. */
export async function undamaged(
  target: Target,
  held: Manifest | null,
): Promise<Record<string, HeldArtifact>> {
  const present: Record<string, HeldArtifact> = {};
  for (const [key, artifact] of Object.entries(held?.artifacts ?? {})) {
    const text = await target.files.read(storePath(artifact));
    if (text !== null)
      present[key] = { ...artifact, sha256: createHash('sha256').update(text).digest('hex') };
  }
  return present;
}

/** All artifacts of a generation with their texts, as the node holds them. */
export async function artifactsOf(target: Target, manifest: Manifest): Promise<Artifact[]> {
  const artifacts: Artifact[] = [];
  for (const [key, held] of Object.entries(manifest.artifacts)) {
    const text = await heldText(target, manifest, key);
    artifacts.push({ ...held, key, text: text ?? Buffer.alloc(0) });
  }
  return artifacts;
}
