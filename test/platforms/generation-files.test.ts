import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { localGenerations } from '../../src/files/local.ts';
import { prepare, readManifest } from '../../src/platforms/generation-files.ts';
import { temporaryFolder } from '../files/tree.ts';
import { readSources } from '../support/source-graph.ts';

const at = new Date('2026-11-21T09:00:00Z');

async function preparedPlace(): Promise<{ dir: string; files: ReturnType<typeof localGenerations> }> {
  const dir = await temporaryFolder();
  const files = localGenerations(dir, { now: () => at });
  await prepare({ files, indexes: () => new Map([['pjsip_users.conf', '; nobody\n']]) }, '1.2.3', at);
  return { dir, files };
}

it('prepares a place with a generation that includes nothing, and reads its manifest back', async () => {
  const { files } = await preparedPlace();
  expect(await files.current()).toBe(0);
  expect((await files.read('current/pjsip_users.conf'))?.toString()).toBe('; nobody\n');
  expect(await readManifest(files, 0)).toMatchObject({
    generation: 0,
    createdAt: at.toISOString(),
    sipctl: '1.2.3',
    artifacts: {},
  });
});

it('tells a manifest that is gone from one that was changed', async () => {
  const { dir, files } = await preparedPlace();
  const manifest = join(dir, 'sipctl', 'generations', '000000', 'manifest.json');
  await writeFile(manifest, '{}');
  await expect(readManifest(files, 0)).rejects.toMatchObject({
    outcome: 'failed',
    problems: [{ code: 'manifest_damaged', message: expect.stringContaining(dir) }],
  });
  await rm(manifest);
  expect(await readManifest(files, 0)).toBeNull();
});

it('is the one place where manifests are read and written, and where a place is prepared', () => {
  const sources = [...readSources().values()].filter(({ path }) => path !== 'src/plan/generation.ts');
  for (const word of ['parseManifest(', 'writeManifest(', 'emptyManifest(']) {
    const users = sources.filter(({ text }) => text.includes(word)).map(({ path }) => path);
    expect(users, word).toEqual(['src/platforms/generation-files.ts']);
  }
});
