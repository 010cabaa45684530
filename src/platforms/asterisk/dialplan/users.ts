import type { FlowGroup, FlowUser } from '../../../model/flow/call-flow.ts';
import { boxOf, type Plan, sendTo, userOf } from './destinations.ts';
import {
  type Context,
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
import { consent, recorded, recordedFromOutside, wanted } from './recording.ts';

/** Everything that makes phones ring, and what comes after where nobody answers. */
export function ringing(plan: Plan): Context[] {
  const { flow } = plan;
  if (flow.users.length === 0 && flow.groups.length === 0) return [];
  return [
    users(plan),
    ...flow.groups.map((group) => ringGroup(plan, group)),
    ring(plan),
    ...(flow.groups.length > 0 ? [member(plan), ringMembers(plan)] : []),
    contacts(plan),
    ringingPhone(plan),
    answeringPhone(plan),
    ...(flow.users.some(({ mailbox }) => mailbox !== null) ? [voicemail(plan)] : []),
    unanswered(plan),
  ];
}

function users(plan: Plan): Context {
  return {
    name: plan.names.routine('users'),
    about: 'Each user: rings the phones for some seconds, then what comes if nobody answers.',
    owner: '',
    includes: [],
    extensions: plan.flow.users.map((user) =>
      extension(
        word(user.extension),
        [...wanted(user.record), ringUser(plan, user, user.ringTime), afterwards(plan, user)],
        `user ${word(user.name)}`,
      ),
    ),
  };
}

const ringUser = ({ names }: Plan, { extension, endpoint, maxCalls }: FlowUser, seconds: number): Step =>
  gosub(names.routine('ring'), word(extension), word(endpoint), maxCalls, seconds);

function afterwards(plan: Plan, user: FlowUser): Step {
  if (user.unanswered !== null) return sendTo(plan, user.unanswered);
  if (user.mailbox !== null) return gosub(plan.names.routine('voicemail'), boxOf(user));
  return goto(plan.names.routine('unanswered'));
}

function ringGroup(plan: Plan, group: FlowGroup): Context {
  const { names } = plan;
  const all = group.strategy === 'all';
  const members = group.members.flatMap((one): Step[] => {
    if (one.kind === 'external') {
      const channel = `Local/${word(one.number)}@${names.routine('external')}/n`;
      return [all ? set('PHONES', `\${PHONES}&${channel}`) : step('Dial', `${channel},${group.ringTime}`)];
    }
    const user = userOf(plan, one.name);
    if (!all) return [...wanted(user.record), ringUser(plan, user, group.ringTime)];
    const phones = gosub(names.routine('member'), word(user.extension), word(user.endpoint), user.maxCalls);
    return [...wanted(user.record), phones];
  });
  const steps = all
    ? [set('PHONES', ''), ...members, gosub(names.routine('ring-members'), group.ringTime)]
    : members;
  const end = group.unanswered === null ? hangup(causes.noAnswer) : sendTo(plan, group.unanswered);
  const about = all ? 'all at once' : 'one after another';
  return routine(
    names.of('group', group.name),
    `Rings the members ${about}, ${group.ringTime} seconds.`,
    [...steps, end],
    `group ${word(group.name)}`,
  );
}

/** Q.850 causes that tell a caller why nobody answered. */
const causes = { busy: 17, noAnswer: 19, unavailable: 20 } as const;

const ring = (plan: Plan): Context =>
  routine(
    plan.names.routine('ring'),
    'Rings a user: extension, endpoint, call limit, seconds. Comes back if nobody answers.',
    [
      gosub(plan.names.routine('contacts'), '${ARG1}', '${ARG2}', '${ARG3}'),
      gotoIf('${LEN(${CONTACTS})} = 0', 'done'),
      ...recordedFromOutside(plan),
      step('Dial', `\${CONTACTS},\${ARG4},${onPhones(plan)}`),
      set('OUTCOME', '${IF($["${DIALSTATUS}" = "BUSY"]?BUSY:NOANSWER)}'),
      step('Return', '', 'done'),
    ],
  );

// Both run on the called phone. U knows no extension but `s`.
const onPhones = (plan: Plan): string =>
  `b(${plan.names.routine('ringing')}^s^1)U(${plan.names.routine('answered')})${consent(plan)}`;

const member = ({ names }: Plan): Context =>
  routine(names.routine('member'), 'Adds the phones of a member: extension, endpoint, call limit.', [
    gosub(names.routine('contacts'), '${ARG1}', '${ARG2}', '${ARG3}'),
    gotoIf('${LEN(${CONTACTS})} = 0', 'done'),
    set('PHONES', '${PHONES}&${CONTACTS}'),
    step('Return', '', 'done'),
  ]);

const ringMembers = (plan: Plan): Context =>
  routine(plan.names.routine('ring-members'), 'Rings the phones that were added: seconds.', [
    gotoIf('${LEN(${PHONES})} = 0', 'done'),
    ...recordedFromOutside(plan),
    step('Dial', `\${PHONES:1},\${ARG1},${onPhones(plan)}`),
    step('Return', '', 'done'),
  ]);

// What a phone may write into its Contact, without what would be another argument or another channel to Dial.
const contactCharacters = String.raw`A-Za-z0-9:\x3b@.=+_~%/[]*\x2d`;

/** Phones that are looked for on one call, after which it is taken to go round in circles; more than any group has. */
const mostLooks = 1000;

const contacts = ({ names }: Plan): Context =>
  routine(
    names.routine('contacts'),
    'Finds the phones of a user: extension, endpoint, call limit. A phone wrote its own address: it is looked at first.',
    [
      // Users who send their calls to each other, and are both away, would keep Asterisk busy until the caller gives up.
      set('LOOKED', '$[0${LOOKED} + 1]'),
      when(`\${LOOKED} > ${mostLooks}`, hangup(causes.unavailable)),
      set('CONTACTS', ''),
      set('OUTCOME', 'BUSY'),
      gotoIf(`\${ARG3} > 0 & \${GROUP_COUNT(${names.tenant}.\${ARG1}@sipctl_user)} >= \${ARG3}`, 'done'),
      set('OUTCOME', 'UNAVAILABLE'),
      set('CONTACTS', '${PJSIP_DIAL_CONTACTS(${ARG2})}'),
      set('WRITTEN', '${STRREPLACE(CONTACTS,&PJSIP/${ARG2}/)}'),
      when(
        `\${LEN(\${FILTER(${contactCharacters},\${WRITTEN})})} != \${LEN(\${WRITTEN})}`,
        set('CONTACTS', ''),
      ),
      step('Return', '', 'done'),
    ],
  );

// Several phones of one user that ring for one call are one call: only the first is counted, and the one that answers.
function ringingPhone({ names }: Plan): Context {
  const sameCall = `\${SIPCTL_CALL}.${names.tenant}.\${SIPCTL_USER}`;
  return routine(
    names.routine('ringing'),
    'On a phone, before it rings: counts the call of its user, once.',
    [
      gotoIf('"${SIPCTL_USER}" = ""', 'done'),
      when(`\${GROUP_COUNT(${sameCall}@sipctl_ringing)} = 0`, counted(names.tenant)),
      set('GROUP(sipctl_ringing)', sameCall),
      step('Return', '', 'done'),
    ],
  );
}

const counted = (tenant: string): Step => set('GROUP(sipctl_user)', `${tenant}.\${SIPCTL_USER}`);

const answeringPhone = (plan: Plan): Context =>
  routine(
    plan.names.routine('answered'),
    'On a phone that answers: its call counts. A caller from outside can then be transferred in the name of its user.',
    [
      ...recorded(plan),
      gotoIf('"${SIPCTL_USER}" = ""', 'done'),
      counted(plan.names.tenant),
      when('"${SIPCTL_DIRECTION}" = "inbound"', set('MASTER_CHANNEL(SIPCTL_USER)', '${SIPCTL_USER}')),
      step('Return', '', 'done'),
    ],
  );

const voicemail = ({ names }: Plan): Context =>
  routine(names.routine('voicemail'), 'Takes a message: box.', [
    step('VoiceMail', '${ARG1},${IF($["${OUTCOME}" = "BUSY"]?b:u)}'),
    hangup(16),
  ]);

const unanswered = ({ names }: Plan): Context =>
  routine(names.routine('unanswered'), 'Tells the caller why nobody answered.', [
    when('"${OUTCOME}" = "BUSY"', hangup(causes.busy)),
    when('"${OUTCOME}" = "UNAVAILABLE"', hangup(causes.unavailable)),
    hangup(causes.noAnswer),
  ]);
