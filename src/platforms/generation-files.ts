import { type Generations, generationFolder, type WriteCount } from '../files/generations.ts';
import {
  type Artifact,
  emptyManifest,
  type Manifest,
  manifestFile,
  parseManifest,
  storePath,
  writeManifest,
} from '../plan/generation.ts';
import type { Target } from './target.ts';

/** The last manifest read of each place: a run reads it to plan and again under the lock, and parses it once. */
const lastRead = new WeakMap<Generations, { text: Buffer; manifest: Manifest }>();

type Place = Pick<Target, 'files' | 'indexes'>;

/**
 * The manifest of a generation, or null where the place does not hold it.
 * @throws SipctlError `failed` where somebody has changed it
 */
export async function readManifest(files: Generations, generation: number): Promise<Manifest | null> {
  const path = `generations/${generationFolder(generation)}/${manifestFile}`;
  const text = await files.read(path);
  if (text === null) return null;
  const last = lastRead.get(files);
  if (last?.text.equals(text)) return last.manifest;
  const manifest = parseManifest(text.toString('utf8'), `${files.place}/sipctl/${path}`);
  lastRead.set(files, { text, manifest });
  return manifest;
}

/** Writes a generation: the texts that are new, the files that include all of its texts, and its manifest. */
export function writeGeneration(
  place: Place,
  manifest: Manifest,
  artifacts: readonly Artifact[],
): Promise<WriteCount> {
  const files = new Map(place.indexes(manifest)).set(manifestFile, writeManifest(manifest));
  const store = new Map(artifacts.map((artifact) => [storePath(artifact), artifact.text]));
  return place.files.write({ number: manifest.generation, store, files });
}

/**
 * Writes the generation that includes nothing, and puts it in force. A PBX may drop everything after an include of a
 * missing file: so there is one before there are include lines, and a refused first apply has something to go back to.
 */
export async function prepare(place: Place, sipctl: string, at: Date): Promise<Manifest> {
  const empty = emptyManifest(sipctl, at);
  await writeGeneration(place, empty, []);
  await place.files.flip(empty.generation);
  return empty;
}
