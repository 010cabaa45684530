import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { generationFolder } from '../../../src/files/generations.ts';
import { localGenerations } from '../../../src/files/local.ts';
import { type Manifest, manifestFile, parseManifest, storePath } from '../../../src/plan/generation.ts';

/**
 * What must hold at every instant, whatever was killed: `current` names one whole generation, whose manifest
 * is readable, and every store file that its manifest or its index files name is there with the right bytes.
 * @param dir the configuration folder
 * @returns the manifest; null where nothing was ever flipped
 */
export async function expectOneCompleteGeneration(dir: string): Promise<Manifest | null> {
  const root = join(dir, 'sipctl');
  const target = await readlink(join(root, 'current')).catch(() => null);
  if (target === null) {
    await expect(lstat(join(root, 'current')), 'current is a link or missing').rejects.toThrow('ENOENT');
    return null;
  }
  expect(target, 'current is relative, and names a generation').toMatch(/^generations\/[0-9]{6,}$/);
  const manifest = await expectCompleteGeneration(root, basename(target));
  expect(generationFolder(manifest.generation)).toBe(basename(target));
  return manifest;
}

/** The same for one generation by its folder's name, in force or not. */
export async function expectCompleteGeneration(root: string, name: string): Promise<Manifest> {
  const folder = join(root, 'generations', name);
  const manifest = parseManifest(await readFile(join(folder, manifestFile), 'utf8'), folder);
  for (const artifact of Object.values(manifest.artifacts)) {
    const text = await readFile(join(root, storePath(artifact)));
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(sha256, `${name}: ${storePath(artifact)}`).toBe(artifact.sha256);
  }
  const included = new Set<string>();
  for (const index of await readdir(folder)) {
    const text = await readFile(join(folder, index), 'utf8');
    for (const [path] of text.matchAll(/\bstore\/[A-Za-z0-9._@+/-]+/g)) {
      expect((await lstat(join(root, path))).isFile(), `${name}/${index}: ${path}`).toBe(true);
      included.add(path);
    }
  }
  expect([...included].sort(), `${name}: what the index files include`).toEqual(
    Object.values(manifest.artifacts).map(storePath).sort(),
  );
  return manifest;
}

/** And for every generation that sipctl would offer for a rollback. */
export async function expectAllComplete(dir: string): Promise<void> {
  const place = localGenerations(dir, { now: () => new Date() });
  for (const number of await place.list()) {
    await expectCompleteGeneration(join(dir, 'sipctl'), generationFolder(number));
  }
}
