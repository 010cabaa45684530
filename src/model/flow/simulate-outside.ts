import type { FlowEmergency, FlowRoute, Hop } from './call-flow.ts';
import type { CallerIdOrigin, CallOutcome, HopAttempt } from './simulated-call.ts';
import { overLimit, refused, type Walk } from './walk.ts';
import { sentNumber, toWire } from './wire-format.ts';

/** Who shows which number on a call to the outside. */
export interface Caller {
  origin: 'caller' | 'tenant';
  /** E.164 */
  callerId: string | null;
}

/** A call to an E.164 number, by the first route whose prefix fits. */
export function callOutside(walk: Walk, number: string, caller: Caller): CallOutcome {
  const route = walk.flow.routes.find(({ match }) => number.startsWith(match));
  return route === undefined || route.hops.length === 0
    ? noRoute(walk, number, route)
    : callByRoute(walk, route, number, caller);
}

/** A call by this very route: of an E.164 number, or of digits as they were dialled. */
export function callByRoute(walk: Walk, route: FlowRoute, number: string, caller: Caller): CallOutcome {
  if (route.hops.length === 0) return noRoute(walk, number, route);
  const sent = route.prepend + number.slice(route.strip);
  walk.decisions.push({ step: 'route', number, route: route.name, match: route.match, sent });
  return tryHops(walk, route.hops, {
    numberOf: (hop) => sentNumber(sent, hop),
    shownBy: (hop) => shownNumber(hop, route, caller),
    passes: (cause) => route.failover.includes(cause),
    mayRefuse: true,
  });
}

/** A call to an emergency number: as it was dialled, over whatever trunk takes it. */
export function callEmergency(walk: Walk, { number, callerId, hops }: FlowEmergency): CallOutcome {
  if (hops.length === 0) return noRoute(walk, number, undefined);
  return tryHops(walk, hops, {
    numberOf: () => number,
    shownBy: () => ({ origin: 'emergency', number: callerId }),
    passes: () => true,
    mayRefuse: false,
  });
}

function noRoute(walk: Walk, number: string, route: FlowRoute | undefined): CallOutcome {
  walk.decisions.push({
    step: 'route',
    number,
    route: route?.name ?? null,
    match: route?.match ?? null,
    sent: null,
  });
  return refused(3);
}

function shownNumber(
  hop: Hop,
  route: FlowRoute,
  { origin, callerId }: Caller,
): { origin: CallerIdOrigin; number: string | null } {
  if (route.callerId !== null) return { origin: 'route', number: route.callerId };
  if (callerId !== null) return { origin, number: callerId };
  return hop.callerId === null ? { origin: 'none', number: null } : { origin: 'trunk', number: hop.callerId };
}

interface Sending {
  numberOf: (hop: Hop) => string;
  shownBy: (hop: Hop) => { origin: CallerIdOrigin; number: string | null };
  /** Whether the next hop is tried after this cause. */
  passes: (q850: number) => boolean;
  /** False: a trunk at its limit is used all the same. */
  mayRefuse: boolean;
}

/** ITU-T Q.850: what the caller is told of a trunk that could not even be asked: busy, no circuit available. */
const notAsked = { limit: 17, unreachable: 34 } as const;

function tryHops(walk: Walk, hops: readonly Hop[], sending: Sending): CallOutcome {
  let last: number = notAsked.unreachable;
  for (const [at, hop] of hops.entries()) {
    const shown = sending.shownBy(hop);
    const attempt: HopAttempt = {
      trunk: hop.trunk,
      number: sending.numberOf(hop),
      callerId: shown.number === null ? null : toWire(shown.number, hop.format),
      result: hopResult(walk, hop, sending.mayRefuse),
    };
    const { result } = attempt;
    const passed = result !== 'answered' && (typeof result !== 'number' || sending.passes(result));
    const next = passed && at + 1 < hops.length;
    walk.decisions.push({ step: 'hop', ...attempt, callerIdOf: shown.origin, next });
    walk.hops.push(attempt);
    walk.record ||= sending.mayRefuse && hop.record;
    walk.variables.SIPCTL_TRUNK = hop.trunk;
    if (result === 'answered') return answeredBy(walk, attempt);
    last = typeof result === 'number' ? result : notAsked[result];
    if (!passed) break;
  }
  return refused(last);
}

function hopResult(walk: Walk, hop: Hop, mayRefuse: boolean): HopAttempt['result'] {
  const over = overLimit(walk, 'trunk', hop.trunk, hop.maxCalls);
  if (over && mayRefuse) return 'limit';
  const state = walk.world.trunks?.[hop.trunk];
  return state === 'down' ? 'unreachable' : (state ?? 'answered');
}

function answeredBy(walk: Walk, { trunk, number, callerId }: HopAttempt): CallOutcome {
  walk.answered = true;
  return { kind: 'outside', trunk, number, callerId };
}
