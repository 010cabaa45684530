import type { FlowEmergency, FlowRoute, Hop, WireFormat } from '../../../model/flow/call-flow.ts';
import { toWire } from '../../../model/flow/wire-format.ts';
import { word } from '../words.ts';
import {
  type Action,
  action,
  always,
  type Condition,
  type Context,
  condition,
  dialled,
  extension,
  hangup,
  quoted,
  set,
  share,
  transfer,
} from './dialplan.ts';
import { inChunks } from './numbers.ts';
import { counted, limited, type Plan, transferredBy } from './plan.ts';
import { recorded, silent } from './recording.ts';

/**
 * The ways out of the tenant:
 *
 *   user dials ─ outside ─┬─ a number of our own ─ numbers
 *                         └─ permitted? ─┐
 *   number, group, menu ─ external ──────┴─ routes ─ hop, hop, … ─ given up
 */
export function waysOut(plan: Plan): Context[] {
  const { flow } = plan;
  return [
    ...(flow.users.length > 0 ? [dialledOutside(plan)] : []),
    external(plan),
    routes(plan),
    givenUp(plan),
  ];
}

const noRoute = 3;
const busy = 17;
const forbidden = 21;
const invalidNumber = 28;
const unavailable = 34;

function dialledOutside({ flow, names }: Plan): Context {
  const own = inChunks(flow.inbound.map(({ number }) => number));
  return {
    name: names.context('outside'),
    extensions: [
      ...own.map((expression) =>
        extension('a number of our own', [dialled(expression, [transfer(names.context('numbers'), '$1')])]),
      ),
      extension('no number', [dialled('^(?!\\+[0-9]{7,15}$)', hangup(invalidNumber))]),
      extension('not for everybody', [condition('${toll_allow}', '^internal$', hangup(forbidden))]),
      extension('not abroad', [
        condition('${toll_allow}', '^internal,national$'),
        dialled(flow.callingCode === '' ? '^' : `^(?!\\+${quoted(flow.callingCode)})`, hangup(forbidden)),
      ]),
      extension('outside', [
        dialled('^(\\+[0-9]+)$', [
          share('SIPCTL_DIRECTION', 'outbound'),
          transfer(names.context('routes'), '$1'),
        ]),
      ]),
    ],
  };
}

const external = ({ flow, names }: Plan): Context => ({
  name: names.context('external'),
  extensions: [
    extension('in the name of the tenant', [
      dialled('^(\\+[0-9]+)$', [
        set('accountcode', names.tenant),
        set('limit_ignore_transfer', 'true'),
        set('hangup_after_bridge', 'true'),
        set('sipctl_shown', word(flow.callerId ?? '')),
        transfer(names.context('routes'), '$1'),
      ]),
    ]),
  ],
});

function routes(plan: Plan): Context {
  const { flow, names } = plan;
  return {
    name: names.context('routes'),
    extensions: [
      ...flow.routes.map((route) =>
        extension(`route ${word(route.name)}`, [
          dialled(expressionOf(route), [set('sipctl_sent', `${word(route.prepend)}$1`)]),
          ...routeHops(plan, route),
        ]),
      ),
      extension('no route', [always(hangup(noRoute))]),
    ],
  };
}

// What is left of the number after `strip` characters is the first group.
function expressionOf({ match, strip }: FlowRoute): string {
  const beyond = strip - match.length;
  if (beyond > 0) return `^${quoted(match)}[0-9]{${beyond}}([0-9]*)$`;
  return `^${quoted(match.slice(0, strip))}(${quoted(match.slice(strip))}[0-9]*)$`;
}

/** The hops of a route, for the number in sipctl_sent, after which there is no way back. */
export function routeHops(plan: Plan, route: FlowRoute): Condition[] {
  if (route.hops.length === 0) return [always(hangup(noRoute))];
  const causes = [...route.failover.map(String), ...unreachable].join(',');
  return [
    ...shownNumbers(route),
    always([
      set('continue_on_fail', causes),
      transferredBy(null),
      set('call_timeout', route.ringTime),
      ...route.hops.flatMap((hop, at) => hopActions(plan, hop, at)),
      transfer(plan.names.context('given-up')),
    ]),
  ];
}

/** What FreeSWITCH says where a trunk cannot be reached: nothing of it was heard of the trunk itself. */
const unreachable = ['GATEWAY_DOWN', 'INVALID_GATEWAY', 'RECOVERY_ON_TIMER_EXPIRE', 'PROGRESS_TIMEOUT'];

// Each hop writes the caller's number in its own form. Whether the caller has one is known when the call is there.
function shownNumbers({ callerId, hops }: FlowRoute): Condition[] {
  const shown = (at: number): string => `sipctl_shown_${at}`;
  if (callerId !== null)
    return [always(hops.map(({ format }, at) => set(shown(at), word(toWire(callerId, format)))))];
  const own = hops.map((hop, at) =>
    set(shown(at), hop.callerId === null ? '${caller_id_number}' : word(toWire(hop.callerId, hop.format))),
  );
  const callers = hops.map(({ format }, at) => set(shown(at), written('sipctl_shown', format)));
  return [condition('${sipctl_shown}', '^$', own, callers)];
}

function hopActions(plan: Plan, hop: Hop, at: number): Action[] {
  const number = `${word(hop.techPrefix)}${written('sipctl_sent', hop.format)}`;
  const bridge = action('bridge', `sofia/gateway/${word(hop.endpoint)}/${number}`);
  return [
    ...recorded(plan, hop.record),
    share('SIPCTL_TRUNK', word(hop.trunk)),
    set('effective_caller_id_number', `\${sipctl_shown_${at}}`),
    ...[set('originate_disposition', ''), limited(plan, counted.trunk(hop.trunk), hop.maxCalls, bridge)],
  ];
}

/** A variable that holds a number, as a carrier wants it; what is no E.164 stays as it is. */
function written(variable: string, format: WireFormat): string {
  const number = `\${${variable}}`;
  switch (format.kind) {
    case 'plus':
      return number;
    case 'digits':
      return `\${regex(${number}|^[+](.*)$|%1)}`;
    case 'national': {
      const { callingCode, nationalPrefix, internationalPrefix } = format;
      const national = `\${regex(${number}|^[+]${word(callingCode)}(.*)$|${word(nationalPrefix)}%1)}`;
      return `\${regex(${national}|^[+](.*)$|${word(internationalPrefix)}%1)}`;
    }
  }
}

/** Seconds that a trunk may take for an emergency call before the next one is tried. */
const emergencyRingTime = 60;

/** An emergency call: the number as it was dialled, and no limit that could stop it. */
export function emergencyHops(plan: Plan, { number, callerId, hops }: FlowEmergency): Action[] {
  if (hops.length === 0) return hangup(noRoute);
  return [
    share('SIPCTL_DIRECTION', 'emergency'),
    ...silent(plan),
    set('continue_on_fail', 'true'),
    transferredBy(null),
    set('call_timeout', emergencyRingTime),
    ...hops.flatMap(({ trunk, endpoint, format }) => [
      share('SIPCTL_TRUNK', word(trunk)),
      set('effective_caller_id_number', word(toWire(callerId, format))),
      set('originate_disposition', ''),
      limited(
        plan,
        counted.trunk(trunk),
        -1,
        action('bridge', `sofia/gateway/${word(endpoint)}/${word(number)}`),
      ),
    ]),
    transfer(plan.names.context('given-up')),
  ];
}

const disposition = '${originate_disposition}';

/** What the caller is told when no hop is left: of the last one, why it failed; nothing was tried where it was full. */
const givenUp = ({ names }: Plan): Context => ({
  name: names.context('given-up'),
  extensions: [
    extension('full', [condition(disposition, '^$', hangup(busy))]),
    extension('not reached', [condition(disposition, `^(${unreachable.join('|')})$`, hangup(unavailable))]),
    extension('refused', [condition(disposition, '^CALL_REJECTED$', hangup(forbidden))]),
    extension('failed', [condition(disposition, '^([A-Z_0-9]+)$', [action('hangup', '$1')])]),
  ],
});
