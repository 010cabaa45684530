import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { expectOneCompleteGeneration } from '../support/kill/one-complete-generation.ts';
import { type Ended, runChild, startChild } from '../support/kill/processes.ts';
import { onServer } from '../support/store-place.ts';
import { bundleApply } from './apply-processes.ts';
import { type Site, siteIn } from './site.ts';

let scratch: string;
let child: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'sipctl-two-applies-'));
  child = await bundleApply(scratch);
}, 120_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function pendingSite(): Promise<Site> {
  const dir = mkdtempSync(join(scratch, 'site-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'pbx'));
  const site = siteIn(dir);
  await site.ok('init');
  await site.ok('node', 'add', 'pbx', '--kind', 'asterisk', '--dir', join(dir, 'pbx'));
  await site.ok('user', 'add', 'ann', '--extension', '101', '--generate-password');
  return site;
}

const apply = ['apply', '--yes', '--json'];

const outcomes = ({ stdout }: Ended): string[] => {
  const document = JSON.parse(stdout.replace(/^paused\n/, '')) as { data: { nodes: { outcome: string }[] } };
  return document.data.nodes.map(({ outcome }) => outcome);
};

// The first change of the file system is under the lease of the database, a later one under the node's lock too.
for (const [where, change] of [
  ['before it has the lock of the node', 1],
  ['with the lock of the node, before the flip', 12],
] as const) {
  it(`tells the second of two applies who holds the node: ${where}`, async () => {
    const site = await pendingSite();
    const first = startChild(child, [site.dir, 'pause', String(change), ...apply]);
    await first.said('paused');

    const json = await runChild(child, [site.dir, 'run', '0', ...apply]);
    expect([json.code, outcomes(json)]).toEqual([6, ['failed']]);
    const plain = await runChild(child, [site.dir, 'run', '0', 'apply', '--yes']);
    expect([plain.code, plain.stderr]).toEqual([6, expect.stringContaining(`process ${first.process.pid}`)]);
    // Reading, and writing to the database, need not wait for it.
    await site.ok('user', 'set', 'ann', '--notes', 'while an apply is at work');
    expect((await site.ok('plan')).data.pending).toBe(true);

    first.process.stdin.write('go on\n');
    first.process.stdin.end();
    const ended = await first.ended;
    expect([ended.code, outcomes(ended)]).toEqual([0, ['delivered']]);
    expect((await site.run('plan', '--detailed-exitcode')).code).toBe(0);
  });
}

it('takes the node over at once from an apply that was killed', async () => {
  const site = await pendingSite();
  const first = startChild(child, [site.dir, 'pause', '12', ...apply]);
  await first.said('paused');
  first.process.kill('SIGKILL');
  await first.ended;
  expect((await site.ok('apply', '--yes')).data.nodes[0].outcome).toBe('delivered');
});

it.skipIf(onServer())(
  'does not take a process that got the number of a dead one for its owner, for ever',
  async () => {
    const site = await pendingSite();
    const first = startChild(child, [site.dir, 'pause', '1', ...apply]);
    await first.said('paused');
    first.process.kill('SIGKILL');
    await first.ended;
    const database = new BetterSqlite3(join(site.dir, 'site.db'));
    // As after a restart of a container, where the same few numbers come again.
    database.prepare('UPDATE leases SET pid = ?').run(process.pid);
    expect((await site.run('apply', '--yes')).code).toBe(6);
    database.prepare('UPDATE leases SET expires_at = ?').run(new Date(Date.now() - 1).toISOString());
    database.close();
    await site.ok('apply', '--yes');
  },
);

it('lets exactly one of many applies at once deliver; the others find it done, or are told of it', async () => {
  const site = await pendingSite();
  for (let round = 0; round < 3; round++) {
    await site.ok('user', 'set', 'ann', '--display-name', `Ann ${round}`);
    const runs = await Promise.all(
      Array.from({ length: 5 }, () => runChild(child, [site.dir, 'run', '0', ...apply])),
    );
    const ended = runs.map((run) => `${run.code} ${outcomes(run)}`);
    expect(ended.filter((one) => one === '0 delivered')).toHaveLength(1);
    for (const one of ended) expect(['0 delivered', '0 unchanged', '6 failed']).toContain(one);
    const manifest = await expectOneCompleteGeneration(join(site.dir, 'pbx'));
    expect(manifest?.generation).toBe(round + 1);
    expect((await site.run('plan', '--detailed-exitcode')).code).toBe(0);
  }
});
