import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { localGenerations } from '../../src/files/local.ts';
import { fileSystem } from '../../src/files/operations.ts';
import { type Call, intercept } from '../support/kill/intercept.ts';
import { deliver, sampleGeneration } from '../support/kill/sample-delivery.ts';
import { temporaryFolder } from './tree.ts';

const now = (): Date => new Date();

/** Every change in the order in which it was done. */
function recorder(): { calls: Call[]; operations: typeof fileSystem } {
  const calls: Call[] = [];
  const operations = intercept(fileSystem, async (call, run) => {
    const result = await run();
    calls.push(call);
    return result;
  });
  return { calls, operations };
}

/**
 * What a power failure after these calls may still lose (fsync(2)): contents of files written and not synced
 * since, and names whose folder was not synced since they were made, moved or removed.
 */
function volatileAfter(calls: readonly Call[]): { contents: Set<string>; names: Set<string> } {
  const contents = new Set<string>();
  const names = new Set<string>();
  for (const call of calls) {
    switch (call.name) {
      case 'write':
        contents.add(call.path);
        break;
      case 'sync':
        contents.delete(call.path);
        break;
      case 'rename':
        if (contents.delete(call.from ?? '')) contents.add(call.path);
        names.delete(call.from ?? '');
        names.add(call.path);
        break;
      case 'syncFolder':
        for (const name of names) if (dirname(name) === call.path) names.delete(name);
        break;
      case 'create':
      case 'mkdir':
      case 'symlink':
      case 'link':
      case 'unlink':
      case 'rmdir':
        names.add(call.path);
        break;
    }
  }
  return { contents, names };
}

it('has all of a generation on disk before its name, and its name before current points to it', async () => {
  const dir = await temporaryFolder();
  const { calls, operations } = recorder();
  const place = localGenerations(dir, { now, operations });
  await (await place.lock('me'))();
  // A lock need not outlive a power failure; the folder it was the first to make must.
  calls.splice(0, Infinity, ...calls.filter((call) => !call.path.includes('/lock')));
  await place.write(sampleGeneration(1, { acme: '[100]\n', beta: '[200]\n' }));
  expect(volatileAfter(calls)).toEqual({ contents: new Set(), names: new Set() });
  await place.flip(1);
  await place.markVerified(1);
  expect(volatileAfter(calls)).toEqual({ contents: new Set(), names: new Set() });

  const root = join(dir, 'sipctl');
  for (const [index, call] of calls.entries()) {
    if (call.name !== 'rename') continue;
    const before = volatileAfter(calls.slice(0, index));
    expect(before.contents, `content of ${call.path}`).not.toContain(call.from);
    if (call.path === join(root, 'current')) {
      // The draft of the link itself is all that may be lost.
      expect(before).toEqual({ contents: new Set(), names: new Set([call.from]) });
    }
    if (call.path === join(root, 'generations/000001')) {
      const inside = [...before.names].filter((name) => name.startsWith(`${call.from}/`));
      expect(inside, 'files of the draft').toEqual([]);
    }
  }
  expect(calls.filter((call) => call.path === join(root, 'current'))).toHaveLength(1);
});

it('has the end of a generation on disk before its store files go', async () => {
  const dir = await temporaryFolder();
  await deliver(localGenerations(dir, { now }), { acme: '[100]\n' });
  await deliver(localGenerations(dir, { now }), { acme: '[101]\n' });
  const { calls, operations } = recorder();
  await localGenerations(dir, { now, operations }).prune(new Set([2]));
  // It loses its name first: half of it is never taken for a generation, whatever order its files go in.
  expect(calls.filter((call) => call.path.includes('/000001/'))).toEqual([]);
  const removed = calls.findIndex((call) => call.name === 'unlink' && call.path.includes('/store/'));
  expect(removed).toBeGreaterThan(0);
  const before = volatileAfter(calls.slice(0, removed));
  expect([...before.names].filter((name) => dirname(name) === join(dir, 'sipctl/generations'))).toEqual([]);
});

it('replaces a file of the host only with one that is on disk, after its backup is', async () => {
  const dir = await temporaryFolder();
  await localGenerations(dir, { now }).writeHost('pjsip.conf', 'old');
  const { calls, operations } = recorder();
  await localGenerations(dir, { now, operations }).writeHost('pjsip.conf', 'new');
  const renames = calls.filter((call) => call.name === 'rename').map((call) => call.path);
  expect(renames).toEqual([expect.stringContaining('backup'), join(dir, 'pjsip.conf')]);
  expect(volatileAfter(calls)).toEqual({ contents: new Set(), names: new Set() });
});
