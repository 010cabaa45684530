import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import { type LocalOptions, localGenerations } from '../../src/files/local.ts';
import {
  type LockRecord,
  lockExpiry,
  mayBeAlive,
  parseLock,
  processIsAlive,
  serializeLock,
  thisProcess,
} from '../../src/files/lock-record.ts';
import { fileSystem } from '../../src/files/operations.ts';
import { intercept } from '../support/kill/intercept.ts';
import { bundleChild, type Child, runChild, startChild } from '../support/kill/processes.ts';
import { sampleGeneration } from '../support/kill/sample-delivery.ts';
import { temporaryFolder } from './tree.ts';

const now = (): Date => new Date('2025-03-04T05:06:07.890Z');

let scratch: string;
let child: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sipctl-lock-'));
  child = await bundleChild(scratch);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const localPlace = (dir: string, more: Partial<LocalOptions> = {}): ReturnType<typeof localGenerations> =>
  localGenerations(dir, { now, ...more });

const lockFiles = async (dir: string): Promise<string[]> =>
  (await readdir(join(dir, 'sipctl'))).filter((name) => name.startsWith('lock'));

async function conflict(promise: Promise<unknown>): Promise<SipctlError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SipctlError);
  expect((error as SipctlError).outcome).toBe('conflict');
  return error as SipctlError;
}

/** A lock of another machine, silent for so many seconds. */
async function foreignLock(dir: string, silentFor: number): Promise<LockRecord> {
  const record: LockRecord = {
    ...thisProcess(),
    id: '00000000-0000-4000-8000-000000000000',
    machine: 'elsewhere',
    host: 'pbx9',
    holder: 'bob@pbx9 apply',
    started: '2025-01-01T00:00:00.000Z',
    renewed: '2025-01-01T00:00:05.000Z',
  };
  const path = join(dir, 'sipctl/lock');
  await writeFile(path, serializeLock(record));
  const then = Date.now() / 1000 - silentFor;
  await utimes(path, then, then);
  return record;
}

describe('a held lock', () => {
  it('says who holds it, keeps others out, and is gone when given back', async () => {
    const dir = await temporaryFolder();
    const release = await localPlace(dir).lock('ann@admin apply');
    const record = parseLock(await readFile(join(dir, 'sipctl/lock'), 'utf8'));
    expect(record).toMatchObject({ ...thisProcess(), holder: 'ann@admin apply', pid: process.pid });
    expect(record?.started).toBe('2025-03-04T05:06:07.890Z');

    const error = await conflict(localPlace(dir).lock('bob@admin apply'));
    expect(error.message).toContain('ann@admin apply');
    expect(error.message).toContain(`process ${process.pid}`);
    expect(error.message).toContain('since 2025-03-04T05:06:07.890Z');
    expect(error.problems[0]).toMatchObject({ code: 'locked' });
    expect(error.problems[0]?.hint).toContain(`ps -p ${process.pid}`);
    expect(await lockFiles(dir)).toEqual(['lock']);

    await release();
    await release();
    expect(await lockFiles(dir)).toEqual([]);
    await (await localPlace(dir).lock('bob@admin apply'))();
    expect(await lockFiles(dir)).toEqual([]);
  });

  it('shows signs of life', async () => {
    const dir = await temporaryFolder();
    let seconds = 0;
    const clock = (): Date => {
      seconds += 1;
      return new Date(seconds * 1000);
    };
    const release = await localPlace(dir, { now: clock, renewEvery: 5 }).lock('me');
    const renewed = async (): Promise<number> =>
      Date.parse(parseLock(await readFile(join(dir, 'sipctl/lock'), 'utf8'))?.renewed ?? '');
    const atFirst = await renewed();
    await vi.waitFor(async () => expect(await renewed()).toBeGreaterThan(atFirst));
    await release();
  });

  it('does not touch the lock of another run that took it over', async () => {
    const dir = await temporaryFolder();
    const sleeper = localPlace(dir, { renewEvery: 5 });
    const release = await sleeper.lock('sleeper');
    await sleeper.write(sampleGeneration(1, {}));
    const taker = localPlace(dir, { processIsAlive: () => false });
    const releaseTaker = await taker.lock('taker');
    const taken = await readFile(join(dir, 'sipctl/lock'), 'utf8');

    for (const step of [
      () => sleeper.flip(1),
      () => sleeper.write(sampleGeneration(2, {})),
      () => sleeper.markVerified(1),
      () => sleeper.prune(new Set()),
    ]) {
      expect((await conflict(step())).problems[0]?.code).toBe('lock_lost');
    }
    await release();
    expect(await readFile(join(dir, 'sipctl/lock'), 'utf8')).toBe(taken);
    expect(await taker.current()).toBeNull();
    await releaseTaker();
    expect(await lockFiles(dir)).toEqual([]);
  });

  it('leaves nothing behind when it cannot be made', async () => {
    const dir = await temporaryFolder();
    const operations = intercept(fileSystem, (call, run) =>
      call.name === 'sync'
        ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'fsync' }))
        : run(),
    );
    const error = await localPlace(dir, { operations })
      .lock('me')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ outcome: 'failed', problems: [{ code: 'disk_full' }] });
    expect(await lockFiles(dir)).toEqual([]);
  });
});

async function killedHolder(dir: string): Promise<void> {
  const owner = startChild(child, [dir, 'lock', '0']);
  owner.process.stdin.write('go\n');
  await owner.said('held');
  owner.process.kill('SIGKILL');
  await owner.ended;
  expect(await lockFiles(dir)).toEqual(['lock']);
}

describe('the lock of a dead owner', () => {
  it.each([
    ['taking a free lock', false],
    ['taking over another dead owner’s', true],
  ])('is taken over at once, wherever it was killed while %s', async (_how, overDead) => {
    for (let n = 1; ; n++) {
      const dir = await temporaryFolder();
      if (overDead) await killedHolder(dir);
      const racer = startChild(child, [dir, 'lock', String(n)]);
      racer.process.stdin.write('go\n');
      const held = await racer.said('held').then(
        () => true,
        () => false,
      );
      // Held, and nothing on the way was the n-th change: killed from outside, while it holds.
      if (held) racer.process.kill('SIGKILL');
      expect((await racer.ended).signal).toBe('SIGKILL');

      const release = await localPlace(dir).lock('next');
      expect(await lockFiles(dir), `killed at change ${n}`).toEqual(['lock']);
      await release();
      expect(await lockFiles(dir)).toEqual([]);
      if (held) return expect(n).toBeGreaterThan(5);
    }
  });

  it('waits for the expiry of one on another machine, by the clock of the file system', async () => {
    const dir = await temporaryFolder();
    await (await localPlace(dir).lock('me'))();
    const record = await foreignLock(dir, lockExpiry - 20);
    const error = await conflict(localPlace(dir).lock('me'));
    expect(error.message).toContain('bob@pbx9 apply');
    expect(error.message).toContain('on pbx9');
    expect(error.problems[0]?.hint).toContain(record.renewed);

    await foreignLock(dir, lockExpiry + 20);
    await (await localPlace(dir).lock('me'))();
    expect(await lockFiles(dir)).toEqual([]);
  });

  it('waits likewise for a file that is no lock of ours', async () => {
    const dir = await temporaryFolder();
    await (await localPlace(dir).lock('me'))();
    const path = join(dir, 'sipctl/lock');
    await writeFile(path, 'somebody was here');
    expect((await conflict(localPlace(dir).lock('me'))).problems[0]?.hint).toContain('remove it');
    await utimes(path, 1, 1);
    await (await localPlace(dir).lock('me'))();
    expect(await lockFiles(dir)).toEqual([]);
  });

  it('goes to the next in line when the one who was taking it over died too', async () => {
    const dir = await temporaryFolder();
    await (await localPlace(dir).lock('me'))();
    const dead = await foreignLock(dir, lockExpiry + 20);
    const [claimant, next] = ['11111111-0000-4000-8000-000000000000', '22222222-0000-4000-8000-000000000000'];
    const claim = async (id: string, on: string, silentFor: number): Promise<void> => {
      const path = join(dir, `sipctl/lock.taken-${on}`);
      await writeFile(path, serializeLock({ ...dead, id, holder: 'claimant' }));
      const then = Date.now() / 1000 - silentFor;
      await utimes(path, then, then);
    };
    await claim(claimant, dead.id, lockExpiry + 20);
    await claim(next, claimant, 0);
    expect((await conflict(localPlace(dir).lock('me'))).message).toContain('claimant');
    await claim(next, claimant, lockExpiry + 20);
    await (await localPlace(dir).lock('me'))();
    expect(await lockFiles(dir)).toEqual([]);
  });
});

describe('a race of real processes', () => {
  async function race(dir: string, racers: number): Promise<void> {
    const children: Child[] = Array.from({ length: racers }, () => startChild(child, [dir, 'lock', '0']));
    await Promise.all(children.map((racer) => racer.said('ready')));
    for (const racer of children) racer.process.stdin.write('go\n');
    const words = await Promise.all(children.map((racer) => racer.said('held', 'conflict')));
    expect(words.sort()).toEqual(['held', ...Array.from({ length: racers - 1 }, () => 'conflict')].sort());
    for (const racer of children) racer.process.stdin.end();
    for (const ended of await Promise.all(children.map((racer) => racer.ended))) {
      expect(ended).toMatchObject({ code: 0, stderr: '' });
    }
    expect(await lockFiles(dir)).toEqual([]);
  }

  it('has exactly one winner where nobody held the lock', async () => {
    for (let round = 0; round < 3; round++) await race(await temporaryFolder(), 6);
  });

  it('has exactly one winner where a dead owner is taken over by all at once', async () => {
    for (let round = 0; round < 3; round++) {
      const dir = await temporaryFolder();
      await killedHolder(dir);
      await race(dir, 6);
    }
  });

  it('lets nobody in twice: no count is lost between processes that take turns', async () => {
    const dir = await temporaryFolder();
    await writeFile(join(dir, 'counter'), '0');
    const counters = Array.from({ length: 4 }, () => runChild(child, [dir, 'count', '25']));
    for (const ended of await Promise.all(counters)) expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(dir, 'counter'), 'utf8')).toBe('100');
  });
});

describe('takeovers within one process', () => {
  it('never have two winners over one dead owner, in whatever order their steps fall', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const dir = await temporaryFolder();
      await (await localPlace(dir).lock('first'))();
      const dead = await foreignLock(dir, lockExpiry + 20);
      const operations = shuffled(seed);
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, (_, index) => localPlace(dir, { operations }).lock(`taker ${index}`)),
      );
      const winners = results.filter((result) => result.status === 'fulfilled');
      expect(winners, `seed ${seed}`).toHaveLength(1);
      const lock = parseLock(await readFile(join(dir, 'sipctl/lock'), 'utf8'));
      expect(lock?.id).not.toBe(dead.id);
      for (const winner of winners) await winner.value();
      expect(await lockFiles(dir), `seed ${seed}`).toEqual([]);
    }
  });

  function shuffled(seed: number): typeof fileSystem {
    let state = seed;
    return intercept(fileSystem, async (_call, run) => {
      state = (state * 48_271) % 2_147_483_647;
      for (let turns = state % 8; turns > 0; turns--) await new Promise(setImmediate);
      return run();
    });
  }
});

describe('whether an owner may be alive', () => {
  const self = thisProcess();
  const record: LockRecord = {
    ...self,
    id: '00000000-0000-4000-8000-000000000000',
    holder: 'me',
    started: '',
    renewed: '',
  };

  it('is asked of the process table on this machine, and of time elsewhere', () => {
    expect(mayBeAlive(record, 1e9, self, () => true)).toBe(true);
    expect(mayBeAlive(record, 0, self, () => false)).toBe(false);
    const elsewhere = { ...record, machine: 'other' };
    expect(mayBeAlive(elsewhere, lockExpiry, self, () => false)).toBe(true);
    expect(mayBeAlive(elsewhere, lockExpiry + 1, self, () => true)).toBe(false);
  });

  it('knows a process number that went to another process', async () => {
    expect(processIsAlive(self)).toBe(true);
    if (self.processStarted !== null) {
      expect(processIsAlive({ ...self, processStarted: `${self.processStarted}1` })).toBe(false);
    }
    const other = startChild(child, [scratch, 'lock', '0']);
    await other.said('ready');
    const pid = other.process.pid ?? 0;
    expect(processIsAlive({ ...self, pid, processStarted: null })).toBe(true);
    other.process.kill('SIGKILL');
    await other.ended;
    expect(processIsAlive({ ...self, pid, processStarted: null })).toBe(false);
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"id":"x"}',
    serializeLock({ ...record, id: '../../x' }).toString(),
  ])('is not asked of %j, which is no lock record', (text) => {
    expect(parseLock(text)).toBeNull();
    expect(parseLock(serializeLock(record).toString())).toEqual(record);
  });
});
