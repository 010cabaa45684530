import { expect, it } from 'vitest';
import { type FileOperations, fileSystem } from '../../src/files/operations.ts';
import { applyNode } from '../../src/pipeline/apply.ts';
import type { NodePlan } from '../../src/plan/plan.ts';
import type { RunningSystem } from '../../src/platforms/target.ts';
import { type Call, intercept } from '../support/kill/intercept.ts';
import { runOptions, type ScriptedNode, scriptedNode } from './scripted-node.ts';

/** A disk that has no room for what the test names. */
interface Disk {
  operations: FileOperations;
  fails: (call: Call) => boolean;
}

function diskWithout(fails: Disk['fails']): Disk {
  const disk: Disk = {
    fails,
    operations: intercept(fileSystem, (call, run) =>
      disk.fails(call) ? Promise.reject(noRoom(call)) : run(),
    ),
  };
  return disk;
}

const noRoom = ({ name, path }: Call): Error =>
  Object.assign(new Error(`ENOSPC: ${name}`), { code: 'ENOSPC', syscall: name, path });

const finding = {
  object: 'user ann',
  tenant: 'acme',
  file: null,
  code: 'missing' as const,
  message: 'is missing',
};

/** A node that holds some generations, the last one verified, and the plan for one more. */
async function nextPlan(
  disk: Disk,
  running: Partial<RunningSystem> = {},
  generations = 1,
): Promise<{ node: ScriptedNode; plan: NodePlan }> {
  const first = await scriptedNode();
  for (let number = 1; number <= generations; number++)
    await applyNode(first.target, await first.planFor(`; ${number}`), runOptions());
  const node = await scriptedNode({ dir: first.dir, operations: disk.operations, running });
  return { node, plan: await node.planFor('; next') };
}

it('names a verified generation that could not be noted as such, and calls it applied', async () => {
  const { node, plan } = await nextPlan(
    diskWithout(({ name, path }) => name === 'create' && path.includes('/verified')),
  );
  const outcome = await applyNode(node.target, plan, runOptions());
  expect(outcome).toMatchObject({ outcome: 'verified', generation: 2, base: 1, error: null });
  expect(outcome.warnings).toMatchObject([
    { code: 'not_written', message: expect.stringContaining('verified'), hint: expect.any(String) },
  ]);
  expect([await node.target.files.current(), await node.target.files.verified()]).toEqual([2, 1]);
});

it('calls a generation applied whose predecessors could not be removed', async () => {
  const disk = diskWithout(
    ({ name, from = '' }) => name === 'rename' && /generations\/00000[0-9]$/.test(from),
  );
  const { node, plan } = await nextPlan(disk, {}, 6);
  const outcome = await applyNode({ ...node.target, keep: 2 }, plan, runOptions());
  expect(outcome).toMatchObject({
    outcome: 'verified',
    generation: 7,
    warnings: [{ code: 'not_written', message: expect.stringContaining('old generations') }],
  });
});

it('calls a generation applied whose lock could not be given back', async () => {
  const { node, plan } = await nextPlan(
    diskWithout(({ name, path }) => name === 'unlink' && path.endsWith('/lock')),
  );
  const outcome = await applyNode(node.target, plan, runOptions());
  expect(outcome).toMatchObject({
    outcome: 'verified',
    warnings: [{ message: expect.stringContaining('lock') }],
  });
});

it('goes back also where that cannot be noted first', async () => {
  const disk = diskWithout(() => false);
  const verify: RunningSystem['verify'] = async () => {
    disk.fails = ({ name, path }) => name === 'create' && path.includes('/verified');
    return (await node.target.files.current()) === 2 ? [finding] : [];
  };
  const { node, plan } = await nextPlan(disk, { verify });
  const outcome = await applyNode(node.target, plan, runOptions());
  expect(outcome).toMatchObject({ outcome: 'rolled-back', generation: 1 });
  expect(outcome.warnings.map(({ code }) => code)).toEqual(['not_written', 'not_written']);
  expect(await node.target.files.current()).toBe(1);
});

it('says which generation is in force where there is no way back', async () => {
  const disk = diskWithout(() => false);
  const verify: RunningSystem['verify'] = async () => {
    disk.fails = ({ name }) => name === 'symlink';
    return [finding];
  };
  const { node, plan } = await nextPlan(disk, { verify });
  const outcome = await applyNode(node.target, plan, runOptions());
  expect(outcome).toMatchObject({
    outcome: 'rollback-failed',
    generation: 2,
    error: { outcome: 'rollbackFailed', problems: [{ code: 'not_verified_missing' }, { code: 'disk_full' }] },
  });
  expect(await node.target.files.verified()).toBeNull();
});

it('says which generation is in force where only its durability is in doubt', async () => {
  let flipped = false;
  const disk = diskWithout(({ name, path }) => {
    flipped ||= name === 'rename' && path.endsWith('/current');
    return flipped && name === 'syncFolder';
  });
  const { node, plan } = await nextPlan(disk);
  const outcome = await applyNode(node.target, plan, runOptions());
  expect(outcome).toMatchObject({ outcome: 'failed', generation: 2, base: 1 });
  expect(await node.target.files.current()).toBe(2);
});

it('registers again what left for a generation that could not be put in force', async () => {
  const disk = diskWithout(() => false);
  const steps: string[] = [];
  const perform: RunningSystem['perform'] = async (step) => {
    disk.fails = ({ name }) => name === 'symlink';
    steps.push(step.kind === 'reload-module' ? step.module : `${step.kind} ${step.registration}`);
  };
  const { node, plan } = await nextPlan(disk, { perform });
  const leaving = {
    ...plan,
    reload: [{ kind: 'unregister' as const, registration: 'acme.main' }, ...plan.reload],
  };
  const outcome = await applyNode(node.target, leaving, runOptions());
  expect(outcome).toMatchObject({ outcome: 'failed', generation: 1, warnings: [] });
  expect(steps).toEqual(['unregister acme.main', 'register acme.main']);
});
