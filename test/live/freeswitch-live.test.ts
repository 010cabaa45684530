import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { LegFacts } from '../../src/model/live/changes.ts';
import type { CallingUser, ChannelRef, ControlPlane } from '../../src/platforms/control-plane.ts';
import { openControl } from '../../src/platforms/freeswitch/live/control.ts';
import { defaultTimeouts } from '../../src/platforms/freeswitch/timeouts.ts';
import type { OutgoingCall } from './calls/outside.ts';
import { outsideMissing } from './calls/outside.ts';
import { lengthOf, readWav, secondsOf } from './calls/sound.ts';
import { describeFreeswitch } from './freeswitch.ts';
import { type LiveSite, startLiveSite } from './freeswitch-live-site.ts';

const [ann, bob, cat, dan, peer] = ['acme-ann', 'acme-bob', 'acme-cat', 'acme-dan', 'peer'] as const;
const domain = 'acme.sip.example';
const acme = (dialled: string) => ({ tenant: 'acme', dialled });
const user = (username: string, extension: string): CallingUser => ({
  ...{ endpoint: `${username}@${domain}`, tenant: 'acme', username, extension },
  ringSeconds: 10,
});
/** Hz; of the music where FreeSWITCH has none. */
const music = 420;
/** Seconds of a voice that is there; what passes while a call changes hands is shorter. */
const audible = 0.5;

describeFreeswitch(
  'verbs of running calls',
  (start) => {
    let site: LiveSite;
    let plane: ControlPlane;

    beforeAll(async () => {
      site = await startLiveSite(start);
      plane = await openControl(site.node, defaultTimeouts, { events: false });
    }, 120_000);
    afterEach(async () => {
      for (const party of site.outside.parties) {
        await site.outside.hangUp(party);
        await site.outside.does(party, 'answer');
      }
      await quiet();
    });
    afterAll(async () => {
      await plane?.close();
      await site?.stop();
    });

    const quiet = () =>
      vi.waitFor(async () => expect(await plane.legs()).toEqual([]), { timeout: 10_000, interval: 50 });
    const legOf = async (endpoint: string): Promise<LegFacts> =>
      vi.waitUntil(async () => (await plane.legs()).find((leg) => leg.endpoint === endpoint), {
        timeout: 15_000,
        interval: 50,
      });
    const ofUser = (party: string) => legOf(`${party.replace('acme-', '')}@${domain}`);
    /** The call as it came to a party last. */
    const at = (party: string): string => site.outside.arrivals(party).at(-1)?.id ?? '';
    const arrived = async (party: string, before: number): Promise<string> => {
      await vi.waitUntil(() => site.outside.arrivals(party).length > before, {
        timeout: 10_000,
        interval: 20,
      });
      return at(party);
    };
    const count = (party: string): number => site.outside.arrivals(party).length;
    const hears = async (id: string, ...speakers: (string | number)[]): Promise<(string | number)[]> => {
      const loud: (string | number)[] = [];
      for (const speaker of speakers)
        if ((await site.outside.heard(id, speaker)) >= audible) loud.push(speaker);
      return loud;
    };
    const standing = async (from: string, to: string): Promise<OutgoingCall> => {
      const call = await site.outside.call(from, to);
      if (!(await call.answered)) throw new Error(`${from} calls ${to}: ${(await call.ended).status}`);
      return call;
    };
    const outcome = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'done',
        (error) => error.outcome,
      );

    it('ends a call with a cause, and knows one that is over', async () => {
      const call = await standing(ann, '1002');
      const leg = await ofUser(ann);
      await plane.hangup(leg, 21);
      expect(await call.ended).toMatchObject({ q850: 21 });
      await quiet();
      for (const verb of [plane.hangup(leg, 16), plane.dtmf(leg, '1'), plane.transfer(leg, acme('1003'))])
        expect(await outcome(verb)).toBe('notFound');
    });

    it('rings a user, dials in that name, and tells why where nobody answers', async () => {
      const before = count(bob);
      const made = await plane.originate({ user: user('ann', '1001'), to: '1002' });
      expect(made).toMatchObject({ answered: true });
      await arrived(bob, before);
      expect(site.outside.arrivals(bob).at(-1)?.from).toContain('"Ann A" <sip:1001@');
      await sleep(1200);
      const legs = await plane.legs();
      expect(new Set(legs.map(({ callId }) => callId))).toEqual(new Set([made.callId]));
      expect(legs[0]).toMatchObject({ number: '1001', dialled: '1002', account: 'acme' });
      await plane.hangup(legs[0] as ChannelRef, 16);
      expect(await hears(at(ann), bob)).toEqual([bob]);
      expect(await hears(at(bob), ann)).toEqual([ann]);
      await site.outside.does(cat, 17);
      expect(await plane.originate({ user: user('cat', '1003'), to: '1002' })).toMatchObject({
        ...{ answered: false, callId: null, q850: 17, text: 'USER_BUSY' },
      });
    });

    it('stops ringing where it is interrupted', async () => {
      await site.outside.does(cat, 'ring');
      const before = count(cat);
      const interrupt = new AbortController();
      const made = plane.originate({ user: user('cat', '1003'), to: '1002', signal: interrupt.signal });
      await arrived(cat, before);
      interrupt.abort();
      expect(await outcome(made)).toBe('interrupted');
      await quiet();
    });

    it('sends a caller from a carrier on to another user', async () => {
      const call = await standing(peer, '+12125550100');
      const caller = await legOf('acme.peer');
      const before = count(cat);
      await plane.transfer(caller, acme('1003'));
      await arrived(cat, before);
      await sleep(1200);
      const legs = await plane.legs();
      expect(legs.map(({ endpoint }) => endpoint).sort()).toEqual(['acme.peer', `cat@${domain}`]);
      expect(new Set(legs.map(({ callId }) => callId)).size).toBe(1);
      await call.hangUp();
      await call.ended;
      expect(await hears(call.id, cat)).toEqual([cat]);
      expect(await hears(at(cat), peer)).toEqual([peer]);
    });

    it('sends a callee on to a number outside, and its caller away', async () => {
      const call = await standing(ann, '1002');
      const before = count(peer);
      await plane.transfer(await ofUser(bob), acme('+14155550155'));
      await arrived(peer, before);
      await call.ended;
      await sleep(1200);
      expect((await plane.legs()).map(({ endpoint }) => endpoint).sort()).toEqual([
        'acme.peer',
        `bob@${domain}`,
      ]);
      await site.outside.hangUp(peer);
      await quiet();
      expect(await hears(at(bob), peer)).toEqual([peer]);
    });

    it('leaves a call alone that is to go where nobody is', async () => {
      await standing(ann, '1002');
      const leg = await ofUser(bob);
      expect(await outcome(plane.transfer(leg, acme('1999')))).toBe('notFound');
      expect(await outcome(plane.transfer(leg, { tenant: 'nobody', dialled: '1003' }))).toBe('refused');
      expect(await outcome(plane.transfer(leg, acme("1003' XML x")))).toBe('invalid');
      expect(await plane.legs()).toHaveLength(2);
    });

    it('presses keys', async () => {
      await standing(ann, '1002');
      await sleep(300);
      await plane.dtmf(await ofUser(bob), '42#');
      await vi.waitFor(() => expect(site.outside.keys(at(bob))).toBe('42#'), { timeout: 15_000 });
      expect(await outcome(plane.dtmf(await ofUser(bob), 'x y'))).toBe('invalid');
    });

    it('records both, with silence while it is paused', async () => {
      const call = await standing(ann, '1002');
      const leg = await ofUser(bob);
      const path = 'sipctl/acme/2026-01-01/on-demand.wav';
      expect(await outcome(plane.startRecording(leg, '../../escape.wav'))).toBe('invalid');
      expect(await outcome(plane.stopRecording(leg))).toBe('notFound');
      await plane.startRecording(leg, path);
      expect((await plane.legs()).map(({ recorded }) => recorded).sort()).toEqual([false, true]);
      expect(await outcome(plane.startRecording(await ofUser(ann), 'sipctl/acme/twice.wav'))).toBe('refused');
      await sleep(1500);
      await plane.pauseRecording(await ofUser(ann), true);
      await sleep(2000);
      await plane.pauseRecording(leg, false);
      await sleep(1500);
      await plane.stopRecording(await ofUser(ann));
      expect((await plane.legs()).some(({ recorded }) => recorded)).toBe(false);
      await call.hangUp();
      const file = join(site.pbx.recordings('acme'), '2026-01-01/on-demand.wav');
      const samples = await vi.waitUntil(() => readWav(file), { timeout: 15_000 });
      expect(lengthOf(samples)).toBeGreaterThan(4);
      for (const party of [ann, bob]) {
        const loud = secondsOf(samples, site.outside.tone(party));
        expect(loud).toBeGreaterThan(2);
        expect(loud).toBeLessThan(lengthOf(samples) - 1);
      }
    });

    it.each([
      ['listen', [], []],
      ['whisper', [dan], []],
      ['barge', [dan], [dan]],
    ] as const)('lets a supervisor %s', async (mode, bobHears, annHears) => {
      const call = await standing(ann, '1002');
      const bobs = at(bob);
      const spying = await plane.spy({ supervisor: user('dan', '1004'), leg: await ofUser(bob), mode });
      await sleep(1500);
      await spying.stop();
      await spying.ended;
      const dans = at(dan);
      // The call of the two goes on.
      expect(await plane.legs()).toHaveLength(2);
      await call.hangUp();
      await quiet();
      expect(await hears(dans, ann, bob)).toEqual([ann, bob]);
      expect(await hears(bobs, ann, dan)).toEqual([ann, ...bobHears]);
      expect(await hears(call.id, bob, dan)).toEqual([bob, ...annHears]);
    });

    it('ends a supervisor with the call, and rings none for a call that is over', async () => {
      const call = await standing(ann, '1002');
      const leg = await ofUser(bob);
      const before = count(dan);
      const spying = await plane.spy({ supervisor: user('dan', '1004'), leg, mode: 'listen' });
      await call.hangUp();
      expect(await spying.ended).toBeLessThan(10);
      await quiet();
      expect(await outcome(plane.spy({ supervisor: user('dan', '1004'), leg, mode: 'listen' }))).toBe(
        'notFound',
      );
      expect(count(dan)).toBe(before + 1);
    });

    it.each([
      'caller',
      'callee',
    ] as const)('holds the %s with music, and lets both talk again', async (held) => {
      const call = await standing(ann, '1002');
      const [caller, callee] = [await ofUser(ann), await ofUser(bob)];
      const [leg, other] = held === 'caller' ? [caller, callee] : [callee, caller];
      await plane.hold(leg, other);
      expect((await plane.legs()).map(({ state }) => state)).toContain('held');
      await sleep(3000);
      await plane.unhold(leg, other);
      expect((await plane.legs()).map(({ state }) => state)).toEqual(['answered', 'answered']);
      await sleep(1200);
      const bobs = at(bob);
      await call.hangUp();
      await quiet();
      const [heldId, voice] = held === 'caller' ? [call.id, bob] : [bobs, ann];
      expect(await site.outside.heard(heldId, music)).toBeGreaterThan(0.2);
      const heard = await site.outside.heard(heldId, voice);
      expect(heard).toBeGreaterThan(0.8);
      expect(heard).toBeLessThan(2.8);
    });

    it('mutes one party', async () => {
      const call = await standing(ann, '1002');
      const leg = await ofUser(ann);
      const bobs = at(bob);
      await plane.mute(leg, true);
      await sleep(2500);
      await plane.mute(leg, false);
      await sleep(1000);
      await call.hangUp();
      await quiet();
      expect(await site.outside.heard(call.id, bob)).toBeGreaterThan(3);
      expect(await site.outside.heard(bobs, ann)).toBeGreaterThan(0.7);
      expect(await site.outside.heard(bobs, ann)).toBeLessThan(2.2);
    });

    it('transfers once the other one answers, and leaves all as it was where nobody does', async () => {
      const call = await standing(peer, '+12125550100');
      const [caller, first] = [await legOf('acme.peer'), await ofUser(bob)];
      await site.outside.does(cat, 17);
      expect(await outcome(plane.attendedTransfer(first, caller, acme('1003')))).toBe('failed');
      expect((await plane.legs()).map(({ state }) => state)).toEqual(['answered', 'answered']);
      await site.outside.does(cat, 'answer');
      await plane.attendedTransfer(first, caller, acme('1003'));
      await sleep(1500);
      expect((await plane.legs()).map(({ endpoint }) => endpoint).sort()).toEqual([
        'acme.peer',
        `cat@${domain}`,
      ]);
      await call.hangUp();
      await quiet();
      expect(await hears(call.id, cat)).toEqual([cat]);
      expect(await hears(at(cat), peer)).toEqual([peer]);
    });

    it('parks a caller, whom another user takes back', async () => {
      const call = await standing(peer, '+12125550100');
      const { slot } = await plane.park(await legOf('acme.peer'), { seconds: 3 });
      await vi.waitFor(async () => expect(await plane.legs()).toHaveLength(1), { timeout: 15_000 });
      await sleep(800);
      const back = await standing(dan, slot);
      // The slot is empty by now, and what it was parked for is over.
      expect((await (await site.outside.call(cat, slot)).ended).status).toBe(404);
      await sleep(3000);
      expect(await plane.legs()).toHaveLength(2);
      await back.hangUp();
      await call.hangUp();
      await quiet();
      expect(await site.outside.heard(call.id, music)).toBeGreaterThan(0.2);
      expect(await hears(call.id, dan)).toEqual([dan]);
      expect(await hears(back.id, peer)).toEqual([peer]);
    });

    it('gives a parked caller up when the time is over', async () => {
      const call = await standing(peer, '+12125550100');
      await plane.park(await legOf('acme.peer'), { seconds: 1 });
      expect(await call.ended).toMatchObject({ q850: 19 });
    });

    it('takes a call that rings, or refuses it', async () => {
      await site.outside.does(bob, 'ring');
      const call = await site.outside.call(peer, '+12125550100');
      const leg = await legOf('acme.peer');
      await plane.answer(leg);
      expect(await call.answered).toBe(true);
      await vi.waitFor(async () => expect(await plane.legs()).toHaveLength(1), { timeout: 15_000 });
      expect(await outcome(plane.reject(leg, 21))).toBe('refused');
      await call.hangUp();
      await quiet();
      const other = await site.outside.call(ann, '1002');
      await plane.reject(await ofUser(ann), 21);
      expect((await other.ended).status).toBe(603);
    });

    it('is ruled from the command line', async () => {
      const call = await standing(peer, '+12125550100');
      const listed = await site.box.ok('call list --tenant acme --json');
      expect(listed.json()).toMatchObject({
        data: {
          calls: [
            { tenant: 'acme', trunk: 'peer', direction: 'inbound', to: '+12125550100', state: 'answered' },
          ],
        },
      });
      const { calls } = listed.json().data as { calls: { id: string }[] };
      const id = calls[0]?.id ?? '';
      for (const [line, code] of [
        [`call hold ${id} --tenant acme`, 0],
        [`call unhold ${id} --tenant acme`, 0],
        [`call transfer ${id} --tenant acme --to 1999`, 4],
        [`call transfer ${id} --tenant acme --to cat`, 0],
      ] as const) {
        const ended = await site.box.sipctl(line);
        expect(ended.code, `${line}:\n${ended.stdout}${ended.stderr}`).toBe(code);
      }
      await ofUser(cat);
      await site.box.ok(`call hangup ${id} --tenant acme --cause busy`);
      expect(await call.ended).toMatchObject({ q850: 17 });
    });

    it('rules a conference', async () => {
      const room = { tenant: 'acme', name: 'open' };
      expect(await outcome(plane.changeConference(room, { verb: 'lock' }))).toBe('notFound');
      const calls = [await standing(ann, '802'), await standing(bob, '802')] as const;
      const members = async () =>
        (await plane.conferences()).find(({ name }) => name === 'open')?.members ?? [];
      await vi.waitFor(async () => expect(await members()).toHaveLength(2), { timeout: 15_000 });
      const legs = await plane.legs();
      for (const { leg } of await members()) expect(legs.map(({ id }) => id)).toContain(leg);
      const annsLeg = legs.find(({ endpoint }) => endpoint === `ann@${domain}`)?.id;
      const member = (await members()).find(({ leg }) => leg === annsLeg)?.id ?? '';
      await plane.changeConference(room, { verb: 'mute', member });
      expect((await members()).find(({ id }) => id === member)).toMatchObject({
        muted: true,
        role: 'participant',
      });
      await sleep(1500);
      expect(await outcome(plane.changeConference(room, { verb: 'kick', member: '999' }))).toBe('notFound');
      await plane.changeConference(room, { verb: 'record', path: 'sipctl/acme/room.wav' });
      expect((await plane.conferences())[0]).toMatchObject({ tenant: 'acme', recorded: true, locked: false });
      await plane.changeConference(room, { verb: 'stop-recording' });
      await plane.changeConference(room, { verb: 'lock' });
      expect((await plane.conferences())[0]).toMatchObject({ recorded: false, locked: true });
      await plane.changeConference(room, { verb: 'unlock' });
      const invited = await plane.invite(room, acme('1003'), { ringSeconds: 10 });
      expect(invited).toMatchObject({ answered: true });
      expect((await members()).map(({ leg }) => leg)).toContain(invited.callId);
      await sleep(1500);
      await plane.changeConference(room, { verb: 'kick', member });
      await calls[0].ended;
      expect(await members()).toHaveLength(2);
      await calls[1].hangUp();
      await site.outside.hangUp(cat);
      await quiet();
      expect(await hears(at(cat), bob, ann)).toEqual([bob]);
      expect(await hears(calls[0].id, bob, cat)).toEqual([bob, cat]);
      expect(await site.outside.heard(calls[1].id, ann)).toBeLessThan(1.5);
    });
  },
  outsideMissing,
);
