import { formatDestination } from '../model/destination.ts';
import { formatPattern } from '../model/flow/dialled.ts';
import type { CallOutcome, Decision, SimulatedCall, Simulation } from '../model/flow/simulated-call.ts';
import { plain, type Style } from './style.ts';
import { listing } from './table.ts';

/** A simulated call in words: each decision with its reason, then what becomes of the call. */
export function simulationText(
  call: SimulatedCall,
  { decisions, outcome, variables, recorded }: Simulation,
  style: Style = plain,
): string {
  const width = String(decisions.length).length;
  const steps = decisions.map(
    (decision, at) => `${style.dim(`${String(at + 1).padStart(width)}.`)} ${decisionText(decision)}\n`,
  );
  const good = outcome.kind !== 'refused' && outcome.kind !== 'loop';
  const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return [
    `${callText(call)}\n\n`,
    ...steps,
    `\n${good ? style.good('→') : style.bad('→')} ${style.bold(outcomeText(outcome))}\n`,
    ...(recorded ? ['  the talk is recorded\n'] : []),
    listing([['variables', set.join(' ')]], style),
  ].join('');
}

function callText(call: SimulatedCall): string {
  const at = call.at.toISOString().slice(0, 16).replace('T', ' ');
  if (call.kind === 'user') return `${call.user} dials ${call.dialled} (${at} UTC)`;
  const from = call.from === null ? '' : ` from ${call.from}`;
  return `a call${from} arrives for ${call.requestUri} on ${call.trunk ?? 'any trunk'} (${at} UTC)`;
}

function decisionText(decision: Decision): string {
  switch (decision.step) {
    case 'entered':
      return `direction: ${decision.direction}`;
    case 'limit':
      return `limit of ${decision.of} ${decision.name}: call ${decision.calls} of ${decision.limit}${decision.over ? ', too many' : ''}`;
    case 'called-number': {
      const place = decision.header === 'to' ? 'To' : 'request URI';
      return `${place} ${decision.value}: ${decision.number === null ? 'no number of the tenant' : `number ${decision.number}`}`;
    }
    case 'schedule':
      return `schedule ${decision.schedule}: ${decision.localTime} in ${decision.timeZone} is ${scheduleWords[decision.result]}`;
    case 'dialled':
      return decision.pattern === null
        ? `dialled ${decision.digits}: matches nothing`
        : `dialled ${decision.digits}: ${decision.why} (${formatPattern(decision.pattern)})`;
    case 'canonical':
      return `in E.164: ${decision.number}${decision.good ? '' : ', which is no number: 7 to 15 digits'}`;
    case 'own-number':
      return `${decision.number} is a number of the tenant: no trunk is needed`;
    case 'toll-class':
      return `toll class ${decision.tollClass}: ${decision.allowed ? 'may call there' : 'may not call there'}`;
    case 'route':
      if (decision.route === null) return `no route for ${decision.number}`;
      return decision.sent === null
        ? `route ${decision.route} (${decision.match}) has no trunk in use`
        : `route ${decision.route} (${decision.match}): ${decision.sent}`;
    case 'hop':
      return hopText(decision);
    case 'destination':
      return `${becauseWords[decision.because]}: ${formatDestination(decision.to)}`;
    case 'ring':
      return `rings ${decision.users.join(', ')} for ${decision.seconds} s: ${ringWords[decision.result]}`;
    case 'passed-over':
      return `${decision.user} is not rung: ${ringWords[decision.result]}`;
    case 'menu':
      return `menu ${decision.ivr}, attempt ${decision.attempt}: ${menuText(decision)}`;
    case 'pin':
      return `room ${decision.room} asks for the PIN: ${decision.result === 'wrong' ? 'wrong' : `${decision.result}`}`;
  }
}

const scheduleWords = { open: 'open', closed: 'closed', holiday: 'a holiday' } as const;

const becauseWords = {
  number: 'its destination',
  closed: 'closed',
  dialled: 'leads to',
  unanswered: 'unanswered',
  mailbox: 'unanswered, the own box',
  key: 'key',
  extension: 'extension',
  invalid: 'wrong key',
} as const;

const ringWords = {
  answered: 'answered',
  'no-answer': 'no answer',
  busy: 'busy',
  rejected: 'rejected',
  offline: 'no phone is registered',
  limit: 'at the limit of calls',
} as const;

function hopText({
  trunk,
  number,
  callerId,
  callerIdOf,
  result,
  next,
}: Extract<Decision, { step: 'hop' }>): string {
  const shown = callerId === null ? 'shows what the phone shows' : `shows ${callerId} (${callerIdOf})`;
  const ended =
    typeof result === 'number'
      ? `ends with cause ${result}`
      : { answered: 'takes the call', unreachable: 'cannot be reached', limit: 'is at its limit' }[result];
  return `trunk ${trunk}: sends ${number}, ${shown}: ${ended}${next ? ', the next one is tried' : ''}`;
}

function menuText({ entered, result }: Extract<Decision, { step: 'menu' }>): string {
  if (result === 'nothing') return 'nothing is pressed';
  return `${entered} is ${{ key: 'a key', extension: 'an extension', wrong: 'wrong' }[result]}`;
}

function outcomeText(outcome: CallOutcome): string {
  switch (outcome.kind) {
    case 'user':
      return outcome.rings.length > 1
        ? `${outcome.rings.join(', ')} ring, ${outcome.user} answers`
        : `${outcome.user} answers (${outcome.endpoint})`;
    case 'outside':
      return `${outcome.number} over ${outcome.trunk}`;
    case 'conference':
      return `in the room ${outcome.room}${outcome.role === 'unknown' ? ', behind its PIN' : ` as ${outcome.role}`}`;
    case 'voicemail':
      return `leaves a message in box ${outcome.box} of ${outcome.user} (${outcome.greeting} greeting)`;
    case 'voicemail-menu':
      return outcome.box === null ? 'is asked for a box and its PIN' : `hears box ${outcome.box}`;
    case 'app':
      return `enters the context ${outcome.context} with ${outcome.number}`;
    case 'refused':
      return `ends: SIP ${outcome.sip}, Q.850 ${outcome.q850}`;
    case 'loop':
      return 'goes round in circles: its destinations lead to each other';
  }
}
