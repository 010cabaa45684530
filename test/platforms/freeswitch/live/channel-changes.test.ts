import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { CallTable } from '../../../../src/model/live/call-table.ts';
import type { LiveChange } from '../../../../src/model/live/changes.ts';
import type { Parties } from '../../../../src/model/live/party.ts';
import { EslEvent } from '../../../../src/platforms/freeswitch/esl/codec.ts';
import { channelHeaders, textOf } from '../../../../src/platforms/freeswitch/live/channel.ts';
import { ChannelChanges } from '../../../../src/platforms/freeswitch/live/channel-changes.ts';

type Headers = Record<string, string>;

// Events of a FreeSWITCH 1.10.12, of which those headers are left that are read.
const recorded = JSON.parse(
  readFileSync(new URL('../../../support/fixtures/freeswitch-calls.json', import.meta.url), 'utf8'),
) as Record<string, Headers[]>;

const id = (count: number): string => `0000000${count}-0000-4000-8000-000000000000`;
const eventsOf = (scene: string): Headers[] => recorded[scene] ?? [];

const parties: Parties = {
  find: (endpoint) => {
    const [name = '', domain] = endpoint.split('@');
    if (domain === 'acme.sip.example') return { kind: 'user', tenant: 'acme', name, extension: null };
    if (!endpoint.startsWith('acme.')) return null;
    return { kind: 'trunk', tenant: 'acme', name: endpoint.slice(5), extension: null };
  },
};

function told(events: readonly Headers[]) {
  const [channels, table] = [new ChannelChanges(), new CallTable('pbx1', parties)];
  const seen = events.flatMap((headers) =>
    channels.read(new EslEvent(JSON.stringify(headers))).flatMap((change) => tableApply(table, change)),
  );
  return { seen, table, channels };
}

function tableApply(table: CallTable, change: LiveChange) {
  return change.kind === 'leg' || change.kind === 'leg-ended' ? table.apply(change) : [];
}

const brief = (events: readonly Headers[]): string[] =>
  told(events).seen.map(({ event, call }) => {
    const legs = (event === 'call.ended' ? [] : call.legs).map(
      ({ party, way, state }) => `${way} ${party?.name ?? 'nobody'} ${state}`,
    );
    return `${event.slice(5)} ${Number(call.id.slice(0, 8))}: ${legs.join(', ')}`;
  });

describe('what FreeSWITCH tells of channels', () => {
  it('is one call of two users, from the first ring to the end', () => {
    const { seen, table, channels } = told(eventsOf('two users'));
    expect(brief(eventsOf('two users'))).toEqual([
      'ringing 1: in ann ringing',
      'changed 1: in ann ringing, out bob ringing',
      'changed 1: in ann ringing, out bob answered',
      'answered 1: in ann answered, out bob answered',
      'changed 1: in ann answered',
      'ended 1: ',
    ]);
    const call = seen.at(-1)?.call;
    expect(call).toMatchObject({
      ...{ tenant: 'acme', trunk: null, direction: 'internal', from: '1001', fromName: 'Ann A', to: '1002' },
      ...{ codec: 'PCMU', startedAt: 1_800_000_000_000, recorded: false },
      end: { q850: 16, sip: null, text: 'NORMAL_CLEARING' },
      quality: { mos: 4.5, lossPercent: 0 },
    });
    expect(call?.answeredAt).toBeGreaterThan(call?.startedAt ?? 0);
    expect(table.size).toBe(0);
    expect(channels.size).toBe(0);
  });

  it.each([
    'two users',
    'busy',
    'from a carrier',
  ])('is the same call where only its end was seen: %s', (scene) => {
    const all = told(eventsOf(scene)).seen.at(-1)?.call;
    const [channels, table] = [new ChannelChanges(), new CallTable('pbx1', parties)];
    table.begin();
    table.settle([], 0);
    table.begin();
    for (const headers of eventsOf(scene)) {
      if (headers['Event-Name'] !== 'CHANNEL_HANGUP_COMPLETE') continue;
      for (const change of channels.read(new EslEvent(JSON.stringify(headers)))) tableApply(table, change);
    }
    const ended = table.settle([], 1).filter(({ event }) => event === 'call.ended');
    expect(ended).toHaveLength(1);
    const { id, tenant, trunk, direction, from, to, answeredAt, end } = all as NonNullable<typeof all>;
    expect(ended[0]?.call).toMatchObject({ id, tenant, trunk, direction, from, to, answeredAt, end });
  });

  it('is the status that a phone refused with', () => {
    expect(told(eventsOf('busy')).seen.at(-1)?.call).toMatchObject({
      answeredAt: null,
      end: { q850: 17, sip: 486, text: 'USER_BUSY' },
    });
  });

  it('is told of a call from a carrier only once it is known whose it is', () => {
    const { seen } = told(eventsOf('from a carrier'));
    expect(seen.map(({ call }) => [call.tenant, call.trunk, call.direction])).toEqual(
      seen.map(() => ['acme', 'peer', 'inbound']),
    );
    expect(seen[0]?.call).toMatchObject({
      to: '+12125550100',
      legs: [{ way: 'in', party: { name: 'peer' } }],
    });
  });

  it('leaves the trunk that a call came over, where it goes out over another one', () => {
    const { seen } = told(eventsOf('from a carrier to a number outside'));
    expect(seen.at(-1)?.call).toMatchObject({ trunk: 'peer', direction: 'inbound', to: '+12125550101' });
    expect(
      seen.findLast(({ call }) => call.state !== 'ended' && call.legs.length === 2)?.call.legs,
    ).toMatchObject([{ party: { name: 'peer' } }, { party: { name: 'reg' }, number: '+14165550123' }]);
  });

  it('joins through channels to itself, of which it tells nothing', () => {
    const { seen, channels } = told(eventsOf('group with a number outside'));
    expect(new Set(seen.map(({ call }) => call.id))).toEqual(new Set([id(1)]));
    expect(seen.flatMap(({ call }) => call.legs).some(({ channel }) => channel.startsWith('loopback'))).toBe(
      false,
    );
    expect(Math.max(...seen.map(({ call }) => call.legs.length))).toBe(4);
    expect(seen.filter(({ event }) => event === 'call.ended')).toHaveLength(1);
    expect(channels.size).toBe(0);
  });

  it.each(['callee sent on', 'caller sent on'])('stays one call where its %s', (scene) => {
    const { seen } = told(eventsOf(scene));
    expect(new Set(seen.map(({ call }) => call.id))).toEqual(new Set([id(1)]));
    expect(
      seen.findLast(({ call }) => call.state !== 'ended' && call.legs.length === 2)?.call.legs,
    ).toMatchObject([
      { party: { name: scene === 'callee sent on' ? 'bob' : 'peer' } },
      { party: { name: 'cat' } },
    ]);
    expect(seen.filter(({ event }) => event === 'call.ended')).toHaveLength(1);
  });

  it('takes the younger of two calls into the older one where they are connected', () => {
    expect(brief(eventsOf('two calls connected')).slice(-5)).toEqual(
      [
        'changed 3: out cat answered',
        'changed 1: in peer answered',
        'ended 3: ',
        'changed 1: in peer answered, out cat answered',
        ...['changed 1: in peer answered', 'ended 1: '],
      ].slice(-5),
    );
  });

  it('is held, recorded, and neither any more', () => {
    const { seen } = told(eventsOf('held and recorded'));
    const words = seen.map(({ event, call }) => `${event.slice(5)}${call.recorded ? ' recorded' : ''}`);
    expect(words.slice(4)).toEqual([
      'held',
      'changed recorded',
      'resumed recorded',
      'changed',
      'changed',
      'ended recorded',
    ]);
  });
});

describe('channels that were there before', () => {
  // A dump has what the last event of a channel had.
  const dumpsAt = (events: readonly Headers[], count: number) => {
    const latest = new Map<string, Headers>();
    for (const headers of events.slice(0, count)) {
      const uuid = headers['Unique-ID'] ?? '';
      if (headers['Event-Name'] === 'CHANNEL_HANGUP_COMPLETE') latest.delete(uuid);
      else latest.set(uuid, { ...latest.get(uuid), ...headers, 'Event-Name': 'CHANNEL_DATA' });
    }
    return [...latest.values()].map((all) => ({ channel: textOf(all), recordings: [] }));
  };

  it.each(
    Object.keys(recorded),
  )('are the same calls as if seen from the beginning, at any moment: %s', (scene) => {
    const events = eventsOf(scene);
    for (let count = 1; count < events.length; count += 1) {
      const { table, channels } = told(events.slice(0, count));
      const [later, other] = [new ChannelChanges(), new CallTable('pbx1', parties)];
      other.begin();
      other.settle(later.take(dumpsAt(events, count), 0), 0);
      const legs = (one: CallTable) =>
        one
          .calls()
          .map((call) => [call.id, call.legs.map((leg) => leg.id).sort()] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1));
      // What was held back is told by a look at everything; a loopback may be gone before its ends are connected.
      const isAmidst = events.slice(count, count + 2).some((next) => next['Event-Name'] === 'CHANNEL_BRIDGE');
      if (channels.size > 0 && table.size > 0 && !isAmidst)
        expect(legs(other), `${count}`).toEqual(legs(table));
      for (const headers of events.slice(count))
        for (const change of later.read(new EslEvent(JSON.stringify(headers)))) tableApply(other, change);
      expect(other.size).toBe(0);
    }
  });

  it('ask for no header that is not found beforehand, as each other one costs as much as all of them', () => {
    const known = new Set<string>(channelHeaders);
    const [others, read] = [new Set<string>(), EslEvent.prototype.get];
    const asked = vi.spyOn(EslEvent.prototype, 'get').mockImplementation(function (this: EslEvent, name) {
      if (!known.has(name)) others.add(name);
      return read.call(this, name);
    });
    for (const scene of Object.keys(recorded)) told(eventsOf(scene));
    expect([asked.mock.calls.length > 0, [...others]]).toEqual([true, []]);
    asked.mockRestore();
  });

  it('are not brought back by words that come late', () => {
    const events = eventsOf('two users');
    const { table, channels } = told([...events, ...events.slice(2, 5)]);
    expect(table.size).toBe(0);
    expect(channels.size).toBe(0);
    expect(channels.take(dumpsAt(events, 4), 0)).toEqual([]);
  });
});
