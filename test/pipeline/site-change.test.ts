import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { compileShipped } from '../../src/catalog/compile.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import * as calls from '../../src/model/call-nouns.ts';
import type { Declared } from '../../src/model/declared.ts';
import type { Noun, Value } from '../../src/model/field.ts';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import * as services from '../../src/model/service-nouns.ts';
import type { Catalog } from '../../src/model/template.ts';
import { planSiteChange, rehearseSiteChange, writeSiteChange } from '../../src/pipeline/site-change.ts';
import { Store } from '../../src/store/store.ts';
import { templatesDir } from '../catalog/support.ts';
import { onServer, storePlace } from '../support/store-place.ts';

let store: Store;
let catalog: Catalog;

beforeAll(async () => {
  catalog = await loadCatalog({ shipped: await compileShipped(templatesDir) });
});

beforeEach(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-change-'));
  const file = { file: storePlace(join(dir, 'site.db')), keyFile: join(dir, 'key') };
  store = await Store.open({
    ...file,
    actor: 'tester',
    now: () => new Date('2026-05-01T12:00:00Z'),
    create: true,
  });
  onTestFinished(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
});

const password = new Secret('phone-Secret-9');

function declare(
  noun: Noun,
  name: string,
  values: Record<string, Value> = {},
  more: Partial<Declared> = {},
): Declared {
  const tenant = noun.tenantScoped ? 'acme' : null;
  return { noun, tenant, name, values, extent: 'whole', generated: [], place: null, places: {}, ...more };
}
const acme = declare(nouns.tenant, 'acme', {}, { extent: 'given' });
const user = (name: string, extension: string, more: Partial<Declared> = {}): Declared =>
  declare(nouns.user, name, { extension, password }, more);

const plan = (declared: readonly Declared[], options = {}) =>
  planSiteChange(store, catalog, declared, options);
async function write(declared: readonly Declared[], options = {}): Promise<void> {
  const change = await plan(declared, options);
  expect(change.problems).toEqual([]);
  await writeSiteChange(store, change);
  expect((await plan(declared, options)).edits).toEqual([]);
}
const messages = async (declared: readonly Declared[], options = {}): Promise<string[]> =>
  (await plan(declared, options)).problems.map(({ message }) => message);

describe('a change of the site', () => {
  it('takes five thousand objects in, and is empty afterwards', async () => {
    // Each statement goes to a server and back.
    const count = onServer() ? 300 : 5000;
    const many = Array.from({ length: count }, (_, at) => user(`u${at}`, String(10_000 + at)));
    await write([acme, ...many]);
    expect((await store.records.list(nouns.user, { tenant: 'acme' })).length).toBe(count);
    const moved = many.slice(0, 200).map((one, at) => ({
      ...one,
      values: { ...one.values, extension: String(10_000 + ((at + 1) % 200)) },
    }));
    await write([acme, ...moved]);
  });

  it('is refused where the database changed since it was found', async () => {
    const change = await plan([acme, user('ann', '1001')]);
    await store.write((writer) => writer.add(nouns.tenant, { tenant: null, name: 'acme' }, {}));
    await expect(writeSiteChange(store, change)).rejects.toMatchObject({ outcome: 'conflict' });
    const later = await plan([acme, user('ann', '1001')]);
    await store.write((writer) =>
      writer.add(nouns.user, { tenant: 'acme', name: 'bob' }, { extension: '7', password }),
    );
    await expect(writeSiteChange(store, later)).rejects.toMatchObject({ outcome: 'conflict' });
    const nodes = await plan([declare(nouns.node, 'pbx1', { kind: 'asterisk', dir: '/x' })]);
    await store.write((writer) =>
      writer.add(nouns.node, { tenant: null, name: 'pbx1' }, { kind: 'asterisk', dir: '/y' }),
    );
    await expect(writeSiteChange(store, nodes)).rejects.toMatchObject({ outcome: 'conflict' });
    expect(await store.records.find(nouns.user, { tenant: 'acme', name: 'ann' })).toBeNull();
  });

  it('keeps nothing where one of its objects cannot be written', async () => {
    const change = await plan([acme, user('ann', '1001'), user('bob', '1002')]);
    const broken = change.edits.map((edit) =>
      edit.name === 'bob' ? { ...edit, values: { ...edit.values, extension: '1001' } } : edit,
    );
    await expect(writeSiteChange(store, { ...change, edits: broken })).rejects.toMatchObject({
      outcome: 'conflict',
    });
    expect(await store.records.find(nouns.tenant, { tenant: null, name: 'acme' })).toBeNull();
  });

  it.skipIf(onServer())('can be looked at before it is kept', async () => {
    const change = await plan([acme, user('ann', '1001')]);
    const seen = await rehearseSiteChange(store, change, async () =>
      store.records.list(nouns.user, { tenant: 'acme' }),
    );
    expect(seen?.map(({ username }) => username)).toEqual(['ann']);
    expect(await store.records.list(nouns.user)).toEqual([]);
    await expect(
      rehearseSiteChange(store, change, () => Promise.reject(new Error('looked away'))),
    ).rejects.toThrow('looked away');
    await writeSiteChange(store, change);
  });

  it('leaves what is not named as it is, or sets it back, as the source means it', async () => {
    await write([
      acme,
      declare(nouns.user, 'ann', { extension: '1', password, displayName: 'Ann', record: true }),
    ]);
    await write([declare(nouns.user, 'ann', { extension: '2' }, { extent: 'given' })]);
    expect(await store.records.get(nouns.user, { tenant: 'acme', name: 'ann' })).toMatchObject({
      extension: '2',
      displayName: 'Ann',
      record: true,
    });
    await write([declare(nouns.user, 'ann', { extension: '2' })]);
    const ann = await store.records.get(nouns.user, { tenant: 'acme', name: 'ann' });
    expect(ann).toMatchObject({ displayName: null, record: false });
    expect(ann.password.reveal()).toBe('phone-Secret-9');
  });

  it('moves domains between tenants whose users have the same names', async () => {
    const of = (tenant: string, domain: string | null): Declared[] => [
      declare(nouns.tenant, tenant, { domain }),
      { ...user('ann', '1'), tenant },
    ];
    await write([...of('a', 'one.example'), ...of('b', 'two.example'), ...of('c', null)]);
    await write([...of('a', 'two.example'), ...of('b', 'one.example'), ...of('c', null)]);
    await write([...of('a', null), ...of('b', 'one.example'), ...of('c', 'two.example')]);
    expect(await messages([...of('a', null), ...of('b', null), ...of('c', 'two.example')])).toEqual([
      "b: user ann: 'ann' is taken on the PBX by a user of tenant 'a'",
    ]);
    expect(await messages(of('c', 'one.example'))).toContain("tenant c: domain: tenant 'b' has one.example");
  });

  it('moves what services are made of from one account to another', async () => {
    const sid = `AC${'0'.repeat(32)}`;
    const account = (name: string) =>
      declare(services.twilioAccount, name, { accountSid: sid, authToken: password });
    const trunk = (on: string, to: string | null) =>
      declare(services.twilioTrunk, 'tw', {
        account: on,
        domainPrefix: 'acme-x',
        friendlyName: 'x',
        sipUsername: 'sipuser',
        sipPassword: new Secret('Sip-Secret-99999'),
        trunk: to,
      });
    const pbx = (name: string) =>
      declare(nouns.trunk, name, { provider: 'custom_ip', host: `${name}.example`, networks: ['192.0.2.1'] });
    await write([acme, account('one'), pbx('p1'), trunk('one', 'p1')]);
    await write([acme, account('two'), pbx('p2'), trunk('two', 'p2')], { prune: true });
    await write([acme], { prune: true });
  });
});

describe('complaints', () => {
  it('name what is neither there nor declared, and nothing that is declared later', async () => {
    const menu = declare(calls.ivr, 'menu', { greeting: 'hi', keys: ['1=user:ann', '2=group:nobody'] });
    const ann = declare(nouns.user, 'ann', { extension: '1', password, unanswered: 'ivr:menu' });
    const number = declare(nouns.number, '+15551234567', { trunk: 'mian' });
    const trunk = declare(nouns.trunk, 'main', {
      provider: 'custom_ip',
      host: 'a.example',
      networks: ['192.0.2.1'],
    });
    expect(await messages([acme, ann, menu, number, trunk])).toEqual([
      "acme: number +15551234567: trunk: there is no trunk 'mian' in tenant 'acme', nor does the source declare one",
      "acme: ivr menu: keys: there is no group 'nobody' in tenant 'acme', nor does the source declare one",
    ]);
  });

  it('tell of clashes inside the source', async () => {
    const said = await messages([
      ...[acme, user('ann', '1'), user('bob', '1'), user('ann', '2')],
      declare(calls.emergency, '112', { callerId: '+15551234567' }),
      declare(calls.group, 'g', { members: ['ann'], extension: '112' }),
      declare(nouns.trunk, 'a', {
        provider: 'custom_ip',
        host: 'a.example',
        networks: ['192.0.2.1'],
        isDefault: true,
      }),
      declare(nouns.trunk, 'b', {
        provider: 'custom_ip',
        host: 'b.example',
        networks: ['192.0.2.2'],
        isDefault: true,
      }),
    ]);
    expect(said).toEqual([
      "acme: user ann: user 'ann' is declared twice",
      "acme: user bob: extension: user 'ann' has extension 1 in tenant 'acme'",
      "acme: emergency 112: number: group 'g' has extension 112 in tenant 'acme'",
      "acme: trunk b: isDefault: trunk a is the tenant's default already",
    ]);
  });

  it('tell of a tenant that is not there, of what an object lacks, and of nothing that was complained of', async () => {
    expect(await messages([user('ann', '1')])).toEqual(["acme: user ann: there is no tenant 'acme'"]);
    expect(await messages([acme, declare(nouns.user, 'ann')])).toEqual([
      'acme: user ann: extension: every user needs it',
      'acme: user ann: password: every user needs it',
    ]);
    expect(
      await messages([acme, declare(nouns.user, 'ann', {}, { faulty: ['extension', 'password'] })]),
    ).toEqual([]);
  });

  it('come in the order of the source', async () => {
    const at = (line: number) => ({ place: { source: 's', line, column: 1 } });
    const { problems } = await plan([
      acme,
      declare(nouns.user, 'b', { password }, at(9)),
      declare(nouns.user, 'a', { password }, at(12)),
      declare(nouns.trunk, 't', {}, at(2)),
    ]);
    expect(problems.map(({ place }) => place?.line)).toEqual([2, 9, 12]);
  });

  it('stop what services still need', async () => {
    const sid = `AC${'0'.repeat(32)}`;
    const account = declare(services.twilioAccount, 'one', { accountSid: sid, authToken: password });
    const trunk = declare(services.twilioTrunk, 'tw', {
      account: 'one',
      domainPrefix: 'acme-x',
      friendlyName: 'x',
      sipUsername: 'sipuser',
      sipPassword: new Secret('Sip-Secret-99999'),
    });
    await write([acme, account, trunk]);
    await store
      .resourceMemory({ kind: 'twilio', tenant: 'acme', name: 'tw' })
      .keep({ key: 'trunk', name: 'x', id: 'TK1', digest: null });
    expect(await messages([acme], { prune: true })).toEqual([expect.stringContaining('that sipctl made')]);
    const other = declare(services.twilioAccount, 'one', {
      accountSid: `AC${'1'.repeat(32)}`,
      authToken: password,
    });
    expect(await messages([acme, other, trunk])).toEqual([expect.stringContaining('that sipctl made')]);
  });
});
