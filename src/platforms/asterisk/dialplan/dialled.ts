import type { Dialled, DialPattern } from '../../../model/flow/call-flow.ts';
import { type Plan, sendTo } from './destinations.ts';
import {
  type Context,
  type Extension,
  extension,
  gosub,
  goto,
  hangup,
  type Step,
  step,
  when,
  word,
} from './dialplan.ts';
import { emergencySteps, hopSteps } from './routes.ts';

/** Where that leads which users dial. */
export const dialling = (plan: Plan): Context[] => [dialled(plan), ...services(plan)];

// A context's own patterns count before what it includes: exact extensions and patterns are kept apart.
const dialled = ({ names }: Plan): Context => ({
  name: names.routine('dialled'),
  about: 'Where it leads: extensions of the tenant before everything else.',
  owner: '',
  includes: [names.routine('extensions'), names.routine('services'), names.routine('parking')],
  extensions: [extension('i', [hangup(unallocated)])],
});

const unallocated = 1;

/** Extensions of the tenant, which callers of a menu may dial, too; and all else, which only users may dial. */
function services(plan: Plan): Context[] {
  const { flow, names } = plan;
  const own: Extension[] = [];
  const other: Extension[] = [];
  const emergency: Extension[] = [];
  const seen = new Set(flow.users.map(({ extension }) => extension));
  for (const one of flow.dialled) {
    const pattern = patternOf(one.pattern);
    const { action } = one;
    if (action.kind === 'emergency') {
      emergency.push(
        extension(
          pattern,
          emergencySteps(plan, action.emergency),
          `emergency ${word(action.emergency.number)}`,
        ),
      );
      continue;
    }
    // Asterisk complains about a second one, and the first counts.
    if (seen.has(pattern)) continue;
    seen.add(pattern);
    const steps = stepsOf(plan, one);
    if (action.kind === 'reach') own.push(extension(pattern, steps, ownerOf(one)));
    else other.push(extension(pattern, steps, ownerOf(one)));
  }
  const contexts: Context[] = [
    {
      name: names.routine('extensions'),
      about: 'Extensions of the tenant.',
      owner: '',
      includes: flow.users.length > 0 ? [names.routine('users')] : [],
      extensions: own,
    },
    {
      name: names.routine('services'),
      about: 'Feature codes, and numbers that lead outside.',
      owner: '',
      includes: [],
      extensions: other,
    },
  ];
  if (emergency.length > 0) {
    contexts.push({
      name: names.routine('emergency'),
      about: 'Emergency calls: no limit, no toll class, and every trunk is tried.',
      owner: '',
      includes: [],
      extensions: emergency,
    });
  }
  return contexts;
}

/** As Asterisk writes it; `.` is any further character, one at least. */
function patternOf({ literal, anyDigits, more }: DialPattern): string {
  const rest = 'X'.repeat(anyDigits) + (more ? '.' : '');
  return `${rest === '' ? '' : '_'}${word(literal)}${rest}`;
}

function ownerOf({ action }: Dialled): string {
  if (action.kind === 'route') return `route ${word(action.route.name)}`;
  if (action.kind !== 'reach' || !('name' in action.to)) return '';
  return `${action.to.kind} ${word(action.to.name)}`;
}

function stepsOf(plan: Plan, { action, pattern }: Dialled): Step[] {
  const { names } = plan;
  switch (action.kind) {
    case 'reach':
      return [sendTo(plan, action.to)];
    case 'voicemail-menu':
      return action.box === 'own' ? [...ownBox] : anyBox(plan);
    case 'canonical': {
      const digits = action.strip === 0 ? '${EXTEN}' : `\${EXTEN:${action.strip}}`;
      return [goto(names.routine('outside'), `${word(action.prepend)}${digits}`)];
    }
    case 'route':
      return [gosub(names.routine('permitted')), ...hopSteps(plan, action.route)];
    case 'emergency':
      throw new TypeError(`${pattern.literal} is an emergency number`);
  }
}

const ownBox: readonly Step[] = [
  when('"${BOX}" = ""', hangup(unallocated)),
  step('VoiceMailMain', '${BOX},s'),
  hangup(16),
];

// The box is one of the tenant: a caller can type no context.
function anyBox({ flow }: Plan): Step[] {
  const context = flow.users.find(({ mailbox }) => mailbox !== null)?.mailbox?.context;
  if (context === undefined) return [hangup(unallocated)];
  return [step('VoiceMailMain', `@${word(context)}`), hangup(16)];
}
