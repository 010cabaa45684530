import type { CallFlow, InboundNumber } from './call-flow.ts';
import type { CallOutcome, Decision, Direction, HopAttempt, World } from './simulated-call.ts';

/** One call on its way through a flow: what it has met so far. */
export interface Walk {
  flow: CallFlow;
  world: World;
  decisions: Decision[];
  hops: HopAttempt[];
  variables: Record<string, string>;
  /** What the caller will still enter. */
  pressed: string[];
  /** As the called number stands in a context of the operator's own. */
  called: string;
  /** The number of the tenant that was called. */
  number: InboundNumber | null;
  answered: boolean;
  /** Something on its way says that its talk is recorded; nothing takes that back. */
  record: boolean;
  /** Whoever was called last was busy. */
  busy: boolean;
  /** Destinations so far. */
  destinations: number;
  /** The trunk that the call came in on, which it takes a place of. */
  arrivedOn: string | null;
}

export function newWalk(flow: CallFlow, world: World, called: string): Walk {
  return {
    flow,
    world,
    called,
    decisions: [],
    hops: [],
    variables: { accountcode: flow.tenant, SIPCTL_TENANT: flow.tenant },
    pressed: [...(world.pressed ?? [])],
    number: null,
    answered: false,
    record: flow.record,
    busy: false,
    destinations: 0,
    arrivedOn: null,
  };
}

export function enter(walk: Walk, direction: Direction): void {
  walk.variables.SIPCTL_DIRECTION = direction;
  walk.decisions.push({ step: 'entered', direction });
}

/** Counts this call in, then compares: two that come together cannot both take the last place. */
export function overLimit(walk: Walk, of: 'tenant' | 'user' | 'trunk', name: string, limit: number): boolean {
  const calls = callsOf(walk, of, name) + 1;
  const over = limit > 0 && calls > limit;
  if (limit > 0) walk.decisions.push({ step: 'limit', of, name, calls, limit, over });
  return over;
}

function callsOf({ world, arrivedOn }: Walk, of: 'tenant' | 'user' | 'trunk', name: string): number {
  const { tenant = 0, users = {}, trunks = {} } = world.calls ?? {};
  if (of === 'tenant') return tenant;
  if (of === 'user') return users[name] ?? 0;
  return (trunks[name] ?? 0) + (arrivedOn === name ? 1 : 0);
}

// As engines answer; what is not named here ends as 603 (RFC 3261 §21.6.2).
// biome-ignore format: a table
const sipOfCause: Readonly<Record<number, number>> = {
  1: 404, 2: 404, 3: 404, 17: 486, 18: 408, 19: 480, 20: 480, 21: 403, 22: 410, 27: 502, 28: 484, 29: 501,
  31: 480, 34: 503, 38: 500, 42: 503, 58: 488, 66: 503, 127: 500,
};

/** The caller is told a cause of ITU-T Q.850, as the SIP status of RFC 3398 §7.2.4.1. */
export const refused = (q850: number): CallOutcome => ({
  kind: 'refused',
  q850,
  sip: sipOfCause[q850] ?? 603,
});
