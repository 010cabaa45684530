import type { Emergency, Route } from '../call-nouns.ts';
import type { Trunk } from '../nouns.ts';
import type { ResolvedTrunk, TenantSite } from '../site.ts';
import type { FlowEmergency, FlowRoute, Hop } from './call-flow.ts';
import type { NumberingPlan } from './numbering.ts';
import { wireFormat } from './wire-format.ts';

/** Causes of a carrier that is down or full, ITU-T Q.850: another one may do better. */
const defaultFailover = [3, 27, 34, 38, 41, 42, 44, 47];
/** Seconds. */
const defaultRingTime = 60;

/** The ways out of a tenant. */
export interface WaysOut {
  /** To E.164 numbers. */
  routes: FlowRoute[];
  /** To digits as dialled. */
  digitRoutes: FlowRoute[];
  emergencies: FlowEmergency[];
}

/** A caller ID that the tenant may show; a number of its own that takes no part in outside calls it may not. */
export type Showable = (number: string | null) => string | null;

/** Routes and emergency numbers with the trunks that can carry them, in the order they are tried. */
export function waysOut(
  site: TenantSite,
  trunks: readonly ResolvedTrunk[],
  plan: NumberingPlan | null,
  showable: Showable,
): WaysOut {
  const hops = hopsInOrder(site.trunks, trunks, plan, showable);
  const routes = enabledByName(site.routes).flatMap((route) => flowRoutes(route, hops, showable));
  if (site.routes.length === 0 && hops.length > 0) routes.push(implicitRoute(hops));
  return {
    routes: distinct(routes.filter(({ match }) => match.startsWith('+'))).sort(
      (one, other) => other.match.length - one.match.length || compare(one.match, other.match),
    ),
    digitRoutes: distinct(routes.filter(({ match }) => !match.startsWith('+'))),
    emergencies: site.emergencies
      .filter(({ enabled }) => enabled)
      .map((one) => flowEmergency(one, hops))
      .sort((one, other) => compare(one.number, other.number)),
  };
}

// The tenant's default trunk, then by priority, then by name: the same on every machine.
function hopsInOrder(
  stored: readonly Trunk[],
  trunks: readonly ResolvedTrunk[],
  plan: NumberingPlan | null,
  showable: Showable,
): Hop[] {
  const resolved = new Map(trunks.map((trunk) => [trunk.name, trunk]));
  return [...stored]
    .sort(
      (one, other) =>
        Number(other.isDefault) - Number(one.isDefault) ||
        one.priority - other.priority ||
        compare(one.name, other.name),
    )
    .flatMap(({ name, record }) => {
      const trunk = resolved.get(name);
      return trunk?.outbound === true ? [{ ...hopOf(trunk, plan, showable), record }] : [];
    });
}

const hopOf = (
  trunk: ResolvedTrunk,
  plan: NumberingPlan | null,
  showable: Showable,
): Omit<Hop, 'record'> => ({
  trunk: trunk.name,
  endpoint: trunk.id,
  maxCalls: trunk.maxCalls,
  format: wireFormat(trunk.numberFormat, plan),
  callerId: showable(trunk.did),
  techPrefix: trunk.techPrefix ?? '',
});

const named = (names: readonly string[] | null, hops: readonly Hop[]): Hop[] =>
  names === null ? [...hops] : names.flatMap((name) => hops.find(({ trunk }) => trunk === name) ?? []);

const flowRoutes = (route: Route, hops: readonly Hop[], showable: Showable): FlowRoute[] =>
  route.match.map((match) => ({
    name: route.name,
    match,
    hops: named(route.trunks, hops),
    failover: route.failover?.map(Number) ?? defaultFailover,
    strip: route.strip,
    prepend: route.prepend ?? '',
    callerId: showable(route.callerId),
    ringTime: route.ringTime,
  }));

const implicitRoute = (hops: readonly Hop[]): FlowRoute => ({
  name: 'default',
  match: '+',
  hops,
  failover: defaultFailover,
  strip: 0,
  prepend: '',
  callerId: null,
  ringTime: defaultRingTime,
});

// Where none of its own trunks is in use, any way out is better than none: these calls are never refused.
function flowEmergency({ number, callerId, trunks }: Emergency, hops: readonly Hop[]): FlowEmergency {
  const own = named(trunks, hops);
  return { number, callerId, hops: own.length > 0 ? own : hops };
}

const enabledByName = (routes: readonly Route[]): Route[] =>
  routes.filter(({ enabled }) => enabled).sort((one, other) => compare(one.name, other.name));

// Two routes for the same numbers: the first by name counts.
const distinct = (routes: readonly FlowRoute[]): FlowRoute[] =>
  routes.filter((route, at) => routes.findIndex(({ match }) => match === route.match) === at);

// By code unit, whatever the locale.
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
