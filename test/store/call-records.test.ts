import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallRecord, mergeRecords, recordOf } from '../../src/model/call-record.ts';
import type { Call, Leg } from '../../src/model/live/call.ts';
import type { StoredCallRecord } from '../../src/store/call-records.ts';
import { Store } from '../../src/store/store.ts';
import { sandbox } from '../support/run-sipctl.ts';
import { scriptedNow } from '../support/scripted-plane.ts';

const leg = (id: string, over: Partial<Leg>): Leg => ({
  ...{ id, channel: `PJSIP/${id}`, way: 'in', party: null, number: null, name: null, state: 'answered' },
  ...{ codec: 'ulaw', startedAt: scriptedNow, answeredAt: scriptedNow + 4000 },
  ...over,
});

const ended = (id: string, over: Partial<Call> = {}): Call => ({
  ...{ id, node: 'pbx1', tenant: 'acme', trunk: null, direction: 'internal', from: '1001', fromName: null },
  ...{ to: '1002', state: 'ended', codec: 'ulaw', startedAt: scriptedNow, answeredAt: scriptedNow + 4000 },
  ...{ endedAt: scriptedNow + 64_000, end: { q850: 16, sip: null, text: 'Normal Clearing' }, quality: null },
  ...{ recorded: false, legs: [] },
  ...over,
});

async function open(): Promise<Store> {
  const { db } = await sandbox();
  return Store.open({ file: db, keyFile: `${db}.key`, actor: 'test', now: () => new Date(scriptedNow) });
}

const all = (store: Store): Promise<StoredCallRecord[]> => collected(store.readCallRecords({}));

async function collected<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

const imported = (over: Partial<CallRecord>): CallRecord => ({
  ...(recordOf(ended('c1')) as CallRecord),
  source: 'import',
  ...over,
});

describe('calls that ended', () => {
  it('are kept once, however often they are told; those that run are not', async () => {
    const store = await open();
    const running = ended('c3', { endedAt: null, end: null, state: 'answered' });
    expect(await store.saveCdrs([ended('c1'), ended('c2'), ended('c1'), running])).toBe(2);
    expect(await store.saveCdrs([ended('c1'), ended('c1', { node: 'pbx2' })])).toBe(1);
    expect((await all(store)).map(({ node, call, talkSeconds }) => [node, call, talkSeconds])).toEqual([
      ['pbx2', 'c1', 60],
      ['pbx1', 'c2', 60],
      ['pbx1', 'c1', 60],
    ]);
    store.close();
  });

  it('name the user who called, or the one who took the call', () => {
    const user = (name: string) => ({ kind: 'user', tenant: 'acme', name, extension: '1' }) as const;
    const [ann, bob] = [user('ann'), user('bob')];
    const came = leg('1', { party: { kind: 'trunk', tenant: 'acme', name: 'main', extension: null } });
    const rang = leg('2', { way: 'out', party: ann, state: 'ringing', answeredAt: null });
    const took = leg('3', { way: 'out', party: bob });
    const userOf = (over: Partial<Call>) => recordOf(ended('c', over))?.user;
    expect(userOf({ direction: 'inbound', legs: [came, rang, took] })).toBe('bob');
    expect(userOf({ direction: 'inbound', legs: [came, rang] })).toBe('ann');
    expect(userOf({ direction: 'inbound', legs: [came, rang, { ...rang, party: bob }] })).toBeNull();
    expect(userOf({ direction: 'internal', legs: [leg('1', { party: bob }), rang] })).toBe('bob');
  });

  it('get what the engine’s list adds, and lose nothing that was seen', async () => {
    const store = await open();
    const unseen = { q850: null, sip: null, text: 'not seen' };
    await store.saveCdrs([ended('c1', { end: unseen, endedAt: scriptedNow + 90_000, fromName: 'Ann' })]);
    const kept = await store.keepCallRecords([
      imported({ codec: null, from: '9999' }),
      imported({ call: 'c9' }),
    ]);
    expect(kept).toEqual({ added: 1, changed: 1, unchanged: 0 });
    const [, first] = await all(store);
    expect(first).toMatchObject({
      ...{ call: 'c1', from: '1001', fromName: 'Ann', codec: 'ulaw', cause: 'Normal Clearing' },
      ...{ endedAt: new Date(scriptedNow + 64_000).toISOString(), talkSeconds: 60, source: 'monitor' },
    });
    expect(await store.keepCallRecords([imported({ codec: null, from: '9999' })])).toMatchObject({
      unchanged: 1,
    });
    store.close();
  });

  it('are the same where only channel and second agree, whichever came first', async () => {
    const store = await open();
    const nameless = imported({ call: 'csv-1', channel: 'PJSIP/1', startedAt: '2026-05-04T10:00:01.000Z' });
    const seen = ended('c1', { legs: [leg('1', {})] });
    await store.keepCallRecords([nameless]);
    expect(await store.saveCdrs([seen])).toBe(0);
    expect((await all(store)).map(({ call, source }) => [call, source])).toEqual([['c1', 'monitor']]);
    expect(await store.keepCallRecords([nameless])).toEqual({ added: 0, changed: 0, unchanged: 1 });
    const later = imported({ call: 'csv-2', channel: 'PJSIP/1', startedAt: '2026-05-04T10:00:03.000Z' });
    expect(await store.keepCallRecords([later])).toMatchObject({ added: 1 });
    const [other] = [ended('c7', { legs: [leg('1', {})] })];
    expect(await store.saveCdrs([other])).toBe(1);
    store.close();
  });

  it('stay as they are when the same is put together again', () => {
    const time = fc.integer({ min: 0, max: 9 }).map((s) => new Date(scriptedNow + s * 1000).toISOString());
    const record: fc.Arbitrary<CallRecord> = fc
      .record({
        ...{
          startedAt: time,
          endedAt: time,
          answeredAt: fc.option(time),
          cause: fc.constantFrom('a', 'not seen'),
        },
        ...{ source: fc.constantFrom('monitor', 'import'), trunk: fc.option(fc.constantFrom('x', 'y')) },
      })
      .map((over) => imported(over as Partial<CallRecord>));
    fc.assert(
      fc.property(record, record, (one, other) => {
        const merged = mergeRecords(one, other);
        expect(mergeRecords(merged, other)).toEqual(merged);
      }),
    );
  });

  it('are read in order, page by page, by every filter', async () => {
    const store = await open();
    const calls = Array.from({ length: 2500 }, (_, at) =>
      ended(`c${at}`, {
        startedAt: scriptedNow + (at % 1250),
        answeredAt: at % 5 === 0 ? null : scriptedNow + 4000,
        tenant: at % 2 === 0 ? 'acme' : 'other',
        from: at === 7 ? '+4930111' : '1001',
        end: at === 9 ? { q850: 17, sip: 486, text: 'User busy' } : { q850: 16, sip: null, text: 'ok' },
      }),
    );
    await store.saveCdrs(calls);
    const ids = async (filter: object, order = {}): Promise<string[]> =>
      (await collected(store.readCallRecords(filter, order))).map(({ call }) => call);
    const upwards = await ids({}, { oldestFirst: true });
    expect(new Set(upwards).size).toBe(2500);
    expect(await ids({})).toEqual([...upwards].reverse());
    expect(await ids({}, { limit: 1001 })).toHaveLength(1001);
    expect(await ids({ number: '30111' })).toEqual(['c7']);
    expect([await ids({ cause: '486' }), await ids({ cause: 'BUSY' }), await ids({ cause: '17' })]).toEqual([
      ['c9'],
      ['c9'],
      ['c9'],
    ]);
    expect(await ids({ tenant: 'acme', answered: false })).toHaveLength(250);
    const from = new Date(scriptedNow + 1249).toISOString();
    expect(await ids({ from })).toEqual(['c2499', 'c1249']);
    expect(await ids({ before: from })).toHaveLength(2498);
    const find = async (id: string, limit = 99): Promise<string[]> =>
      (await store.findCallRecords(id, { tenant: undefined, limit })).map(({ call }) => call);
    expect([await find('c249'), await find('c24'), await find('0249'), await find('249')]).toEqual([
      ['c249'],
      ['c24'],
      [],
      ['c248'],
    ]);
    expect(await store.findCallRecords('c9', { tenant: 'acme', limit: 99 })).toEqual([]);
    expect(await store.summarizeCalls({}, 'tenant')).toMatchObject([
      { group: 'acme', calls: 1250, answered: 1000 },
      { group: 'other', calls: 1250, answered: 1000 },
    ]);
    store.close();
  });
});
