import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { localGenerations } from '../../src/files/local.ts';
import { type Manifest, storePath } from '../../src/plan/generation.ts';
import {
  expectAllComplete,
  expectCompleteGeneration,
  expectOneCompleteGeneration,
} from '../support/kill/one-complete-generation.ts';
import { runChild } from '../support/kill/processes.ts';
import { bundleApply } from './apply-processes.ts';
import { type Site, siteIn } from './site.ts';

let scratch: string;
let child: string;
/** Site → its folder: a database, and the node `pbx` beside it. */
const prepared = new Map<string, string>();

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'sipctl-killed-apply-'));
  child = await bundleApply(scratch);
  const first = site('first');
  await describeSite(first);

  const delivered = site('delivered', 'first');
  await delivered.ok('apply', '--yes');

  const update = site('update', 'delivered');
  await update.ok('user', 'set', 'ann', '--tenant', 'acme', '--display-name', 'Ann');
  await update.ok('trunk', 'add', 'second', '--tenant', 'beta', ...carrier);

  const deletion = site('deletion', 'delivered');
  await deletion.ok('user', 'remove', 'ann', '--tenant', 'acme', '--yes');
  await deletion.ok('tenant', 'remove', 'beta', '--yes', '--cascade');

  const prune = site('prune', 'delivered');
  await prune.ok('node', 'set', 'pbx', '--keep', '2');
  // Old generations go several at once: one more, and the next apply removes all but two.
  while (generationsIn(prune.dir).length < 2 + 4) {
    await prune.ok('user', 'set', 'ann', '--tenant', 'acme', '--display-name', `${Math.random()}`);
    await prune.ok('apply', '--yes');
  }
  await prune.ok('user', 'set', 'ann', '--tenant', 'acme', '--display-name', 'Ann');
  await prune.ok('trunk', 'remove', 'main', '--tenant', 'beta', '--yes');
}, 120_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const carrier = ['--provider', 'custom_ip', '--host', 'carrier.example', '--networks', '192.0.2.1'];

async function describeSite(sipctl: Site): Promise<void> {
  await sipctl.ok('init');
  await sipctl.ok('node', 'add', 'pbx', '--kind', 'asterisk', '--dir', join(sipctl.dir, 'pbx'));
  for (const tenant of ['acme', 'beta']) {
    await sipctl.ok('tenant', 'add', tenant, '--domain', `${tenant}.example`);
    await sipctl.ok('trunk', 'add', 'main', '--tenant', tenant, ...carrier);
    for (const [at, user] of ['ann', 'bob'].entries())
      await sipctl.ok(
        ...['user', 'add', user, '--tenant', tenant, '--extension', `10${at}`, '--password-stdin'],
      );
  }
}

/** An empty folder for a site, or a copy of one that was prepared. */
function site(name: string, from?: string): Site {
  const dir = join(scratch, name);
  if (from === undefined) mkdirSync(join(dir, 'pbx'), { recursive: true });
  else {
    rmSync(dir, { recursive: true, force: true });
    cpSync(prepared.get(from) ?? '', dir, { recursive: true, verbatimSymlinks: true });
  }
  prepared.set(name, dir);
  if (from !== undefined) pointNode(dir);
  return siteIn(dir);
}

// A copied database still names the folder of the PBX that it was copied from.
function pointNode(dir: string): void {
  const database = new BetterSqlite3(join(dir, 'site.db'));
  database.prepare('UPDATE nodes SET dir = ?').run(join(dir, 'pbx'));
  database.close();
}

type Artifacts = string;
const artifactsOf = (manifest: Manifest | null): Artifacts => JSON.stringify(manifest?.artifacts ?? {});

async function inForce(dir: string): Promise<Artifacts> {
  return artifactsOf(await expectOneCompleteGeneration(join(dir, 'pbx')));
}

/** What `apply` makes of a site that nobody kills. */
async function undisturbed(from: string): Promise<Artifacts> {
  const sipctl = site(`${from}-undisturbed`, from);
  await sipctl.ok('apply', '--yes', '--confirm', '99');
  if (from === 'prune') expect(generationsIn(sipctl.dir)).toEqual(['000005', '000006']);
  return inForce(sipctl.dir);
}

const generationsIn = (dir: string): string[] =>
  readdirSync(join(dir, 'pbx', 'sipctl', 'generations')).sort();

/** The database is whole, and a reader needs no repair. */
function expectUsable(dir: string): void {
  const database = new BetterSqlite3(join(dir, 'site.db'));
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(database.pragma('foreign_key_check')).toEqual([]);
  database.close();
}

const leases = (dir: string): unknown[] => {
  const database = new BetterSqlite3(join(dir, 'site.db'), { readonly: true });
  const rows = database.prepare('SELECT name FROM leases').all();
  database.close();
  return rows;
};

/** Nothing but what kept generations need: no draft, no lock, no store file of a generation that is gone. */
async function expectNoLeftoversOncePruned(dir: string): Promise<void> {
  const root = join(dir, 'pbx', 'sipctl');
  const place = localGenerations(join(dir, 'pbx'), { now: () => new Date() });
  await place.prune(new Set(await place.list()));
  expect(readdirSync(root).filter((name) => name !== 'verified')).toEqual([
    'current',
    'generations',
    'store',
  ]);
  const needed = new Set<string>();
  for (const name of readdirSync(join(root, 'generations'))) {
    const manifest = await expectCompleteGeneration(root, name);
    for (const artifact of Object.values(manifest.artifacts)) needed.add(storePath(artifact));
  }
  const files = (readdirSync(join(root, 'store'), { recursive: true, withFileTypes: true }) ?? [])
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  expect(files.sort()).toEqual([...needed].sort());
}

/** The run that put something in force is not forgotten, whenever it was killed. */
async function expectInHistory({ dir, ok }: Site, over: boolean): Promise<void> {
  const [last] = (await ok('history')).data.deliveries;
  expect(last.generation).toBe((await expectOneCompleteGeneration(join(dir, 'pbx')))?.generation);
  expect(over ? ['delivered'] : ['interrupted', 'delivered']).toContain(last.outcome);
}

/** One run that is killed at the n-th point, and all that must hold afterwards. @returns whether it came to its end */
async function killedRun(from: string, how: 'file' | 'sql', n: number, allowed: Artifacts[]) {
  const sipctl = site(`${from}-${how}-${n}`, from);
  const { dir } = sipctl;
  const argv = ['apply', '--yes', '--json', '--confirm', '99'];
  const ended = await runChild(child, [dir, how, String(n), ...argv]);
  if (ended.signal === null) expect([ended.code, ended.stderr]).toEqual([0, '']);
  else expect(ended.signal).toBe('SIGKILL');

  await expectAllComplete(join(dir, 'pbx'));
  const found = await inForce(dir);
  expect(allowed, `${how} ${n}: what is in force`).toContain(found);
  expectUsable(dir);
  if (found !== allowed[0]) await expectInHistory(sipctl, ended.signal === null);

  await sipctl.ok('apply', '--yes', '--confirm', '99');
  expect(await inForce(dir), `${how} ${n}: the next run converges`).toBe(allowed.at(-1));
  expect((await sipctl.run('plan', '--detailed-exitcode')).code).toBe(0);
  expect((await sipctl.run('plan', '--detailed-exitcode', '--refresh')).code).toBe(0);

  await sipctl.ok('user', 'set', 'bob', '--tenant', 'acme', '--display-name', 'Bob');
  await sipctl.ok('apply', '--yes');
  expect(leases(dir)).toEqual([]);
  await expectNoLeftoversOncePruned(dir);
  rmSync(dir, { recursive: true });
  return { over: ended.signal === null, found };
}

async function killEverywhere(from: string, how: 'file' | 'sql'): Promise<number> {
  const start = await inForce(prepared.get(from) ?? '');
  const wanted = await undisturbed(from);
  expect(wanted).not.toBe(start);
  const seen = new Set<string>();
  let points = 0;
  // Two at a time: the runs do not know each other.
  for (let over = false; !over; points += 2) {
    const runs = await Promise.all(
      [1, 2].map((ahead) => killedRun(from, how, points + ahead, [start, wanted])),
    );
    for (const run of runs) seen.add(run.found);
    over = runs.some((run) => run.over);
  }
  expect(seen, 'kills before and after the flip').toEqual(new Set([start, wanted]));
  return points;
}

const everywhere = [
  ['first', 'file', 40],
  ['update', 'file', 40],
  ['deletion', 'file', 30],
  ['prune', 'file', 40],
  ['first', 'sql', 9],
  ['update', 'sql', 9],
] as const;

for (const [from, how, atLeast] of everywhere) {
  const where = how === 'file' ? 'change of the file system' : 'write to the database';
  it(`survives a kill at every ${where}: ${from}`, async () => {
    expect(await killEverywhere(from, how)).toBeGreaterThanOrEqual(atLeast);
  }, 400_000);
}
