import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { localGenerations } from '../../src/files/local.ts';
import { fileSystem } from '../../src/files/operations.ts';
import { crashAt } from '../support/kill/kill-at.ts';
import { deliver, sampleGeneration } from '../support/kill/sample-delivery.ts';
import { temporaryFolder, tree } from './tree.ts';

const now = (): Date => new Date();
// A crashed run's process lives on in these tests, so its lock must be taken for a dead one's.
const processIsAlive = (): boolean => false;
const drafts = async (dir: string): Promise<string[]> =>
  Object.keys(await tree(dir)).filter((path) => path.includes('.tmp-'));

it('goes with the next run that takes the lock, wherever a run was killed', async () => {
  let left = 0;
  for (let n = 1; ; n++) {
    const dir = await temporaryFolder();
    await deliver(localGenerations(dir, { now }), { acme: '[1]\n', beta: '[1]\n' });
    const { operations, crashed } = crashAt(fileSystem, n);
    const run = deliver(localGenerations(dir, { now, operations }), { acme: '[2]\n', beta: '[2]\n' });
    const ended = await Promise.race([run.then(() => 'over'), crashed.then(() => 'crashed')]);
    if (ended === 'over') break;
    left += (await drafts(dir)).length;

    // The next run has nothing to do with those tenants: what was changed was changed back.
    const place = localGenerations(dir, { now, processIsAlive });
    const unlock = await place.lock('the next run');
    await place.write(sampleGeneration(9, { corp: '[3]\n' }));
    expect(await drafts(dir), `killed at change ${n}`).toEqual([]);
    await unlock();
  }
  expect(left).toBeGreaterThan(10);
});

it('is looked for in the store only after a run that was killed', async () => {
  const dir = await temporaryFolder();
  const looked: string[] = [];
  const readdir: typeof fileSystem.readdir = (path) => {
    looked.push(path.slice(dir.length + 1));
    return fileSystem.readdir(path);
  };
  const place = localGenerations(dir, { now, operations: { ...fileSystem, readdir } });
  for (const text of ['[1]\n', '[2]\n']) {
    const unlock = await place.lock('a run');
    await place.write(sampleGeneration(text === '[1]\n' ? 1 : 2, { acme: text }));
    await unlock();
  }
  expect(looked.filter((path) => path.startsWith('sipctl/store'))).toEqual([]);
});

it('of a file of the PBX goes with the next writing of that file, and nothing else with it', async () => {
  const dir = await temporaryFolder();
  const [mine, backup] = ['pjsip.conf.tmp-12-abc', 'pjsip.conf.sipctl-backup-20261121T0900.tmp-12-abc'];
  const others = ['extensions.conf.tmp-12-abc', 'pjsip.conf.tmp', 'pjsip.conf.bak'];
  for (const name of [mine, backup, ...others]) await writeFile(join(dir, name), 'half');
  await localGenerations(dir, { now }).writeHost('pjsip.conf', '#include pjsip_users.conf\n');
  expect(Object.keys(await tree(dir))).toEqual([...others, 'pjsip.conf'].sort());
});
