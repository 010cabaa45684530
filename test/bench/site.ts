import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import type { BulkUser } from '../../src/store/bulk.ts';
import { Keyring } from '../../src/store/keyring.ts';
import { Store } from '../../src/store/store.ts';
import { type BenchResult, elapsed, median } from './result.ts';

export const tenantCount = 1000;
export const usersPerTenant = 100;

export const tenantName = (at: number): string => `t${String(at).padStart(4, '0')}`;

/** 100,000 users as an import has them after parsing. */
export function* users(): Generator<BulkUser> {
  for (let tenant = 0; tenant < tenantCount; tenant++) {
    for (let user = 0; user < usersPerTenant; user++) {
      const password = new Secret(`secret-${tenant}-${user}-0123456789`);
      const values = {
        extension: String(1000 + user),
        password,
        displayName: `User ${user}`,
        codecs: ['ulaw', 'alaw'],
      };
      yield { tenant: tenantName(tenant), username: `u${user}`, values };
    }
  }
}

/** A database with 1,000 tenants that have domains, and no users yet. */
export async function emptySite(dir: string): Promise<Store> {
  const store = await Store.open({
    file: join(dir, 'site.db'),
    keyFile: join(dir, 'key'),
    actor: 'bench',
    now: () => new Date(),
    create: true,
  });
  await store.write(async (writer) => {
    for (let at = 0; at < tenantCount; at++) {
      const name = tenantName(at);
      await writer.add(nouns.tenant, { tenant: null, name }, { domain: `${name}.example` });
    }
  });
  return store;
}

/** Import of 100,000 users against a loop that inserts the same sealed rows by position into the same schema. */
export async function benchImport(): Promise<BenchResult[]> {
  const ours: number[] = [];
  const raw: number[] = [];
  for (let round = 0; round < 3; round++) {
    const dir = mkdtempSync(join(tmpdir(), 'sipctl-bench-'));
    try {
      const store = await emptySite(dir);
      ours.push(await elapsed(() => store.addUsers(users())));
      store.close();
      raw.push(await rawImport(dir));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  const ratio = median(ours) / median(raw);
  const note = `${Math.round(median(ours))} ms against ${Math.round(median(raw))} ms of positional inserts of the same sealed rows`;
  return [{ name: 'import of 100,000 users', value: ratio, unit: 'x', target: { atMost: 1.5 }, note }];
}

// The baseline seals too: what is compared is the cost of our code around the same rows.
async function rawImport(dir: string): Promise<number> {
  const keyring = Keyring.read(join(dir, 'key'));
  const db = new BetterSqlite3(join(dir, 'site.db'));
  db.pragma('synchronous = NORMAL');
  db.exec('DELETE FROM users');
  const columns =
    'id, tenant_id, username, endpoint, enabled, created_at, updated_at, extension, password, display_name, template, codecs, max_calls';
  const insert = db.prepare(`INSERT INTO users (${columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`);
  const ids = new Map(
    (db.prepare('SELECT id, name FROM tenants').all() as { id: number; name: string }[]).map((row) => [
      row.name,
      row.id,
    ]),
  );
  const at = new Date().toISOString();
  const took = await elapsed(async () => {
    db.exec('BEGIN IMMEDIATE');
    let id = 0;
    for (const { tenant, username, values } of users()) {
      id++;
      const sealed = keyring.seal(values.password as Secret, `users/${id}/password`);
      insert.run(
        id,
        ids.get(tenant),
        username,
        `${username}@${tenant}.example`,
        1,
        at,
        at,
        values.extension,
        sealed,
        values.displayName,
        'basic_user',
        'ulaw,alaw',
        5,
      );
    }
    db.exec('COMMIT');
  });
  db.close();
  return took;
}
