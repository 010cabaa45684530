import BetterSqlite3 from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await sandbox();
  await box.ok('tenant add acme');
  await box.ok('user add ann --tenant acme --extension 1001 --password-stdin', { input: 'phone-Secret-9' });
});

const sql = (text: string): void => {
  const database = new BetterSqlite3(box.db);
  database.exec(text);
  database.close();
};
const receipt = async (): Promise<string> =>
  (/receipt: +(\S+)/.exec((await box.ok('audit verify')).stdout) as RegExpExecArray)[1] as string;

describe('sipctl audit', () => {
  it('lists without a verb, as it does with one', async () => {
    const plain = await box.ok('audit --all-tenants --limit 2');
    expect(plain.stdout).toContain('user ann');
    expect(plain.stdout).toBe((await box.ok('audit list --all-tenants --limit 2')).stdout);
    expect((await box.ok('audit --json --noun user --tenant acme')).json().data).toMatchObject({ count: 1 });
    expect((await box.sipctl('audit verfy')).code).toBe(64);
    expect((await box.sipctl('audit verify --noun user')).code).toBe(64);
  });

  it('verify says that all is as it was written, and gives a receipt for it', async () => {
    const first = await receipt();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    await box.ok('tenant add beta');
    const ended = await box.ok(`audit verify --expect ${first} --json`);
    expect(ended.json().data).toMatchObject({ rows: 4, broken: null, expectedAt: 3, head: { id: 4 } });
    expect((await box.ok(`audit verify --expect ${first.toUpperCase()}`)).stdout).toContain(
      'expected: row 3',
    );
  });

  it('verify ends with 1 and names the first row that was changed', async () => {
    sql("UPDATE audit SET actor = 'nobody' WHERE id = 2");
    const ended = await box.sipctl('audit verify');
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('row 2 is not as it was written');
    expect(ended.stdout).not.toContain('receipt');
    const json = (await box.sipctl('audit verify --json')).json();
    expect(json).toMatchObject({ ok: false, errors: [{ code: 'audit_changed' }] });
    expect(json.data).toMatchObject({ rows: 1, broken: { id: 2, kind: 'changed' } });
  });

  it('verify misses what a receipt was given for, also where the chain is whole', async () => {
    await box.ok(['db', 'backup', `${box.db}.copy`]);
    await box.ok('tenant add beta');
    const later = await receipt();
    await box.ok(['db', 'restore', `${box.db}.copy`, '--yes']);
    expect((await box.ok('audit verify')).stdout).toContain('unbroken');
    const ended = await box.sipctl(`audit verify --expect ${later}`);
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('a backup')]);
    expect((await box.sipctl('audit verify --expect abc')).code).toBe(3);
  });

  it('export writes every row of every tenant, and no secret', async () => {
    const ended = await box.ok('audit export --tenant acme');
    const rows = ended.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: number; hash: string });
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(rows.at(-1)).toMatchObject({ noun: 'user', tenant: 'acme', name: 'ann', hash: await receipt() });
    expect(ended.stdout).not.toContain('phone-Secret');
    expect((await box.ok('audit export --after 2')).stdout.trimEnd()).toBe(
      ended.stdout.trimEnd().split('\n')[2],
    );
    expect((await box.ok('audit export --json --after 2')).json().data).toEqual({
      entries: [rows[2]],
      count: 1,
    });
    expect((await box.ok('audit export --after 3')).stdout).toBe('');
  });
});
