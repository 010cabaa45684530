import { SipctlError } from '../../../errors.ts';
import type { FlowSchedule, InboundNumber } from '../../../model/flow/call-flow.ts';
import { word } from '../words.ts';
import { element } from '../xml/element.ts';
import {
  type Action,
  action,
  always,
  type Condition,
  type Context,
  condition,
  dialled,
  type Extension,
  extension,
  hangup,
  oneOf,
  quoted,
  set,
  share,
  transfer,
} from './dialplan.ts';
import { carried, counted, limit, type Plan, sendTo } from './plan.ts';
import { recorded } from './recording.ts';

const unallocated = 1;

/** Calls that carriers bring, from the number they are for to its destination. */
export function receiving(plan: Plan): Context[] {
  const { flow } = plan;
  return [
    entry(plan),
    arrived(plan),
    numbers(plan),
    open(plan),
    ...flow.schedules.map((schedule) => hours(plan, schedule)),
  ];
}

/** As many texts as one expression holds: PCRE compiles none to more than 64 KiB. */
const chunk = 200;

/** Expressions for any of these texts, which is their first group. */
export function inChunks(texts: readonly string[]): string[] {
  const expressions: string[] = [];
  for (let at = 0; at < texts.length; at += chunk) expressions.push(oneOf(texts.slice(at, at + chunk)));
  return expressions;
}

/** All forms of all numbers that may be called. */
export const knownForms = ({ flow }: Pick<Plan, 'flow'>): string[] => [
  ...new Set(flow.inbound.flatMap(({ number, forms }) => [number, ...forms])),
];

/** The fields in which a carrier names the number called. */
export const calledFields = ['destination_number', '${sip_to_user}'] as const;

/**
 * The request URI names the number called, unless it names our account at the carrier: then To does first
 * (RFC 3261 §8.1.1.2).
 */
function entry(plan: Plan): Context {
  const { flow, names } = plan;
  const known = inChunks(knownForms(plan));
  const go = [transfer(names.context('arrived'), '$1')];
  const trunks = flow.trunks.map(({ name }) => quoted(name)).join('|');
  const byField = (field: string, before: readonly Condition[] = []): Extension[] =>
    known.map((expression) => extension('a number', [...before, condition(field, expression, go)]));
  return {
    name: `from-trunk-${names.tenant}`,
    extensions: [
      extension('no trunk of the tenant', [
        condition('${SIPCTL_TRUNK}', `^(?!(?:${trunks})?$)`, hangup(unallocated)),
      ]),
      ...cleanCaller,
      extension(
        'every call',
        [
          always([
            ...carried(plan, 'inbound'),
            ...recorded(plan, flow.record),
            share('SIPCTL_TRUNK', '${SIPCTL_TRUNK}'),
            // A route out writes its own trunk over the other one.
            share('sipctl_came_over', '${SIPCTL_TRUNK}'),
          ]),
        ],
        true,
      ),
      ...(flow.accounts.length === 0 ? [] : byField('${sip_to_user}', [dialled(oneOf(flow.accounts))])),
      ...calledFields.flatMap((field) => byField(field)),
      extension('unknown', [always(hangup(unallocated))]),
    ],
  };
}

// A transfer brings what it likes into a context: nothing is taken on that could be a command.
const aNumber = '^([+*#0-9]+)$';

// FreeSWITCH takes the escapes out of a caller's name and number, and writes both into headers and mails as they then are:
// a line break would begin a header of the caller's own. (An expression goes through the expansion of variables, where two
// backslashes become one: \x5c is none of them.)
const cleanCaller: readonly Extension[] = [
  extension(
    'a number that is none',
    [
      condition('${caller_id_number}', '[^A-Za-z0-9+*#._-]', [
        action('set_profile_var', 'caller_id_number=anonymous'),
      ]),
    ],
    true,
  ),
  extension(
    'a name that is none',
    [
      condition('${caller_id_name}', '[\\x00-\\x1f\\x7f"<>\\x5c]', [
        action('set_profile_var', 'caller_id_name=${caller_id_number}'),
      ]),
    ],
    true,
  ),
];

// Numbers before limits: a call for nobody is told so, however many others there are.
const arrived = (plan: Plan): Context => ({
  name: plan.names.context('arrived'),
  extensions: [
    extension('limit of the tenant', [always([limit(plan, counted.tenant, plan.flow.maxCalls)])], true),
    ...plan.flow.trunks.map(({ name, maxCalls, record }) =>
      extension(
        `trunk ${word(name)}`,
        [
          condition('${SIPCTL_TRUNK}', `^${quoted(name)}$`, [
            limit(plan, counted.trunk(name), maxCalls),
            ...recorded(plan, record),
          ]),
        ],
        true,
      ),
    ),
    extension('on', [dialled(aNumber, [transfer(plan.names.context('numbers'), '$1')])]),
  ],
});

const numbers = (plan: Plan): Context => ({
  name: plan.names.context('numbers'),
  extensions: [
    ...plan.flow.inbound.map((one) =>
      extension(`number ${word(one.number)}`, [
        dialled(oneOf([...new Set([one.number, ...one.forms])]), [
          share('SIPCTL_NUMBER', word(one.number)),
          set('sipctl_number', word(one.number)),
          ...one.variables.map(([name, value]) => variable(name, value)),
          ...recorded(plan, one.record),
          ...(one.schedule === null
            ? sendTo(plan, one.destination)
            : [transfer(plan.names.of('hours', one.schedule), word(one.number))]),
        ]),
      ]),
    ),
    extension('unknown', [always(hangup(unallocated))]),
  ],
});

// Some of FreeSWITCH's variables are commands: they are none that a call should carry.
const commanding = /^(?:api_|execute_on_|exec_|bridge_|session_in_hangup_hook|transfer_|record_|sip_|rtp_)/i;

function variable(name: string, value: string): Action {
  if (!commanding.test(name) && /^[A-Za-z0-9 ._@:/+-]*$/.test(value)) return set(word(name), value);
  throw new SipctlError('invalid', {
    code: 'unwritable_variable',
    message: `the variable ${name} is a command to FreeSWITCH`,
    field: 'variables',
    hint: 'give it another name',
  });
}

// Where calls go while the schedule of their number is open.
const open = (plan: Plan): Context => ({
  name: plan.names.context('open'),
  extensions: plan.flow.inbound
    .filter(({ schedule }) => schedule !== null)
    .map((one: InboundNumber) =>
      extension(`number ${word(one.number)}`, [dialled(oneOf([one.number]), sendTo(plan, one.destination))]),
    ),
});

function hours(plan: Plan, schedule: FlowSchedule): Context {
  const closed = sendTo(plan, schedule.closed);
  const zone = word(schedule.timeZone);
  const today = `\${strftime_tz(${zone} %Y-%m-%d)}`;
  const holidays = schedule.holidays.map((day) => (day.length > 5 ? quoted(day) : `[0-9]{4}-${quoted(day)}`));
  const name = `schedule ${word(schedule.name)}`;
  return {
    name: plan.names.of('hours', schedule.name),
    extensions: [
      extension(name, [timeZone(zone)], true),
      ...(holidays.length === 0
        ? []
        : [extension(`${name}, holidays`, [condition(today, `^(?:${holidays.join('|')})$`, closed)])]),
      ...schedule.open.map(({ days, from, to }) =>
        extension(`${name}, open`, [
          // Days count from Monday, 1, in the model; minutes from 1 here.
          element('condition', {
            wday: days.map((day) => dayNames[day - 1] as string).join(','),
            'minute-of-day': `${from + 1}-${to}`,
          }),
          dialled(aNumber, [transfer(plan.names.context('open'), '$1')]),
        ]),
      ),
      extension(`${name}, closed`, [always(closed)]),
    ],
  };
}

const dayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

// Done while the call is held against the extensions, so that those after it are in the schedule's time.
const timeZone = (zone: string) =>
  element('condition', {}, [
    element('action', { application: 'set', data: `timezone=${zone}`, inline: 'true' }),
  ]);
