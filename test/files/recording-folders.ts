import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RecordingFolder } from '../../src/files/recording-folder.ts';
import { leave, wave } from '../support/recordings.ts';

/** What every folder of recordings does, wherever it is. `open` gives the folder of sipctl in a new, empty one. */
export function declareFolderCases(open: () => Promise<{ root: string; folder: RecordingFolder }>): void {
  const call = 'acme/2026-11-20/1.1.wav';
  const read = async (folder: RecordingFolder, path: string, from = 0): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of folder.read(path, from)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'done',
      (error) => error.problems?.[0]?.code ?? String(error),
    );

  it('lists nothing where there is nothing', async () => {
    const { folder } = await open();
    expect(await folder.list('')).toEqual([]);
    expect(await folder.list('acme')).toEqual([]);
  });

  it('lists files, with names that nobody expects, and tells what is none', async () => {
    const { root, folder } = await open();
    leave(root, call, wave(2), 100);
    const odd = ['a b\'c"d$(touch x)`e`.wav', '-rf.wav', 'zwei\nzeilen.wav', 'ü|1|2|3|.wav'];
    for (const name of odd) leave(root, `acme/2026-11-20/${name}`);
    leave(root, 'other/2026-11-20/2.wav');
    symlinkSync('/etc/passwd', join(root, 'sipctl/acme/2026-11-20/link.wav'));
    const entries = await folder.list('acme');
    expect(entries.map(({ path }) => path).toSorted()).toEqual(
      [call, ...[...odd, 'link.wav'].map((name) => `acme/2026-11-20/${name}`)].toSorted(),
    );
    const one = entries.find(({ path }) => path === call);
    expect(one).toMatchObject({ kind: 'file', size: 32_044 });
    expect(Math.abs((one?.idleMs ?? 0) - 100_000)).toBeLessThan(30_000);
    expect(entries.find(({ path }) => path.endsWith('link.wav'))?.kind).toBe('other');
    expect(await folder.list('')).toHaveLength(entries.length + 1);
    for (const name of odd) expect(await read(folder, `acme/2026-11-20/${name}`)).toEqual(wave(1));
  });

  it('reads from any place on, and computes checksums', async () => {
    const { root, folder } = await open();
    const data = Buffer.concat([wave(30, 3), Buffer.from('\0\xff\r\n', 'latin1')]);
    leave(root, call, data);
    expect((await read(folder, call)).equals(data)).toBe(true);
    expect((await read(folder, call, 479_000)).equals(data.subarray(479_000))).toBe(true);
    expect(await read(folder, call, data.length)).toEqual(Buffer.alloc(0));
    expect(await folder.head(call, 12)).toEqual(data.subarray(0, 12));
    const sha256 = createHash('sha256').update(data).digest('hex');
    expect(await folder.digests([call, 'acme/2026-11-20/none.wav'])).toEqual([sha256, null]);
    expect(await codeOf(read(folder, 'acme/2026-11-20/none.wav'))).toBe('recording_missing');
  });

  it.each([
    '../secret',
    'acme/../../secret',
    '/etc/passwd',
    'acme//x',
    '',
  ])('climbs nowhere: %j', async (path) => {
    const { root, folder } = await open();
    leave(root, call);
    writeFileSync(join(root, 'secret'), 'secret');
    expect(await codeOf(read(folder, path))).toBe('invalid_path');
    expect(await codeOf(folder.remove([path]))).toBe('invalid_path');
    expect(existsSync(join(root, 'secret'))).toBe(true);
  });

  it('follows no link that leads out', async () => {
    const { root, folder } = await open();
    leave(root, call);
    const secret = join(root, 'secret.wav');
    writeFileSync(secret, 'secret');
    symlinkSync(secret, join(root, 'sipctl/acme/2026-11-20/2.wav'));
    mkdirSync(join(root, 'away'));
    writeFileSync(join(root, 'away/3.wav'), 'secret');
    symlinkSync(join(root, 'away'), join(root, 'sipctl/acme/2026-11-21'));
    for (const path of ['acme/2026-11-20/2.wav', 'acme/2026-11-21/3.wav'])
      expect(await codeOf(read(folder, path)), path).toBe('link_leads_out');
    await folder.remove(['acme/2026-11-20/2.wav', 'acme/2026-11-21/3.wav']).catch(() => undefined);
    expect(existsSync(secret) && existsSync(join(root, 'away/3.wav'))).toBe(true);
  });

  it('takes the rights of others away', async () => {
    const { root, folder } = await open();
    const file = leave(root, call);
    for (const path of ['', 'acme', 'acme/2026-11-20']) chmodSync(join(root, 'sipctl', path), 0o777);
    chmodSync(file, 0o666);
    await folder.protect([call]);
    const modes = ['', 'acme', 'acme/2026-11-20', call].map(
      (path) => statSync(join(root, 'sipctl', path)).mode & 0o777,
    );
    expect(modes).toEqual([0o750, 0o750, 0o750, 0o640]);
  });

  it('removes what is there, and folders that are empty then', async () => {
    const { root, folder } = await open();
    leave(root, call);
    leave(root, 'acme/2026-11-21/2.wav');
    expect(await folder.remove([call, 'acme/2026-11-20/none.wav'])).toEqual([true, false]);
    expect(existsSync(join(root, 'sipctl/acme/2026-11-20'))).toBe(false);
    expect(existsSync(join(root, 'sipctl/acme/2026-11-21/2.wav'))).toBe(true);
  });
}
