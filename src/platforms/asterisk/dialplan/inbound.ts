import type { FlowSchedule, FlowTrunk, InboundNumber } from '../../../model/flow/call-flow.ts';
import { trunkId } from '../../../model/identity.ts';
import { type Plan, sendTo } from './destinations.ts';
import {
  type Context,
  type Extension,
  extension,
  gosub,
  goto,
  gotoIf,
  hangup,
  labelled,
  routine,
  type Step,
  set,
  step,
  when,
  word,
} from './dialplan.ts';
import { recording, wanted, wantedWhen } from './recording.ts';

/** Calls that carriers bring, from the number they are for to its destination. */
export function receiving(plan: Plan): Context[] {
  const { flow } = plan;
  return [
    entry(plan),
    number(plan),
    numbers(plan),
    ...flow.schedules.map((schedule) => hours(plan, schedule)),
    ...recording(plan),
  ];
}

const unallocated = 1;
const busy = 17;

/**
 * The request URI names the number called, unless it names our account at the carrier, or nobody (`s`): then To does
 * (RFC 3261 §8.1.1.2). What a carrier writes there is compared only when it consists of digits.
 */
function entry({ flow, names }: Plan): Context {
  const numeric = flow.accounts.filter((account) => /^\+?[0-9]+$/.test(account));
  return {
    name: `from-trunk-${names.tenant}`,
    about: 'A carrier brings a call: for the number in the request URI, else for the one in To.',
    owner: '',
    includes: [],
    extensions: [
      extension('_[+0-9A-Za-z]!', [
        gosub(names.routine('start'), 'inbound'),
        set('__SIPCTL_TRUNK', '${SIPCTL_TRUNK}'),
        set('GROUP(sipctl_trunk)', `${trunkId(names.tenant, '')}\${SIPCTL_TRUNK}`),
        set('WRITTEN', '${EXTEN}'),
        gosub(names.routine('number')),
        ...numeric.map((account) => gotoIf(`"\${CALLED}" = "${word(account)}"`, 'to')),
        step('GotoIf', '${GOSUB_RETVAL}?found'),
        set('WRITTEN', '${PJSIP_PARSE_URI(${CHANNEL(pjsip,local_uri)},user)}', 'to'),
        gosub(names.routine('number')),
        step('GotoIf', '${GOSUB_RETVAL}?found'),
        hangup(unallocated),
        labelled('found', gosub(names.routine('limits'))),
        ...flow.trunks
          .filter(({ record }) => record)
          .map(({ name }) => wantedWhen(`"\${SIPCTL_TRUNK}" = "${word(name)}"`)),
        ...flow.trunks.filter(({ maxCalls }) => maxCalls > 0).map(trunkLimit),
        goto(names.routine('numbers'), '${CALLED}'),
      ]),
    ],
  };
}

const trunkLimit = ({ name, endpoint, maxCalls }: FlowTrunk): Step =>
  when(
    `"\${SIPCTL_TRUNK}" = "${word(name)}" & \${GROUP_COUNT(${word(endpoint)}@sipctl_trunk)} > ${maxCalls}`,
    hangup(busy),
  );

const number = ({ names }: Plan): Context =>
  routine(names.routine('number'), 'Is that which a carrier wrote a number of the tenant?', [
    set('CALLED', '${FILTER(+0-9,${WRITTEN})}'),
    when('${LEN(${CALLED})} != ${LEN(${WRITTEN})}', set('CALLED', '')),
    step('Return', `\${DIALPLAN_EXISTS(${names.routine('numbers')},\${CALLED},1)}`),
  ]);

function numbers(plan: Plan): Context {
  const extensions: Extension[] = [];
  const seen = new Set<string>();
  for (const one of plan.flow.inbound) {
    const owner = `number ${word(one.number)}`;
    extensions.push(extension(one.number, numberSteps(plan, one), owner));
    seen.add(one.number);
    for (const form of one.forms) {
      if (seen.has(form)) continue;
      seen.add(form);
      extensions.push(extension(word(form), [step('Goto', `${one.number},1`)], owner));
    }
  }
  return {
    name: plan.names.routine('numbers'),
    about: 'The numbers of the tenant, and the other forms in which carriers write them.',
    owner: '',
    includes: [],
    extensions,
  };
}

function numberSteps(plan: Plan, one: InboundNumber): Step[] {
  const { names } = plan;
  return [
    set('__SIPCTL_NUMBER', one.number),
    ...one.variables.map(([name, value]) => set(word(name), word(value))),
    ...wanted(one.record),
    ...(one.schedule === null ? [] : [gosub(names.of('hours', one.schedule))]),
    sendTo(plan, one.destination),
  ];
}

function hours(plan: Plan, schedule: FlowSchedule): Context {
  const zone = word(schedule.timeZone);
  const holidays = schedule.holidays.map((day) =>
    gotoIf(`"\${TODAY${day.length > 5 ? '' : ':5'}}" = "${word(day)}"`, 'closed'),
  );
  return routine(
    plan.names.of('hours', schedule.name),
    `Comes back while it is open in ${zone}.`,
    [
      ...(holidays.length > 0 ? [set('TODAY', `\${STRFTIME(,${zone},%Y-%m-%d)}`), ...holidays] : []),
      ...schedule.open.map(({ days, from, to }) =>
        step('GotoIfTime', `${clock(from)}-${clock(to - 1)},${weekdays(days)},*,*,${zone}?open`),
      ),
      labelled('closed', sendTo(plan, schedule.closed)),
      step('Return', '', 'open'),
    ],
    `schedule ${word(schedule.name)}`,
  );
}

// Asterisk counts the last minute in.
const clock = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');

const dayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** `mon-fri`, `sat`, or `mon&wed` where they do not follow each other. Days count from 1, Monday. */
function weekdays(days: readonly number[]): string {
  const names = days.map((day) => dayNames[day - 1] as string);
  const isRun = days.every((day, at) => at === 0 || day === ((days[at - 1] as number) % 7) + 1);
  return isRun && names.length > 1 ? `${names[0]}-${names.at(-1)}` : names.join('&');
}
