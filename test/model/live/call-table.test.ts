import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../../src/model/live/call.ts';
import { CallTable } from '../../../src/model/live/call-table.ts';
import type { LegFacts } from '../../../src/model/live/changes.ts';
import type { CallEvent } from '../../../src/model/live/events.ts';
import type { Parties } from '../../../src/model/live/party.ts';

const parties: Parties = {
  find: (endpoint) => {
    if (endpoint === 'acme.telnyx') return { kind: 'trunk', tenant: 'acme', name: 'telnyx', extension: null };
    const [, name] = /^(.*)@acme\.example$/.exec(endpoint) ?? [];
    return name === undefined ? null : { kind: 'user', tenant: 'acme', name, extension: '1001' };
  },
};

const ann: LegFacts = {
  ...{ id: 'a', callId: 'c1', channel: 'PJSIP/ann@acme.example-01', way: 'in', endpoint: 'ann@acme.example' },
  ...{ account: null, number: '1001', name: 'Ann', dialled: '1002', state: 'ringing', codec: null },
  ...{ startedAt: 1000, answeredAt: null, recorded: false },
};
const bob: LegFacts = {
  ...{
    id: 'b',
    callId: 'c1',
    channel: 'PJSIP/bob@acme.example-02',
    way: 'out',
    endpoint: 'bob@acme.example',
  },
  ...{ account: null, number: '1002', name: null, dialled: null, state: 'ringing', codec: null },
  ...{ startedAt: 1100, answeredAt: null, recorded: false },
};
const carrier: LegFacts = {
  ...ann,
  id: 't',
  callId: 'c2',
  endpoint: 'acme.telnyx',
  number: '+4930',
  dialled: '+1555',
};

const table = () => new CallTable('pbx1', parties);
const leg = (facts: LegFacts) => ({ kind: 'leg', id: facts.id, at: 1, facts }) as const;
const more = (id: string, facts: Partial<LegFacts>, at = 2) => ({ kind: 'leg', id, at, facts }) as const;
const over = (id: string, q850: number | null = 16, sip: number | null = null, at = 9000) =>
  ({ kind: 'leg-ended', id, at, end: { q850, sip, text: '' }, quality: null }) as const;
const names = (events: readonly CallEvent[]) => events.map(({ event }) => event);
const only = (events: readonly CallEvent[]): Call => {
  expect(events).toHaveLength(1);
  return (events[0] as CallEvent).call;
};

describe('the table of calls', () => {
  it('joins the legs of a call, and tells what becomes of it', () => {
    const calls = table();
    expect(names(calls.apply(leg(ann)))).toEqual(['call.ringing']);
    expect(names(calls.apply(leg(bob)))).toEqual(['call.changed']);
    calls.apply(more('b', { state: 'answered', answeredAt: 3000 }));
    const answered = calls.apply(more('a', { state: 'answered', answeredAt: 3001, codec: 'alaw' }));
    expect(names(answered)).toEqual(['call.answered']);
    expect(only(answered)).toMatchObject({
      ...{
        id: 'c1',
        node: 'pbx1',
        tenant: 'acme',
        trunk: null,
        direction: 'internal',
        from: '1001',
        to: '1002',
      },
      ...{ state: 'answered', codec: 'alaw', startedAt: 1000, answeredAt: 3001, endedAt: null, end: null },
    });
    expect(names(calls.apply(more('b', { state: 'held' })))).toEqual(['call.held']);
    expect(names(calls.apply(more('b', { state: 'answered' })))).toEqual(['call.resumed']);
    expect(names(calls.apply(over('b')))).toEqual(['call.changed']);
    const ended = only(calls.apply(over('a', 16, null, 9001)));
    expect(ended).toMatchObject({
      state: 'ended',
      endedAt: 9001,
      end: { q850: 16 },
      legs: [{ id: 'a' }, { id: 'b' }],
    });
    expect(calls.size).toBe(0);
  });

  it.each([
    ['a caller from outside', carrier, bob, 'inbound', '+4930', '+1555'],
    [
      'a user who calls outside',
      ann,
      { ...carrier, way: 'out', callId: 'c1', dialled: null },
      'outbound',
      '1001',
      '1002',
    ],
  ] as const)('says the direction and the trunk of %s', (_, first, second, direction, from, to) => {
    const calls = table();
    calls.apply(leg(first));
    calls.apply(leg({ ...second, callId: first.callId }));
    expect(calls.calls()).toMatchObject([{ direction, trunk: 'telnyx', tenant: 'acme', from, to }]);
  });

  it('takes a refusal from the party that refused, and the cause from what the caller was told', () => {
    const calls = table();
    calls.apply(leg(ann));
    calls.apply(leg(bob));
    calls.apply(over('b', 17, 486));
    expect(only(calls.apply(over('a', 17)))).toMatchObject({ answeredAt: null, end: { q850: 17, sip: 486 } });
  });

  it('takes the tenant of an unknown channel from its account', () => {
    const calls = table();
    calls.apply(leg({ ...ann, endpoint: null }));
    expect(calls.calls()[0]?.tenant).toBeNull();
    calls.apply(more('a', { account: 'acme' }));
    expect(calls.calls()[0]?.tenant).toBe('acme');
  });

  it('lets a call end whose last leg was joined with another one', () => {
    const calls = table();
    calls.apply(leg(ann));
    calls.apply(leg({ ...carrier, callId: 'c2' }));
    const events = calls.apply(more('t', { callId: 'c1' }));
    expect(events.map(({ event, call }) => [event, call.id])).toEqual([
      ['call.ended', 'c2'],
      ['call.changed', 'c1'],
    ]);
    expect(events[0]?.call.end?.text).toBe('joined c1');
    expect(calls.calls().map(({ id, legs }) => [id, legs.length])).toEqual([['c1', 2]]);
  });

  it('says nothing of a change that nobody would see, or of a channel that it does not know', () => {
    const calls = table();
    calls.apply(leg(ann));
    expect(calls.apply(more('a', { account: 'acme' }))).toEqual([]);
    expect(calls.apply(more('nobody', { state: 'answered' }))).toEqual([]);
    expect(calls.apply(over('nobody'))).toEqual([]);
  });

  it('tells what was there at the start as present, and later what was missed', () => {
    const calls = table();
    calls.begin();
    expect(names(calls.settle([ann], 5))).toEqual(['call.present']);
    calls.begin();
    const events = calls.settle([{ ...ann, state: 'answered', answeredAt: 8 }, carrier], 10);
    expect(names(events)).toEqual(['call.answered', 'call.ringing']);
    calls.begin();
    const gone = calls.settle([carrier], 20);
    expect(gone.map(({ event, call }) => [event, call.id, call.endedAt, call.end?.text])).toEqual([
      ['call.ended', 'c1', 20, 'not seen'],
    ]);
  });

  it('tells of a call that began unseen, and was over before the snapshot was made', () => {
    const calls = table();
    calls.begin();
    calls.settle([], 1);
    calls.begin();
    const answered = { state: 'answered', answeredAt: 2000, codec: 'alaw' } as const;
    expect(calls.apply({ ...over('b'), facts: { ...bob, ...answered } })).toEqual([]);
    expect(calls.apply({ ...over('a'), facts: { ...ann, ...answered } })).toEqual([]);
    const told = calls.settle([], 9001);
    expect(told.filter(({ previous }) => previous === null).map(({ event }) => event)).toEqual([
      'call.answered',
    ]);
    expect(told.at(-1)).toMatchObject({
      event: 'call.ended',
      call: { id: 'c1', from: '1001', to: '1002', answeredAt: 2000, endedAt: 9000 },
    });
    expect(told.filter(({ event }) => event === 'call.ended')).toHaveLength(1);
    expect(calls.size).toBe(0);
    calls.begin();
    calls.apply({ ...over('b'), facts: { ...bob, ...answered } });
    expect(names(calls.settle([{ ...ann, ...answered }], 1))).not.toContain('call.ended');
    expect(names(calls.apply(over('a')))).toEqual(['call.ended']);
    // Of one that ends later, the beginning was seen, or is somebody else's to tell.
    expect(calls.apply({ ...over('t'), facts: carrier })).toEqual([]);
  });

  it('holds what it heard on the new connection against a snapshot that may be older', () => {
    const calls = table();
    calls.begin();
    calls.apply(leg(ann));
    calls.apply(more('a', { state: 'answered', answeredAt: 4 }));
    calls.apply(leg(carrier));
    calls.apply(over('t'));
    // The snapshot was made before Ann was answered and the carrier's call ended.
    expect(calls.settle([ann, carrier], 9)).toEqual([]);
    expect(calls.calls()).toMatchObject([{ id: 'c1', state: 'answered' }]);
  });
});

describe('whatever happens, and however often the connection is lost', () => {
  /** What happens at a PBX: channel n of eight appears, answers, is held, or ends; the connection is lost, or is there again. */
  const step = fc.oneof(
    fc.record({ what: fc.constantFrom('appear', 'answer', 'hold', 'end'), leg: fc.nat(7) }),
    fc.record({ what: fc.constantFrom('lose', 'ask', 'settle'), leg: fc.constant(0) }),
  );

  it('every call that was told of ends once, and the table is what the PBX has', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const calls = table();
        const pbx = new Map<string, LegFacts>();
        const told = new Map<string, string[]>();
        const tell = (events: readonly CallEvent[]) => {
          for (const { event, call } of events) told.set(call.id, [...(told.get(call.id) ?? []), event]);
        };
        let [serial, connected, asked]: [number, boolean, LegFacts[] | null] = [0, true, []];
        const slots: (string | null)[] = Array(8).fill(null);
        calls.begin();
        const change = (one: Parameters<CallTable['apply']>[0]) => {
          if (connected) tell(calls.apply(one));
        };
        for (const { what, leg: slot } of [...steps, ...ending]) {
          const id = slots[slot] ?? null;
          const facts = id === null ? undefined : pbx.get(id);
          if (what === 'appear' && facts === undefined) {
            serial += 1;
            const made = { ...ann, id: `l${serial}`, callId: `c${serial}` };
            slots[slot] = made.id;
            pbx.set(made.id, made);
            change(leg(made));
          } else if (what === 'answer' && facts !== undefined) {
            pbx.set(facts.id, { ...facts, state: 'answered', answeredAt: 5 });
            change(more(facts.id, { state: 'answered', answeredAt: 5 }));
          } else if (what === 'hold' && facts !== undefined && facts.state !== 'ringing') {
            pbx.set(facts.id, { ...facts, state: 'held' });
            change(more(facts.id, { state: 'held' }));
          } else if (what === 'end' && facts !== undefined) {
            pbx.delete(facts.id);
            change(over(facts.id));
          } else if (what === 'lose') [connected, asked] = [false, null];
          else if (what === 'ask' && !connected) {
            calls.begin();
            [connected, asked] = [true, [...pbx.values()]];
          } else if (what === 'settle' && connected && asked !== null) {
            tell(calls.settle(asked, 7));
            asked = null;
            expect(statesOf(calls)).toEqual(
              new Map([...pbx.values()].map(({ callId, state }) => [callId, state])),
            );
          }
        }
        const states = statesOf(calls);
        for (const [id, events] of told) {
          expect(events.filter((event) => event === 'call.ended')).toHaveLength(states.has(id) ? 0 : 1);
          expect(events.indexOf('call.ended')).toBe(states.has(id) ? -1 : events.length - 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  const statesOf = (calls: CallTable) => new Map(calls.calls().map(({ id, state }) => [id, state]));

  const ending = ['lose', 'ask', 'settle'].map((what) => ({ what, leg: 0 }));
});
