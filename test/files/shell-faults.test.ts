import { cp, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { SipctlError } from '../../src/errors.ts';
import { localGenerations } from '../../src/files/local.ts';
import { expectAllComplete, expectOneCompleteGeneration } from '../support/kill/one-complete-generation.ts';
import { deliver, sampleGeneration } from '../support/kill/sample-delivery.ts';
import { generationsBehind, shells } from './shells.ts';
import { temporaryFolder, tree } from './tree.ts';

const now = (): Date => new Date();
const first = { acme: '[100]\n', beta: '[200]\n' };
const second = { acme: '[101]\n'.repeat(50), corp: '[300]\n', beta: '[200]\n' };

const failure = (promise: Promise<unknown>): Promise<SipctlError> =>
  promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: SipctlError) => error,
  );

describe.each(shells)('behind $name', (shell) => {
  it('leads to the same folder as here', async () => {
    const [far, here] = [await temporaryFolder(), await temporaryFolder()];
    for (const place of [generationsBehind(shell, far), localGenerations(here, { now })])
      for (const site of [first, second, first, second]) await deliver(place, site);
    expect(await tree(far)).toEqual(await tree(here));
    // Asterisk does not read a file again whose time and size are those that it had.
    const index = (number: number) => stat(join(far, `sipctl/generations/00000${number}/pjsip_users.conf`));
    expect((await index(4)).mtimeMs).toBeGreaterThan((await index(3)).mtimeMs);
  });

  it('makes one request to read what is held, one to deliver it, and no more for many files', async () => {
    const requests: string[] = [];
    const trace = (request: string): void => void requests.push(request);
    const place = generationsBehind(shell, await temporaryFolder(), { trace });
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`t${at}`, `[${at}]\n`]));
    await deliver(place, many);
    requests.length = 0;
    const held = await place.current();
    const manifest = await place.read(`generations/00000${held}/manifest.json`);
    expect([await place.verified(), await place.list()]).toEqual([held, [held]]);
    const paths = [...sampleGeneration(1, many).store.keys()];
    expect((await place.readAll(paths)).every((text) => text !== null)).toBe(true);
    expect(manifest).not.toBeNull();
    expect(requests).toEqual(['look', 'files']);
    requests.length = 0;
    const unlock = await place.lock('me');
    await place.current();
    await place.list();
    await place.write(sampleGeneration(2, { ...many, t1: 'new\n', t2: 'new\n' }));
    await place.flip(2);
    await place.markVerified(2);
    await unlock();
    expect(requests).toEqual(['seize', 'put', 'flip', 'mark', 'release']);
  });

  it('holds one complete generation wherever what is sent to it breaks off, and the next run goes on', async () => {
    const prepared = await temporaryFolder();
    await deliver(localGenerations(prepared, { now }), first);
    const outcomes = new Set<number>();
    // Less than this is the script of the shell itself, of which nothing is done.
    let whole = false;
    for (let bytes = 9000; !whole; bytes += bytes < 11_500 ? 400 : 900) {
      const dir = await temporaryFolder();
      await cp(prepared, dir, { recursive: true, verbatimSymlinks: true });
      const cut = generationsBehind(shell, dir, { before: `dd bs=1 count=${bytes} 2>/dev/null | ` });
      whole = await deliver(cut, second).then(
        () => true,
        () => false,
      );
      await cut.close();
      const manifest = await expectOneCompleteGeneration(dir);
      await expectAllComplete(dir);
      outcomes.add(manifest?.generation ?? 0);
      await deliver(generationsBehind(shell, dir), second);
      expect((await expectOneCompleteGeneration(dir))?.artifacts).toHaveProperty('corp/pjsip_users.conf');
      const names = await readdir(join(dir, 'sipctl'));
      expect(names.sort(), `after ${bytes}`).toEqual(['current', 'generations', 'store', 'verified']);
    }
    expect([...outcomes].sort()).toEqual([1, 2]);
  }, 300_000);

  it('goes on over a new connection where one is lost, with its lock', async () => {
    const dir = await temporaryFolder();
    let connections = 0;
    const place = generationsBehind(shell, dir, () => {
      connections += 1;
      return connections === 1 ? { before: 'dd bs=1 count=13500 2>/dev/null | ' } : {};
    });
    await deliver(place, second);
    expect(connections).toBe(2);
    expect((await expectOneCompleteGeneration(dir))?.generation).toBe(1);
    expect(await readdir(join(dir, 'sipctl'))).not.toContain('lock');
  });

  it('takes nothing in where there is no room, and takes it when there is', async () => {
    const dir = await temporaryFolder();
    await deliver(generationsBehind(shell, dir), first);
    const before = await tree(dir);
    const big = { ...first, acme: '[100]\n'.repeat(20_000) };
    const error = await failure(
      generationsBehind(shell, dir, { before: 'ulimit -f 40; ' }).write(sampleGeneration(2, big)),
    );
    expect(error.problems[0]).toMatchObject({ code: 'disk_full' });
    expect(await tree(dir)).toEqual(before);
    await deliver(generationsBehind(shell, dir), big);
    expect((await expectOneCompleteGeneration(dir))?.generation).toBe(2);
  });

  it('shares its lock with runs on the machine itself, and each takes over that of a dead one', async () => {
    const dir = await temporaryFolder();
    const far = generationsBehind(shell, dir);
    const here = localGenerations(dir, { now });
    const unlock = await far.lock('ann@desk');
    const told = await failure(here.lock('bob'));
    expect(told.outcome).toBe('conflict');
    expect(told.message).toContain('ann@desk');
    expect((await failure(generationsBehind(shell, dir).lock('eve'))).message).toContain('ann@desk');
    await unlock();
    const unlockHere = await here.lock('bob');
    expect((await failure(far.lock('ann@desk'))).message).toContain('bob');
    await unlockHere();
    // Its connection ends, and nothing is given back.
    const gone = generationsBehind(shell, dir);
    await gone.lock('cut off');
    await gone.close();
    const other = generationsBehind(shell, dir);
    await (await other.lock('next'))();
    const again = generationsBehind(shell, dir);
    await again.lock('cut off');
    await again.close();
    await (await here.lock('bob'))();
    expect(await readdir(join(dir, 'sipctl'))).toEqual([]);
  });

  it('lets one of many have the lock', async () => {
    const dir = await temporaryFolder();
    const places = Array.from({ length: 6 }, () => generationsBehind(shell, dir));
    const dead = generationsBehind(shell, dir);
    await dead.lock('dead');
    await dead.close();
    const taken = await Promise.allSettled(places.map((place, at) => place.lock(`racer ${at}`)));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('notices that its lock was taken away', async () => {
    const dir = await temporaryFolder();
    const place = generationsBehind(shell, dir);
    await place.lock('me');
    await writeFile(join(dir, 'sipctl/lock'), '{"id":"another"}\n');
    expect((await failure(place.write(sampleGeneration(1, first)))).problems[0]?.code).toBe('lock_lost');
    expect((await failure(place.markVerified(1))).problems[0]?.code).toBe('lock_lost');
  });

  it('flips in one step: whoever looks always finds a generation', async () => {
    const dir = await temporaryFolder();
    const place = generationsBehind(shell, dir);
    for (const number of [1, 2]) await place.write(sampleGeneration(number, { acme: `[${number}]\n` }));
    await place.flip(1);
    const watcher = new Worker(
      `const { readlinkSync } = require('node:fs');
       const { workerData, parentPort } = require('node:worker_threads');
       const seen = {}; let over = false;
       parentPort.on('message', () => { over = true; });
       const look = () => {
         for (let n = 0; n < 500; n++) {
           let target; try { target = readlinkSync(workerData); } catch (error) { target = error.code; }
           seen[target] = (seen[target] ?? 0) + 1;
         }
         if (over) parentPort.postMessage(seen); else setImmediate(look);
       };
       look();`,
      { eval: true, workerData: join(dir, 'sipctl/current') },
    );
    for (let round = 0; round < 40; round++) await place.flip((round % 2) + 1);
    const seen = await new Promise<Record<string, number>>((resolve) => {
      watcher.once('message', resolve);
      watcher.postMessage('over');
    });
    await watcher.terminate();
    expect(Object.keys(seen).sort()).toEqual(['generations/000001', 'generations/000002']);
    expect(await readlink(join(dir, 'sipctl/current'))).toBe('generations/000002');
  });
});
