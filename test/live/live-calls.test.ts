import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Call } from '../../src/model/live/call.ts';
import type { LiveEvent } from '../../src/model/live/events.ts';
import type { Node } from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import { openControl } from '../../src/platforms/asterisk/live/open-control.ts';
import { defaultTimeouts } from '../../src/platforms/asterisk/timeouts.ts';
import type { ControlPlane } from '../../src/platforms/control-plane.ts';
import { watchNode } from '../../src/platforms/watch-node.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { withManager } from './attached.ts';
import { asteriskPbx } from './calls/asterisk-pbx.ts';
import { type CallSite, startCallSite } from './calls/call-site.ts';
import {
  ann,
  bob,
  cat,
  dan,
  dialled,
  hangUpAll,
  heardEver,
  heardLast,
  lastArrival,
  listen,
  liveSite,
  music,
  talk,
  userOf,
} from './calls/live-site.ts';
import { outsideMissing } from './calls/outside.ts';
import { lengthOf, readWav, secondsOf } from './calls/sound.ts';

/** The rights that watching takes, and those that all verbs take. */
const rights = {
  watch: { read: 'system,call', write: 'config,system' },
  live: { read: 'system,call', write: 'config,system,reporting,call,originate' },
  deaf: { read: 'system', write: 'config,system' },
  silent: { read: '', write: 'config,system' },
};

describeAsterisk(
  'calls that run',
  ({ start }) => {
    let asterisk: AsteriskInstance;
    let site: CallSite;
    let plane: ControlPlane;

    const open = (user: keyof typeof rights, events = false): Promise<ControlPlane> => {
      const { host, port, secret } = asterisk.ami;
      const node = {
        name: 'pbx1',
        ami: `${host}:${port}`,
        amiUser: user,
        amiSecret: new Secret(secret),
        amiTls: false,
      };
      return openControl(node as unknown as Node, defaultTimeouts, { events });
    };

    beforeAll(async () => {
      site = await startCallSite(async (own) => {
        asterisk = await start({ etc: own?.asterisk ?? {} });
        return asteriskPbx(asterisk);
      }, liveSite);
      for (const [user, { read, write }] of Object.entries(rights)) {
        const lines = [
          `[${user}]`,
          `secret = ${asterisk.ami.secret}`,
          `read = ${read}`,
          `write = ${write}`,
          '',
        ];
        appendFileSync(join(asterisk.etc, 'manager.conf'), `\n${lines.join('\n')}`);
      }
      await asterisk.cli('manager reload');
      // The music was written after Asterisk had looked for it, and only a changed file makes it look again.
      appendFileSync(join(asterisk.etc, 'musiconhold.conf'), '\n; now it is there\n');
      await asterisk.cli('moh reload');
      plane = await open('live');
    });
    afterEach(async () => {
      for (const party of [ann, bob, cat, dan]) await site.outside.does(party, 'answer');
      await hangUpAll(site, plane);
    });
    afterAll(async () => {
      await plane?.close();
      await site?.stop();
    });

    describe('a session', () => {
      it.each([
        'deaf',
        'silent',
      ] as const)('is refused where events are kept from the user: %s', async (user) => {
        await expect(open(user, true)).rejects.toMatchObject({
          outcome: 'refused',
          message: expect.stringContaining('read='),
        });
      });

      it('may watch, and not act, with the rights of watching', async () => {
        const watching = await open('watch', true);
        try {
          const { callee } = await talk(site, watching, ann, '1002');
          await expect(watching.dtmf(callee, '1')).rejects.toMatchObject({
            outcome: 'refused',
            message: expect.stringContaining('write=call'),
          });
        } finally {
          await watching.close();
        }
      });

      it('says how trunks and users stand', async () => {
        const { trunks, users } = await plane.standings();
        expect(trunks).toMatchObject([{ endpoint: 'acme.in', registration: 'none', reachable: true }]);
        expect(users.find(({ endpoint }) => endpoint.startsWith('ann@'))).toMatchObject({ contacts: 1 });
      });
    });

    it('are seen as Asterisk shows them, through lost connections, and end once', async () => {
      const seen: LiveEvent[] = [];
      const abort = new AbortController();
      let session: ControlPlane | null = null;
      const watching = (async () => {
        const watch = watchNode({
          ...{ node: 'pbx1', parties: { find: () => null }, open: () => open('live', true), now: Date.now },
          sleep: (ms, signal) => sleep(ms, undefined, { signal }),
          ...{ random: Math.random, signal: abort.signal },
          onSession: (now) => {
            session = now;
          },
        });
        for await (const events of watch) seen.push(...events);
      })();
      const running = (): Map<string, Call> => {
        const calls = new Map<string, Call>();
        for (const one of seen) {
          if (!('call' in one)) continue;
          if (one.event === 'call.ended') calls.delete(one.call.id);
          else calls.set(one.call.id, one.call);
        }
        return calls;
      };
      /** Channels by call, as Asterisk shows them. */
      const shown = (): Promise<Record<string, string[]>> =>
        withManager(asterisk, async (ami) => {
          const calls: Record<string, string[]> = {};
          for (const item of await ami.list('CoreShowChannels')) {
            const channel = item.get('Channel') ?? '';
            if (!channel.startsWith('PJSIP/')) continue;
            const id = item.get('Linkedid') ?? '';
            calls[id] = [...(calls[id] ?? []), channel].sort();
          }
          return calls;
        });
      const agree = (count: number): Promise<void> =>
        vi.waitFor(
          async () => {
            const ours = [...running()].map(([id, { legs }]) => [
              id,
              legs.map(({ channel }) => channel).sort(),
            ]);
            const theirs = await shown();
            expect(Object.keys(theirs)).toHaveLength(count);
            expect(Object.fromEntries(ours)).toEqual(theirs);
          },
          { timeout: 15_000, interval: 100 },
        );
      try {
        const first = await talk(site, plane, ann, '1002');
        await agree(1);
        const second = await site.outside.call(cat, '1004');
        expect(await second.answered).toBe(true);
        await agree(2);
        // One call ends, one begins, and one is transferred, while nobody watches.
        await (session as ControlPlane | null)?.close();
        await second.hangUp();
        const third = await site.outside.call('inbound', '+4930111001');
        expect(await third.answered).toBe(true);
        await plane.transfer(first.callee, dialled('1003'));
        await agree(2);
        for (const call of running().values())
          expect(call).toMatchObject({ tenant: 'acme', state: 'answered' });
        await (session as ControlPlane | null)?.close();
        await agree(2);
        await hangUpAll(site, plane);
        await agree(0);
      } finally {
        abort.abort();
        await watching;
      }
      const ended = seen
        .filter(({ event }) => event === 'call.ended')
        .map((one) => 'call' in one && one.call.id);
      expect(new Set(ended).size).toBe(ended.length);
      expect(seen.filter(({ event }) => event === 'node.connected')).toHaveLength(3);
    });

    it('tell codec, numbers and the end', async () => {
      const watching = await open('live', true);
      const changes: unknown[] = [];
      const reading = (async () => {
        for await (const change of watching.changes()) changes.push(...change);
      })();
      try {
        await watching.legs();
        await site.outside.does(bob, 17);
        const call = await site.outside.call('inbound', '+4930111001', { callerId: '<+491701234567>' });
        expect((await call.ended).q850).toBe(17);
        await site.outside.does(bob, 'answer');
        await talk(site, watching, ann, '1002');
        await vi.waitFor(
          () => expect(changes).toContainEqual(expect.objectContaining({ facts: { codec: 'ulaw' } })),
          { timeout: 15_000 },
        );
      } finally {
        await watching.close();
        await reading;
      }
      expect(changes).toContainEqual(
        expect.objectContaining({
          facts: expect.objectContaining({
            way: 'in',
            number: '+491701234567',
            dialled: '+4930111001',
            endpoint: 'acme.in',
          }),
        }),
      );
      const sip = asterisk.major === '22' ? 486 : null;
      expect(changes).toContainEqual(
        expect.objectContaining({ kind: 'leg-ended', end: expect.objectContaining({ q850: 17, sip }) }),
      );
    });

    it('are hung up, and not found after it', async () => {
      const { call, callee } = await talk(site, plane, ann, '1002');
      await plane.hangup(callee, 16);
      expect(await call.ended).toMatchObject({ status: 200 });
      await expect(plane.hangup(callee, 16)).rejects.toMatchObject({ outcome: 'notFound' });
      await expect(plane.mute(callee, true)).rejects.toMatchObject({ outcome: 'notFound' });
    });

    it('are held: the held party hears music, the other one nothing, and then each other again', async () => {
      const { call, caller, callee, arrival } = await talk(site, plane, ann, '1002');
      await listen();
      await plane.hold(callee, caller);
      expect((await plane.legs()).find(({ id }) => id === callee.id)).toMatchObject({ state: 'held' });
      await expect(plane.unhold(caller, callee)).rejects.toMatchObject({ outcome: 'refused' });
      await listen();
      await plane.unhold(callee, caller);
      await listen();
      await hangUpAll(site, plane);
      expect(await heardEver(site, arrival)).toEqual([ann, music]);
      expect(await heardLast(site, arrival)).toEqual([ann]);
      expect(await heardEver(site, call.id)).toEqual([bob]);
      expect(await heardLast(site, call.id)).toEqual([bob]);
    });

    it('that are held end when the other party hangs up', async () => {
      const { call, caller, callee, arrival } = await talk(site, plane, ann, '1002');
      await plane.hold(callee, caller);
      await listen();
      await call.hangUp();
      await vi.waitFor(async () => expect(await plane.legs()).toEqual([]), {
        timeout: 10_000,
        interval: 100,
      });
      expect(await heardLast(site, arrival)).toEqual([music]);
    });

    it('are muted: one direction, and no more', async () => {
      const { call, caller, arrival } = await talk(site, plane, ann, '1002');
      await listen(0.5);
      await plane.mute(caller, true);
      await listen(2.5);
      await hangUpAll(site, plane);
      // Where nothing is sent, nothing is written.
      expect(await site.outside.heard(arrival, ann)).toBeLessThan(
        (await site.outside.heard(call.id, bob)) - 1.5,
      );
      const again = await talk(site, plane, ann, '1002');
      await plane.mute(again.caller, true);
      await plane.mute(again.caller, false);
      await listen(1.5);
      await hangUpAll(site, plane);
      expect(await site.outside.heard(again.arrival, ann)).toBeGreaterThan(1);
    });

    it('are transferred, from either side, and nobody is left behind', async () => {
      const first = await talk(site, plane, ann, '1002');
      await plane.transfer(first.caller, dialled('1003'));
      await listen();
      expect((await plane.legs()).map(({ endpoint }) => endpoint?.slice(0, 3)).sort()).toEqual([
        'ann',
        'cat',
      ]);
      await hangUpAll(site, plane);
      expect(await heardLast(site, first.call.id)).toEqual([cat]);
      const outside = await site.outside.call('inbound', '+4930111001');
      expect(await outside.answered).toBe(true);
      await listen(0.5);
      const [carrier] = (await plane.legs()).filter(({ way }) => way === 'in');
      if (carrier === undefined) throw new Error('no call of the carrier');
      await plane.transfer(carrier, dialled('1003'));
      await listen();
      await hangUpAll(site, plane);
      expect(await heardLast(site, outside.id)).toEqual([cat]);
    });

    it('are not transferred to where nobody is', async () => {
      const { call, caller } = await talk(site, plane, ann, '1002');
      await expect(plane.transfer(caller, dialled('1999'))).rejects.toMatchObject({ outcome: 'refused' });
      await listen();
      await hangUpAll(site, plane);
      expect(await heardLast(site, call.id)).toEqual([bob]);
    });

    it('are transferred after a word with the third party, which the waiting one does not hear', async () => {
      await site.outside.does(cat, 'answer after 1');
      const { call, caller, callee, arrival } = await talk(site, plane, ann, '1002');
      await plane.attendedTransfer(callee, caller, dialled('1003'));
      await listen();
      expect((await plane.legs()).map(({ endpoint }) => endpoint?.slice(0, 3)).sort()).toEqual([
        'ann',
        'cat',
      ]);
      await hangUpAll(site, plane);
      expect(await heardLast(site, call.id)).toEqual([cat]);
      expect(await heardEver(site, call.id)).toContain(music);
      expect(await heardEver(site, lastArrival(site, cat))).toContain(ann);
      expect(await heardLast(site, arrival)).not.toContain(ann);
    });

    it('talk on where the third party does not answer', async () => {
      await site.outside.does(cat, 17);
      const { call, caller, callee, arrival } = await talk(site, plane, ann, '1002');
      await expect(plane.attendedTransfer(callee, caller, dialled('1003'))).rejects.toMatchObject({
        outcome: 'failed',
      });
      await listen();
      await hangUpAll(site, plane);
      expect(await heardLast(site, call.id)).toEqual([bob]);
      expect(await heardLast(site, arrival)).toEqual([ann]);
    });

    it.each([
      ['listen', { caller: [bob], callee: [ann] }],
      ['whisper', { caller: [bob], callee: [ann, cat] }],
      ['barge', { caller: [bob, cat], callee: [ann, cat] }],
    ] as const)('are spied on: %s', async (mode, hears) => {
      const { call, callee, arrival } = await talk(site, plane, ann, '1002');
      const spying = await plane.spy({ supervisor: userOf(cat, '1003'), leg: callee, mode });
      await listen(1.5);
      await spying.stop();
      expect(await spying.ended).toBeGreaterThanOrEqual(1);
      await hangUpAll(site, plane);
      expect(await heardEver(site, lastArrival(site, cat))).toEqual([ann, bob]);
      expect(await heardEver(site, call.id)).toEqual(hears.caller);
      expect(await heardEver(site, arrival)).toEqual(hears.callee);
    });

    it('end a supervisor with them', async () => {
      const { caller, callee } = await talk(site, plane, ann, '1002');
      const spying = await plane.spy({ supervisor: userOf(cat, '1003'), leg: callee, mode: 'listen' });
      await plane.hangup(caller, 16);
      await spying.ended;
      expect(await plane.legs()).toEqual([]);
    });

    it('are recorded from now on, with silence in the pauses', async () => {
      const { caller, callee } = await talk(site, plane, ann, '1002');
      await expect(plane.stopRecording(callee)).rejects.toMatchObject({ outcome: 'refused' });
      await plane.startRecording(callee, 'sipctl/acme/2026-01-01/live.wav');
      expect((await plane.legs()).filter(({ recorded }) => recorded)).toHaveLength(1);
      await listen();
      // The other leg of the same call.
      await plane.pauseRecording(caller, true);
      await listen(1.5);
      await plane.pauseRecording(caller, false);
      await listen();
      await plane.stopRecording(caller);
      expect((await plane.legs()).filter(({ recorded }) => recorded)).toEqual([]);
      const file = join(site.pbx.recordings('acme'), '2026-01-01/live.wav');
      const samples = await vi.waitUntil(() => readWav(file), { timeout: 10_000, interval: 50 });
      if (samples === null) throw new Error('no recording');
      for (const party of [ann, bob]) {
        const loud = secondsOf(samples, site.outside.tone(party));
        expect(loud).toBeGreaterThan(1.2);
        expect(lengthOf(samples) - loud).toBeGreaterThan(1);
      }
    });

    it('are made: the phone of the caller rings first', async () => {
      const made = await plane.originate({ user: userOf(ann, '1001'), to: '1002' });
      expect(made).toMatchObject({ answered: true, callId: expect.any(String) });
      await listen(1.5);
      expect((await plane.legs()).map(({ callId }) => callId)).toEqual([made.callId, made.callId]);
      await hangUpAll(site, plane);
      expect(await heardLast(site, lastArrival(site, ann))).toEqual([bob]);
      expect(await heardLast(site, lastArrival(site, bob))).toEqual([ann]);
      expect(site.outside.arrivals(bob).at(-1)?.from).toContain('1001');
    });

    it('are not made where the phone is busy, missing, or nobody has the extension', async () => {
      await site.outside.does(ann, 17);
      const busy = await plane.originate({ user: userOf(ann, '1001'), to: '1002' });
      expect(busy).toMatchObject({ answered: false, q850: 17, sip: asterisk.major === '22' ? 486 : null });
      await site.outside.does(ann, 'ring');
      const signal = AbortSignal.timeout(500);
      await expect(plane.originate({ user: userOf(ann, '1001'), to: '1002', signal })).rejects.toMatchObject({
        outcome: 'interrupted',
      });
      await expect(plane.originate({ user: userOf('acme-zoe', '1009'), to: '1002' })).rejects.toMatchObject({
        outcome: 'refused',
      });
      await expect(plane.originate({ user: userOf(ann, '1001'), to: '1999' })).rejects.toMatchObject({
        outcome: 'refused',
      });
      await vi.waitFor(async () => expect(await plane.legs()).toEqual([]), { timeout: 15_000 });
    });

    it('get digits', async () => {
      const { callee, arrival } = await talk(site, plane, ann, '1002');
      await plane.dtmf(callee, '12#');
      await vi.waitFor(() => expect(site.outside.keys(arrival)).toBe('12#'), { timeout: 15_000 });
    });

    it('are refused, or answered by hand, while they ring', async () => {
      await site.outside.does(bob, 'ring');
      const ringing = async (): Promise<{ id: string; channel: string }> =>
        vi.waitFor(
          async () => {
            const legs = await plane.legs();
            const caller = legs.find(({ way }) => way === 'in');
            if (caller === undefined || legs.length < 2) throw new Error('nothing rings');
            return caller;
          },
          { timeout: 15_000 },
        );
      const refused = await site.outside.call(ann, '1002');
      await plane.reject(await ringing(), 17);
      expect(await refused.ended).toMatchObject({ status: 486 });
      const taken = await site.outside.call(ann, '1002');
      await plane.answer(await ringing());
      expect(await taken.answered).toBe(true);
      await listen();
      expect(await plane.legs()).toHaveLength(1);
      await hangUpAll(site, plane);
      expect(await heardLast(site, taken.id)).toEqual([music]);
    });

    it('are parked, and taken back by whoever dials the slot', async () => {
      const first = await talk(site, plane, ann, '1002');
      await listen();
      const { slot } = await plane.park(first.caller, { seconds: 60 });
      await listen();
      expect(await plane.legs()).toMatchObject([{ id: first.caller.id, state: 'held' }]);
      const taker = await site.outside.call(cat, slot);
      expect(await taker.answered).toBe(true);
      await listen();
      expect((await plane.legs()).map(({ state }) => state)).toEqual(['answered', 'answered']);
      await taker.hangUp();
      await vi.waitFor(async () => expect(await plane.legs()).toEqual([]), {
        timeout: 10_000,
        interval: 100,
      });
      expect(await heardEver(site, first.call.id)).toEqual([bob, cat, music]);
      expect(await heardLast(site, first.call.id)).toEqual([cat]);
      expect(await heardLast(site, taker.id)).toEqual([ann]);
      expect(await (await site.outside.call(cat, slot)).answered).toBe(false);
    });

    it('that are parked too long go back to the user that they came from', async () => {
      const first = await talk(site, plane, ann, '1002');
      await plane.park(first.caller, { seconds: 2 });
      // Who talked to the parked one leaves first.
      await vi.waitFor(() => expect(site.outside.arrivals(bob).at(-1)?.id).not.toBe(first.arrival), {
        timeout: 15_000,
        interval: 100,
      });
      await vi.waitFor(
        async () => expect((await plane.legs()).map(({ state }) => state)).toEqual(['answered', 'answered']),
        { timeout: 15_000, interval: 100 },
      );
      await listen();
      await hangUpAll(site, plane);
      expect(await heardLast(site, first.call.id)).toEqual([bob]);
      expect(site.outside.arrivals(bob).at(-1)?.id).not.toBe(first.arrival);
    });

    it('in a conference: members are muted, kicked and invited, and the room is locked', async () => {
      const room = { tenant: 'acme', name: 'open' };
      const calls = [await site.outside.call(ann, '801'), await site.outside.call(bob, '801')];
      const members = async () => (await plane.conferences()).flatMap((one) => one.members);
      await vi.waitFor(async () => expect(await members()).toHaveLength(2), { timeout: 10_000 });
      await listen(3);
      const member = (await members()).find(({ number }) => number === '1002');
      if (member === undefined) throw new Error('bob is not there');
      await plane.changeConference(room, { verb: 'mute', member: member.id });
      expect((await members()).map(({ muted }) => muted).sort()).toEqual([false, true]);
      await listen();
      await plane.changeConference(room, { verb: 'lock' });
      expect(await plane.conferences()).toMatchObject([{ ...room, locked: true }]);
      await plane.changeConference(room, { verb: 'unlock' });
      await plane.changeConference(room, { verb: 'record', path: 'sipctl/acme/2026-01-01/room.wav' });
      const other = await open('live');
      expect(await other.conferences()).toMatchObject([{ locked: false, recorded: true }]);
      await other.close();
      await listen();
      await plane.changeConference(room, { verb: 'stop-recording' });
      expect(await plane.conferences()).toMatchObject([{ recorded: false }]);
      const file = join(site.pbx.recordings('acme'), '2026-01-01/room.wav');
      const samples = await vi.waitUntil(() => readWav(file), { timeout: 10_000, interval: 50 });
      expect(samples === null ? 0 : secondsOf(samples, site.outside.tone(ann))).toBeGreaterThan(0.5);
      await plane.changeConference(room, { verb: 'kick', member: member.id });
      expect(await members()).toHaveLength(1);
      await expect(plane.changeConference(room, { verb: 'mute', member: member.id })).rejects.toMatchObject({
        outcome: 'notFound',
      });
      const invited = await plane.invite(room, dialled('1003'), { ringSeconds: 10 });
      expect(invited.answered).toBe(true);
      await vi.waitFor(async () => expect(await members()).toHaveLength(2), { timeout: 10_000 });
      expect((await members()).map(({ leg }) => leg)).toEqual(expect.arrayContaining([expect.any(String)]));
      const legs = new Set((await plane.legs()).map(({ id }) => id));
      for (const { leg } of await members()) expect(legs).toContain(leg);
      await listen(3);
      await hangUpAll(site, plane);
      const [first, second] = calls.map(({ id }) => id) as [string, string];
      expect(await heardLast(site, first)).toEqual([cat]);
      expect(await heardEver(site, second)).toEqual([ann]);
    });
  },
  outsideMissing,
);
