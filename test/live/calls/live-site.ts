import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import type { CallingUser, ChannelRef, ControlPlane } from '../../../src/platforms/control-plane.ts';
import type { CallSite, SiteText } from './call-site.ts';
import type { OutgoingCall } from './outside.ts';
import type { OwnFiles } from './pbx.ts';
import { textCommands } from './site-commands.ts';
import { readWav, secondsOf } from './sound.ts';

/** Tone (Hz) of the music that a held party hears. */
export const music = 3640;

const own: OwnFiles = {
  asterisk: { 'musiconhold.conf': '[default]\nmode = files\ndirectory = sounds/held\n' },
  freeswitch: {},
};

/** One tenant with four phones and a carrier, for what is done to calls while they run. */
export const liveSite: SiteText = {
  carriers: { inbound: null },
  gone: [],
  own,
  sounds: { 'held/music': music },
  commands: textCommands(
    `
    tenant add acme --domain acme.sip.example --country DE --max-calls 0
    user add ann --tenant acme --extension 1001 --max-calls 0 --ring-time 20
    user add bob --tenant acme --extension 1002 --max-calls 0 --ring-time 20
    user add cat --tenant acme --extension 1003 --max-calls 0 --ring-time 20
    user add dan --tenant acme --extension 1004 --max-calls 0 --ring-time 20
    conference add open --tenant acme --extension 801
    trunk add in --tenant acme --provider custom_ip --host @inbound --networks @inbound/32 --max-calls 0 --number-format plus
    number add +4930111001 --tenant acme --to user:bob --trunk in
  `,
    { PASSWORD: 'a right one' },
  ),
};

export const [ann, bob, cat, dan] = ['acme-ann', 'acme-bob', 'acme-cat', 'acme-dan'] as const;

/** A user as the verbs take one. */
export const userOf = (party: string, extension: string): CallingUser => {
  const username = party.slice('acme-'.length);
  return { endpoint: `${username}@acme.sip.example`, tenant: 'acme', username, extension, ringSeconds: 10 };
};

export const dialled = (extension: string) => ({ tenant: 'acme', dialled: extension });

/** Two parties that talk, with the PBX's channels of them. */
export interface Talk {
  call: OutgoingCall;
  caller: ChannelRef;
  callee: ChannelRef;
  /** Of the call at the called party, for `heardLast`. */
  arrival: string;
}

/** A call that stands, of a party that has no other one. */
export async function talk(site: CallSite, plane: ControlPlane, from: string, to: string): Promise<Talk> {
  const call = await site.outside.call(from, to);
  if (!(await call.answered)) throw new Error(`${from} calls ${to}: ${(await call.ended).status}`);
  const legs = await vi.waitFor(
    async () => {
      const all = (await plane.legs()).filter(({ state }) => state === 'answered');
      if (all.length < 2) throw new Error(`${all.length} legs stand`);
      return all;
    },
    { timeout: 5000, interval: 50 },
  );
  const leg = (way: 'in' | 'out'): ChannelRef => {
    const found = legs.find((one) => one.way === way);
    if (found === undefined) throw new Error(`no leg ${way}`);
    return { id: found.id, channel: found.channel };
  };
  const party =
    [ann, bob, cat, dan].find((one) => userOf(one, '').username === nameIn(leg('out').channel)) ?? '';
  return { call, caller: leg('in'), callee: leg('out'), arrival: lastArrival(site, party) };
}

const nameIn = (channel: string): string => /^PJSIP\/([^@]*)@/.exec(channel)?.[1] ?? '';

/** The id of the call that reached a party last. */
export const lastArrival = (site: CallSite, party: string): string =>
  site.outside.arrivals(party).at(-1)?.id ?? '';

/** Who of these parties, or which tones, a call carried to where it is named in its last half second. It is over by now. */
export async function heardLast(
  site: CallSite,
  id: string,
  speakers: readonly (string | number)[] = [ann, bob, cat, dan, music],
): Promise<(string | number)[]> {
  const samples = await heardOf(site, id);
  return speakers.filter((one) => secondsOf(samples.subarray(-tail), hertzOf(site, one)) >= 0.2);
}

/** The same for the whole of the call. */
export async function heardEver(
  site: CallSite,
  id: string,
  speakers: readonly (string | number)[] = [ann, bob, cat, dan, music],
): Promise<(string | number)[]> {
  const samples = await heardOf(site, id);
  return speakers.filter((one) => secondsOf(samples, hertzOf(site, one)) >= 0.2);
}

/** Samples of half a second. */
const tail = 4000;

const hertzOf = (site: CallSite, speaker: string | number): number =>
  typeof speaker === 'number' ? speaker : site.outside.tone(speaker);

async function heardOf(site: CallSite, id: string): Promise<Int16Array> {
  const file = join(site.outside.asterisk.spool, 'monitor/heard', `${id}.wav`);
  const samples = await vi.waitUntil(() => readWav(file), { timeout: 10_000, interval: 50 });
  if (samples === null) throw new Error(`nothing was heard in ${id}: ${readFileSync(file).length} bytes`);
  return samples;
}

/** Time in which words are said. */
export const listen = (seconds = 1): Promise<void> => sleep(seconds * 1000);

/** Ends everything, and waits until the PBX has no call. */
export async function hangUpAll(site: CallSite, plane: ControlPlane): Promise<void> {
  for (const party of site.outside.parties) await site.outside.hangUp(party);
  await vi.waitFor(
    async () => {
      const legs = await plane.legs();
      for (const leg of legs) await plane.hangup(leg, 16).catch(() => undefined);
      if (legs.length > 0) throw new Error(`${legs.length} legs still stand`);
    },
    { timeout: 15_000, interval: 200 },
  );
}
