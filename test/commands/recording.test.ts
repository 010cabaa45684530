import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { leave, wave } from '../support/recordings.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { onServer } from '../support/store-place.ts';

const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const sha = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/** Two tenants, two nodes, some recordings. */
async function site(): Promise<{ box: Sandbox; folder: string; out: string }> {
  const box = await sandbox();
  const folder = join(box.dir, 'monitor');
  const out = join(box.dir, 'out');
  for (const path of [folder, out, join(box.dir, 'etc')]) mkdirSync(path);
  await box.ok('tenant add acme --recording-days 30');
  await box.ok('tenant add globex');
  await box.ok(`node add pbx1 --kind asterisk --dir ${join(box.dir, 'etc')} --recordings ${folder}`);
  leave(folder, `acme/${day(1)}/1763755659.12.wav`, wave(2));
  leave(folder, `acme/${day(40)}/1760000000.1.wav`, wave(1));
  leave(folder, `acme/${day(40)}/1760000000.2--1760000000.3.wav`, wave(3));
  leave(folder, `globex/${day(50)}/1750000000.1.wav`, wave(1));
  return { box, folder, out };
}

const ids = (ended: Awaited<ReturnType<Sandbox['ok']>>): string[] =>
  (ended.json().data as { recordings: { id: string }[] }).recordings.map(({ id }) => id);

describe('recording list and show', () => {
  it('show those of the tenant, the newest first, and no empty ones', async () => {
    const { box, folder } = await site();
    leave(folder, `acme/${day(0)}/1763759999.1.wav`, wave(0), 60);
    leave(folder, `acme/${day(0)}/1763759999.2.wav`, wave(0), 1);
    const all = await box.ok('recording list --tenant acme --json');
    expect(ids(all)[0]).toBe('1763759999.2');
    expect(ids(all).toSorted()).toEqual(
      ['1763755659.12', '1760000000.1', '1760000000.2--1760000000.3', '1763759999.2'].toSorted(),
    );
    expect(ids(await box.ok('recording list --all-tenants --json'))).toHaveLength(5);
    expect(ids(await box.ok(`recording list --tenant acme --from ${day(2)} --to ${day(1)} --json`))).toEqual([
      '1763755659.12',
    ]);
    expect((await box.ok('recording list --tenant acme')).stdout).toMatch(/1763759999\.2 .* writing/);
  });

  it('tell call, length and place', async () => {
    const { box } = await site();
    const { data } = (await box.ok('recording show 1760000000.2 --tenant acme --json')).json();
    expect(data).toMatchObject({
      callId: '1760000000.2',
      seconds: 3,
      finished: true,
      state: 'new',
      node: 'pbx1',
    });
  });

  it('know nothing of another tenant’s', async () => {
    const { box } = await site();
    const ended = await box.sipctl('recording show 1750000000.1 --tenant acme --json');
    expect({ code: ended.code, error: ended.json().errors[0]?.code }).toEqual({
      ...{ code: 5, error: 'recording_not_found' },
    });
  });

  it('ask which one is meant', async () => {
    const { box } = await site();
    const ended = await box.sipctl('recording show 17600 --tenant acme --json');
    expect({ code: ended.code, error: ended.json().errors[0]?.code }).toEqual({
      ...{ code: 6, error: 'recording_ambiguous' },
    });
  });

  it.skipIf(onServer())('find them by the numbers of calls that were kept', async () => {
    const { box } = await site();
    const raw = new BetterSqlite3(box.db);
    raw
      .prepare(`INSERT INTO cdrs (node, call, tenant, direction, "from", "to", started_at, ended_at, talk_seconds, cause,
        recorded, source) VALUES ('pbx1', ?, 'acme', 'inbound', ?, ?, ?, ?, 2, 'Normal Clearing', 1, 'monitor')`)
      .run('1763755659.12', '+4930123456', '+12125550100', '2026-11-20T10:00:00Z', '2026-11-20T10:00:02Z');
    raw.close();
    expect(ids(await box.ok('recording list --tenant acme --number 30123456 --json'))).toEqual([
      '1763755659.12',
    ]);
    expect(ids(await box.ok('recording list --tenant acme --number 999 --json'))).toEqual([]);
  });
});

describe('recording get', () => {
  it('leaves a whole file, and an audit row', async () => {
    const { box, out } = await site();
    const file = join(out, 'call.wav');
    const { data } = (await box.ok(`recording get 1763755659.12 --tenant acme -o ${file} --json`)).json();
    expect(readFileSync(file).equals(wave(2))).toBe(true);
    expect(data).toMatchObject({ bytes: 32_044, sha256: sha(wave(2)), file });
    expect(statSync(file).mode & 0o027).toBe(0);
    const audit = (await box.ok('audit --tenant acme --json')).json().data as { entries: object[] };
    expect(audit.entries[0]).toMatchObject({
      ...{ action: 'fetch', noun: 'recording', name: '1763755659.12' },
      detail: { node: 'pbx1', size: 32_044, to: file },
    });
    expect(readdirSync(out)).toEqual(['call.wav']);
  });

  it('replaces nothing, unless it is told to', async () => {
    const { box, out } = await site();
    const file = join(out, 'call.wav');
    writeFileSync(file, 'mine');
    const get = `recording get 1763755659.12 --tenant acme -o ${file}`;
    expect((await box.sipctl(get)).code).toBe(6);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await box.ok(`${get} --force`);
    expect(readFileSync(file).equals(wave(2))).toBe(true);
    expect(readdirSync(out)).toEqual(['call.wav']);
  });

  it('does not fetch what is still written', async () => {
    const { box, folder, out } = await site();
    leave(folder, `acme/${day(0)}/1763759999.9.wav`, wave(1), 0);
    const ended = await box.sipctl(`recording get 1763759999.9 --tenant acme -o ${join(out, 'x')} --json`);
    expect({ code: ended.code, error: ended.json().errors[0]?.code }).toEqual({
      code: 6,
      error: 'recording_open',
    });
    expect(readdirSync(out)).toEqual([]);
  });

  it('tells where a sealed one is not what it was, and leaves nothing', async () => {
    const { box, folder, out } = await site();
    await box.ok('recording seal --tenant acme');
    leave(folder, `acme/${day(1)}/1763755659.12.wav`, wave(2, 9));
    const ended = await box.sipctl(`recording get 1763755659.12 --tenant acme -o ${join(out, 'x')} --json`);
    expect({ code: ended.code, error: ended.json().errors[0]?.code }).toEqual({
      ...{ code: 1, error: 'recording_changed' },
    });
    expect(readdirSync(out)).toEqual([]);
  });
});

describe('recording seal and verify', () => {
  it('find what is missing, changed, unsealed and unknown', async () => {
    const { box, folder } = await site();
    expect((await box.ok('recording seal --tenant acme')).stdout).toMatch(/^3 sealed/);
    expect((await box.ok('recording seal --tenant acme')).stdout).toMatch(/^0 sealed/);
    expect((await box.ok('recording verify --tenant acme')).stdout).toBe('3 recordings are what they were\n');
    const path = (ago: number, id: string): string => `acme/${day(ago)}/${id}.wav`;
    rmSync(join(folder, 'sipctl', path(40, '1760000000.1')));
    leave(folder, path(1, '1763755659.12'), wave(2, 9));
    leave(folder, path(1, '1763755660.1'));
    leave(folder, `acme/${day(1)}/note.txt`, 'x');
    symlinkSync('/etc/passwd', join(folder, 'sipctl', path(1, 'link')));
    const ended = await box.sipctl('recording verify --tenant acme --json');
    expect(ended.code).toBe(1);
    const { findings, intact } = ended.json().data as {
      findings: { code: string; path: string }[];
      intact: number;
    };
    expect(intact).toBe(1);
    expect(findings.map((one) => `${one.code} ${one.path}`).toSorted()).toEqual(
      [
        `missing ${path(40, '1760000000.1')}`,
        `changed ${path(1, '1763755659.12')}`,
        `unsealed ${path(1, '1763755660.1')}`,
        `unknown acme/${day(1)}/note.txt`,
        `unknown ${path(1, 'link')}`,
      ].toSorted(),
    );
  });

  it('close the folder to others, and remove what has no sound', async () => {
    const { box, folder } = await site();
    const silent = leave(folder, `acme/${day(0)}/1763759999.1.wav`, wave(0), 3600);
    const cut = leave(folder, `acme/${day(0)}/1763759999.2.wav`, wave(2).fill(0, 40, 44), 60);
    await box.ok('recording seal --tenant acme');
    expect(existsSync(silent)).toBe(false);
    expect(statSync(join(folder, 'sipctl')).mode & 0o777).toBe(0o750);
    expect(statSync(join(folder, `sipctl/acme/${day(1)}/1763755659.12.wav`)).mode & 0o777).toBe(0o640);
    // Whoever writes it has not closed it yet.
    expect((await box.ok('recording show 1763759999.2 --tenant acme --json')).json().data).toMatchObject({
      ...{ state: 'new', finished: false },
    });
    expect(existsSync(cut)).toBe(true);
  });
});

describe('recording remove, hold and prune', () => {
  it('removes, with an audit row, and only after a yes', async () => {
    const { box, folder } = await site();
    expect((await box.sipctl('recording remove 1763755659.12 --tenant acme')).code).toBe(4);
    await box.ok('recording remove 1763755659.12 --tenant acme --yes');
    expect(existsSync(join(folder, `sipctl/acme/${day(1)}/1763755659.12.wav`))).toBe(false);
    const audit = (await box.ok('audit --tenant acme --json')).json().data as { entries: object[] };
    expect(audit.entries[0]).toMatchObject({ action: 'remove', noun: 'recording', name: '1763755659.12' });
  });

  it('prunes what is older than the tenant says, and nothing that is held', async () => {
    const { box } = await site();
    await box.ok(['recording', 'hold', '1760000000.1', '--tenant', 'acme', '--reason', 'court order']);
    const dry = await box.ok('recording prune --tenant acme --dry-run');
    expect(dry.stdout).toMatch(/^1 recording \(.*\) to be removed, 1 held/);
    expect((await box.sipctl('recording prune --tenant acme')).code).toBe(4);
    await box.ok('recording prune --tenant acme --yes');
    expect(ids(await box.ok('recording list --tenant acme --json')).toSorted()).toEqual(
      ['1760000000.1', '1763755659.12'].toSorted(),
    );
    const held = await box.sipctl('recording remove 1760000000.1 --tenant acme --yes --json');
    expect({ code: held.code, error: held.json().errors[0]?.code }).toEqual({
      code: 4,
      error: 'recording_held',
    });
    await box.ok('recording release 1760000000.1 --tenant acme');
    await box.ok('recording prune --all-tenants --yes');
    // globex says nothing of days.
    expect(ids(await box.ok('recording list --all-tenants --json')).toSorted()).toEqual(
      ['1750000000.1', '1763755659.12'].toSorted(),
    );
  });

  it('prunes nothing of a tenant that keeps them for ever', async () => {
    const { box } = await site();
    const ended = await box.sipctl('recording prune --tenant globex --yes --json');
    expect({ code: ended.code, error: ended.json().errors[0]?.code }).toEqual({
      code: 4,
      error: 'no_retention',
    });
    await box.ok('recording prune --tenant globex --older-than 40 --yes');
    expect(ids(await box.ok('recording list --tenant globex --json'))).toEqual([]);
  });

  it('wants the count where many would go', async () => {
    const { box, folder } = await site();
    for (let at = 0; at < 10; at++) leave(folder, `acme/${day(60)}/1755000000.${at}.wav`);
    const ended = await box.sipctl('recording prune --tenant acme --yes --json');
    expect(ended.json().errors[0]).toMatchObject({
      code: 'too_many_removals',
      hint: expect.stringContaining('12'),
    });
    await box.ok('recording prune --tenant acme --confirm 12');
    expect(ids(await box.ok('recording list --tenant acme --json'))).toEqual(['1763755659.12']);
  });

  it('wants a reason for a hold', async () => {
    const { box } = await site();
    expect((await box.sipctl('recording hold 1760000000.1 --tenant acme')).code).toBe(3);
  });
});

describe('a node that cannot be looked at', () => {
  it('hides no other', async () => {
    const { box } = await site();
    await box.ok(
      `node add away --kind freeswitch --dir ${join(box.dir, 'etc')} --esl 127.0.0.1:1 --esl-password env:P`,
      { env: { P: 'secret-of-esl' } },
    );
    const ended = await box.ok('recording list --tenant acme --json');
    expect(ids(ended)).toHaveLength(3);
    expect(ended.json().warnings).toHaveLength(1);
    expect((await box.sipctl('recording list --tenant acme --node away --json')).code).toBe(7);
  });
});

describe('what somebody else put there', () => {
  const seal = 'recording seal --tenant acme';
  const at = (folder: string, ago: number, id: string) =>
    join(folder, 'sipctl', `acme/${day(ago)}/${id}.wav`);

  it.skipIf(onServer())('a caller’s number in a list steers no terminal', async () => {
    const { box } = await site();
    const raw = new BetterSqlite3(box.db);
    raw
      .prepare(
        `INSERT INTO cdrs (node, call, tenant, direction, "from", "to", started_at, ended_at, talk_seconds, cause,
         recorded, source) VALUES ('pbx1', '1763755659.12', 'acme', 'inbound', ?, '1', '', '', 0, '', 1, '')`,
      )
      .run('+49\u001b]0;x\u0007');
    raw.close();
    for (const verb of ['list', 'show 1763755659.12']) {
      const { stdout } = await box.ok(`recording ${verb} --tenant acme`);
      expect(stdout).toContain('+49\\u001b]0;x\\u0007');
      expect(stdout).not.toContain('\u001b');
    }
  });

  it('a sealed recording that lost its sound is found, and not removed', async () => {
    const { box, folder } = await site();
    await box.ok(seal);
    const file = leave(folder, `acme/${day(1)}/1763755659.12.wav`, wave(0));
    expect((await box.ok(seal)).stdout).toBe('0 sealed, 0 without sound removed, 0 still written\n');
    expect(existsSync(file)).toBe(true);
    expect((await box.sipctl('recording verify --tenant acme --json')).json().data).toMatchObject({
      findings: [{ code: 'changed' }],
    });
  });

  it('a file without sound is removed with an audit row', async () => {
    const { box, folder } = await site();
    leave(folder, `acme/${day(0)}/1763759999.1.wav`, wave(0));
    expect((await box.ok(seal)).stdout).toBe('3 sealed, 1 without sound removed, 0 still written\n');
    const { data } = (await box.ok('audit --tenant acme --noun recording --json')).json();
    expect(data).toMatchObject({ entries: [{ action: 'remove', name: '1763759999.1' }] });
  });

  it('a link that leads out, or a folder, in the place of a sealed one hides no other finding', async () => {
    const { box, folder } = await site();
    await box.ok(seal);
    const [link, directory] = [at(folder, 1, '1763755659.12'), at(folder, 40, '1760000000.1')];
    rmSync(link);
    symlinkSync('/etc/passwd', link);
    rmSync(directory);
    mkdirSync(directory);
    const verified = await box.sipctl('recording verify --tenant acme --json');
    const { findings, intact } = verified.json().data as { findings: { code: string }[]; intact: number };
    expect([verified.code, intact, findings.map(({ code }) => code).sort()]).toEqual([
      ...[1, 1, ['missing', 'missing', 'unknown']],
    ]);
  });

  it('a pipe or a folder is not replaced by what is fetched, nor is an age too large', async () => {
    const { box, out } = await site();
    const pipe = join(out, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const output of [pipe, out]) {
      const got = await box.sipctl(`recording get 1763755659.12 --tenant acme -o ${output} --force --json`);
      expect([got.code, got.json().errors[0]?.code]).toEqual([3, 'not_a_file']);
    }
    expect(statSync(pipe).isFIFO()).toBe(true);
    const { stdout } = await box.ok('recording prune --tenant acme --older-than 999999999 --dry-run');
    expect(stdout).toMatch(/^0 recordings/);
  });
});
