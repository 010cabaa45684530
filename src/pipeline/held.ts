import { createHash } from 'node:crypto';
import { generationFolder } from '../files/generations.ts';
import {
  type Artifact,
  type HeldArtifact,
  type Manifest,
  manifestFile,
  parseManifest,
  storePath,
} from '../plan/generation.ts';
import type { Target } from '../platforms/target.ts';

/** What a node holds now, by the manifest of the generation that `current` names; null before the first one. */
export async function heldGeneration(target: Target): Promise<Manifest | null> {
  const number = await target.files.current();
  return number === null ? null : readGeneration(target, number);
}

export async function readGeneration(target: Target, number: number): Promise<Manifest> {
  const path = `generations/${generationFolder(number)}/${manifestFile}`;
  const text = await target.files.read(path);
  return parseManifest(text?.toString('utf8') ?? '', `${target.files.place}/sipctl/${path}`);
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
