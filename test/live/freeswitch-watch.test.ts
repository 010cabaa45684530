import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Call } from '../../src/model/live/call.ts';
import type { LiveEvent } from '../../src/model/live/events.ts';
import type { Parties } from '../../src/model/live/party.ts';
import { show } from '../../src/platforms/freeswitch/esl/commands.ts';
import { openControl } from '../../src/platforms/freeswitch/live/control.ts';
import { defaultTimeouts } from '../../src/platforms/freeswitch/timeouts.ts';
import { watchNode } from '../../src/platforms/watch-node.ts';
import { type CuttableWay, startWay } from './calls/cuttable-way.ts';
import { outsideMissing } from './calls/outside.ts';
import { connectTo, describeFreeswitch } from './freeswitch.ts';
import { type LiveSite, startLiveSite } from './freeswitch-live-site.ts';

const parties: Parties = {
  find: (endpoint) => {
    const [name = '', domain] = endpoint.split('@');
    if (domain === 'acme.sip.example') return { kind: 'user', tenant: 'acme', name, extension: null };
    if (!endpoint.startsWith('acme.')) return null;
    return { kind: 'trunk', tenant: 'acme', name: endpoint.slice(5), extension: null };
  },
};

/** All that was told of a node, and what is to be believed of it now. */
class Told {
  readonly events: LiveEvent[] = [];
  readonly calls = new Map<string, Call>();
  readonly ended = new Map<string, number>();

  take(events: readonly LiveEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      if (!('call' in event)) continue;
      const { call } = event;
      if (event.event !== 'call.ended') this.calls.set(call.id, call);
      else {
        this.calls.delete(call.id);
        this.ended.set(call.id, (this.ended.get(call.id) ?? 0) + 1);
      }
    }
  }

  get legs(): string[] {
    return [...this.calls.values()].flatMap(({ legs }) => legs.map(({ id }) => id)).sort();
  }

  count(name: LiveEvent['event']): number {
    return this.events.filter(({ event }) => event === name).length;
  }
}

const targets: readonly (readonly [string, string])[] = [
  ['acme-ann', '1002'],
  ['acme-bob', '1003'],
  ['acme-cat', '600'],
  ['acme-dan', '+14155550166'],
  ['peer', '+12125550100'],
  ['peer', '+12125550101'],
  ['reg', '+12125550102'],
  ['acme-dan', '802'],
  ['acme-ann', '1999'],
];

describeFreeswitch(
  'watching a node',
  (start) => {
    let site: LiveSite;
    let way: CuttableWay;
    const told = new Told();
    const over = new AbortController();
    let watching: Promise<void>;

    beforeAll(async () => {
      site = await startLiveSite(start);
      way = await startWay(site.freeswitch.esl);
      const node = { ...site.node, esl: way.at };
      const events = watchNode({
        node: node.name,
        parties,
        open: (signal) => openControl(node, defaultTimeouts, { events: true, signal }),
        now: Date.now,
        sleep: async (ms, signal) => void (await sleep(ms, undefined, { signal })),
        random: Math.random,
        signal: over.signal,
      });
      watching = (async () => {
        for await (const batch of events) told.take(batch);
      })();
      await vi.waitUntil(() => told.count('node.connected') > 0, { timeout: 10_000 });
    }, 120_000);
    afterAll(async () => {
      over.abort();
      await watching;
      way?.close();
      await site?.stop();
    });

    const channels = async (): Promise<string[]> => {
      const esl = await connectTo(site.freeswitch);
      const rows = await show((command) => esl.api(command), 'channels');
      await esl.close();
      return rows.flatMap(({ uuid = '', name }) => (name?.startsWith('loopback/') ? [] : [uuid])).sort();
    };
    const pairs = async (): Promise<(readonly [string, string])[]> => {
      const esl = await connectTo(site.freeswitch);
      const rows = await show((command) => esl.api(command), 'calls');
      await esl.close();
      return rows.flatMap(({ uuid = '', b_uuid: other = '', name, b_name: otherName }) =>
        other === '' || name?.startsWith('loopback/') || otherName?.startsWith('loopback/')
          ? []
          : [[uuid, other] as const],
      );
    };
    /** Waits until what was told is what FreeSWITCH has. */
    const agreed = async (): Promise<void> => {
      await vi.waitFor(async () => expect(told.legs).toEqual(await channels()), {
        timeout: 15_000,
        interval: 200,
      });
      const all = [...told.calls.values()];
      for (const [one, other] of await pairs()) {
        const call = all.find(({ legs }) => legs.some(({ id }) => id === one));
        expect(call?.legs.map(({ id }) => id)).toContain(other);
      }
    };

    it('knows the trunks and users', () => {
      const names = told.events.flatMap((event) => ('trunk' in event ? [event.trunk.trunk] : []));
      expect(new Set(names)).toEqual(new Set(['reg', 'peer']));
      expect(told.count('user.present')).toBe(4);
    });

    it('tells of phones that go and come', async () => {
      await site.outside.register('acme-bob', false);
      await vi.waitUntil(() => told.count('user.unregistered') === 1, { timeout: 5000 });
      await site.outside.register('acme-bob', true);
      await vi.waitUntil(() => told.count('user.registered') === 1, { timeout: 5000 });
    });

    it('knows all calls, however often the connection is lost', { timeout: 240_000 }, async () => {
      const { outside } = site;
      for (let round = 0; round < 6; round += 1) {
        const placed = [];
        for (const [at, [from, to]] of targets.entries()) {
          placed.push(await outside.call(from, to));
          // In the middle of a call's beginning, and while nothing happens.
          if ((at + round) % 4 === 0) way.cut();
          await sleep(((at + round) % 3) * 150);
        }
        await sleep(1500);
        await agreed();
        expect(told.legs.length).toBeGreaterThan(6);
        if (round % 2 === 0) way.cut();
        for (const party of outside.parties) await outside.hangUp(party);
        if (round % 2 === 1) way.cut();
        await vi.waitFor(async () => expect(await channels()).toEqual([]), {
          timeout: 15_000,
          interval: 200,
        });
        await agreed();
      }
      expect(told.calls.size).toBe(0);
      expect(told.count('node.lost')).toBeGreaterThan(10);
      const twice = [...told.ended].filter(([, times]) => times !== 1);
      expect(twice).toEqual([]);
    });

    it('tells every call over where FreeSWITCH is another one than before', {
      timeout: 120_000,
    }, async () => {
      const { outside, freeswitch } = site;
      expect(await (await outside.call('acme-ann', '1002')).answered).toBe(true);
      expect(await (await outside.call('acme-dan', '802')).answered).toBe(true);
      await agreed();
      expect(told.calls.size).toBe(2);
      await freeswitch.halt();
      await vi.waitUntil(() => told.events.at(-1)?.event === 'node.lost', { timeout: 10_000 });
      // What became of them nobody knows as long as nobody can be asked.
      expect(told.calls.size).toBe(2);
      await freeswitch.resume();
      await vi.waitUntil(() => told.count('node.restarted') === 1, { timeout: 30_000 });
      await vi.waitUntil(() => told.calls.size === 0, { timeout: 30_000 });
      await agreed();
    });
  },
  outsideMissing,
);
