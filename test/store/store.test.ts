import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import { newestSchema } from '../../src/store/database.ts';
import { Keyring } from '../../src/store/keyring.ts';
import { Store } from '../../src/store/store.ts';
import { onServer, storePlace } from '../support/store-place.ts';

let dir = '';
let store: Store;
const now = (): Date => new Date('2026-05-01T12:00:00Z');
const open = (create = true): Promise<Store> =>
  Store.open({
    file: storePlace(join(dir, 'site.db')),
    keyFile: join(dir, 'key'),
    actor: 'tester',
    now,
    create,
  });
const acme = { tenant: 'acme', name: 'ann' };
const ann = { extension: '1001', password: new Secret('ann-secret-text') };
const addTenant = (name: string, values = {}): Promise<void> =>
  store.write((writer) => writer.add(nouns.tenant, { tenant: null, name }, values));
const addUser = (tenant: string, name: string, values = {}): Promise<void> =>
  store.write((writer) => writer.add(nouns.user, { tenant, name }, { ...ann, ...values }));
const revision = async (name: string): Promise<string> =>
  (await store.tenantStates()).find((state) => state.name === name)?.revision ?? '';

async function refusal(work: Promise<unknown>): Promise<SipctlError> {
  const error = await work.then(
    () => new Error('nothing was refused'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SipctlError);
  return error as SipctlError;
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sipctl-store-'));
  store = await open();
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('objects', () => {
  it('come back as they were written, secrets sealed until they are revealed', async () => {
    await addTenant('acme', { domain: 'acme.example' });
    await addUser('acme', 'ann', { codecs: ['opus', 'ulaw'], maxContacts: 3 });
    const user = await store.records.get(nouns.user, acme);
    expect(user).toMatchObject({
      username: 'ann',
      tenant: 'acme',
      codecs: ['opus', 'ulaw'],
      maxContacts: 3,
      enabled: true,
      template: 'basic_user',
    });
    expect(user.password.reveal()).toBe('ann-secret-text');
    expect(JSON.stringify(user)).not.toContain('ann-secret');
  });

  it.skipIf(onServer())('leave no secret in any file of the database', async () => {
    await addTenant('acme');
    await addUser('acme', 'ann');
    await store.write((writer) =>
      writer.set(nouns.user, acme, { password: new Secret('another-secret-text') }),
    );
    for (const name of readdirSync(dir)) {
      const bytes = readFileSync(join(dir, name)).toString('latin1');
      expect([name, /ann-secret|another-secret/.test(bytes)]).toEqual([name, false]);
    }
  });

  it('change only where a value differs, also where that value is a secret', async () => {
    await addTenant('acme');
    await addUser('acme', 'ann');
    const before = await revision('acme');
    const same = await store.write((writer) =>
      writer.set(nouns.user, acme, { ...ann, password: new Secret('ann-secret-text') }),
    );
    expect([same, await revision('acme')]).toEqual([false, before]);
    const other = await store.write((writer) => writer.set(nouns.user, acme, { password: new Secret('b') }));
    expect(other).toBe(true);
    expect(await revision('acme')).not.toBe(before);
  });

  it('bump the revision of their own tenant only', async () => {
    await addTenant('acme');
    await addTenant('beta');
    const [mine, other] = [await revision('acme'), await revision('beta')];
    await addUser('acme', 'ann');
    expect([(await revision('acme')) === mine, (await revision('beta')) === other]).toEqual([false, true]);
  });

  it('are written whole or not at all', async () => {
    await addTenant('acme');
    const failed = store.write(async (writer) => {
      await writer.add(nouns.user, acme, ann);
      throw new SipctlError('failed', { code: 'x', message: 'x' });
    });
    await refusal(failed);
    expect(await store.records.list(nouns.user)).toEqual([]);
    expect((await store.listAudit({ limit: 10, noun: 'user' })).length).toBe(0);
  });
});

describe('isolation of tenants', () => {
  beforeEach(async () => {
    await addTenant('acme', { domain: 'acme.example' });
    await addTenant('beta', { domain: 'beta.example' });
    await addTenant('flat1');
    await addTenant('flat2');
  });

  it('lets two tenants with domains have equal names', async () => {
    await addUser('acme', 'ann');
    await addUser('beta', 'ann');
    expect((await store.records.list(nouns.user)).map(({ tenant, username }) => [tenant, username])).toEqual([
      ['acme', 'ann'],
      ['beta', 'ann'],
    ]);
  });

  it('refuses equal user names of tenants that share the flat namespace, in any case', async () => {
    await addUser('flat1', 'ann');
    expect(await refusal(addUser('flat2', 'ann'))).toMatchObject({
      outcome: 'conflict',
      problems: [{ code: 'endpoint_taken', field: 'username' }],
    });
    expect((await refusal(addUser('flat2', 'Ann'))).outcome).toBe('conflict');
  });

  it('refuses a user that would be a trunk on the PBX, and the other way round', async () => {
    await store.write((writer) =>
      writer.add(nouns.trunk, { tenant: 'default', name: 'main' }, { provider: 'telnyx' }),
    );
    expect((await refusal(addUser('flat1', 'main'))).outcome).toBe('conflict');
    await addUser('flat1', 'office');
    const trunk = store.write((writer) =>
      writer.add(nouns.trunk, { tenant: 'default', name: 'office' }, { provider: 'telnyx' }),
    );
    expect((await refusal(trunk)).outcome).toBe('conflict');
  });

  it('refuses to take a domain away where the names would then clash, and keeps everything', async () => {
    await addUser('acme', 'ann');
    await addUser('flat1', 'ann');
    const change = store.write((writer) =>
      writer.set(nouns.tenant, { tenant: null, name: 'acme' }, { domain: null }),
    );
    expect((await refusal(change)).outcome).toBe('conflict');
    expect((await store.records.get(nouns.tenant, { tenant: null, name: 'acme' })).domain).toBe(
      'acme.example',
    );
  });

  it('does not store a reference across tenants, by the writer or by hand', async () => {
    await store.write((writer) =>
      writer.add(nouns.trunk, { tenant: 'acme', name: 'main' }, { provider: 'telnyx' }),
    );
    const number = store.write((writer) =>
      writer.add(nouns.number, { tenant: 'beta', name: '+15551234567' }, { trunk: 'main' }),
    );
    expect(await refusal(number)).toMatchObject({ outcome: 'notFound', problems: [{ field: 'trunk' }] });
    const byHand = sql
      .raw(`INSERT INTO numbers (tenant_id, number, trunk_id, inbound, outbound, enabled, created_at, updated_at)
        SELECT tenants.id, '+15551234567', trunks.id, 1, 1, 1, '', '' FROM tenants, trunks WHERE tenants.name = 'beta'`)
      .execute(store.opened.kysely);
    await expect(byHand).rejects.toThrow(/FOREIGN KEY/i);
  });

  it('keeps a number with one tenant and an extension with one user', async () => {
    await store.write((writer) => writer.add(nouns.number, { tenant: 'acme', name: '+15551234567' }, {}));
    const again = store.write((writer) =>
      writer.add(nouns.number, { tenant: 'beta', name: '+15551234567' }, {}),
    );
    expect(await refusal(again)).toMatchObject({
      outcome: 'conflict',
      problems: [{ code: 'number_taken', field: 'number' }],
    });
    await addUser('acme', 'ann');
    expect(await refusal(addUser('acme', 'bob'))).toMatchObject({
      outcome: 'conflict',
      problems: [{ field: 'extension' }],
    });
  });

  it('has one default trunk per tenant at most', async () => {
    for (const name of ['one', 'two']) {
      await store.write((writer) =>
        writer.add(nouns.trunk, { tenant: 'acme', name }, { provider: 'telnyx', isDefault: true }),
      );
    }
    const trunks = await store.records.list(nouns.trunk, { tenant: 'acme' });
    expect(trunks.map(({ name, isDefault }) => [name, isDefault])).toEqual([
      ['one', false],
      ['two', true],
    ]);
  });
});

describe('the key', () => {
  beforeEach(async () => {
    await addTenant('acme');
    await addUser('acme', 'ann');
  });

  it('is readable by its owner only, and refused when it is not', () => {
    const key = join(dir, 'key');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    chmodSync(key, 0o640);
    expect(() => Keyring.read(key)).toThrow(/can be read by others/);
  });

  it('is needed to read secrets, and to nothing else', async () => {
    store.close();
    unlinkSync(join(dir, 'key'));
    store = await open(false);
    const user = await store.records.get(nouns.user, acme);
    expect(user.extension).toBe('1001');
    expect(() => user.password.reveal()).toThrow(/is not at/);
  });

  it('binds a secret to its row: a sealed value that was moved does not open', async () => {
    await addUser('acme', 'bob', { extension: '1002', password: new Secret('bob-secret') });
    await sql
      .raw(
        "UPDATE users SET password = (SELECT password FROM users WHERE username = 'bob') WHERE username = 'ann'",
      )
      .execute(store.opened.kysely);
    const user = await store.records.get(nouns.user, acme);
    expect(() => user.password.reveal()).toThrow(/moved from elsewhere/);
  });

  it('rotates: every secret opens with the new key alone', async () => {
    const before = readFileSync(join(dir, 'key'), 'utf8');
    expect(await store.rotateKey()).toBe(1);
    expect(readFileSync(join(dir, 'key'), 'utf8')).not.toBe(before);
    store.close();
    store = await open(false);
    expect((await store.records.get(nouns.user, acme)).password.reveal()).toBe('ann-secret-text');
    writeFileSync(join(dir, 'key'), before);
    store.close();
    store = await open(false);
    const user = await store.records.get(nouns.user, acme);
    expect(() => user.password.reveal()).toThrow(/another key/);
  });
});

describe('the database', () => {
  it.skipIf(onServer())('is for its owner only', () => {
    expect(statSync(join(dir, 'site.db')).mode & 0o077).toBe(0);
  });

  it('is not made by a reading command', async () => {
    const file = storePlace(join(dir, 'none.db'));
    const missing = Store.open({ file, keyFile: join(dir, 'key'), actor: 'x', now });
    expect((await refusal(missing)).outcome).toBe('notFound');
    expect(existsSync(file)).toBe(false);
  });

  it.skipIf(onServer())('of a newer sipctl is left alone', async () => {
    store.close();
    const raw = new BetterSqlite3(join(dir, 'site.db'));
    raw.pragma('user_version = 99');
    raw.close();
    expect((await refusal(open(false))).problems[0]?.code).toBe('database_newer');
    const again = new BetterSqlite3(join(dir, 'site.db'));
    expect(again.pragma('user_version', { simple: true })).toBe(99);
    again.pragma(`user_version = ${newestSchema}`);
    again.close();
    store = await open(false);
  });
});

describe('leases', () => {
  const owner = { holder: 'ann@here', host: 'here', pid: 1 };
  const clock = { now, isAlive: () => true };

  // The clock of a server is none that a test can put forward.
  async function aMinuteLater(): Promise<() => Date> {
    const ago = new Date(Date.now() - 1000).toISOString();
    if (onServer()) await store.opened.kysely.updateTable('leases').set({ expires_at: ago }).execute();
    return () => new Date(now().getTime() + 61_000);
  }

  it('keep a second run out and name the first', async () => {
    const lease = await store.lease('node pbx1', owner, clock);
    const error = await refusal(store.lease('node pbx1', { ...owner, holder: 'bob' }, clock));
    expect([error.outcome, error.message.includes('ann@here')]).toEqual(['conflict', true]);
    await lease.release();
    await (await store.lease('node pbx1', owner, clock)).release();
  });

  it('of a dead process, or of a silent host, are taken over', async () => {
    await store.lease('node pbx1', owner, clock);
    const heir = await store.lease('node pbx1', { ...owner, holder: 'bob' }, { now, isAlive: () => false });
    await heir.release();
    await store.lease('node pbx1', { ...owner, host: 'elsewhere' }, clock);
    expect((await refusal(store.lease('node pbx1', owner, clock))).outcome).toBe('conflict');
    await (await store.lease('node pbx1', owner, { ...clock, now: await aMinuteLater() })).release();
  });
});

describe('deliveries', () => {
  const owner = { holder: 'ann@here', host: 'here', pid: 1 };
  const view = { now, isAlive: () => true, host: 'here' };
  const begun = {
    node: 'pbx1',
    generation: 2,
    base: 1,
    outcome: 'started' as const,
    changes: { create: 1, update: 0, delete: 0 },
    detail: null,
  };
  const outcomes = async (of = view): Promise<string[]> =>
    (await store.listDeliveries({ limit: 9 }, of)).map(({ outcome }) => outcome);

  it('tell a run at work from one that was killed', async () => {
    const lease = await store.lease('node pbx1', owner, view);
    await store.recordDelivery(begun);
    expect(await outcomes()).toEqual(['started']);
    expect(await outcomes({ ...view, isAlive: () => false })).toEqual(['interrupted']);
    await lease.release();
    expect(await outcomes()).toEqual(['interrupted']);
    // The lease of the next run says nothing about this one.
    const later = (): Date => new Date(now().getTime() + 1);
    await store.lease('node pbx1', owner, { ...view, now: later });
    expect(await outcomes()).toEqual(['interrupted']);
  });

  it('say how a run ended, in the row that it began with', async () => {
    const id = await store.recordDelivery(begun);
    await store.endDelivery(id, { outcome: 'rolled-back', generation: 1, detail: 'refused' });
    expect(await store.listDeliveries({ limit: 9 }, view)).toMatchObject([
      { id, base: 1, generation: 1, outcome: 'rolled-back', detail: 'refused', changes: { create: 1 } },
    ]);
  });
});
