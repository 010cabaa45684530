import type { FlowGroup, FlowUser, GroupMember } from '../../../model/flow/call-flow.ts';
import { word } from '../words.ts';
import {
  type Action,
  action,
  always,
  type Context,
  condition,
  dialled,
  extension,
  hangup,
  oneOf,
  set,
  transfer,
} from './dialplan.ts';
import { counted, limited, type Plan, sendTo, takeMessage, transferredBy, usage, userOf } from './plan.ts';
import { recorded } from './recording.ts';

/** Everything that makes phones ring, and what comes after where nobody answers. */
export function ringing(plan: Plan): Context[] {
  const { flow } = plan;
  if (flow.users.length === 0 && flow.groups.length === 0) return [];
  return [users(plan), ...flow.groups.map((group) => ringGroup(plan, group)), unanswered(plan)];
}

const users = (plan: Plan): Context => ({
  name: plan.names.context('users'),
  extensions: plan.flow.users.map((user) =>
    extension(`user ${word(user.name)}`, [
      dialled(oneOf([user.extension]), [...ringUser(plan, user, user.ringTime), ...afterwards(plan, user)]),
    ]),
  ),
});

/** Comes back where nobody answers; the disposition is then empty where the user had no room for another call. */
const ringUser = (plan: Plan, user: FlowUser, seconds: number): Action[] => [
  ...recorded(plan, user.record),
  set('continue_on_fail', 'true'),
  set('call_timeout', seconds),
  set('originate_disposition', ''),
  transferredBy(user.extension),
  limited(plan, counted.user(user.extension), user.maxCalls, action('bridge', phonesOf(plan, user))),
];

/** All phones that are registered. */
const phonesOf = ({ domain }: Plan, { name }: FlowUser): string => `user/${word(name)}@${word(domain)}`;

function afterwards(plan: Plan, user: FlowUser): Action[] {
  if (user.unanswered !== null) return sendTo(plan, user.unanswered);
  if (user.mailbox !== null) return takeMessage(plan, user);
  return [transfer(plan.names.context('unanswered'))];
}

function ringGroup(plan: Plan, group: FlowGroup): Context {
  const ring = group.strategy === 'all' ? ringTogether(plan, group) : ringInOrder(plan, group);
  const end = group.unanswered === null ? hangup(noAnswer) : sendTo(plan, group.unanswered);
  return {
    name: plan.names.of('group', group.name),
    extensions: [extension(`group ${word(group.name)}`, [always([...ring, ...end])])],
  };
}

const ringInOrder = (plan: Plan, { members, ringTime }: FlowGroup): Action[] =>
  members.flatMap((member) =>
    member.kind === 'user'
      ? ringUser(plan, userOf(plan, member.name), ringTime)
      : ringAll(ringTime, outside(plan, member)),
  );

function ringTogether(plan: Plan, { members, ringTime }: FlowGroup): Action[] {
  if (members.length === 0) return [];
  const all = members.map((member) =>
    member.kind === 'user' ? phonesOfMember(plan, member.name) : outside(plan, member),
  );
  // Those that ring at once are calls of their own, which know nothing of the caller's time-out.
  const record = members.some((one) => one.kind === 'user' && userOf(plan, one.name).record);
  return [
    ...recorded(plan, record),
    ...ringAll(ringTime, `<originate_timeout=${ringTime}>${all.join(atOnce)}`),
  ];
}

// Each member is rung by itself: in a list with commas, only the first phone of a user would ring.
const atOnce = ':_:';

const ringAll = (seconds: number, data: string): Action[] => [
  set('continue_on_fail', 'true'),
  set('call_timeout', seconds),
  // Who of all these answers is not known before.
  transferredBy(null),
  action('bridge', data),
];

// Counted on the phone: of all that ring for one call, one is left that talks.
function phonesOfMember(plan: Plan, name: string): string {
  const user = userOf(plan, name);
  if (user.maxCalls === 0) return phonesOf(plan, user);
  const of = counted.user(user.extension);
  const phones = `[execute_on_originate='limit hash sipctl.${plan.names.tenant} ${of} -1']${phonesOf(plan, user)}`;
  return `\${cond(${usage(plan, of)} < ${user.maxCalls} ? ${phones} : error/user_busy)}`;
}

/** A call of the tenant itself, which goes through its routes. */
const outside = ({ names }: Plan, { number }: Extract<GroupMember, { kind: 'external' }>): string =>
  `loopback/${word(number)}/${names.context('external')}/XML`;

const busy = 17;
const noAnswer = 19;
const unavailable = 20;

const disposition = '${originate_disposition}';

/** Tells the caller why nobody answered. */
const unanswered = ({ names }: Plan): Context => ({
  name: names.context('unanswered'),
  extensions: [
    extension('busy, or no room for another call', [
      condition(disposition, '^(?:USER_BUSY)?$', hangup(busy)),
    ]),
    extension('no phone', [
      condition(disposition, '^(?:USER_NOT_REGISTERED|SUBSCRIBER_ABSENT)$', hangup(unavailable)),
    ]),
    extension('no answer', [always(hangup(noAnswer))]),
  ],
});
