import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { demandAgreement } from './agreement.ts';
import type { CallSite } from './call-site.ts';
import type { Engine } from './pbx.ts';
import { type PlannedCall, placeCall, type SeenCall } from './place-call.ts';

/** One test with real calls. Those of one lane run one after another, lanes at the same time. */
export interface LiveCase {
  lane: string;
  name: string;
  run(site: CallSite): Promise<void>;
}

/** What a call must look like from outside of the PBX. */
export interface Sight {
  /** Where the PBX itself refuses the call, each in its own way. */
  status: number | Readonly<Record<Engine, number>>;
  /** Parties that the call came to, in order. */
  reaches?: readonly string[];
  /** It came to all of them at once. */
  together?: true;
  /** The PBX itself refuses it: no dialplan of ours ever sees the call. */
  beforeTheFlow?: true;
  /** The caller does not listen. */
  unheard?: true;
  /** Everybody and everything that the caller hears, of those that could be heard. */
  hears?: readonly (string | number)[];
  /** Of each party that was reached: what its request looked like. */
  requests?: readonly Partial<Record<'requestUri' | 'from' | 'to' | 'pai' | 'rpid', RegExp>>[];
}

/** A case that is one call. */
export const row = (name: string, call: PlannedCall, sight: Sight): LiveCase => ({
  lane: call.from.slice(0, call.from.indexOf('-')),
  name,
  run: async (site) => {
    const seen = await placeCall(site, call);
    await compare(site, seen, sight);
    if (sight.beforeTheFlow !== true) demandAgreement(site, call, seen);
  },
});

export async function compare(site: CallSite, seen: SeenCall, sight: Sight): Promise<void> {
  const { reaches = [], together = false, hears = [], requests = [] } = sight;
  const status = typeof sight.status === 'number' ? sight.status : sight.status[site.pbx.engine];
  const inOrder = (parties: readonly string[]) => (together ? parties.toSorted() : parties);
  const parties = seen.arrivals.map(({ party }) => party);
  expect({ status: seen.status, reaches: inOrder(parties) }).toEqual({ status, reaches: inOrder(reaches) });
  const audible = [...site.outside.parties, ...Object.values(site.sounds)];
  expect(status === 200 && sight.unheard !== true ? await seen.heard(...audible) : []).toEqual(
    audible.filter((one) => hears.includes(one)),
  );
  for (const [at, request] of requests.entries()) {
    for (const [field, pattern] of Object.entries(request)) {
      expect(seen.arrivals[at]?.[field as keyof typeof request], `${parties[at]}: ${field}`).toMatch(pattern);
    }
  }
}

/** A case that does not end must not keep its lane waiting. */
async function inTime(one: LiveCase, site: CallSite): Promise<void> {
  const abort = new AbortController();
  const late = sleep(60_000, undefined, { signal: abort.signal }).then(() => {
    throw new Error('this call never ended');
  });
  try {
    await Promise.race([site.ready(one.lane).then(() => one.run(site)), late]);
  } finally {
    abort.abort();
    await late.catch(() => undefined);
  }
}

/** Declares the tests of these cases; all lanes start when the site is there, and each test waits for its own case. */
export function declareCases(cases: readonly LiveCase[], start: () => Promise<CallSite>): void {
  const outcomes = new Map<LiveCase, Promise<{ error: unknown } | null>>();
  beforeAll(async () => {
    const site = await start();
    for (const lane of new Set(cases.map((one) => one.lane))) {
      let before: Promise<unknown> = Promise.resolve();
      for (const one of cases.filter((other) => other.lane === lane)) {
        const outcome = before
          .then(() => inTime(one, site))
          // Ring times are real: where the machine was too busy for them, the call is placed a second time.
          .catch(() => inTime(one, site))
          .then(
            () => null,
            (error: unknown) => ({ error }),
          );
        outcomes.set(one, outcome);
        before = outcome;
      }
    }
  });
  it.each(cases.map((one) => [one.lane, one.name, one] as const))(
    '%s: %s',
    async (_lane, _name, one) => {
      const outcome = await outcomes.get(one);
      if (outcome) throw outcome.error;
    },
    300_000,
  );
}
