import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../../../src/model/flow/simulated-call.ts';
import { callIn } from '../sipp.ts';
import type { CallSite } from './call-site.ts';
import type { Arrival, Outside } from './outside.ts';
import type { Behaviour } from './outside-config.ts';

/** One call, by names of parties: `acme-ann`, or a carrier. */
export interface PlannedCall {
  from: string;
  /** What is dialled, or the called number as the carrier writes it. */
  to: string;
  /** The number in To, where the request is for something else. */
  inTo?: string;
  callerId?: string;
  /** Calls that stand already. */
  calls?: World['calls'];
  /** What parties do meanwhile; whoever is not named answers. */
  does?: Readonly<Record<string, Behaviour>>;
  /** Keys pressed after the answer, `w` being half a second of waiting. */
  presses?: string;
  /** Seconds from the answer, or the last key, to the caller's hanging up; a call that is ended by the PBX ends before. */
  talks?: number;
}

/** What was seen of it outside of the PBX. */
export interface SeenCall {
  id: string;
  /** 200 where it was answered. */
  status: number;
  q850: number;
  /** Everybody it came to, in order. */
  arrivals: readonly Arrival[];
  /** Parties and sounds (Hz) of `listen` that the caller heard. */
  heard(...speakers: (string | number)[]): Promise<(string | number)[]>;
}

/** Shorter sounds are what passes while a call changes hands. */
const audible = 0.2;

/** Makes a call and waits for its end. Calls at the same time must not be able to reach the same parties. */
export async function placeCall(site: CallSite, call: PlannedCall): Promise<SeenCall> {
  const { outside } = site;
  const { from, to, inTo, callerId, does = {}, presses = '', talks = 0.7 } = call;
  for (const [party, behaviour] of Object.entries(does)) await outside.does(party, behaviour);
  const { tenant } = site.place(from);
  const parties = outside.parties.filter((party) => site.place(party).tenant === tenant);
  const before = new Map(parties.map((party) => [party, outside.arrivals(party).length]));
  if (inTo !== undefined) {
    const status = await callByTo(site, { from, to, inTo });
    return { ...nothing, status, arrivals: since(outside, before) };
  }
  const placed = await outside.call(from, to, callerId === undefined ? {} : { callerId });
  if (await placed.answered) {
    for (const key of presses) await (key === 'w' ? sleep(500) : placed.press(key));
    await Promise.race([placed.ended, sleep(talks * 1000)]);
    await placed.hangUp();
  }
  const { status, q850 } = await placed.ended;
  for (const party of Object.keys(does)) await outside.does(party, 'answer');
  return {
    ...{ id: placed.id, status, q850, arrivals: since(outside, before) },
    heard: async (...speakers) => {
      const loud: (string | number)[] = [];
      for (const speaker of speakers) {
        if ((await outside.heard(placed.id, speaker)) >= audible) loud.push(speaker);
      }
      return loud;
    },
  };
}

const nothing = { id: '', q850: 0, heard: async () => [] };

const since = (outside: Outside, before: ReadonlyMap<string, number>): Arrival[] =>
  [...before]
    .flatMap(([party, count]) => outside.arrivals(party).slice(count))
    .sort((one, other) => one.order - other.order);

/** A carrier's call with the number in To, which only SIPp can make; answers its final status. */
async function callByTo(
  { pbx, carrier }: CallSite,
  { from, to, inTo }: { from: string; to: string; inTo: string },
): Promise<number> {
  const { host, port } = pbx.carriers;
  const { statuses, trace } = await callIn({
    ...{ host, port, from: carrier(from).address, callerNumber: '+493012345' },
    ...{ requestUri: `sip:${to}@${host}:${port}`, to: `sip:${inTo}@${host}` },
  });
  const status = statuses.at(-1);
  if (status === undefined) throw new Error(`no answer:\n${trace}`);
  return status;
}
