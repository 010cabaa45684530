import { afterEach, expect, it } from 'vitest';
import type { LegFacts } from '../../src/model/live/changes.ts';
import type { LiveEvent } from '../../src/model/live/events.ts';
import type { Parties } from '../../src/model/live/party.ts';
import type { ControlPlane } from '../../src/platforms/control-plane.ts';
import { type Watch, watchNode } from '../../src/platforms/watch-node.ts';
import { ScriptedPbx, scriptedNow } from '../support/scripted-plane.ts';

const parties: Parties = {
  find: (name) =>
    name.startsWith('acme.')
      ? { kind: 'trunk', tenant: 'acme', name: name.slice(5), extension: null }
      : { kind: 'user', tenant: 'acme', name, extension: null },
};

const ended = new Set<AbortController>();
afterEach(() => {
  for (const one of ended) one.abort();
});

function watching(pbx: ScriptedPbx, parts: Partial<Watch> = {}) {
  const end = new AbortController();
  ended.add(end);
  const pauses: number[] = [];
  const batches = watchNode({
    ...{ node: 'pbx1', parties, signal: end.signal, now: () => scriptedNow, random: () => 1 },
    open: () => pbx.open('pbx1', { events: true }),
    sleep: async (ms) => void pauses.push(ms),
    ...parts,
  });
  const told: LiveEvent[] = [];
  const names = () => told.map(({ event }) => event);
  /** Reads on until an event of this name was told for the nth time. */
  const until = async (event: LiveEvent['event'], times = 1) => {
    while (names().filter((name) => name === event).length < times) {
      const { value, done } = await batches.next();
      if (done === true) throw new Error(`it ended after ${names()}`);
      told.push(...value);
    }
    return told.findLast((one) => one.event === event) as LiveEvent;
  };
  return { told, names, until, pauses, end, batches };
}

it('tries an unreachable node again, ever less often, and says so each time', async () => {
  const pbx = new ScriptedPbx();
  pbx.goDown('pbx1 does not answer');
  const { until, names, pauses } = watching(pbx);
  expect(await until('node.lost', 8)).toMatchObject({ detail: 'pbx1 does not answer' });
  expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000]);
  pbx.comeBack();
  await until('node.connected');
  expect(names().filter((name) => name !== 'node.lost')).toEqual(['node.connected']);
  pbx.lose();
  await until('node.connected', 2);
  expect(pauses.at(-1)).toBe(100);
});

it('ends with the refusal of a login, whenever it comes', async () => {
  const pbx = new ScriptedPbx();
  const { until } = watching(pbx);
  await until('node.connected');
  pbx.goDown('wrong password', 'refused');
  pbx.lose();
  await expect(until('node.connected', 2)).rejects.toMatchObject({ outcome: 'refused' });
});

it('ends when it is asked to, also in the middle of a pause, and closes its session', async () => {
  const pbx = new ScriptedPbx();
  const { until, end, batches } = watching(pbx);
  await until('node.connected');
  end.abort();
  expect(await batches.next()).toEqual({ done: true, value: undefined });
  expect(pbx.openSessions).toBe(0);
  pbx.goDown();
  const paused = watching(pbx, {
    sleep: (_, signal) =>
      new Promise((__, reject) => signal.addEventListener('abort', () => reject(new Error()))),
  });
  await paused.until('node.lost');
  const last = paused.batches.next();
  paused.end.abort();
  expect((await last).done).toBe(true);
});

it('hands out the session while it is open', async () => {
  const pbx = new ScriptedPbx();
  const sessions: (ControlPlane | null)[] = [];
  const { until } = watching(pbx, { onSession: (plane) => void sessions.push(plane) });
  await until('node.connected');
  pbx.lose();
  await until('node.connected', 2);
  expect(sessions.map((one) => one !== null)).toEqual([true, false, true]);
});

it('takes what it heard before the snapshot came for newer than the snapshot', async () => {
  const pbx = new ScriptedPbx();
  pbx.leg('a', { number: '1001' });
  let answerLegs: () => void = () => undefined;
  const open = async () => {
    const plane = await pbx.open('pbx1', { events: true });
    const old: LegFacts[] = await plane.legs();
    const asked = new Promise<LegFacts[]>((resolve) => {
      answerLegs = () => resolve(old);
    });
    return { ...plane, legs: () => asked };
  };
  const { until, told, batches } = watching(pbx, { open });
  const first = batches.next();
  await new Promise((resolve) => setImmediate(resolve));
  pbx.leg('b', { number: '1002' });
  pbx.leg('b', { state: 'answered', answeredAt: scriptedNow });
  pbx.leg('a', { state: 'answered', answeredAt: scriptedNow });
  pbx.leg('c', { number: '1003' });
  pbx.end('c');
  answerLegs();
  told.push(...((await first).value ?? []));
  await until('node.connected');
  const of = (number: string) =>
    told.flatMap((one) => ('call' in one && one.call.from === number ? [one.event, one.call.state] : []));
  expect(of('1001')).toEqual(['call.present', 'answered']);
  expect(of('1002')).toEqual(['call.ringing', 'ringing', 'call.answered', 'answered']);
  expect(of('1003')).toEqual(['call.ringing', 'ringing', 'call.ended', 'ended']);
});

it('tells how trunks and users stand, and what became of them while the connection was lost', async () => {
  const pbx = new ScriptedPbx();
  pbx.trunk('acme.one');
  pbx.user('ann', 1);
  const { until, names, told } = watching(pbx);
  await until('node.connected');
  expect(names()).toEqual(['trunk.present', 'user.present', 'node.connected']);
  pbx.trunk('acme.one', { rttMs: 30 });
  pbx.trunk('acme.one', { registration: 'gave-up', reachable: false });
  expect(await until('trunk.unreachable')).toMatchObject({ trunk: { tenant: 'acme', trunk: 'one' } });
  expect(names().slice(3)).toEqual(['trunk.gave-up', 'trunk.unreachable']);
  pbx.goDown();
  pbx.users.delete('ann');
  pbx.trunk('acme.one', { registration: 'registered', reachable: true });
  pbx.comeBack();
  await until('node.connected', 2);
  expect(told.slice(-4).map(({ event }) => event)).toEqual([
    ...['trunk.registered', 'trunk.reachable', 'user.unregistered', 'node.connected'],
  ]);
});

it('asks anew how trunks and users stand where the PBX was given others', async () => {
  const pbx = new ScriptedPbx();
  pbx.trunk('acme.one');
  pbx.user('ann', 1);
  const { until, names } = watching(pbx);
  await until('node.connected');
  pbx.trunks.delete('acme.one');
  pbx.trunks.set('acme.two', { ...trunkFacts, endpoint: 'acme.two' });
  pbx.users.delete('ann');
  pbx.tell({ kind: 'reloaded', at: scriptedNow });
  await until('user.unregistered');
  expect(names().slice(3)).toEqual(['trunk.gone', 'trunk.present', 'user.unregistered']);
  pbx.leg('a', { number: '1001' });
  await until('call.ringing');
  expect(names().filter((name) => name === 'node.connected')).toHaveLength(1);
});

const trunkFacts = { registration: 'registered', reachable: true, rttMs: 1, detail: '' } as const;
