import { describe, expect, it } from 'vitest';
import { CallTable } from '../../../../src/model/live/call-table.ts';
import type { LegFacts } from '../../../../src/model/live/changes.ts';
import { AmiMessage } from '../../../../src/platforms/asterisk/ami/codec.ts';
import { ChannelEvents } from '../../../../src/platforms/asterisk/live/channel-events.ts';

const ann = 'PJSIP/ann@acme.example-00000001';
const bob = 'PJSIP/bob@acme.example-00000002';
const cat = 'PJSIP/cat@acme.example-00000003';
const carrier = 'PJSIP/acme.main-00000004';
const local = 'Local/+49409999@t-acme.external-00000001';

/** One event of a channel; `u` is its Uniqueid, `l` its Linkedid. */
const event = (name: string, channel: string, u: string, l: string, more: Record<string, string> = {}) =>
  new AmiMessage(
    Object.entries({ Event: name, Channel: channel, Uniqueid: u, Linkedid: l, AccountCode: 'acme', ...more })
      .map(([header, value]) => `${header}: ${value}`)
      .join('\r\n'),
  );

const state = { ring: { ChannelState: '4' }, down: { ChannelState: '0' }, up: { ChannelState: '6' } };
const basic = (bridge: string) => ({ BridgeUniqueid: bridge, BridgeType: 'basic', ...state.up });

const came = (channel: string, u: string, number: string, dialled: string) =>
  event('Newchannel', channel, u, u, { ...state.ring, CallerIDNum: number, Exten: dialled });
const called = (channel: string, u: string, l: string, number: string) =>
  event('Newchannel', channel, u, l, { ...state.down, CallerIDNum: number, Exten: 's' });
const up = (channel: string, u: string, l: string) => event('Newstate', channel, u, l, state.up);
const hungUp = (channel: string, u: string, l: string, more: Record<string, string> = { Cause: '16' }) =>
  event('Hangup', channel, u, l, more);

/** Ann calls bob, who answers. */
const standing = (bridge = 'b1', [one, two] = ['1.1', '1.2']) => [
  came(ann, one as string, '1001', '1002'),
  called(bob, two as string, one as string, '1002'),
  up(bob, two as string, one as string),
  up(ann, one as string, one as string),
  event('BridgeEnter', bob, two as string, one as string, basic(bridge)),
  event('BridgeEnter', ann, one as string, one as string, basic(bridge)),
];

function told(events: readonly AmiMessage[], channels = new ChannelEvents()) {
  return events.flatMap((one) => channels.take(one, 1000));
}

/** The calls that `monitor` makes of them. */
function calls(events: readonly AmiMessage[]) {
  const table = new CallTable('pbx', { find: () => null });
  table.begin();
  table.settle([], 0);
  const channels = new ChannelEvents();
  const seen = events
    .flatMap((one) => channels.take(one, 1000))
    .flatMap((change) => (change.kind === 'leg' || change.kind === 'leg-ended' ? table.apply(change) : []));
  return { seen: seen.map(({ event: name, call }) => [name, call.id]), running: table.calls(), channels };
}

describe('events of channels', () => {
  it('tell of a call from its first ring to its end', () => {
    const asked: string[] = [];
    const channels = new ChannelEvents({ onAnswer: (id) => asked.push(id) });
    const changes = told([came(ann, '1.1', '1001', '1002'), called(bob, '1.2', '1.1', '1002')], channels);
    expect(changes).toEqual([
      {
        ...{ kind: 'leg', id: '1.1', at: 1000 },
        facts: {
          ...{
            id: '1.1',
            callId: '1.1',
            channel: ann,
            way: 'in',
            endpoint: 'ann@acme.example',
            account: 'acme',
          },
          ...{ number: '1001', name: null, dialled: '1002', state: 'ringing', codec: null },
          ...{ startedAt: 1000, answeredAt: null, recorded: false },
        },
      },
      {
        ...{ kind: 'leg', id: '1.2', at: 1000 },
        facts: expect.objectContaining({ callId: '1.1', way: 'out', number: '1002', dialled: null }),
      },
    ]);
    expect(told([up(bob, '1.2', '1.1'), up(bob, '1.2', '1.1')], channels)).toEqual([
      { kind: 'leg', id: '1.2', at: 1000, facts: { state: 'answered', answeredAt: 1000 } },
    ]);
    expect(asked).toEqual(['1.2']);
    const status = event('Status', bob, '1.2', '1.1', { Nativeformats: '(alaw|ulaw)', ...state.up });
    expect(told([status], channels)).toMatchObject([{ id: '1.2', facts: { codec: 'alaw' } }]);
    expect(
      told([event('Hold', bob, '1.2', '1.1'), event('Unhold', bob, '1.2', '1.1')], channels),
    ).toMatchObject([{ facts: { state: 'held' } }, { facts: { state: 'answered' } }]);
    expect(told([hungUp(bob, '1.2', '1.1'), hungUp(ann, '1.1', '1.1')], channels)).toMatchObject([
      { kind: 'leg-ended', id: '1.2', end: { q850: 16, sip: null } },
      { kind: 'leg-ended', id: '1.1' },
    ]);
    expect(channels.size).toBe(0);
  });

  it('do not change afterwards', () => {
    const changes = told([came(ann, '1.1', '1001', '1002'), up(ann, '1.1', '1.1')]);
    expect(changes[0]).toMatchObject({ facts: { state: 'ringing', answeredAt: null } });
  });

  it('tell with which status a called party refused', () => {
    const changes = told([
      called(bob, '1.2', '1.1', '1002'),
      event('HangupRequest', bob, '1.2', '1.1', { Cause: '17', TechCause: '486' }),
      hungUp(bob, '1.2', '1.1', { Cause: '17', TechCause: '486', 'Cause-txt': 'User busy' }),
    ]);
    expect(changes.at(-1)).toMatchObject({ end: { q850: 17, sip: 486, text: 'User busy' }, quality: null });
  });

  it('tell how the media came in, where manager.conf adds it', () => {
    const written =
      'RTPAUDIOQOS=ssrc=1;themssrc=2;lp=5;rxjitter=0.002000;rxcount=95;txjitter=0.000000;txcount=90;rlp=0;rtt=0.040000';
    const [ended] = told([hungUp(bob, '1.2', '1.1', { Cause: '16', ChanVariable: written })]);
    expect(ended).toMatchObject({ quality: { lossPercent: 5, jitterMs: 2, rttMs: 40 } });
    const mos = ended?.kind === 'leg-ended' ? (ended.quality?.mos ?? 0) : 0;
    expect(mos).toBeGreaterThan(1.5);
    expect(mos).toBeLessThan(3);
  });

  it('name the number that is dialled over a trunk, and not what Asterisk shows then', () => {
    const changes = told([
      called(carrier, '1.4', '1.1', '<unknown>'),
      event('NewCallerid', carrier, '1.4', '1.1', { CallerIDNum: 's' }),
      event('DialBegin', ann, '1.1', '1.1', { DestUniqueid: '1.4', DialString: '+4912345@acme.main' }),
      event('NewConnectedLine', carrier, '1.4', '1.1', { CallerIDNum: '1001' }),
    ]);
    expect(changes.map((one) => one.kind === 'leg' && one.facts.number)).toEqual([null, '+4912345']);
  });

  it('say where a call is recorded, and no longer', () => {
    const changes = told([
      ...standing(),
      event('MixMonitorStart', bob, '1.2', '1.1'),
      event('MixMonitorStop', bob, '1.2', '1.1'),
    ]);
    expect(changes.slice(-2)).toMatchObject([{ facts: { recorded: true } }, { facts: { recorded: false } }]);
  });

  it('take music for holding only where sipctl holds', () => {
    const music = (Context: string) => event('MusicOnHoldStart', bob, '1.2', '1.1', { Context });
    const channels = new ChannelEvents();
    told(standing(), channels);
    expect(told([music('queue')], channels)).toEqual([]);
    expect(told([music('t-acme.held')], channels)).toMatchObject([{ facts: { state: 'held' } }]);
  });
});

describe('calls', () => {
  it('through Local channels are one call, and the halves are nobody', () => {
    const { running, seen } = calls([
      came(ann, '1.1', '1001', '601'),
      called(`${local};1`, '1.2', '1.1', 's'),
      event('Newchannel', `${local};2`, '1.3', '1.1', state.ring),
      called(carrier, '1.4', '1.1', 's'),
      up(carrier, '1.4', '1.1'),
      up(`${local};1`, '1.2', '1.1'),
      up(ann, '1.1', '1.1'),
    ]);
    expect(running.map(({ legs }) => legs.map(({ channel }) => channel))).toEqual([[ann, carrier]]);
    expect(new Set(seen.map(([, id]) => id))).toEqual(new Set(['1.1']));
  });

  it('are one call after a transfer, whichever party Asterisk tells the new Linkedid of', () => {
    const second = [
      came(bob, '2.1', '1002', '1003'),
      called(cat, '2.2', '2.1', '1003'),
      up(cat, '2.2', '2.1'),
      up(bob, '2.1', '2.1'),
    ];
    const ended = [hungUp(bob, '1.2', '1.1'), hungUp(bob, '2.1', '2.1')];
    for (const order of [
      [
        event('BridgeEnter', ann, '1.1', '1.1', basic('b3')),
        event('BridgeEnter', cat, '2.2', '1.1', basic('b3')),
      ],
      [
        event('BridgeEnter', cat, '2.2', '2.1', basic('b3')),
        event('BridgeEnter', ann, '1.1', '1.1', basic('b3')),
      ],
    ]) {
      const { running, seen } = calls([...standing(), ...second, ...order, ...ended]);
      expect(running.map(({ id, legs }) => [id, legs.map(({ channel }) => channel)])).toEqual([
        ['1.1', [ann, cat]],
      ]);
      expect(seen.filter(([name]) => name === 'call.ended')).toEqual([['call.ended', '2.1']]);
    }
  });

  it('that are joined through a Local channel bring along who is behind it', () => {
    const { running } = calls([
      ...standing(),
      called(`${local};1`, '2.1', '2.1', 's'),
      event('Newchannel', `${local};2`, '2.2', '2.1', state.ring),
      called(carrier, '2.3', '2.1', 's'),
      up(carrier, '2.3', '2.1'),
      event('BridgeEnter', carrier, '2.3', '2.1', basic('b2')),
      event('BridgeEnter', `${local};2`, '2.2', '2.1', basic('b2')),
      event('BridgeLeave', ann, '1.1', '1.1', basic('b1')),
      event('BridgeEnter', `${local};1`, '2.1', '2.1', basic('b4')),
      event('BridgeEnter', ann, '1.1', '1.1', basic('b4')),
      hungUp(bob, '1.2', '1.1'),
      event('NewConnectedLine', carrier, '2.3', '2.1'),
    ]);
    expect(running.map(({ id, legs }) => [id, legs.map(({ channel }) => channel)])).toEqual([
      ['1.1', [ann, carrier]],
    ]);
  });

  it('in a conference stay calls of their own', () => {
    const room = { BridgeUniqueid: 'room', BridgeType: 'base', ...state.up };
    const { running } = calls([
      came(ann, '1.1', '1001', '800'),
      came(bob, '2.1', '1002', '800'),
      event('BridgeEnter', ann, '1.1', '1.1', room),
      event('BridgeEnter', bob, '2.1', '2.1', room),
    ]);
    expect(running.map(({ id }) => id)).toEqual(['1.1', '2.1']);
  });
});

describe('a snapshot', () => {
  const facts: LegFacts = {
    ...{ id: '1.2', callId: '1.1', channel: bob, way: 'out', endpoint: 'bob@acme.example', account: 'acme' },
    ...{ number: '1002', name: null, dialled: null, state: 'answered', codec: 'ulaw' },
    ...{ startedAt: 1, answeredAt: 2, recorded: false },
  };

  it('says what the events before it left open', () => {
    const channels = new ChannelEvents();
    expect(told([event('Hold', bob, '1.2', '1.1', { CallerIDNum: '1002' })], channels)).toMatchObject([
      { id: '1.2', facts: { state: 'held', callId: '1.1' } },
    ]);
    channels.adopt([{ facts, bridge: 'b1' }]);
    expect(told([event('NewConnectedLine', bob, '1.2', '1.1', { CallerIDNum: '1002' })], channels)).toEqual(
      [],
    );
    expect(told([event('Unhold', bob, '1.2', '1.1', { CallerIDNum: '1002' })], channels)).toMatchObject([
      { facts: { state: 'answered' } },
    ]);
  });

  it('leaves nothing behind of channels that ended before it', () => {
    const channels = new ChannelEvents();
    told([event('Hold', cat, '9.1', '9.1')], channels);
    channels.adopt([{ facts, bridge: null }]);
    // A recording is closed after its channel is gone.
    expect(told([event('MixMonitorStop', cat, '9.1', '9.1')], channels)).toEqual([]);
    expect(channels.size).toBe(1);
  });
});
