import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { demandAgreement } from './agreement.ts';
import type { CallSite } from './call-site.ts';
import { compare, type LiveCase } from './lanes.ts';
import type { OutgoingCall } from './outside.ts';
import { type PlannedCall, placeCall } from './place-call.ts';
import { pins } from './sites.ts';
import { lengthOf, readWav, secondsOf } from './sound.ts';

/** Tests in which several calls stand at once. */

async function standing(site: CallSite, from: string, to: string, keys = ''): Promise<OutgoingCall> {
  const call = await site.outside.call(from, to);
  if (!(await call.answered)) throw new Error(`${from} calls ${to}: ${(await call.ended).status}`);
  if (keys !== '') {
    await sleep(500);
    await call.press(keys);
  }
  return call;
}

const endAll = async (...calls: OutgoingCall[]): Promise<void> => {
  await Promise.all(calls.map((call) => call.hangUp()));
  await Promise.all(calls.map((call) => call.ended));
};

/** Ends a call, and demands that its place is free: not at once, but soon. */
const freed = async (site: CallSite, standing: OutgoingCall, next: PlannedCall): Promise<void> => {
  await endAll(standing);
  const { tenant } = site.place(next.from);
  await site.ready(tenant);
  await vi.waitFor(async () => expect((await placeCall(site, next)).status).toBe(200), {
    timeout: 10_000,
    interval: 500,
  });
};

/** Calls while another one stands, and their statuses. */
const statuses = async (site: CallSite, calls: readonly PlannedCall[]): Promise<number[]> => {
  const seen: number[] = [];
  for (const call of calls) {
    const one = await placeCall(site, call);
    demandAgreement(site, call, one);
    seen.push(one.status);
  }
  return seen;
};

/** Members of a room that hear each other, by the frequency of each. */
const hears = async (site: CallSite, call: OutgoingCall, speakers: readonly string[]): Promise<string[]> => {
  const heard: string[] = [];
  for (const speaker of speakers) {
    if ((await site.outside.heard(call.id, speaker)) >= 0.5) heard.push(speaker);
  }
  return heard;
};

/** The last recording of a tenant, once it is complete. */
async function recordingOf(site: CallSite, tenant: string): Promise<Int16Array> {
  const folder = site.pbx.recordings(tenant);
  const names = (): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const madeAt = (name: string): number => statSync(join(folder, name)).mtimeMs;
  const last = names()
    .filter((name) => /^\d{4}-\d{2}-\d{2}\/[0-9a-z.-]+\.wav$/.test(name))
    .sort((one, other) => madeAt(one) - madeAt(other))
    .at(-1);
  expect(last, names().join(' ')).toBeDefined();
  return vi.waitUntil(() => readWav(join(folder, last ?? '')), { timeout: 15_000, interval: 100 });
}

const [uma, vic, wes] = ['default-uma', 'default-vic', 'default-wes'] as const;

export const heldCases: readonly LiveCase[] = [
  {
    lane: 'tight',
    name: 'limit of the tenant: 486 in all directions, but for emergencies; then free again',
    run: async (site) => {
      const first = await standing(site, 'tight-pat', '3105559999');
      const refused = await statuses(site, [
        { from: 'tight-quin', to: '1001', calls: { tenant: 1 } },
        { from: 'tight-quin', to: '3105559998', calls: { tenant: 1 } },
        { from: 'tight', to: '+13105550101', calls: { tenant: 1 } },
      ]);
      expect(refused).toEqual([486, 486, 486]);
      const urgent = { from: 'tight-quin', to: '911', calls: { tenant: 1 } };
      const emergency = await placeCall(site, urgent);
      demandAgreement(site, urgent, emergency);
      await compare(site, emergency, { status: 200, reaches: ['tight'], hears: ['tight'] });
      await freed(site, first, { from: 'tight-quin', to: '1001' });
    },
  },
  {
    lane: 'narrow',
    name: 'limit of a user: 486 for calls made and taken',
    run: async (site) => {
      const first = await standing(site, 'narrow-ray', '1002');
      const refused = await statuses(site, [
        { from: 'narrow-ray', to: '1003', calls: { users: { ray: 1 } } },
        { from: 'narrow-tom', to: '1001', calls: { users: { ray: 1 } } },
      ]);
      expect(refused).toEqual([486, 486]);
      await freed(site, first, { from: 'narrow-tom', to: '1001' });
    },
  },
  {
    lane: 'narrow',
    name: 'limit of a user that is called: 486 for the second caller',
    run: async (site) => {
      const first = await standing(site, 'narrow-tom', '1001');
      expect(
        await statuses(site, [{ from: 'narrow-sam', to: '1001', calls: { users: { ray: 1 } } }]),
      ).toEqual([486]);
      await endAll(first);
    },
  },
  {
    lane: 'narrow',
    name: 'limit of a trunk: 486 in both directions',
    run: async (site) => {
      const first = await standing(site, 'narrow-sam', '3205559999');
      const refused = await statuses(site, [
        { from: 'narrow-tom', to: '3205559998', calls: { trunks: { line: 1 } } },
        { from: 'narrow', to: '+13205550101', calls: { trunks: { line: 1 } } },
      ]);
      expect(refused).toEqual([486, 486]);
      await freed(site, first, { from: 'narrow', to: '+13205550101' });
    },
  },
  {
    lane: 'initech',
    name: 'limit of a trunk: the next one takes the call, where there is one',
    run: async (site) => {
      const first = await standing(site, 'initech-joe', '4235552671');
      const calls = { trunks: { full: 1 } };
      const spilling = { from: 'initech-kim', to: '4245552671', calls };
      const spilled = await placeCall(site, spilling);
      demandAgreement(site, spilling, spilled);
      await compare(site, spilled, { status: 200, reaches: ['spare'], hears: ['spare'] });
      expect(await statuses(site, [{ from: 'initech-kim', to: '4235552671', calls }])).toEqual([486]);
      await endAll(first);
    },
  },
  {
    lane: 'default',
    name: 'users of the tenant default call each other',
    run: async (site) => {
      const seen = await placeCall(site, { from: uma, to: '5002' });
      await compare(site, seen, { status: 200, reaches: [vic], hears: [vic] });
    },
  },
  {
    lane: 'default',
    name: 'room without PINs: all hear each other',
    run: async (site) => {
      const one = await standing(site, uma, '801');
      const other = await standing(site, vic, '801');
      await sleep(5000);
      await endAll(one, other);
      expect([await hears(site, one, [vic]), await hears(site, other, [uma])]).toEqual([[vic], [uma]]);
    },
  },
  {
    lane: 'default',
    name: 'room with PINs: participants wait for the moderator; the room is recorded',
    run: async (site) => {
      const early = await standing(site, uma, '800', `${pins.PIN}#`);
      const earlier = await standing(site, wes, '800', `${pins.PIN}#`);
      await sleep(2000);
      await endAll(early, earlier);
      const one = await standing(site, uma, '800', `${pins.PIN}#`);
      const other = await standing(site, vic, '800', `${pins.MODERATOR_PIN}#`);
      await sleep(3000);
      await endAll(one, other);
      expect(await hears(site, early, [wes])).toEqual([]);
      expect([await hears(site, one, [vic]), await hears(site, other, [uma])]).toEqual([[vic], [uma]]);
      const recording = await recordingOf(site, 'default');
      expect(secondsOf(recording, site.outside.tone(vic))).toBeGreaterThan(1);
    },
  },
  {
    lane: 'default',
    name: 'room with PINs: three wrong ones end the call',
    run: async (site) => {
      const call = await standing(site, uma, '800', '1111#');
      for (const _ of [2, 3]) {
        await sleep(1500);
        await call.press('1111#');
      }
      expect((await call.ended).status).toBe(200);
    },
  },
  {
    lane: 'globex',
    name: 'recorded number: a playable file with both voices, as long as the talk',
    run: async (site) => {
      const does = { 'globex-hal': 'answer after 2' } as const;
      const seen = await placeCall(site, { from: 'inbound', to: '+4930111009', does, talks: 3 });
      await compare(site, seen, { status: 200, reaches: ['globex-hal'], hears: ['globex-hal'] });
      const recording = await recordingOf(site, 'globex');
      const talk = await site.outside.heard(seen.id, 'globex-hal');
      expect(Math.abs(lengthOf(recording) - talk)).toBeLessThan(0.7);
      for (const speaker of ['inbound', 'globex-hal']) {
        expect(secondsOf(recording, site.outside.tone(speaker)), speaker).toBeGreaterThan(talk * 0.8);
      }
    },
  },
];
