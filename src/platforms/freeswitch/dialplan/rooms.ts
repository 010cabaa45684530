import type { FlowConference } from '../../../model/flow/call-flow.ts';
import { word } from '../words.ts';
import { type Element, element, param } from '../xml/element.ts';
import {
  type Action,
  action,
  always,
  type Context,
  condition,
  dialled,
  extension,
  hangup,
  set,
  transfer,
} from './dialplan.ts';
import type { Plan } from './plan.ts';
import { recordingFile } from './recording.ts';

/** The profile of a room. Its name is that of the room, and unique over all tenants. */
export function roomProfile({ names }: Plan, room: FlowConference): Element {
  return element('profile', { name: names.object(room.name) }, [
    param('domain', names.tenant),
    param('rate', 8000),
    param('interval', 20),
    param('energy-level', 100),
    param('comfort-noise', 'true'),
    param('caller-controls', participantControls),
    param('moderator-controls', moderatorControls),
    ...(room.maxMembers === 0 ? [] : [param('max-members', room.maxMembers)]),
    ...(room.announce ? [param('enter-sound', enterTone), param('exit-sound', exitTone)] : []),
    ...(room.waitForModerator
      ? [param('conference-flags', 'wait-mod'), param('moh-sound', 'local_stream://moh')]
      : []),
    ...(room.record
      ? [param('auto-record', recordingFile(names.tenant, `\${uuid}--${word(room.name)}`))]
      : []),
  ]);
}

const enterTone = 'tone_stream://%(200,0,500,600,700)';
const exitTone = 'tone_stream://%(500,0,300,200,100,50,25)';

const participantControls = 'sipctl-participant';
const moderatorControls = 'sipctl-moderator';

/** What keys do in a room. Nothing is bound to #, with which people end a PIN: it would arrive here. */
export function controlGroups(): Element[] {
  const control = (digits: string, does: string): Element => element('control', { action: does, digits });
  const own = [
    control('0', 'mute'),
    ...[control('4', 'vol listen dn'), control('6', 'vol listen up')],
    ...[control('1', 'vol talk dn'), control('3', 'vol talk up')],
  ];
  return [
    element('group', { name: participantControls }, own),
    element('group', { name: moderatorControls }, [...own, control('*', 'lock')]),
  ];
}

const forbidden = 21;

/** Milliseconds. */
const pinTimeout = 10_000;
const pinTries = 3;

/** Who comes into a room as what: the PIN decides, where there is one. */
export function roomContext(plan: Plan, room: FlowConference): Context {
  const { names } = plan;
  const context = names.of('conference', room.name);
  const name = `conference ${word(room.name)}`;
  const muted = room.profile === 'lecture' ? ['mute'] : [];
  const join = (flags: readonly string[]): Action[] => [
    action(
      'conference',
      `${joined(names.object(room.name))}${flags.length === 0 ? '' : `++flags{${flags.join('|')}}`}`,
    ),
    ...hangup(16),
  ];
  const [pin, moderatorPin] = [room.pin?.reveal() ?? null, room.moderatorPin?.reveal() ?? null];
  if (pin === null && moderatorPin === null)
    return { name: context, extensions: [extension(name, [always([action('answer'), ...join(muted)])])] };
  // Without a PIN of their own, participants enter nothing.
  const pins = [moderatorPin, pin].filter((one) => one !== null).map(word);
  const accepted = `^(${pins.join('|')})${pin === null ? '?' : ''}$`;
  const entered = (expression: string, actions: readonly Action[]) => [
    dialled('^entered$'),
    condition('${sipctl_pin}', expression, actions),
  ];
  return {
    name: context,
    extensions: [
      extension(name, [
        dialled('^s$', [
          action('answer'),
          set('sipctl_pin', ''),
          action(
            'play_and_get_digits',
            `0 12 ${pinTries} ${pinTimeout} # conference/conf-pin.wav conference/conf-bad-pin.wav sipctl_pin ${accepted} 3000 'nobody XML ${context}'`,
          ),
          transfer(context, 'entered'),
        ]),
      ]),
      ...(moderatorPin === null
        ? []
        : [extension(`${name}, moderator`, entered(`^${word(moderatorPin)}$`, join(['moderator'])))]),
      extension(`${name}, participant`, entered(pin === null ? '^$' : `^${word(pin)}$`, join(muted))),
      extension(`${name}, nobody`, [always(hangup(forbidden))]),
    ],
  };
}

const joined = (room: string): string => `${room}@${room}`;
