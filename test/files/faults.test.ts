import { execFileSync } from 'node:child_process';
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import { localGenerations } from '../../src/files/local.ts';
import { fileSystem } from '../../src/files/operations.ts';
import { failAt } from '../support/kill/kill-at.ts';
import { expectOneCompleteGeneration } from '../support/kill/one-complete-generation.ts';
import { bundleChild, runChild } from '../support/kill/processes.ts';
import { deliver, sampleGeneration } from '../support/kill/sample-delivery.ts';
import { temporaryFolder, tree } from './tree.ts';

const now = (): Date => new Date();
const site = { acme: '[100]\n', beta: '[200]\n' };
const larger = { acme: '[101]\n', corp: '[300]\n', corp2: '[300]\n' };
const isRoot = process.geteuid?.() === 0;
const canMount = isRoot && attempt(() => execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' }));
const nobody = 65_534;

function attempt(step: () => unknown): boolean {
  try {
    step();
    return true;
  } catch {
    return false;
  }
}

async function failure(promise: Promise<unknown>): Promise<SipctlError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SipctlError);
  return error as SipctlError;
}

describe('a disk without room', () => {
  it.each([
    'ENOSPC',
    'EDQUOT',
  ])('fails with %s at any step, changes nothing, and leaves nothing behind', async (code) => {
    for (let n = 1; ; n++) {
      const dir = await temporaryFolder();
      await deliver(localGenerations(dir, { now }), site);
      const before = await tree(dir);
      const place = localGenerations(dir, { now, operations: failAt(fileSystem, n, code) });
      const generation = sampleGeneration(2, larger);
      const outcome = await place.write(generation).then(
        () => null,
        (error: unknown) => error as SipctlError,
      );
      if (outcome === null) {
        expect(n).toBeGreaterThan(10);
        return;
      }
      expect(outcome).toMatchObject({ outcome: 'failed', problems: [{ code: 'disk_full' }] });
      expect(outcome.problems[0]?.hint).toContain('df -h');
      await expectOneCompleteGeneration(dir);
      // An empty tenant folder takes no room to speak of; the next prune removes it.
      expect(withoutEmptyFolders(await tree(dir)), `at step ${n}`).toEqual(before);
    }
  });

  it('fails a flip and a mark likewise, with the old generation in force', async () => {
    const dir = await temporaryFolder();
    await deliver(localGenerations(dir, { now }), site);
    const place = localGenerations(dir, { now, operations: failAt(fileSystem, 1, 'ENOSPC') });
    expect((await failure(place.flip(1))).outcome).toBe('failed');
    expect((await failure(place.markVerified(1))).outcome).toBe('failed');
    expect((await failure(place.writeHost('x.conf', ''))).outcome).toBe('failed');
    expect((await expectOneCompleteGeneration(dir))?.generation).toBe(1);
    expect(Object.keys(await tree(dir)).filter((path) => path.includes('tmp-'))).toEqual([]);
  });

  it('says what failed where the disk is broken', async () => {
    const dir = await temporaryFolder();
    const place = localGenerations(dir, { now, operations: failAt(fileSystem, 3, 'EIO') });
    const error = await failure(place.write(sampleGeneration(1, site)));
    expect(error).toMatchObject({ outcome: 'failed', problems: [{ code: 'io_error' }] });
    expect(error.message).toContain(dir);
  });

  function withoutEmptyFolders(paths: Record<string, string>): Record<string, string> {
    const names = Object.keys(paths);
    return Object.fromEntries(
      Object.entries(paths).filter(
        ([path, content]) => content !== '750' || names.some((name) => name.startsWith(`${path}/`)),
      ),
    );
  }
});

describe('real file systems', () => {
  let scratch: string;
  let child: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'sipctl-faults-'));
    await chmod(scratch, 0o755);
    child = await bundleChild(scratch);
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  /** Runs the child in a mount name space of its own, where `dir` is a file system prepared by `setUp`. */
  function delivery(setUp: string, dir: string, wanted: object): string {
    const run = `"${process.execPath}" "${child}" "${dir}" deliver 0 '${JSON.stringify(wanted)}' 2>&1 || true`;
    return execFileSync(
      'unshare',
      ['-m', 'sh', '-ec', `${setUp}\n${run}\nls -A "${dir}/sipctl" 2>/dev/null || true`],
      {
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
      },
    );
  }

  it.runIf(canMount)('are really full', async () => {
    const dir = join(scratch, 'full');
    await mkdir(dir);
    const setUp = `mount -t tmpfs -o size=64k none "${dir}"`;
    const fits = delivery(setUp, dir, { acme: 'x'.repeat(20_000) });
    expect(fits).toBe('delivered\ncurrent\ngenerations\nstore\nverified\n');
    const wanted = { acme: 'x'.repeat(10_000), big: 'y'.repeat(40_000), more: 'z'.repeat(40_000) };
    // The lock is a dead owner's now, because the failed process gave it not back; nothing else is left.
    expect(delivery(setUp, dir, wanted)).toMatch(/^failed\nwrite: no room for .*untouched\s*lock\nstore\n$/);
  });

  it.runIf(canMount)('are really read-only', async () => {
    const dir = join(scratch, 'read-only');
    await mkdir(dir);
    const output = delivery(`mount -t tmpfs none "${dir}"; mount -o remount,ro "${dir}"`, dir, site);
    expect(output).toMatch(/^refused\nlock: .*\/sipctl is on a read-only file system/);
  });

  it.runIf(isRoot)('are not writable for everybody', async () => {
    const dir = join(scratch, 'rights');
    await mkdir(dir);
    const asNobody = { uid: nobody, gid: nobody };
    const ended = await runChild(child, [dir, 'deliver', '0', JSON.stringify(site)], asNobody);
    expect(ended.stdout).toBe('refused\n');
    expect(ended.stderr).toMatch(/^lock: (nobody|\d+) may not write in .*rights \(mkdir .*rights\/sipctl\)$/);
    await chown(dir, nobody, nobody);
    const again = await runChild(child, [dir, 'deliver', '0', JSON.stringify(site)], asNobody);
    expect(again).toMatchObject({ code: 0, stdout: 'delivered\n' });
    expect((await lstat(join(dir, 'sipctl/verified'))).uid).toBe(nobody);
  });
});

describe('owner and group', () => {
  const owners = async (dir: string): Promise<Set<string>> => {
    const found = new Set<string>();
    for (const path of Object.keys(await tree(dir))) {
      const { uid, gid } = await lstat(join(dir, path));
      if (!(await lstat(join(dir, path))).isSymbolicLink()) found.add(`${uid}:${gid}`);
    }
    return found;
  };

  it.runIf(isRoot)('are those that are configured, by name', async () => {
    const dir = await temporaryFolder();
    const daemon = (await readFile('/etc/group', 'utf8')).match(/^daemon:[^:]*:([0-9]+)/m)?.[1];
    await deliver(localGenerations(dir, { now, owner: 'nobody', group: 'daemon' }), site);
    expect(await owners(dir)).toEqual(new Set([`${nobody}:${daemon}`]));
    const stat = await localGenerations(dir, { now }).stat('sipctl/verified');
    expect(stat).toMatchObject({ owner: 'nobody', group: 'daemon', mode: 0o640 });
  });

  it.runIf(isRoot)('follow a changed setting at the next delivery', async () => {
    const dir = await temporaryFolder();
    await deliver(localGenerations(dir, { now }), site);
    await localGenerations(dir, { now, owner: 'nobody' }).write(sampleGeneration(2, site));
    const [path] = sampleGeneration(2, site).store.keys();
    expect((await lstat(join(dir, 'sipctl', path ?? ''))).uid).toBe(nobody);
    expect((await lstat(join(dir, 'sipctl/store/acme'))).uid).toBe(nobody);
  });

  it.runIf(isRoot)('let the PBX read what root delivers', async () => {
    const byGroup = await temporaryFolder();
    await chown(byGroup, 0, 12_345);
    await deliver(localGenerations(byGroup, { now }), site);
    expect(await owners(byGroup)).toEqual(new Set(['0:12345']));

    const byOwner = await temporaryFolder();
    await chown(byOwner, 12_345, 0);
    await deliver(localGenerations(byOwner, { now }), site);
    expect(await owners(byOwner)).toEqual(new Set(['12345:0']));
  });

  it.runIf(isRoot)('of a file of the host stay its own', async () => {
    const dir = await temporaryFolder();
    await writeFile(join(dir, 'pjsip.conf'), 'old');
    await chown(join(dir, 'pjsip.conf'), 12_345, 23_456);
    await localGenerations(dir, { now, owner: 'nobody' }).writeHost('pjsip.conf', 'new');
    expect(await owners(dir)).toEqual(new Set(['12345:23456']));
  });

  it('are refused by their name where there is no such account', async () => {
    const dir = await temporaryFolder();
    const owner = await failure(localGenerations(dir, { now, owner: 'no-such-user' }).lock('me'));
    expect(owner).toMatchObject({ outcome: 'invalid', problems: [{ field: 'owner', code: 'unknown_user' }] });
    const group = await failure(localGenerations(dir, { now, group: 'no-such-group' }).lock('me'));
    expect(group).toMatchObject({
      outcome: 'invalid',
      problems: [{ field: 'group', code: 'unknown_group' }],
    });
    expect(await tree(dir)).toEqual({});
  });

  it('that one may not give are refused, with the remedy', async () => {
    const dir = await temporaryFolder();
    const denied = (path: string): Promise<never> =>
      Promise.reject(
        Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'chown', path }),
      ) as Promise<never>;
    const operations = { ...fileSystem, chown: denied };
    const place = localGenerations(dir, { now, operations, owner: '12345' });
    const error = await failure(place.write(sampleGeneration(1, site)));
    expect(error).toMatchObject({ outcome: 'refused', problems: [{ field: 'owner' }] });
    expect(error.problems[0]?.hint).toMatch(/as root/);
  });
});
