import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as nouns from '../../src/model/nouns.ts';
import { type ChainedRow, chainHash } from '../../src/store/audit-chain.ts';
import type { ChainState } from '../../src/store/audit-verify.ts';
import { Store } from '../../src/store/store.ts';
import { onServer, storePlace } from '../support/store-place.ts';

const now = (): Date => new Date('2026-05-01T12:00:00Z');
let dir = '';
let store: Store;
const open = (): Promise<Store> =>
  Store.open({
    file: storePlace(join(dir, 'site.db')),
    keyFile: join(dir, 'key'),
    actor: 'tester',
    now,
    create: true,
  });
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sipctl-chain-'));
  store = await open();
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

const note = (name: string, detail: Record<string, unknown> = {}): Promise<void> =>
  store.audit({ action: 'set', noun: 'user', tenant: 'acme', name, detail });
const sql = async (text: string): Promise<void> => {
  for (const statement of text.split('; '))
    await store.opened.kysely.executeQuery(CompiledQuery.raw(statement, []));
};
const verify = (expected: string | null = null): Promise<ChainState> => store.verifyAudit(expected);
const broken = async (): Promise<string | null> => {
  const { broken: found } = await verify();
  return found && `${found.kind} ${found.id}`;
};

/** One row for the default tenant is there from the start; with these it is six. */
async function fiveRows(): Promise<void> {
  for (const name of ['ann', 'bob', 'Zoë', '字', 'eve']) await note(name, { extension: { to: '1001' } });
}

describe('the chain of the audit trail', () => {
  it('holds every row, and says what the next one has to follow', async () => {
    await fiveRows();
    const state = await verify();
    expect(state).toMatchObject({ rows: 6, anchored: 0, broken: null, expectedAt: null });
    expect(state.head.id).toBe(6);
    await note('last');
    expect((await verify(state.head.hash)).expectedAt).toBe(6);
  });

  it('is what its description says, so that others can follow it', async () => {
    await fiveRows();
    const netstring = (text: string): string => `${new TextEncoder().encode(text).length}:${text},`;
    let previous = '0'.repeat(64);
    for await (const entry of store.auditEntries(0)) {
      const { id, at, actor, action, noun, tenant, name, detail, hash } = entry;
      const members = [previous, String(id), at, actor, action, noun, tenant, name, JSON.stringify(detail)];
      const text = members.map((member) => (member === null ? '-' : netstring(member))).join('');
      expect(createHash('sha256').update(text).digest('hex')).toBe(hash);
      previous = hash;
    }
    expect(previous).toBe((await verify()).head.hash);
  });

  it('writes no two rows the same, wherever a text ends', () => {
    const row = { id: 1, at: 'a', actor: 'b', action: 'c', noun: 'd', tenant: null, name: 'e', detail: '{}' };
    const hashes = [
      row,
      { ...row, actor: 'bc', action: '' },
      { ...row, tenant: '' },
      { ...row, tenant: '-' },
      { ...row, name: 'e,2:{}', detail: '' },
    ].map((one) => chainHash('0', one));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('comes back whole with half of a surrogate pair in a name', async () => {
    await note('half \ud800 pair', { half: '\udc00' });
    expect(await broken()).toBeNull();
  });

  it.each([
    ['a changed detail', "UPDATE audit SET detail = '{}' WHERE id = 3", 'changed 3'],
    ['a changed time', "UPDATE audit SET at = '2020-01-01T00:00:00.000Z' WHERE id = 6", 'changed 6'],
    ['a tenant that is none', 'UPDATE audit SET tenant = NULL WHERE id = 4', 'changed 4'],
    [
      'an exchanged hash',
      'UPDATE audit SET hash = (SELECT hash FROM audit WHERE id = 2) WHERE id = 3',
      'changed 3',
    ],
    ['a removed row', 'DELETE FROM audit WHERE id = 3', 'missing 4'],
    ['a removed first row', 'DELETE FROM audit WHERE id = 1', 'missing 2'],
    [
      'a removed row whose number was closed',
      'DELETE FROM audit WHERE id = 3; UPDATE audit SET id = id - 1 WHERE id > 3',
      'changed 3',
    ],
    ['a removed last row', 'DELETE FROM audit WHERE id > 4', 'missing 5'],
    ['all rows removed', 'DELETE FROM audit', 'missing 1'],
    [
      // A server chains whatever is added to it.
      'a row put in by hand',
      "INSERT INTO audit SELECT 7, at, actor, action, noun, tenant, 'x', detail, hash FROM audit WHERE id = 3",
      onServer() ? null : 'changed 7',
    ],
    ['a head that is gone', "DELETE FROM meta WHERE key = 'audit_head'", 'head 0'],
    [
      'a head that was turned back',
      "UPDATE meta SET value = (SELECT '4 ' || hash FROM audit WHERE id = 4) WHERE key = 'audit_head'",
      'added 5',
    ],
  ])('shows %s', async (_, statement, found) => {
    await fiveRows();
    expect(await broken()).toBeNull();
    await sql(statement);
    expect(await broken()).toBe(found);
  });

  it('still shows a break when more was written since', async () => {
    await fiveRows();
    await sql('DELETE FROM audit WHERE id > 4');
    await note('later');
    expect(await broken()).toBe('missing 7');
    await sql("DELETE FROM meta WHERE key = 'audit_head'");
    await note('even later');
    expect(await broken()).toBe('head 0');
  });

  it('cannot be rewritten past a receipt', async () => {
    await fiveRows();
    const { head } = await verify();
    // Whoever can write the database can make another chain that is whole in itself.
    const { kysely } = store.opened;
    const rows = (await kysely
      .selectFrom('audit')
      .selectAll()
      .orderBy('id')
      .execute()) as unknown as ChainedRow[];
    let previous = '0'.repeat(64);
    for (const row of rows) {
      if (row.name === 'bob') row.name = 'mallory';
      previous = chainHash(previous, row);
      const values = { name: row.name, hash: previous };
      await kysely.updateTable('audit').set(values).where('id', '=', row.id).execute();
    }
    await sql(`UPDATE meta SET value = '6 ${previous}' WHERE key = 'audit_head'`);
    expect(await broken()).toBeNull();
    expect((await verify(head.hash)).expectedAt).toBeNull();
  });

  it('is one, also where a transaction is taken back', async () => {
    await note('ann');
    const failed = store.write(async (writer) => {
      await writer.add(nouns.tenant, { tenant: null, name: 'acme' }, {});
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await note('bob');
    expect(await verify()).toMatchObject({ rows: 3, broken: null });
  });

  it('is one, whichever of several connections writes', async () => {
    const all = [store, await open(), await open()];
    for (let at = 0; at < 30; at++)
      await all[at % 3]?.audit({ action: 'set', noun: 'user', tenant: null, name: `${at}`, detail: {} });
    for (const one of all.slice(1)) await one.close();
    expect(await verify()).toMatchObject({ rows: 31, broken: null });
  });

  it('is not said to be broken by rows that come while it is followed', async () => {
    for (let at = 0; at < 1100; at++) await note(`n${at}`);
    const other = await open();
    const [state] = await Promise.all([
      verify(),
      ...Array.from({ length: 20 }, () =>
        other.audit({ action: 'set', noun: 'user', tenant: null, name: 'x', detail: {} }),
      ),
    ]);
    await other.close();
    expect(state?.broken).toBeNull();
  });
});
