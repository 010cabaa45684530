import { type Destination, hangupCauses } from '../destination.ts';
import type { CallFlow, FlowConference, FlowGroup, FlowIvr, FlowUser, GroupMember } from './call-flow.ts';
import { matches } from './dialled.ts';
import { callOutside } from './simulate-outside.ts';
import type { Because, CallOutcome, PhoneState, RingResult } from './simulated-call.ts';
import { overLimit, refused, type Walk } from './walk.ts';

/** Destinations on one call after which it is taken to go round in circles. */
const mostDestinations = 30;

/** Sends a call to a destination, and from there on until somebody answers or it ends. */
export function reach(walk: Walk, to: Destination, because: Because): CallOutcome {
  walk.destinations += 1;
  if (walk.destinations > mostDestinations) return { kind: 'loop' };
  walk.decisions.push({ step: 'destination', to, because });
  const { users, groups, ivrs, conferences } = walk.flow;
  switch (to.kind) {
    case 'user':
      return reachUser(walk, named(users, to.name));
    case 'group':
      return reachGroup(walk, named(groups, to.name));
    case 'ivr':
      return reachIvr(walk, named(ivrs, to.name));
    case 'conference':
      return reachConference(walk, named(conferences, to.name));
    case 'voicemail':
      return leaveMessage(walk, named(users, to.name));
    case 'app':
      return { kind: 'app', context: to.context, number: walk.called };
    case 'external':
      return callOutside(walk, to.number, { origin: 'tenant', callerId: walk.flow.callerId });
    case 'hangup':
      return refused(hangupCauses[to.cause].q850);
  }
}

// A flow names only what is in it.
function named<T extends { name: string }>(objects: readonly T[], name: string): T {
  const found = objects.find((one) => one.name === name);
  if (found === undefined) throw new TypeError(`the flow has no '${name}'`);
  return found;
}

function reachUser(walk: Walk, user: FlowUser): CallOutcome {
  const result = ring(walk, user, user.ringTime);
  if (result === 'answered') return talkTo(walk, user, [user.name]);
  walk.busy = result === 'busy' || result === 'limit';
  if (user.unanswered !== null) return reach(walk, user.unanswered, 'unanswered');
  if (user.mailbox !== null) {
    walk.decisions.push({
      step: 'destination',
      to: { kind: 'voicemail', name: user.name },
      because: 'mailbox',
    });
    return leaveMessage(walk, user);
  }
  return refused(causeOf[result]);
}

/** ITU-T Q.850: what the caller is told of somebody who did not answer. */
const causeOf: Readonly<Record<Exclude<RingResult, 'answered'>, number>> = {
  busy: 17,
  limit: 17,
  'no-answer': 19,
  offline: 20,
  rejected: 19,
};

function ring(walk: Walk, user: FlowUser, seconds: number): RingResult {
  walk.record ||= user.record;
  const result = ringResult(walk, user);
  if (result === 'offline' || result === 'limit')
    walk.decisions.push({ step: 'passed-over', user: user.name, result });
  else walk.decisions.push({ step: 'ring', users: [user.name], seconds, result });
  return result;
}

const results: Readonly<Record<PhoneState, RingResult>> = {
  answers: 'answered',
  'no-answer': 'no-answer',
  busy: 'busy',
  rejects: 'rejected',
  offline: 'offline',
};

function ringResult(walk: Walk, user: FlowUser): RingResult {
  if (overLimit(walk, 'user', user.name, user.maxCalls)) return 'limit';
  return results[walk.world.phones?.[user.name] ?? 'answers'];
}

function talkTo(walk: Walk, { name, endpoint }: FlowUser, rings: readonly string[]): CallOutcome {
  walk.answered = true;
  return { kind: 'user', user: name, endpoint, rings };
}

function leaveMessage(walk: Walk, user: FlowUser): CallOutcome {
  walk.answered = true;
  const greeting = walk.busy ? 'busy' : 'unavailable';
  return { kind: 'voicemail', user: user.name, box: user.mailbox?.box ?? '', greeting };
}

/** ITU-T Q.850, no answer: what the caller is told of a group in which nobody took the call. */
const nobodyAnswered = 19;

function reachGroup(walk: Walk, group: FlowGroup): CallOutcome {
  const answered = group.strategy === 'all' ? ringTogether(walk, group) : ringInOrder(walk, group);
  if (answered !== null) return answered;
  return group.unanswered === null ? refused(nobodyAnswered) : reach(walk, group.unanswered, 'unanswered');
}

function ringInOrder(walk: Walk, { members, ringTime }: FlowGroup): CallOutcome | null {
  for (const member of members) {
    const answered =
      member.kind === 'external' ? ringOutside(walk, member) : ringMember(walk, member.name, ringTime);
    if (answered !== null) return answered;
  }
  return null;
}

function ringMember(walk: Walk, name: string, seconds: number): CallOutcome | null {
  const user = named(walk.flow.users, name);
  return ring(walk, user, seconds) === 'answered' ? talkTo(walk, user, [name]) : null;
}

function ringOutside(walk: Walk, { number }: Extract<GroupMember, { kind: 'external' }>): CallOutcome | null {
  const outcome = callOutside(walk, number, { origin: 'tenant', callerId: walk.flow.callerId });
  return outcome.kind === 'outside' ? outcome : null;
}

function ringTogether(walk: Walk, { members, ringTime }: FlowGroup): CallOutcome | null {
  const ringing: { user: FlowUser; result: RingResult }[] = [];
  for (const member of members) {
    if (member.kind === 'external') continue;
    const user = named(walk.flow.users, member.name);
    walk.record ||= user.record;
    const result = ringResult(walk, user);
    if (result === 'offline' || result === 'limit')
      walk.decisions.push({ step: 'passed-over', user: user.name, result });
    else ringing.push({ user, result });
  }
  const first = ringing.find(({ result }) => result === 'answered');
  const users = ringing.map(({ user }) => user.name);
  if (users.length > 0) {
    const result = first === undefined ? 'no-answer' : 'answered';
    walk.decisions.push({ step: 'ring', users, seconds: ringTime, result });
  }
  // What an outside member's trunk says is said of the way to that one only.
  const { record } = walk;
  const outside = members.flatMap((member) =>
    member.kind === 'external' ? (ringOutside(walk, member) ?? []) : [],
  );
  if (first === undefined) return outside[0] ?? null;
  walk.record = record;
  return talkTo(walk, first.user, users);
}

function reachIvr(walk: Walk, ivr: FlowIvr): CallOutcome {
  walk.answered = true;
  let wrong = false;
  for (let attempt = 1; attempt <= ivr.attempts; attempt++) {
    const given = walk.pressed.shift() ?? '';
    const entered = entryOf(walk.flow, ivr, given);
    const chosen = chosenIn(walk, ivr, entered);
    const result = entered === '' ? 'nothing' : (chosen?.result ?? 'wrong');
    walk.decisions.push({ step: 'menu', ivr: ivr.name, attempt, entered, result });
    if (chosen !== null) return reach(walk, chosen.to, chosen.result);
    wrong = entered !== '';
  }
  return wrong ? reach(walk, ivr.invalid, 'invalid') : reach(walk, ivr.unanswered, 'unanswered');
}

// An engine takes an entry as soon as no extension can begin with it: of 911, only the 9 where none does.
function entryOf({ dialled }: CallFlow, { directDial }: FlowIvr, given: string): string {
  const goesOn = (entered: string): boolean =>
    directDial &&
    dialled.some(
      ({ pattern: { literal }, action }) =>
        action.kind === 'reach' && literal.length > entered.length && literal.startsWith(entered),
    );
  let length = Math.min(1, given.length);
  while (length < given.length && goesOn(given.slice(0, length))) length += 1;
  return given.slice(0, length);
}

function chosenIn(
  walk: Walk,
  { keys, directDial }: FlowIvr,
  entered: string,
): { result: 'key' | 'extension'; to: Destination } | null {
  const key = keys.find(([one]) => one === entered);
  if (key !== undefined) return { result: 'key', to: key[1] };
  if (!directDial || entered === '') return null;
  const dialled = walk.flow.dialled.find(({ pattern }) => matches(pattern, entered));
  return dialled?.action.kind === 'reach' ? { result: 'extension', to: dialled.action.to } : null;
}

const pinTries = 3;

function reachConference(walk: Walk, room: FlowConference): CallOutcome {
  walk.answered = true;
  if (room.pin === null && room.moderatorPin === null)
    return { kind: 'conference', room: room.name, role: 'participant' };
  for (let attempt = 1; attempt <= pinTries; attempt++) {
    const entered = walk.pressed.shift();
    if (entered === undefined) return { kind: 'conference', room: room.name, role: 'unknown' };
    const role = roleOf(room, entered);
    walk.decisions.push({ step: 'pin', room: room.name, result: role ?? 'wrong' });
    if (role !== null) return { kind: 'conference', room: room.name, role };
  }
  return refused(hangupCauses.rejected.q850);
}

/** An empty entry lets participants in where only moderators have a PIN. */
function roleOf({ pin, moderatorPin }: FlowConference, entered: string): 'moderator' | 'participant' | null {
  const digits = entered.replace(/#$/, '');
  if (digits !== '' && digits === moderatorPin?.reveal()) return 'moderator';
  return digits === (pin?.reveal() ?? '') ? 'participant' : null;
}
