import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../src/pipeline/push-recordings.ts';
import { leave, wave } from '../support/recordings.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

const path = 'default/2026-05-01/1.1.wav';

/** A PBX with two recordings, and a storage that is a folder with a client. */
async function site(): Promise<{ box: Sandbox; folder: string; bucket: string; copy: string; read: string }> {
  const box = await sandbox();
  const folder = join(box.dir, 'monitor');
  const bucket = join(box.dir, 'bucket');
  for (const one of [folder, bucket, join(box.dir, 'etc')]) mkdirSync(one);
  await box.ok(`node add pbx1 --kind asterisk --dir ${join(box.dir, 'etc')} --recordings ${folder}`);
  leave(folder, path, wave(2));
  leave(folder, 'default/2026-05-02/2.2.wav', wave(3));
  const client = join(box.dir, 'client.mjs');
  writeFileSync(
    client,
    `import { cpSync, mkdirSync, readFileSync } from 'node:fs';
     import { dirname, join } from 'node:path';
     const [, , verb, from, to] = process.argv;
     const place = (uri) => join(${JSON.stringify(bucket)}, uri.replace('s3://b/', ''));
     if (verb === 'put') { mkdirSync(dirname(place(to)), { recursive: true }); cpSync(from, place(to)); }
     else if (verb === 'get') process.stdout.write(readFileSync(place(from)));
     else { console.error('Access Denied'); process.exit(7); }`,
  );
  const run = `${process.execPath} ${client}`;
  return { box, folder, bucket, copy: `${run} put {file} {to}`, read: `${run} get {to}` };
}

const push = (...more: string[]): string[] => [
  'recording',
  'push',
  '--to',
  's3://b/calls/',
  '--json',
  ...more,
];

describe('recording push', () => {
  it('copies what is not there yet, once, and leaves audit rows', async () => {
    const { box, folder, bucket, copy } = await site();
    const first = (await box.ok(push('--with', copy))).json().data as { pushed: { pushedTo: string }[] };
    expect(first.pushed.map(({ pushedTo }) => pushedTo).toSorted()).toEqual([
      `s3://b/calls/${path}`,
      's3://b/calls/default/2026-05-02/2.2.wav',
    ]);
    expect(readFileSync(join(bucket, 'calls', path)).equals(wave(2))).toBe(true);
    expect(existsSync(join(folder, 'sipctl', path))).toBe(true);
    expect((await box.ok(push('--with', copy))).json().data).toMatchObject({ pushed: [] });
    const audit = (await box.ok('audit --json')).json().data as { entries: { action: string }[] };
    expect(audit.entries.filter(({ action }) => action === 'fetch')).toHaveLength(2);
    expect((await box.ok('recording list')).stdout).toMatch(/1\.1 .* pushed/);
  });

  it('removes only what was read back, and nothing that is held', async () => {
    const { box, folder, copy, read } = await site();
    expect((await box.sipctl(push('--with', copy, '--remove', '--yes'))).code).toBe(64);
    await box.ok(['recording', 'hold', 'default/2026-05-02/2.2.wav', '--reason', 'court order']);
    await box.ok(push('--with', copy, '--read-back', read, '--remove', '--yes'));
    expect(existsSync(join(folder, 'sipctl', path))).toBe(false);
    expect(existsSync(join(folder, 'sipctl/default/2026-05-02/2.2.wav'))).toBe(true);
  });

  it('marks nothing where the copy is another one', async () => {
    const { box, copy, read } = await site();
    const ended = await box.sipctl(push('--with', copy.replace('{to}', '{to}x'), '--read-back', `${read}x.`));
    expect(ended.code).toBe(1);
    const differs = await box.sipctl(push('--with', copy, '--read-back', `${process.execPath} -e ""`));
    expect({ code: differs.code, error: differs.json().errors[0]?.code }).toEqual({
      code: 1,
      error: 'push_differs',
    });
    expect((await box.ok('recording list')).stdout).not.toMatch(/pushed/);
  });

  it('says what the client says', async () => {
    const { box, copy } = await site();
    const ended = await box.sipctl(push('--with', copy.replace(' put ', ' forbid ')));
    expect(ended.json().errors[0]).toMatchObject({
      ...{ code: 'client_failed', message: expect.stringContaining('exit code 7, Access Denied') },
    });
    const none = await box.sipctl(push('--with', '/no/such/client {file}'));
    expect(none.json().errors[0]).toMatchObject({ code: 'client_failed' });
  });

  it('lets no shell see anything', async () => {
    const { box, copy } = await site();
    await box.ok(
      push('--with', `${copy} ; touch ${join(box.dir, 'owned')} $(touch ${join(box.dir, 'owned')})`),
    );
    expect(readdirSync(box.dir)).not.toContain('owned');
  });
});

describe('a command line', () => {
  it.each([
    ['aws s3 cp {file} {to}', ['aws', 's3', 'cp', '{file}', '{to}']],
    [`x "a b" 'c d'e --f="g h"`, ['x', 'a b', 'c de', '--f=g h']],
    ['x $HOME *', ['x', '$HOME', '*']],
    [`x ''`, ['x', '']],
  ])('%s', (text, words) => {
    expect(commandLine(text, 'with')).toEqual(words);
  });

  it.each(['', '  ', `x "a`, `x 'a`])('is none: %j', (text) => {
    expect(() => commandLine(text, 'with')).toThrow();
  });
});
