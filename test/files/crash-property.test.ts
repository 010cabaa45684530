import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { localGenerations } from '../../src/files/local.ts';
import { fileSystem } from '../../src/files/operations.ts';
import { crashAt } from '../support/kill/kill-at.ts';
import {
  expectAllComplete,
  expectCompleteGeneration,
  expectOneCompleteGeneration,
} from '../support/kill/one-complete-generation.ts';
import { deliver, type Site, sampleGeneration } from '../support/kill/sample-delivery.ts';
import { temporaryFolder, tree } from './tree.ts';

const now = (): Date => new Date();
const text = fc.constantFrom('[1]\n', '[2]\n', '[3]\n', '');
const site: fc.Arbitrary<Site> = fc.dictionary(fc.constantFrom('acme', 'beta', 'corp'), text);
// A crashed run's process lives on in these tests, so its lock must be taken for a dead one's.
const processIsAlive = (): boolean => false;

it('survives any sequence of deliveries, each broken off anywhere or not at all', async () => {
  const run = fc.record({ site, crash: fc.option(fc.integer({ min: 1, max: 70 })) });
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 2, maxLength: 6 }), site, async (runs, last) => {
      const dir = await temporaryFolder();
      const tried = new Set<string>(['null']);
      for (const { site: wanted, crash } of runs) {
        tried.add(artifacts(wanted));
        await deliverUntil(dir, wanted, crash);
        await expectAllComplete(dir);
        const manifest = await expectOneCompleteGeneration(dir);
        expect(tried).toContain(manifest === null ? 'null' : JSON.stringify(manifest.artifacts));
      }
      await deliver(localGenerations(dir, { now, processIsAlive }), last);
      const manifest = await expectOneCompleteGeneration(dir);
      expect(JSON.stringify(manifest?.artifacts)).toBe(artifacts(last));
      const root = join(dir, 'sipctl');
      const paths = Object.keys(await tree(dir));
      expect(paths.filter((path) => /\.tmp-|lock/.test(path))).toEqual([]);
      for (const path of paths) {
        const name = /^sipctl\/generations\/([^/]+)$/.exec(path)?.[1];
        if (name !== undefined) await expectCompleteGeneration(root, name);
      }
      await rm(dir, { recursive: true });
    }),
    { numRuns: 60 },
  );
}, 120_000);

it('prunes nothing that a kept generation needs, whatever it is told to keep', async () => {
  const number = fc.integer({ min: 1, max: 5 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(site, { minLength: 5, maxLength: 5 }),
      fc.record({ current: number, verified: number, keep: fc.uniqueArray(number) }),
      async (sites, { current, verified, keep }) => {
        const dir = await temporaryFolder();
        const place = localGenerations(dir, { now });
        for (const [index, wanted] of sites.entries()) {
          const generation = sampleGeneration(index + 1, wanted);
          await place.write(generation);
        }
        await place.flip(current);
        await place.markVerified(verified);
        const removed = await place.prune(new Set(keep));

        const left = [...new Set([...keep, current, verified])].sort();
        expect(await place.list()).toEqual(left);
        expect(removed).toBe(5 - left.length);
        const needed = new Set<string>();
        for (const kept of left) {
          await expectCompleteGeneration(join(dir, 'sipctl'), String(kept).padStart(6, '0'));
          for (const path of sampleGeneration(kept, sites[kept - 1] ?? {}).store.keys()) needed.add(path);
        }
        const paths = Object.keys(await tree(dir)).map((path) => path.replace(/^sipctl\//, ''));
        expect(new Set(paths.filter((path) => path.endsWith('.conf') && path.startsWith('store/')))).toEqual(
          needed,
        );
        await rm(dir, { recursive: true });
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);

async function deliverUntil(dir: string, wanted: Site, crash: number | null): Promise<void> {
  if (crash === null) return deliver(localGenerations(dir, { now, processIsAlive }), wanted);
  const { operations, crashed } = crashAt(fileSystem, crash);
  await Promise.race([deliver(localGenerations(dir, { now, processIsAlive, operations }), wanted), crashed]);
}

const artifacts = (wanted: Site): string =>
  JSON.stringify(JSON.parse(sampleGeneration(1, wanted).files.get('manifest.json') ?? '').artifacts);
