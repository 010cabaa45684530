import type { Problem } from '../errors.ts';
import type { Conference, Group, Ivr, Route, Schedule } from './call-nouns.ts';
import { parseDestination } from './destination.ts';
import type { PhoneNumber, Trunk, User } from './nouns.ts';
import type { UserTemplate } from './template.ts';

/** Values of an object that is being written: what is needed may still be missing, and is complained of elsewhere. */
export type Draft<T> = { readonly [K in keyof T]?: T[K] | null };

/** What a group's values mean together. All complaints at once. */
export const checkGroup = (group: Draft<Group>, name: string): Problem[] =>
  loopProblems('unanswered', group.unanswered, `group:${name}`, 'a call that nobody answers would never end');

/** What a menu's values mean together. A key may lead back to the menu: the caller chose so. */
export const checkIvr = (ivr: Draft<Ivr>, name: string): Problem[] => [
  ...repeatedBefore('keys', ivr.keys, 'key', 'give each key one destination'),
  ...loopProblems(
    'unanswered',
    ivr.unanswered,
    `ivr:${name}`,
    'a caller who presses nothing would never leave',
  ),
  ...loopProblems('invalid', ivr.invalid, `ivr:${name}`, 'a caller who presses wrong keys would never leave'),
];

/** What a room's values mean together. */
export function checkConference(room: Draft<Conference>): Problem[] {
  const pin = room.pin ?? null;
  const moderatorPin = room.moderatorPin ?? null;
  const problems: Problem[] = [];
  if (room.waitForModerator === true && moderatorPin === null) {
    problems.push({
      code: 'missing_moderator_pin',
      message: 'moderatorPin: without one nobody is a moderator, and participants would wait for ever',
      field: 'moderatorPin',
      hint: 'give --moderator-pin-stdin, --moderator-pin-file or --moderator-pin env:NAME, or say --no-wait-for-moderator',
    });
  }
  if (pin !== null && moderatorPin !== null && pin.reveal() === moderatorPin.reveal()) {
    problems.push({
      code: 'equal_pins',
      message: 'moderatorPin: it is the PIN of participants, too',
      field: 'moderatorPin',
      hint: 'give moderators a PIN of their own',
    });
  }
  return problems;
}

/** What a schedule's values mean together. */
export function checkSchedule(schedule: Draft<Schedule>): Problem[] {
  const holidays = schedule.holidays ?? [];
  const twice = holidays.find((day) => day.length > 5 && holidays.includes(day.slice(5)));
  if (twice === undefined) return [];
  return [
    {
      code: 'repeated_holidays',
      message: `holidays: ${twice} is closed by ${twice.slice(5)} already, which counts in every year`,
      field: 'holidays',
      hint: 'leave one of them out',
    },
  ];
}

/** What a route's values mean together, and to the tenant's other routes and its trunks. */
export function checkRoute(
  route: Draft<Route>,
  name: string,
  around: { routes: readonly Route[]; trunks: readonly Trunk[] },
): Problem[] {
  const matches = route.match ?? [];
  const problems = inboundOnlyProblems(route.trunks, around.trunks);
  for (const other of around.routes.filter((one) => one.name !== name)) {
    const shared = matches.filter((match) => other.match.includes(match));
    if (shared.length === 0) continue;
    problems.push({
      code: 'equal_match',
      message: `match: route ${other.name} is for ${shared.join(', ')} already`,
      field: 'match',
      hint: `give one route all the trunks, or change the other: sipctl route show ${other.name}`,
    });
  }
  const cut = matches.find((match) => /^[0-9*#X]+$/.test(match) && match.length <= (route.strip ?? 0));
  if (cut !== undefined && (route.prepend ?? null) === null) {
    problems.push({
      code: 'nothing_left',
      message: `strip: nothing would be left of ${cut}`,
      field: 'strip',
      hint: 'cut fewer characters, or give --prepend',
    });
  }
  return problems;
}

/** Trunks that an object names to send calls through, and that send none. */
export function inboundOnlyProblems(
  named: readonly string[] | null | undefined,
  trunks: readonly Trunk[],
): Problem[] {
  return trunks
    .filter((trunk) => !trunk.outbound && named?.includes(trunk.name) === true)
    .map(({ name }) => ({
      code: 'trunk_not_outbound',
      message: `trunks: trunk ${name} takes no outbound calls`,
      field: 'trunks',
      hint: `leave it out, or: sipctl trunk set ${name} --outbound`,
    }));
}

/** Emergency services call back: a number that is not the tenant's own would lead them elsewhere. */
export function callBackWarnings(callerId: string | null | undefined, own: boolean): Problem[] {
  if (own || callerId === null || callerId === undefined) return [];
  return [
    {
      code: 'caller_id_not_own',
      message: `callerId: ${callerId} is no number of the tenant: emergency services could not call back`,
      field: 'callerId',
      hint: `sipctl number add ${callerId}, and have its address registered at the carrier`,
    },
  ];
}

/** What a number's values mean together. */
export const checkNumber = (number: Draft<PhoneNumber>): Problem[] =>
  repeatedBefore('variables', number.variables, 'variable', 'give each variable one value');

/** Whether calls can be left for a user: as the user says, else as the template does. */
export const keepsVoicemail = (
  user: { voicemail?: boolean | null },
  template: Pick<UserTemplate, 'voicemail'> | undefined,
): boolean => user.voicemail ?? template?.voicemail ?? false;

/** What a user's call values mean together, and to the template. */
export function checkUserCalls(
  user: Draft<User>,
  name: string,
  template: UserTemplate | undefined,
): Problem[] {
  const problems = loopProblems(
    'unanswered',
    user.unanswered,
    `user:${name}`,
    'a call that is not answered would ring for ever',
  );
  if (template === undefined || keepsVoicemail({ voicemail: user.voicemail ?? null }, template))
    return problems;
  if (user.unanswered === `voicemail:${name}`) problems.push(noBox('unanswered', name, 'the user'));
  for (const [field, flag] of [
    ['voicemailPin', 'voicemail-pin'],
    ['email', 'email'],
  ] as const) {
    if ((user[field] ?? null) === null) continue;
    problems.push({
      code: 'missing_voicemail',
      message: `${field}: the user keeps no voicemail box`,
      field,
      hint: `say --voicemail, or take it back with --unset ${flag}`,
    });
  }
  return problems;
}

/** The user whose voicemail box a destination or a menu key leads to. */
export function boxOf(text: string): string | null {
  const parsed = parseDestination(text.replace(/^[0-9*#]=/, ''));
  return parsed.ok && parsed.value.kind === 'voicemail' ? parsed.value.name : null;
}

export const noBox = (field: string, user: string, who = `user ${user}`): Problem => ({
  code: 'no_voicemail',
  message: `${field}: ${who} keeps no voicemail box`,
  field,
  hint: `sipctl user set ${user} --voicemail, or choose another destination`,
});

function loopProblems(field: string, value: string | null | undefined, self: string, why: string): Problem[] {
  if (value !== self) return [];
  return [
    {
      code: 'leads_to_itself',
      message: `${field}: ${self} leads to itself: ${why}`,
      field,
      hint: 'send it elsewhere, for example to hangup:unavailable',
    },
  ];
}

/** Of `1=…,1=…` the first part must not stand twice. */
function repeatedBefore(
  field: string,
  parts: readonly string[] | null | undefined,
  what: string,
  hint: string,
): Problem[] {
  const heads = (parts ?? []).map((part) => part.slice(0, part.indexOf('=')));
  const twice = new Set(heads.filter((head, at) => heads.indexOf(head) !== at));
  return [...twice].map((head) => ({
    code: `repeated_${field}`,
    message: `${field}: ${what} ${head} is given twice`,
    field,
    hint,
  }));
}
