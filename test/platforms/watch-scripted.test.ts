import { expect, it } from 'vitest';
import type { LiveEvent } from '../../src/model/live/events.ts';
import type { Parties } from '../../src/model/live/party.ts';
import { watchNode } from '../../src/platforms/watch-node.ts';
import { ScriptedPbx, scriptedNow } from '../support/scripted-plane.ts';

const parties: Parties = {
  find: (endpoint) =>
    endpoint === 'acme.telnyx'
      ? { kind: 'trunk', tenant: 'acme', name: 'telnyx', extension: null }
      : { kind: 'user', tenant: 'acme', name: endpoint, extension: '1001' },
};

function watch(pbx: ScriptedPbx): {
  told: string[];
  until: (name: string) => Promise<void>;
  end: () => void;
} {
  const [told, ended] = [[] as string[], new AbortController()];
  const batches = watchNode({
    ...{ node: 'pbx1', parties, signal: ended.signal, now: () => scriptedNow, random: () => 0 },
    open: () => pbx.open('pbx1', { events: true }),
    sleep: async () => undefined,
  });
  const name = (event: LiveEvent): string =>
    'call' in event ? `${event.event} ${event.call.from} ${event.call.to}` : event.event;
  const until = async (wanted: string): Promise<void> => {
    while (!told.includes(wanted)) {
      const { value, done } = await batches.next();
      if (done === true) throw new Error(`ended after ${told}`);
      told.push(...value.map(name));
    }
  };
  return { told, until, end: () => ended.abort() };
}

it('tells what a scripted PBX has and does, also over a lost connection', async () => {
  const pbx = new ScriptedPbx();
  pbx.trunk('acme.telnyx');
  pbx.call('c1', { endpoint: 'acme.telnyx', number: '+4915' }, { endpoint: 'ann', number: '1001' });
  const { told, until, end } = watch(pbx);
  await until('node.connected');
  expect(told).toEqual(['call.present +4915 1001', 'trunk.present', 'node.connected']);
  pbx.leg('d1', { number: '1002', dialled: '1003', endpoint: 'bob' });
  await until('call.ringing 1002 1003');
  pbx.goDown();
  await until('node.lost');
  pbx.end('d1');
  pbx.comeBack();
  await until('call.ended 1002 1003');
  pbx.restart();
  await until('node.restarted');
  end();
  expect(pbx.opened[0]).toEqual({ node: 'pbx1', events: true });
});

it('writes down the verbs it is asked for, does them, and refuses what it is told to refuse', async () => {
  const pbx = new ScriptedPbx();
  pbx.call('c1', {}, {});
  pbx.refuse('park', 'no lot');
  const plane = await pbx.open('pbx1', { events: false });
  await plane.hangup({ id: 'c1.1', channel: 'x' }, 17);
  await expect(plane.park({ id: 'c1.2', channel: 'y' }, { seconds: 5 })).rejects.toMatchObject({
    outcome: 'refused',
  });
  expect([...pbx.legs.keys()]).toEqual(['c1.2']);
  expect(pbx.asked.map(({ verb }) => verb)).toEqual(['hangup', 'park']);
  pbx.lose();
  await expect(plane.legs()).rejects.toMatchObject({ outcome: 'unreachable' });
});
