import type { FlowEmergency, FlowRoute, Hop, WireFormat } from '../../../model/flow/call-flow.ts';
import type { Plan } from './destinations.ts';
import {
  type Context,
  type Extension,
  extension,
  gosub,
  goto,
  gotoIf,
  hangup,
  routine,
  type Step,
  set,
  step,
  when,
  word,
} from './dialplan.ts';
import { consent, emergencyWish, recordedAtAnswer, wantedWhen } from './recording.ts';

/**
 * The ways out of the tenant:
 *
 *   user dials ─ outside ─┬─ a number of our own ─ numbers
 *                         └─ permitted? ─┐
 *   number, group, menu ─ external ──────┴─ routes ─ hop, hop, …
 */
export function waysOut(plan: Plan): Context[] {
  const { flow } = plan;
  const emergencies = flow.dialled.some(({ action }) => action.kind === 'emergency');
  const outside = flow.users.length > 0 ? [dialledOutside(plan), permitted(plan)] : [];
  const hops = hopsOf(plan);
  return [
    ...outside,
    external(plan),
    routes(plan),
    ...(hops.length > 0 || emergencies ? [hop(plan, hops), leg(plan), write(plan, hops)] : []),
  ];
}

/** Q.850 causes. */
const noRoute = 3;
const busy = 17;
const unavailable = 34;
const forbidden = 21;
const invalidNumber = 28;

function dialledOutside({ flow, names }: Plan): Context {
  const national =
    flow.callingCode === ''
      ? []
      : [gotoIf(`"\${EXTEN:1:${flow.callingCode.length}}" = "${word(flow.callingCode)}"`, 'permitted')];
  return {
    name: names.routine('outside'),
    about: 'A user dialled a number of the outside, here in E.164. Is it one of our own, is it one at all?',
    owner: '',
    includes: [],
    extensions: [
      extension('_+!', [
        step(
          'GotoIf',
          `\${DIALPLAN_EXISTS(${names.routine('numbers')},\${EXTEN},1)}?${names.routine('numbers')},\${EXTEN},1`,
        ),
        when('"${FILTER(0-9,${EXTEN:1})}" != "${EXTEN:1}"', hangup(invalidNumber)),
        when('${LEN(${EXTEN})} < 8 | ${LEN(${EXTEN})} > 16', hangup(invalidNumber)),
        ...national,
        when('"${TOLL_CLASS}" = "national"', hangup(forbidden)),
        { ...gosub(names.routine('permitted')), label: 'permitted' },
        goto(names.routine('routes'), '${EXTEN}'),
      ]),
    ],
  };
}

const permitted = ({ names }: Plan): Context =>
  routine(names.routine('permitted'), 'May the caller call outside at all?', [
    when('"${TOLL_CLASS}" = "internal"', hangup(forbidden)),
    set('__SIPCTL_DIRECTION', 'outbound'),
    step('Return'),
  ]);

const external = ({ flow, names }: Plan): Context => ({
  name: names.routine('external'),
  about: 'A call that the tenant itself makes to the outside, in its own name.',
  owner: '',
  includes: [],
  extensions: [
    extension('_+!', [
      set('CHANNEL(accountcode)', names.tenant),
      set('SHOWN', word(flow.callerId ?? '')),
      goto(names.routine('routes'), '${EXTEN}'),
    ]),
  ],
});

function routes(plan: Plan): Context {
  const { flow, names } = plan;
  const extensions: Extension[] = [];
  for (const route of flow.routes) {
    const pattern = `_${word(route.match)}!`;
    if (extensions.some((one) => one.pattern === pattern)) continue;
    extensions.push(extension(pattern, hopSteps(plan, route), `route ${word(route.name)}`));
  }
  if (!flow.routes.some(({ match }) => match === '+')) extensions.push(extension('_+!', [hangup(noRoute)]));
  return {
    name: names.routine('routes'),
    about: 'Numbers in E.164: the trunks of each route, in the order they are tried.',
    owner: '',
    includes: [],
    extensions,
  };
}

/** The hops of a route, which begin at the number that was matched, in EXTEN. */
export function hopSteps(plan: Plan, route: FlowRoute): Step[] {
  const rest = route.strip === 0 ? '${EXTEN}' : `\${EXTEN:${route.strip}}`;
  const failover = `-${route.failover.join('-')}-`;
  return [
    set('NUMBER', `${word(route.prepend)}${rest}`),
    ...(route.callerId === null ? [] : [set('SHOWN', word(route.callerId))]),
    ...(route.hops.length === 0 ? [] : [set('FAILOVER', failover)]),
    ...tried(plan, route.hops, (one) => hopStep(plan, one, route.ringTime)),
  ];
}

/** Seconds that a trunk may take for an emergency call before the next one is tried. */
const emergencyRingTime = 60;

/** An emergency call: the number as it was dialled, and no limit that could stop it. */
export const emergencySteps = (plan: Plan, { number, callerId, hops }: FlowEmergency): Step[] => [
  set('__SIPCTL_DIRECTION', 'emergency'),
  ...emergencyWish(plan),
  set('NUMBER', word(number)),
  set('SHOWN', word(callerId)),
  set('FAILOVER', 'always'),
  ...tried(plan, hops, (one) =>
    hopStep(plan, { ...one, maxCalls: 0, techPrefix: '', record: false }, emergencyRingTime),
  ),
];

// A hop comes back only where the next one is to be tried.
const tried = (_plan: Plan, hops: readonly Hop[], stepOf: (hop: Hop) => Step): Step[] =>
  hops.length === 0 ? [hangup(noRoute)] : [...hops.map(stepOf), hangup('${CAUSE}')];

const hopStep = ({ names }: Plan, hop: Hop, seconds: number): Step =>
  gosub(
    names.routine('hop'),
    word(hop.trunk),
    word(hop.endpoint),
    hop.maxCalls,
    seconds,
    formatName(hop.format),
    word(hop.techPrefix),
    word(hop.callerId ?? ''),
    ...(hop.record ? ['yes'] : []),
  );

function hop(plan: Plan, hops: readonly Hop[]): Context {
  const { names } = plan;
  return routine(
    names.routine('hop'),
    'Calls over one trunk: name, endpoint, call limit, seconds, form of numbers, tech prefix, its own number.',
    [
      ...(hops.some(({ record }) => record) ? [wantedWhen('"${ARG8}" = "yes"')] : []),
      set('CAUSE', busy),
      gotoIf('${ARG3} > 0 & ${GROUP_COUNT(${ARG2}@sipctl_trunk)} >= ${ARG3}', 'next'),
      set('CAUSE', unavailable),
      gotoIf('${LEN(${PJSIP_DIAL_CONTACTS(${ARG2})})} = 0', 'next'),
      set('__SIPCTL_TRUNK', '${ARG1}'),
      step('Gosub', `${names.routine('write')},\${ARG5},1(\${IF($["\${SHOWN}" = ""]?\${ARG7}:\${SHOWN})})`),
      when('"${GOSUB_RETVAL}" != ""', set('CALLERID(num)', '${GOSUB_RETVAL}')),
      step('Gosub', `${names.routine('write')},\${ARG5},1(\${NUMBER})`),
      step(
        'Dial',
        `PJSIP/\${ARG6}\${GOSUB_RETVAL}@\${ARG2},\${ARG4},b(${names.routine('leg')}^s^1(\${ARG2}))${recordedAtAnswer(plan)}${consent(plan)}`,
      ),
      // No cause: nobody answered in time.
      set('CAUSE', '${IF($[0${HANGUPCAUSE} = 0 | 0${HANGUPCAUSE} = 16]?19:${HANGUPCAUSE})}'),
      gotoIf('"${FAILOVER}" = "always" | "${FAILOVER}" =~ "-${CAUSE}-"', 'next'),
      hangup('${CAUSE}'),
      step('Return', '', 'next'),
    ],
  );
}

const leg = ({ names }: Plan): Context =>
  routine(names.routine('leg'), 'On the call over a trunk: counts it there.', [
    set('GROUP(sipctl_trunk)', '${ARG1}'),
    step('Return'),
  ]);

/** How a number in E.164 is written to a carrier; what is none stays as it is. */
function write({ names }: Plan, hops: readonly Hop[]): Context {
  const formats = new Map(hops.map(({ format }) => [formatName(format), format]));
  return {
    name: names.routine('write'),
    about: 'Writes a number as a carrier wants it.',
    owner: '',
    includes: [],
    extensions: [...formats].map(([name, format]) => extension(name, writing(format))),
  };
}

const formatName = (format: WireFormat): string =>
  format.kind === 'national'
    ? word(`national.${format.callingCode}.${format.nationalPrefix}.${format.internationalPrefix}`)
    : format.kind;

function writing(format: WireFormat): Step[] {
  const asItIs = step('Return', '${ARG1}');
  const isE164 = '"${ARG1:0:1}" = "+"';
  switch (format.kind) {
    case 'plus':
      return [asItIs];
    case 'digits':
      return [when(isE164, step('Return', '${ARG1:1}')), asItIs];
    case 'national': {
      const code = `+${word(format.callingCode)}`;
      return [
        when(
          `"\${ARG1:0:${code.length}}" = "${code}"`,
          step('Return', `${word(format.nationalPrefix)}\${ARG1:${code.length}}`),
        ),
        when(isE164, step('Return', `${word(format.internationalPrefix)}\${ARG1:1}`)),
        asItIs,
      ];
    }
  }
}

const hopsOf = ({ flow }: Plan): Hop[] => [
  ...flow.routes.flatMap(({ hops }) => hops),
  ...flow.dialled.flatMap(({ action }) =>
    action.kind === 'route' ? action.route.hops : action.kind === 'emergency' ? action.emergency.hops : [],
  ),
];
