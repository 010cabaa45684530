import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { CallFlow } from '../../../src/model/flow/call-flow.ts';
import type { Decision, Simulation, World } from '../../../src/model/flow/simulated-call.ts';
import { type CallCase, callCases } from '../../support/calls/cases.ts';
import { company } from '../../support/calls/company.ts';
import type { SiteValues, Values } from '../../support/calls/site-values.ts';
import { demandAgreement, simulated } from './agreement.ts';
import type { CallSite, SiteText } from './call-site.ts';
import type { LiveCase } from './lanes.ts';
import type { OutgoingCall } from './outside.ts';
import type { Behaviour } from './outside-config.ts';
import type { Engine } from './pbx.ts';
import { type PlannedCall, placeCall } from './place-call.ts';
import { valueCommands } from './site-commands.ts';
import { sounds } from './sites.ts';

/** The table of cases that the simulator is held to, as real calls. */

const enabled = (values: readonly Values[] = []): readonly Values[] =>
  values.filter((one) => one.enabled !== false);

/** The same company with carriers of this machine, sounds that are tones, and phones that give up soon. */
function live(site: SiteValues): SiteValues {
  const { name } = site.tenant;
  const isEmergency = (extension: unknown) => site.emergencies?.some(({ number }) => number === extension);
  const short = (one: Values): Values => ({ ...one, ringTime: 3 });
  return {
    ...site,
    trunks: (site.trunks ?? []).map((one) => {
      if (one.enabled === false) return one;
      const address = `@${name}-${one.name}`;
      return { ...one, host: address, networks: [`${address}/32`] };
    }),
    // The store refuses an extension that is an emergency number; the table has one that was there before.
    users: (site.users ?? []).map((one) =>
      short(isEmergency(one.extension) ? { ...one, extension: '1099' } : one),
    ),
    groups: (site.groups ?? []).map(short),
    ivrs: (site.ivrs ?? []).map((one) => ({
      ...one,
      greeting: 'custom/welcome',
      invalidSound: 'custom/wrong',
    })),
  };
}

const sites = Object.values(company).map(live);
/** Each lets its trunk register, and takes whatever comes from it. */
const carriersOf = ({ tenant, trunks }: SiteValues) =>
  enabled(trunks).map(
    ({ name, username }) =>
      [`${tenant.name}-${name}`, { username: String(username), password: null }] as const,
  );

const ownContext = `<include>
<context name="acme-bot">
<extension name="bot">
<condition field="destination_number" expression="^\\+[0-9]+$">
<action application="answer"/>
<action application="sleep" data="30000"/>
</condition>
</extension>
</context>
</include>
`;

export const tableSite: SiteText = {
  commands: sites.flatMap(valueCommands),
  carriers: Object.fromEntries(sites.flatMap(carriersOf)),
  breakable: true,
  gone: sites.flatMap(({ tenant, users = [] }) =>
    users.filter((one) => one.enabled === false).map((one) => `${tenant.name}-${one.username}`),
  ),
  sounds,
  // Where the table sends a call to a context of the operator's own.
  own: {
    asterisk: { 'extensions.d/own.conf': '[acme-bot]\nexten = _+X!,1,Answer()\n same = n,Wait(30)\n' },
    freeswitch: { 'dialplan/own.xml': ownContext },
  },
};

/** Hours are those of the machine's clock: which of them are open is tried elsewhere. */
export const tableCases: readonly LiveCase[] = callCases.map((one) => ({
  lane: one.tenant,
  name: one.name,
  run: (site) => play(site, one),
}));

async function play(site: CallSite, { tenant, call, world = {} }: CallCase): Promise<void> {
  const planned = plannedCall(tenant, call, world);
  const { phones = {}, trunks = {} } = world;
  const offline = named(tenant, phones, 'offline');
  const down = named(tenant, trunks, 'down');
  await Promise.all([
    ...offline.map((party) => site.outside.register(party, false)),
    ...down.map((party) => site.cut(party)),
  ]);
  const standing = await stand(site, tenant, world.calls ?? {});
  try {
    const flow = site.flows.get(tenant) as CallFlow;
    const hand = handOf(simulated(site, planned, world), flow, world.pressed, site.pbx.engine);
    const seen = await placeCall(site, { ...planned, ...hand });
    const simulation = demandAgreement(site, planned, seen, world);
    if (planned.inTo === undefined) await demandVoice(site, tenant, simulation, seen.heard);
  } finally {
    await Promise.all(standing.map((one) => one.hangUp()));
    await Promise.all([
      ...offline.map((party) => site.outside.register(party, true)),
      ...down.map((party) => site.mend(party)),
    ]);
    await site.ready(tenant);
  }
}

const named = (tenant: string, states: Readonly<Record<string, unknown>>, state: string): string[] =>
  Object.entries(states).flatMap(([name, one]) => (one === state ? [`${tenant}-${name}`] : []));

function plannedCall(
  tenant: string,
  call: CallCase['call'],
  { phones = {}, trunks = {} }: World,
): PlannedCall {
  const behaviours: Record<string, Behaviour> = { 'no-answer': 'ring', busy: 17, rejects: 21 };
  const does: Record<string, Behaviour> = {};
  for (const [name, state] of Object.entries(phones)) {
    if (behaviours[state] !== undefined) does[`${tenant}-${name}`] = behaviours[state];
  }
  for (const [name, cause] of Object.entries(trunks)) {
    if (typeof cause === 'number') does[`${tenant}-${name}`] = cause;
  }
  if (call.kind === 'user') return { from: `${tenant}-${call.user}`, to: call.dialled, does };
  return {
    ...{ from: `${tenant}-${call.trunk}`, to: call.requestUri, callerId: '<+15550001111>', does },
    ...(call.to === null ? {} : { inTo: call.to }),
  };
}

/** Half a second each: from an answer to the first key, from a key to the next menu, over a sound to the next try. */
const pauses = { first: 1, nothing: 6, wrong: 3, key: 2, long: 9, ambiguous: 8, pin: 7 } as const;

interface Hand {
  /** As `PlannedCall.presses`. */
  presses: string;
  /** Seconds from the last key until everything has happened that is thought to. */
  talks: number;
}

/** What a caller's hand does, so that each entry comes when the menu or the room listens. */
function handOf(
  { decisions }: Simulation,
  { ivrs, dialled }: CallFlow,
  pressed: readonly string[] | undefined,
  engine: Engine,
): Hand {
  const left = [...(pressed ?? [])];
  let [presses, pause, rings] = ['', pauses.first as number, 0];
  for (const one of decisions) {
    if (one.step === 'ring' && one.result === 'no-answer') rings += one.seconds;
    if (one.step !== 'menu' && one.step !== 'pin') continue;
    const next = left.shift() ?? '';
    const entry = one.step === 'pin' ? next : one.entered;
    if (entry !== '') {
      presses += 'w'.repeat(pause) + entry;
      pause = 0;
    }
    pause += one.step === 'pin' ? pauses.pin : one.result === 'extension' ? 0 : pauses[pauseAfter(one)];
  }
  return { presses, talks: 1 + pause / 2 + rings };

  // A key that could begin an extension is taken when no digit follows.
  function pauseAfter({ ivr, entered, result }: Extract<Decision, { step: 'menu' }>): keyof typeof pauses {
    const open = ivrs.find(({ name }) => name === ivr)?.directDial === true;
    const begins = dialled.some(
      ({ action, pattern }) => action.kind === 'reach' && pattern.literal.startsWith(entered),
    );
    // FreeSWITCH waits for the next digit also where none could make an extension of these.
    if (result === 'wrong' && open && entered.length > 1 && engine === 'freeswitch') return 'long';
    return result === 'nothing' || result === 'wrong' ? result : open && begins ? 'ambiguous' : 'key';
  }
}

/** Who answers is heard, and nobody else. */
async function demandVoice(
  site: CallSite,
  tenant: string,
  { outcome }: Simulation,
  heard: (...speakers: string[]) => Promise<(string | number)[]>,
): Promise<void> {
  if (outcome.kind === 'refused' || outcome.kind === 'loop' || outcome.kind === 'app') return;
  const voices = await heard(...site.outside.parties);
  if (outcome.kind === 'user') {
    expect(outcome.rings.map((user) => `${tenant}-${user}`)).toContain(voices[0]);
    expect(voices).toHaveLength(1);
  } else expect(voices).toEqual(outcome.kind === 'outside' ? [site.carrierOf(tenant, outcome.trunk)] : []);
}

/** Calls that are to stand: users in an open room, carriers at a door that asks for a PIN. */
async function stand(
  site: CallSite,
  tenant: string,
  calls: NonNullable<World['calls']>,
): Promise<OutgoingCall[]> {
  const plan: [party: string, to: string][] = [];
  const add = (count: number, party: string, to: string): void => {
    for (let at = 0; at < count; at += 1) plan.push([party, to]);
  };
  for (const [user, count] of Object.entries(calls.users ?? {})) add(count, `acme-${user}`, '4001');
  const { telnyx_main: inbound = 0, voipms: outbound = 0 } = calls.trunks ?? {};
  add(inbound, 'acme-telnyx_main', '+15551234582');
  add(outbound, 'acme-fay', '+14165551234');
  const left = Math.max(0, (calls.tenant ?? 0) - plan.length);
  if (tenant === 'acme') add(left, 'acme-cleo', '4001');
  else for (const user of ['ilse', 'jan'].slice(0, left)) add(1, `${tenant}-${user}`, '1001');
  const standing: OutgoingCall[] = [];
  for (const [party, to] of plan) {
    const one = await site.outside.call(party, to);
    expect(await one.answered, `${party} calls ${to}`).toBe(true);
    standing.push(one);
  }
  if (plan.length > 0) await sleep(100);
  return standing;
}
