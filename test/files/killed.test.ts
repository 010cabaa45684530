import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { localGenerations } from '../../src/files/local.ts';
import { type Manifest, manifestFile } from '../../src/plan/generation.ts';
import {
  expectAllComplete,
  expectCompleteGeneration,
  expectOneCompleteGeneration,
} from '../support/kill/one-complete-generation.ts';
import { bundleChild, runChild } from '../support/kill/processes.ts';
import { deliver, type Site, sampleGeneration } from '../support/kill/sample-delivery.ts';
import { tree } from './tree.ts';

const now = (): Date => new Date();
const oldest: Site = { acme: '[100]\n', gone: '[300]\n', same: '[400]\n' };
const before: Site = { acme: '[101]\n', beta: '[200]\n', same: '[400]\n' };
const after: Site = { acme: '[102]\n'.repeat(1000), corp: '[500]\n', same: '[400]\n' };

let scratch: string;
let child: string;
let prepared: string;
/** What a run that nobody kills makes of it. */
let undisturbed: [string, string][];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sipctl-killed-'));
  child = await bundleChild(scratch);
  prepared = join(scratch, 'prepared');
  await mkdir(prepared);
  const place = localGenerations(prepared, { now });
  await deliver(place, oldest);
  await deliver(place, before);

  const reference = await startFrom(prepared, 'reference');
  const last = localGenerations(reference, { now });
  await deliver(last, after);
  await last.prune(new Set());
  undisturbed = withoutNumbers(await tree(reference));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const artifactsOf = (site: Site): Manifest['artifacts'] =>
  (JSON.parse(sampleGeneration(1, site).files.get(manifestFile) ?? '') as Manifest).artifacts;

/** A folder in the state that every killed run starts from. */
async function startFrom(state: string, name: string): Promise<string> {
  const dir = join(scratch, name);
  await cp(state, dir, { recursive: true, verbatimSymlinks: true });
  return dir;
}

/** After a run that nobody killed: the wanted site is in force and verified, and no trace of others is left. */
async function expectSettled(dir: string, site: Site): Promise<void> {
  const place = localGenerations(dir, { now });
  const manifest = await expectOneCompleteGeneration(dir);
  expect(manifest?.artifacts).toEqual(artifactsOf(site));
  expect(await place.verified()).toBe(manifest?.generation);

  const root = join(dir, 'sipctl');
  const generations = await readdir(join(root, 'generations'));
  expect(generations.length).toBeLessThanOrEqual(2);
  for (const name of generations) await expectCompleteGeneration(root, name);

  // With only what is in force kept, any two roads to it have led to the same folder.
  await place.prune(new Set());
  expect(withoutNumbers(await tree(dir))).toEqual(undisturbed);
}

// Numbers differ: one that a killed run had used is not used again.
function withoutNumbers(paths: Record<string, string>): [string, string][] {
  const strip = (text: string): string =>
    text.replace(/0[0-9]{5}/g, 'N').replace(/"generation": [0-9]+/, '"generation": N');
  return Object.entries(paths).map(([path, content]) => [
    strip(path),
    path === 'sipctl/verified' ? 'N' : strip(content),
  ]);
}

async function killAtEveryChange(state: string, allowed: readonly (Site | null)[]): Promise<number> {
  const outcomes = new Set<string>();
  const wanted = allowed.map((site) => JSON.stringify(site === null ? null : artifactsOf(site)));
  const kill = async (n: number): Promise<boolean> => {
    const dir = await startFrom(state, `${state.split('/').at(-1)}-${n}`);
    const ended = await runChild(child, [dir, 'deliver', String(n), JSON.stringify(after)]);
    const manifest = await expectOneCompleteGeneration(dir);
    await expectAllComplete(dir);
    const inForce = JSON.stringify(manifest?.artifacts ?? null);
    expect(wanted, `killed at change ${n}`).toContain(inForce);
    outcomes.add(inForce);
    if (ended.signal === null) expect(ended).toMatchObject({ code: 0, stdout: 'delivered\n' });
    else expect(ended.signal).toBe('SIGKILL');

    await deliver(localGenerations(dir, { now }), after);
    await expectSettled(dir, after);
    await rm(dir, { recursive: true });
    return ended.signal === null;
  };
  let n = 1;
  // Two at a time: the runs do not know each other.
  for (let over = false; !over; n += 2) over = (await Promise.all([kill(n), kill(n + 1)])).includes(true);
  expect([...outcomes].sort(), 'kills before and after the flip').toEqual([...wanted].sort());
  return n;
}

it('leaves one complete generation wherever an update is killed, and the next run settles it', async () => {
  expect(await killAtEveryChange(prepared, [before, after])).toBeGreaterThan(40);
}, 300_000);

it('leaves none or one complete generation wherever the first delivery is killed', async () => {
  const empty = await mkdtemp(join(scratch, 'fresh-'));
  expect(await killAtEveryChange(empty, [null, after])).toBeGreaterThan(25);
}, 300_000);
