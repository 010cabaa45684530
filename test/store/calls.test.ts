import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import * as calls from '../../src/model/call-nouns.ts';
import { everyNoun, nounNamed } from '../../src/model/every-noun.ts';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import { Store } from '../../src/store/store.ts';
import type { Patch } from '../../src/store/writer.ts';
import { storePlace } from '../support/store-place.ts';

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

/** What each noun needs, besides what is said. */
const needed: Record<string, Patch> = {
  trunk: { provider: 'telnyx' },
  user: { extension: '1', password: new Secret('phone-secret') },
  number: {},
  group: { members: ['external:+15551230000'] },
  ivr: { greeting: 'hello', keys: ['1=hangup:busy'] },
  conference: { extension: '2' },
  schedule: { timeZone: 'Europe/Berlin', open: ['mon-fri 09:00-17:00'], closed: 'hangup:busy' },
  route: { match: ['+'] },
  emergency: { callerId: '+4930111111' },
};

const add = (tenant: string, noun: string, name: string, values: Patch = {}): Promise<void> =>
  store.write((writer) => writer.add(nounNamed(noun), { tenant, name }, { ...needed[noun], ...values }));
const set = (tenant: string, noun: string, name: string, values: Patch): Promise<boolean> =>
  store.write((writer) => writer.set(nounNamed(noun), { tenant, name }, values));
const remove = (tenant: string, noun: string, name: string): Promise<void> =>
  store.write((writer) => writer.remove(nounNamed(noun), { tenant, name }));

async function refusal(work: Promise<unknown>): Promise<SipctlError> {
  const error = await work.then(
    () => new Error('nothing was refused'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SipctlError);
  return error as SipctlError;
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sipctl-calls-'));
  store = await open();
  for (const [name, domain] of [
    ['acme', 'acme.example'],
    ['beta', 'beta.example'],
  ])
    await store.write((writer) =>
      writer.add(nouns.tenant, { tenant: null, name: name as string }, { domain: domain as string }),
    );
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('an extension', () => {
  const dialled = ['user', 'group', 'ivr', 'conference'] as const;
  const pairs = dialled.flatMap((holder) => dialled.map((other) => [holder, other] as const));

  it.each(
    pairs,
  )('of a %s is refused to a %s, added or changed, and its holder is named', async (holder, other) => {
    await add('acme', holder, 'first', { extension: '1001' });
    const error = await refusal(add('acme', other, 'second', { extension: '1001' }));
    expect(error).toMatchObject({
      outcome: 'conflict',
      problems: [{ code: 'extension_taken', field: 'extension' }],
    });
    expect(error.message).toContain(`${holder} 'first'`);
    expect(error.problems[0]?.hint).toContain(`sipctl ${holder} show first --tenant acme`);
    await add('acme', other, 'second', { extension: '1002' });
    const changed = await refusal(set('acme', other, 'second', { extension: '1001' }));
    expect([changed.outcome, changed.message.includes(`${holder} 'first'`)]).toEqual(['conflict', true]);
    await add('beta', other, 'second', { extension: '1001' });
  });

  it.each(dialled)('of a %s cannot be an emergency number, whichever was first', async (noun) => {
    await add('acme', noun, 'first', { extension: '112' });
    expect(await refusal(add('acme', 'emergency', '112'))).toMatchObject({
      outcome: 'conflict',
      problems: [
        { code: 'extension_taken', field: 'number', message: expect.stringContaining(`${noun} 'first'`) },
      ],
    });
    await add('acme', 'emergency', '110');
    const error = await refusal(set('acme', noun, 'first', { extension: '110' }));
    expect([error.outcome, error.message]).toEqual([
      'conflict',
      "extension: 110 is an emergency number in tenant 'acme'",
    ]);
    await add('beta', 'emergency', '112');
  });

  it('may be missing on any number of groups and menus', async () => {
    for (const name of ['a', 'b']) {
      await add('acme', 'group', name);
      await add('acme', 'ivr', name);
    }
    await set('acme', 'group', 'a', { extension: '5' });
    await set('acme', 'group', 'a', { extension: null });
    await add('acme', 'ivr', 'c', { extension: '5' });
  });

  it('is guarded by the database itself, against whoever writes', async () => {
    await add('acme', 'group', 'sales', { extension: '1001' });
    await add('acme', 'conference', 'board', { extension: '1002' });
    const byHand = sql.raw("UPDATE conferences SET extension = '1001'").execute(store.opened.kysely);
    await expect(byHand).rejects.toThrow(/UNIQUE/i);
  });

  it('of many users added at once is guarded, too', async () => {
    await add('acme', 'conference', 'board', { extension: '1001' });
    const users = ['1000', '1001'].map((extension) => ({
      tenant: 'acme',
      username: `u${extension}`,
      values: { ...needed.user, extension },
    }));
    expect((await refusal(store.addUsers(users))).problems[0]?.code).toBe('extension_taken');
    expect(await store.records.list(nouns.user)).toEqual([]);
  });
});

describe('what a value names', () => {
  beforeEach(async () => {
    await add('acme', 'user', 'ann', { extension: '1' });
    await add('beta', 'user', 'bea', { extension: '1' });
    await add('acme', 'trunk', 'main');
  });

  /** One value of every field that names objects, leading to `user:ann` or the trunk; and how it names nobody. */
  const naming: [noun: string, name: string, field: string, good: Patch, bad: Patch, kind: string][] = [
    ['user', 'cat', 'unanswered', { unanswered: 'user:ann' }, { unanswered: 'user:bea' }, 'user'],
    [
      'number',
      '+4930111111',
      'destination',
      { destination: 'user:ann' },
      { destination: 'user:bea' },
      'user',
    ],
    [
      'number',
      '+4930111111',
      'destination',
      { destination: 'voicemail:ann' },
      { destination: 'voicemail:bea' },
      'user',
    ],
    ['group', 'sales', 'members', { members: ['ann'] }, { members: ['ann', 'bea'] }, 'user'],
    ['group', 'sales', 'unanswered', { unanswered: 'user:ann' }, { unanswered: 'ivr:none' }, 'ivr'],
    ['ivr', 'main', 'keys', { keys: ['1=user:ann'] }, { keys: ['1=user:ann', '2=group:none'] }, 'group'],
    [
      'ivr',
      'main',
      'unanswered',
      { unanswered: 'user:ann' },
      { unanswered: 'conference:none' },
      'conference',
    ],
    ['ivr', 'main', 'invalid', { invalid: 'user:ann' }, { invalid: 'user:ANN' }, 'user'],
    ['schedule', 'office', 'closed', { closed: 'user:ann' }, { closed: 'user:bea' }, 'user'],
    ['route', 'all', 'trunks', { trunks: ['main'] }, { trunks: ['main', 'other'] }, 'trunk'],
    ['emergency', '112', 'trunks', { trunks: ['main'] }, { trunks: ['other'] }, 'trunk'],
  ];

  it('is tried below in every field that can name something', () => {
    const fields = everyNoun.flatMap((noun) =>
      Object.entries(noun.fields).flatMap(([name, field]) =>
        field.mentions === undefined ? [] : [`${noun.name} ${name}`],
      ),
    );
    expect([...new Set(naming.map(([noun, , field]) => `${noun} ${field}`))].sort()).toEqual(fields.sort());
  });

  it.each(naming)('is there, in the same tenant: %s %s %s', async (noun, name, field, good, bad, kind) => {
    const base = noun === 'user' ? { extension: '9' } : {};
    expect(await refusal(add('acme', noun, name, { ...base, ...bad }))).toMatchObject({
      outcome: 'notFound',
      problems: [{ code: `${kind}_not_found`, field, hint: expect.stringContaining(`sipctl ${kind} list`) }],
    });
    expect(await store.records.list(nounNamed(noun), { tenant: 'acme' })).toHaveLength(
      noun === 'user' ? 1 : 0,
    );
    await add('acme', noun, name, { ...base, ...good });
    expect((await refusal(set('acme', noun, name, bad))).outcome).toBe('notFound');
    const removed: [noun: string, name: string] = kind === 'trunk' ? ['trunk', 'main'] : ['user', 'ann'];
    const error = await refusal(remove('acme', ...removed));
    expect(error).toMatchObject({ outcome: 'conflict', problems: [{ code: `${removed[0]}_in_use` }] });
    expect(error.message).toContain(`${noun} ${name} (${field})`);
    await remove('acme', noun, name);
    await remove('acme', ...removed);
  });

  it('is guessed where it is nearly right, and every miss is told', async () => {
    await add('acme', 'user', 'bob', { extension: '2' });
    const error = await refusal(
      add('acme', 'ivr', 'main', {
        keys: ['1=user:bop', '2=group:x', '3=user:ann'],
        unanswered: 'user:nobodyatall',
      }),
    );
    expect(error.problems.map(({ field, code }) => `${field} ${code}`).sort()).toEqual([
      'keys group_not_found',
      'keys user_not_found',
      'unanswered user_not_found',
    ]);
    expect(error.problems.map(({ hint }) => hint).join()).toContain("did you mean 'bob'?");
  });

  it('may be the object itself, where a key of a menu leads back to it', async () => {
    await add('acme', 'ivr', 'main', { keys: ['9=ivr:main'] });
    await remove('acme', 'ivr', 'main');
  });

  it('does not have to be enabled', async () => {
    await set('acme', 'user', 'ann', { enabled: false });
    await add('acme', 'number', '+4930111111', { destination: 'user:ann' });
  });

  it('goes together with what names it', async () => {
    await add('acme', 'ivr', 'one', { keys: ['1=user:ann'] });
    await add('acme', 'group', 'sales', { members: ['ann'], unanswered: 'ivr:one' });
    await set('acme', 'ivr', 'one', { unanswered: 'group:sales' });
    const refs = [
      ['ivr', 'one'],
      ['group', 'sales'],
      ['user', 'ann'],
    ] as const;
    const all = refs.map(([noun, name]) => ({ noun: nounNamed(noun), ref: { tenant: 'acme', name } }));
    expect((await refusal(store.write((writer) => writer.removeAll(all.slice(1))))).outcome).toBe('conflict');
    await store.write((writer) => writer.removeAll(all));
    expect(await store.records.list(nouns.user, { tenant: 'acme' })).toEqual([]);
  });
});

describe('a schedule', () => {
  it('cannot be that of another tenant, by the writer or by hand', async () => {
    await add('acme', 'schedule', 'office');
    expect(await refusal(add('beta', 'number', '+4930111111', { schedule: 'office' }))).toMatchObject({
      outcome: 'notFound',
      problems: [{ field: 'schedule' }],
    });
    await add('beta', 'number', '+4930111111');
    const byHand = sql.raw('UPDATE numbers SET schedule_id = (SELECT id FROM schedules)');
    await expect(byHand.execute(store.opened.kysely)).rejects.toThrow(/FOREIGN KEY/i);
    await add('acme', 'number', '+4930222222', { schedule: 'office' });
    const schedule = { tenant: 'acme', name: 'office' };
    expect(await store.records.dependents(calls.schedule, schedule)).toMatchObject([{ noun: 'number' }]);
    expect((await refusal(remove('acme', 'schedule', 'office'))).outcome).toBe('conflict');
  });
});

describe('PINs', () => {
  it('are sealed, follow the key when it is changed, and open afterwards', async () => {
    await add('acme', 'conference', 'board', {
      pin: new Secret('48151623'),
      moderatorPin: new Secret('42108642'),
    });
    await add('acme', 'user', 'ann', { extension: '1', voicemailPin: new Secret('77771234') });
    expect(await store.rotateKey()).toBe(4);
    store.close();
    store = await open(false);
    const room = await store.records.get(calls.conference, { tenant: 'acme', name: 'board' });
    const ann = await store.records.get(nouns.user, { tenant: 'acme', name: 'ann' });
    expect([room.pin, room.moderatorPin, ann.voicemailPin].map((pin) => pin?.reveal())).toEqual([
      '48151623',
      '42108642',
      '77771234',
    ]);
    expect(JSON.stringify([room, ann, await store.listAudit({ limit: 99 })])).not.toMatch(
      /48151623|42108642|77771234/,
    );
    for (const name of readdirSync(dir))
      expect([
        name,
        /48151623|42108642|77771234/.test(readFileSync(join(dir, name)).toString('latin1')),
      ]).toEqual([name, false]);
  });
});

describe('a tenant’s site', () => {
  it('holds everything that the tenant owns, and nothing of others', async () => {
    for (const noun of Object.keys(needed)) {
      const name = { number: '+4930111111', emergency: '112' }[noun] ?? 'one';
      await add('acme', noun, name);
    }
    await add('beta', 'ivr', 'other');
    const site = await store.tenantSite('acme');
    const { tenant, ...parts } = site;
    expect(tenant.name).toBe('acme');
    expect(Object.entries(parts).map(([part, objects]) => [part, objects.length])).toEqual(
      Object.keys(parts).map((part) => [part, 1]),
    );
    expect(Object.keys(parts)).toHaveLength(Object.keys(needed).length);
    expect(site.ivrs[0]).toMatchObject({ tenant: 'acme', name: 'one', keys: ['1=hangup:busy'], attempts: 3 });
    expect((await store.tenantSite('default')).ivrs).toEqual([]);
  });
});
