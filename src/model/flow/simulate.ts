import type { CallFlow, Dialled, FlowUser, InboundNumber } from './call-flow.ts';
import { matches } from './dialled.ts';
import { isE164 } from './numbering.ts';
import { scheduleAt } from './open-hours.ts';
import { reach } from './simulate-inside.ts';
import { callByRoute, callEmergency, callOutside } from './simulate-outside.ts';
import type {
  CallOutcome,
  InboundCall,
  SimulatedCall,
  Simulation,
  UserCall,
  World,
} from './simulated-call.ts';
import { enter, newWalk, overLimit, refused, type Walk } from './walk.ts';

/**
 * Walks a call through a flow as an engine would, without one.
 * @throws TypeError where the flow has no such user
 */
export function simulate(flow: CallFlow, call: SimulatedCall, world: World = {}): Simulation {
  const walk = newWalk(flow, world, call.kind === 'user' ? call.dialled : call.requestUri);
  const outcome = call.kind === 'user' ? callOfUser(walk, call) : callFromCarrier(walk, call);
  return {
    decisions: walk.decisions,
    outcome,
    hops: walk.hops,
    variables: walk.variables,
    recorded: isRecorded(walk, outcome),
    answered: walk.answered,
  };
}

function isRecorded({ flow, record }: Walk, outcome: CallOutcome): boolean {
  if (outcome.kind === 'conference')
    return flow.conferences.some((room) => room.name === outcome.room && room.record);
  return record && (outcome.kind === 'user' || outcome.kind === 'outside');
}

function callFromCarrier(walk: Walk, call: InboundCall): CallOutcome {
  enter(walk, 'inbound');
  if (call.trunk !== null) walk.variables.SIPCTL_TRUNK = call.trunk;
  const trunk = walk.flow.trunks.find(({ name }) => name === call.trunk);
  const number = calledNumber(walk, call);
  if (number === null) return refused(1);
  if (overLimit(walk, 'tenant', walk.flow.tenant, walk.flow.maxCalls)) return refused(17);
  if (trunk !== undefined && overLimit(walk, 'trunk', trunk.name, trunk.maxCalls)) return refused(17);
  walk.arrivedOn = call.trunk;
  walk.record ||= trunk?.record ?? false;
  return reachNumber(walk, number, call.at);
}

// The request URI of a call to a registered contact holds the account, and To the number that was dialled.
function calledNumber(walk: Walk, { requestUri, to }: InboundCall): InboundNumber | null {
  const places = [
    { header: 'request-uri', value: requestUri },
    { header: 'to', value: to ?? requestUri },
  ] as const;
  const ordered = walk.flow.accounts.includes(requestUri) ? [places[1], places[0]] : places;
  for (const { header, value } of ordered) {
    const number = walk.flow.inbound.find(({ forms }) => forms.includes(value)) ?? null;
    walk.decisions.push({ step: 'called-number', header, value, number: number?.number ?? null });
    if (number !== null) return number;
    if (to === null) break;
  }
  return null;
}

function reachNumber(walk: Walk, number: InboundNumber, at: Date): CallOutcome {
  walk.number = number;
  walk.record ||= number.record;
  walk.called = number.number;
  walk.variables.SIPCTL_NUMBER = number.number;
  for (const [name, value] of number.variables) walk.variables[name] = value;
  const schedule = walk.flow.schedules.find(({ name }) => name === number.schedule);
  if (schedule === undefined) return reach(walk, number.destination, 'number');
  const { result, localTime } = scheduleAt(schedule, at);
  const { name, timeZone, closed } = schedule;
  walk.decisions.push({ step: 'schedule', schedule: name, timeZone, localTime, result });
  return result === 'open' ? reach(walk, number.destination, 'number') : reach(walk, closed, 'closed');
}

function callOfUser(walk: Walk, { user: name, dialled: digits, at }: UserCall): CallOutcome {
  const user = walk.flow.users.find((one) => one.name === name);
  if (user === undefined) throw new TypeError(`the flow has no user '${name}'`);
  const dialled = walk.flow.dialled.find(({ pattern }) => matches(pattern, digits));
  const target = dialled === undefined ? null : targetOf(walk, dialled, digits);
  enter(walk, directionOf(target));
  const full = isFull(walk, user);
  walk.decisions.push({
    step: 'dialled',
    digits,
    pattern: dialled?.pattern ?? null,
    why: dialled?.why ?? null,
  });
  if (target?.kind === 'emergency') return callEmergency(walk, target.emergency);
  walk.record ||= user.record;
  if (full) return refused(17);
  if (target === null) return refused(1);
  switch (target.kind) {
    case 'reach':
      return reach(walk, target.to, 'dialled');
    case 'voicemail-menu':
      return openVoicemail(walk, target.box === 'own' ? [user] : walk.flow.users, target.box);
    case 'number':
      walk.decisions.push({ step: 'canonical', number: target.number.number, good: true });
      walk.decisions.push({ step: 'own-number', number: target.number.number });
      return reachNumber(walk, target.number, at);
    case 'route':
      return mayCall(walk, user, null)
        ? callByRoute(walk, target.route, digits, { origin: 'caller', callerId: user.callerId })
        : refused(21);
    case 'outside':
      return callToE164(walk, user, target.number);
  }
}

function openVoicemail(walk: Walk, users: readonly FlowUser[], which: 'own' | 'any'): CallOutcome {
  const box = users.find(({ mailbox }) => mailbox !== null)?.mailbox?.box;
  if (box === undefined) return refused(1);
  walk.answered = true;
  return { kind: 'voicemail-menu', box: which === 'own' ? box : null };
}

/** What the dialled digits mean: an action with its number worked out. */
type Target =
  | Exclude<Dialled['action'], { kind: 'canonical' }>
  | { kind: 'number'; number: InboundNumber }
  | { kind: 'outside'; number: string };

function targetOf({ flow }: Walk, { action }: Dialled, digits: string): Target {
  if (action.kind !== 'canonical') return action;
  const number = action.prepend + digits.slice(action.strip);
  const own = flow.inbound.find((one) => one.number === number);
  return own === undefined ? { kind: 'outside', number } : { kind: 'number', number: own };
}

function directionOf(target: Target | null): 'internal' | 'outbound' | 'emergency' {
  if (target?.kind === 'emergency') return 'emergency';
  return target?.kind === 'route' || target?.kind === 'outside' ? 'outbound' : 'internal';
}

// Both are counted, whatever the first one says.
function isFull(walk: Walk, user: FlowUser): boolean {
  const tenant = overLimit(walk, 'tenant', walk.flow.tenant, walk.flow.maxCalls);
  const caller = overLimit(walk, 'user', user.name, user.maxCalls);
  return tenant || caller;
}

function callToE164(walk: Walk, user: FlowUser, number: string): CallOutcome {
  const good = isE164(number);
  walk.decisions.push({ step: 'canonical', number, good });
  if (!good) return refused(28);
  if (!mayCall(walk, user, number)) return refused(21);
  return callOutside(walk, number, { origin: 'caller', callerId: user.callerId });
}

/** Digits that a route names are the operator's own choice, and count as national. */
function mayCall(walk: Walk, { tollClass }: FlowUser, number: string | null): boolean {
  const { callingCode } = walk.flow;
  const isNational = number === null || (callingCode !== '' && number.startsWith(`+${callingCode}`));
  const allowed = tollClass === 'all' || (tollClass === 'national' && isNational);
  walk.decisions.push({ step: 'toll-class', tollClass, allowed });
  return allowed;
}
