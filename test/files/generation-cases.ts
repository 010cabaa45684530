import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import type { Generations } from '../../src/files/generations.ts';
import { expectOneCompleteGeneration } from '../support/kill/one-complete-generation.ts';
import { deliver, sampleGeneration } from '../support/kill/sample-delivery.ts';
import { temporaryFolder, tree } from './tree.ts';

/** The time of backups, as their names have it. */
export const now = (): Date => new Date('2025-03-04T05:06:07.890Z');
const first = { acme: '[100]\n', beta: '[200]\n' };
const second = { acme: '[101]\n', beta: '[200]\n' };

const storeNames = (site: Record<string, string>): string[] => [...sampleGeneration(1, site).store.keys()];

async function failure(promise: Promise<unknown>): Promise<SipctlError> {
  const error = await promise.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SipctlError);
  return error as SipctlError;
}

/** What holds for generations wherever they are. */
export function declareGenerationCases(open: (dir: string) => Generations): void {
  describe('a delivery', () => {
    let umask: number;
    beforeEach(() => {
      umask = process.umask(0o077);
    });
    afterEach(() => {
      process.umask(umask);
    });

    it('puts store files, generation and link in place, with modes that no umask changes', async () => {
      const dir = await temporaryFolder();
      const place = open(dir);
      expect(await place.current()).toBeNull();
      expect(await place.list()).toEqual([]);

      const generation = sampleGeneration(42, first);
      const count = await place.write(generation);
      expect(await place.current()).toBeNull();
      expect(await place.list()).toEqual([42]);
      await place.flip(42);
      await place.markVerified(42);

      const [acme, beta] = storeNames(first);
      const files = generation.files;
      expect(await tree(dir)).toEqual({
        sipctl: '750',
        'sipctl/current': '-> generations/000042',
        'sipctl/generations': '750',
        'sipctl/generations/000042': '750',
        'sipctl/generations/000042/manifest.json': `640 ${files.get('manifest.json')}`,
        'sipctl/generations/000042/pjsip_users.conf': `640 ${files.get('pjsip_users.conf')}`,
        'sipctl/store': '750',
        'sipctl/store/acme': '750',
        [`sipctl/${acme}`]: '640 [100]\n',
        'sipctl/store/beta': '750',
        [`sipctl/${beta}`]: '640 [200]\n',
        'sipctl/verified': '640 42\n',
      });
      expect(await place.current()).toBe(42);
      expect(await place.verified()).toBe(42);
      const texts = [...generation.store.values(), ...[...files.values()].map((text) => Buffer.from(text))];
      expect(count).toEqual({ files: 4, bytes: texts.reduce((sum, text) => sum + text.length, 0) });
      expect(String(await place.read(acme ?? ''))).toBe('[100]\n');
      expect(String(await place.read('current/pjsip_users.conf'))).toBe(files.get('pjsip_users.conf'));
      expect(await place.read('store/acme/none.conf')).toBeNull();
    });

    it('leaves store files alone that are right, and puts back one that somebody changed', async () => {
      const dir = await temporaryFolder();
      const place = open(dir);
      await place.write(sampleGeneration(1, first));
      const [acme, beta] = storeNames(first).map((path) => join(dir, 'sipctl', path)) as [string, string];
      await utimes(beta, 1, 1);
      await writeFile(acme, '[999]\n');
      await chmod(beta, 0o600);

      const count = await place.write(sampleGeneration(2, first));
      expect(count.files).toBe(3);
      expect(await readFile(acme, 'utf8')).toBe('[100]\n');
      expect((await lstat(beta)).mtimeMs).toBe(1000);
      expect((await lstat(beta)).mode & 0o777).toBe(0o640);
    });

    it('writes only what the node has not yet, and a flip back is only a flip', async () => {
      const dir = await temporaryFolder();
      const place = open(dir);
      await deliver(place, first);
      const before = await tree(dir);
      await deliver(place, second);
      expect(await place.list()).toEqual([1, 2]);
      expect(await place.current()).toBe(2);
      await place.flip(1);
      expect((await expectOneCompleteGeneration(dir))?.generation).toBe(1);
      expect(await tree(dir)).toMatchObject({ ...before, 'sipctl/verified': '640 2\n' });
    });

    it('repeats a generation that is there already, and never rewrites one', async () => {
      const place = open(await temporaryFolder());
      await place.write(sampleGeneration(1, first));
      expect((await place.write(sampleGeneration(1, second))).files, 'nothing in force yet').toBe(3);
      await place.flip(1);
      expect(await place.write(sampleGeneration(1, second))).toEqual({ files: 0, bytes: 0 });
      const error = await failure(place.write(sampleGeneration(1, first)));
      expect(error.outcome).toBe('conflict');
      expect(String(await place.read('current/manifest.json'))).toBe(
        sampleGeneration(1, second).files.get('manifest.json'),
      );
    });

    it('flips only to a complete generation', async () => {
      const dir = await temporaryFolder();
      const place = open(dir);
      await deliver(place, first);
      await mkdir(join(dir, 'sipctl/generations/000007'));
      expect((await failure(place.flip(7))).outcome).toBe('notFound');
      expect((await failure(place.flip(8))).outcome).toBe('notFound');
      expect(await place.list()).toEqual([1]);
      expect(await place.current()).toBe(1);
    });

    it('says that nothing is in force where the generation that current names is gone', async () => {
      const dir = await temporaryFolder();
      const place = open(dir);
      await deliver(place, first);
      await rm(join(dir, 'sipctl/generations/000001'), { recursive: true });
      expect(await place.current()).toBeNull();
      await deliver(place, first);
      expect((await expectOneCompleteGeneration(dir))?.generation).toBe(1);
    });
  });

  describe('pruning', () => {
    it('removes generations, their store files and leftovers, and nothing that others put there', async () => {
      const dir = await temporaryFolder();
      const place = open(dir);
      await deliver(place, { ...first, gone: '[300]\n' });
      await deliver(place, second);
      await deliver(place, { ...second, acme: '[102]\n' });
      const root = join(dir, 'sipctl');
      await mkdir(join(root, 'generations/000099'));
      await mkdir(join(root, 'generations/000098.tmp-12-abc'));
      await writeFile(join(root, 'generations/000098.tmp-12-abc/pjsip_users.conf'), 'half');
      await writeFile(join(root, 'store/acme/pjsip_users.0123456789abcdef.conf.tmp-12-abc'), 'half');
      await symlink('generations/000001', join(root, 'current.tmp-12-abc'));
      await writeFile(join(root, 'store/acme/README'), 'an operator’s note');
      await writeFile(join(dir, 'pjsip.conf'), 'host');

      expect(await place.prune(new Set([2, 3]))).toBe(0);
      const paths = Object.keys(await tree(dir));
      expect(paths.filter((path) => /tmp-|000099|gone|000001/.test(path))).toEqual([]);
      expect(paths).toContain('sipctl/store/acme/README');
      expect(paths).toContain('pjsip.conf');
      // The store files of the kept generations stay, although the caller named none.
      expect(paths.filter((path) => path.endsWith('.conf') && path.includes('store/'))).toHaveLength(3);
      expect(await place.prune(new Set([3]))).toBe(1);
      expect(await place.list()).toEqual([3]);
    });

    it('keeps what is in force and what was last verified, whatever it is asked for', async () => {
      const dir = await temporaryFolder();
      const place = open(dir);
      for (const number of [1, 2, 3, 4]) await place.write(sampleGeneration(number, { acme: `[${number}]` }));
      await place.flip(3);
      await place.markVerified(2);
      expect(await place.prune(new Set())).toBe(2);
      expect(await place.list()).toEqual([2, 3]);
      await expectOneCompleteGeneration(dir);
    });
  });

  describe('what others planted', () => {
    it.each([
      'sipctl',
      'sipctl/store',
      'sipctl/store/acme',
      'sipctl/generations',
    ])('refuses to write through %s when it is a link', async (path) => {
      const [dir, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
      const place = open(dir);
      await mkdir(join(dir, path, '..'), { recursive: true });
      await symlink(elsewhere, join(dir, path));
      const error = await failure(deliver(place, first));
      expect(error.outcome).toBe('refused');
      expect(error.message).toContain(join(dir, path));
      expect(await readdir(elsewhere)).toEqual([]);
    });

    it('refuses a store file, a current and a verified that lead elsewhere', async () => {
      const [dir, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
      const place = open(dir);
      await deliver(place, first);
      const [acme] = storeNames(second) as [string];
      await writeFile(join(elsewhere, 'secret'), '[101]\n');
      await symlink(join(elsewhere, 'secret'), join(dir, 'sipctl', acme));
      expect((await failure(place.write(sampleGeneration(2, second)))).outcome).toBe('refused');
      expect((await failure(place.read(acme))).problems[0]?.code).toBe('link_leads_out');

      await rm(join(dir, 'sipctl/verified'));
      await symlink(join(elsewhere, 'secret'), join(dir, 'sipctl/verified'));
      expect((await failure(place.verified())).outcome).toBe('refused');

      await rm(join(dir, 'sipctl/current'));
      await symlink(elsewhere, join(dir, 'sipctl/current'));
      expect((await failure(place.current())).problems[0]?.code).toBe('planted');
      await rm(join(dir, 'sipctl/current'));
      await mkdir(join(dir, 'sipctl/current'));
      expect((await failure(place.current())).problems[0]?.code).toBe('planted');
      expect((await failure(place.flip(1))).problems[0]?.code).toBe('planted');
    });

    it.each([
      '../x',
      '/etc/passwd',
      'store/../../x',
      '',
      'a//b',
      'a\0b',
      './x',
    ])('takes no path like %j', async (path) => {
      const place = open(await temporaryFolder());
      expect((await failure(place.read(path))).outcome).toBe('invalid');
      expect((await failure(place.readHost(path))).outcome).toBe('invalid');
      expect((await failure(place.writeHost(path, ''))).outcome).toBe('invalid');
      expect((await failure(place.stat(path))).outcome).toBe('invalid');
      const text = Buffer.from('');
      const generation = sampleGeneration(1, {});
      const store = new Map([[path, text]]);
      expect((await failure(place.write({ ...generation, store }))).outcome).toBe('invalid');
      const files = new Map([...generation.files, [path, '']]);
      expect((await failure(place.write({ ...generation, files }))).outcome).toBe('invalid');
    });

    it('works in a configuration folder that the operator keeps elsewhere', async () => {
      const [dir, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
      await rm(dir, { recursive: true });
      await symlink(elsewhere, dir);
      await deliver(open(dir), first);
      await expectOneCompleteGeneration(elsewhere);
    });
  });

  describe('files of the host', () => {
    it('replaces one in a step, keeps its mode, and leaves the old one beside it', async () => {
      const dir = await temporaryFolder();
      const place = open(dir);
      const path = join(dir, 'pjsip.conf');
      await writeFile(path, 'old\n');
      await chmod(path, 0o604);
      const { ino } = await lstat(path);

      await place.writeHost('pjsip.conf', 'new\n');
      expect(await tree(dir)).toEqual({
        'pjsip.conf': '604 new\n',
        'pjsip.conf.sipctl-backup-20250304T050607Z': '604 old\n',
      });
      expect((await lstat(path)).ino).not.toBe(ino);
      await place.writeHost('pjsip.conf', 'newer\n');
      await place.writeHost('pjsip.conf', 'newer\n');
      expect(Object.keys(await tree(dir))).toEqual([
        'pjsip.conf',
        'pjsip.conf.sipctl-backup-20250304T050607Z',
        'pjsip.conf.sipctl-backup-20250304T050607Z-2',
      ]);
      expect(String(await place.readHost('pjsip.conf'))).toBe('newer\n');
    });

    it('adds one with our mode, and tells of those that are missing', async () => {
      const dir = await temporaryFolder();
      const place = open(dir);
      expect(await place.readHost('pjsip_users.conf')).toBeNull();
      expect(await place.stat('pjsip_users.conf')).toBeNull();
      await place.writeHost('pjsip_users.conf', 'new\n');
      expect(await tree(dir)).toEqual({ 'pjsip_users.conf': '640 new\n' });
      const stat = await place.stat('pjsip_users.conf');
      expect(stat).toMatchObject({ kind: 'file', mode: 0o640, writable: true });
      expect(await place.stat('.')).toMatchObject({ kind: 'directory', mode: 0o700 });
    });

    it('writes through a link within the folder, and through none that leads out', async () => {
      const [dir, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
      const place = open(dir);
      await writeFile(join(dir, 'real.conf'), 'old\n');
      await chmod(join(dir, 'real.conf'), 0o640);
      await symlink('real.conf', join(dir, 'pjsip.conf'));
      await place.writeHost('pjsip.conf', 'new\n');
      expect(await tree(dir)).toMatchObject({ 'pjsip.conf': '-> real.conf', 'real.conf': '640 new\n' });

      await writeFile(join(elsewhere, 'out.conf'), 'out\n');
      await symlink(join(elsewhere, 'out.conf'), join(dir, 'out.conf'));
      await symlink(join(elsewhere, 'nothing'), join(dir, 'dangling.conf'));
      expect((await failure(place.readHost('out.conf'))).problems[0]?.hint).toContain(dir);
      expect((await failure(place.writeHost('out.conf', 'x'))).outcome).toBe('refused');
      expect((await failure(place.writeHost('dangling.conf', 'x'))).outcome).toBe('refused');
      expect(await place.stat('out.conf')).toMatchObject({ kind: 'other', writable: false });
      expect(await tree(elsewhere)).toEqual({ 'out.conf': expect.stringMatching(/ out\n$/) });
    });

    it('names owner and group', async () => {
      const dir = await temporaryFolder();
      await writeFile(join(dir, 'pjsip.conf'), '');
      const stat = await open(dir).stat('pjsip.conf');
      const { userInfo } = await import('node:os');
      expect(stat?.owner).toBe(userInfo().username);
      expect(stat?.group).toMatch(/^[a-z_][a-z0-9_-]*$|^[0-9]+$/);
    });
  });

  it('does not find a folder that is not there, and says what to do', async () => {
    const dir = join(await temporaryFolder(), 'asterisk');
    const place = open(dir);
    for (const call of [
      () => place.current(),
      () => place.list(),
      () => place.read('verified'),
      () => place.lock('me'),
      () => place.flip(1),
    ]) {
      const error = await failure(call());
      expect(error.outcome).toBe('notFound');
      expect(error.problems[0]).toMatchObject({ code: 'folder_missing', field: 'dir' });
      expect(error.problems[0]?.hint).toContain('--dir');
    }
    await writeFile(dir, 'a file');
    expect((await failure(place.current())).outcome).toBe('notFound');
  });

  it('sees at every call what others have done meanwhile', async () => {
    const dir = await temporaryFolder();
    const [one, other] = [open(dir), open(dir)];
    await deliver(one, first);
    expect(await other.current()).toBe(1);
    await deliver(other, second);
    expect(await one.current()).toBe(2);
    await rename(join(dir, 'sipctl'), join(dir, 'moved'));
    expect(await one.current()).toBeNull();
  });
}
