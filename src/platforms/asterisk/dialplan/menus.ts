import type { FlowConference, FlowIvr } from '../../../model/flow/call-flow.ts';
import { type Plan, sendTo } from './destinations.ts';
import {
  type Context,
  extension,
  gosub,
  hangup,
  routine,
  type Step,
  set,
  step,
  when,
  word,
} from './dialplan.ts';
import { recordingFile } from './recording.ts';

/** A menu: plays its greeting until a key leads somewhere. */
export function menu(plan: Plan, ivr: FlowIvr): Context {
  const { names } = plan;
  const again = step('GotoIf', `$[\${ATTEMPT} < ${ivr.attempts}]?s,again`);
  return {
    name: names.of('ivr', ivr.name),
    about: `Plays its greeting ${ivr.attempts} times at most.`,
    owner: `ivr ${word(ivr.name)}`,
    includes: ivr.directDial ? [names.routine('extensions')] : [],
    extensions: [
      extension('s', [
        step('Answer'),
        set('ATTEMPT', 0),
        set('TIMEOUT(digit)', betweenDigits),
        set('ATTEMPT', '$[${ATTEMPT} + 1]', 'again'),
        step('Background', word(ivr.greeting)),
        step('WaitExten', String(ivr.timeout)),
      ]),
      ...ivr.keys.map(([key, destination]) => extension(word(key), [sendTo(plan, destination)])),
      extension('t', [again, sendTo(plan, ivr.unanswered)]),
      extension('i', [step('Playback', word(ivr.invalidSound)), again, sendTo(plan, ivr.invalid)]),
    ],
  };
}

/** Seconds in which the next digit of an extension is dialled. */
const betweenDigits = 3;

/** A conference room. Who comes in as what is asked first; the PINs stand in confbridge.conf only. */
export function room(plan: Plan, conference: FlowConference): Context {
  const { names } = plan;
  const name = names.room(conference.name);
  const flags = [conference.pin, conference.moderatorPin].map((pin) => (pin === null ? 0 : 1));
  const hasPin = conference.pin !== null || conference.moderatorPin !== null;
  const enter = (role: string): Step[] => [
    set('CONFBRIDGE(user,template)', `${name}.${role}`),
    ...(hasPin ? [set('CONFBRIDGE(user,pin)', '')] : []),
    set('CONFBRIDGE(bridge,template)', name),
    ...(conference.record ? [set('CONFBRIDGE(bridge,record_file)', fileOf(plan, conference))] : []),
    step('ConfBridge', name),
    hangup(16),
  ];
  return {
    name: names.of('conference', conference.name),
    about: `A room, ${hasPin ? 'behind a PIN' : 'open to all of the tenant'}.`,
    owner: `conference ${word(conference.name)}`,
    includes: [],
    extensions: [
      extension('s', [
        step('Answer'),
        ...(hasPin ? [gosub(names.routine('pin'), name, ...flags)] : []),
        ...enter(hasPin ? '${GOSUB_RETVAL}' : 'participant'),
      ]),
      // Who was called into the room needs no PIN.
      extension(invited, enter('participant')),
    ],
  };
}

/** The extension of a room's context at which parties come in that were called into it. */
export const invited = 'invited';

// Whoever comes in first may be on a recorded call, which has a file by the same channel.
const fileOf = ({ names }: Plan, { name }: FlowConference): string =>
  recordingFile(names.tenant, `\${UNIQUEID}--${word(name)}`);

/** Tries before the call is ended. */
const pinTries = 3;

const forbidden = 21;

/** Compares with the PINs of confbridge.conf, so that the dialplan, which more people see, holds none. */
export function pinRoutine({ names }: Plan): Context {
  const pinOf = (role: string): string => `\${AST_CONFIG(confbridge.conf,\${ARG1}.${role},pin)}`;
  const entered = (flag: string, role: string): Step =>
    when(`${flag} & "\${PIN}" = "${pinOf(role)}"`, step('Return', role));
  return routine(
    names.routine('pin'),
    'Asks for a PIN: room, whether participants have one, whether moderators have one.',
    [
      set('TRIES', 0),
      set('TRIES', '$[${TRIES} + 1]', 'ask'),
      step('Read', 'PIN,conf-getpin,12,,1,10'),
      set('PIN', '${FILTER(0-9,${PIN})}'),
      entered('${ARG3}', 'moderator'),
      entered('${ARG2}', 'participant'),
      when('${ARG2} = 0 & "${PIN}" = ""', step('Return', 'participant')),
      step('Playback', 'conf-invalidpin'),
      step('GotoIf', `$[\${TRIES} < ${pinTries}]?ask`),
      hangup(forbidden),
    ],
  );
}

/** A context of the operator's own, entered with the number called or dialled. */
export const appRoutine = ({ names }: Plan): Context =>
  routine(
    names.routine('app'),
    'A context of your own: entered with the number that was called or dialled.',
    [
      set('APP', '${IF($["${SIPCTL_NUMBER}" = ""]?${DIALLED}:${SIPCTL_NUMBER})}'),
      step('GotoIf', '${DIALPLAN_EXISTS(${ARG1},${APP},1)}?${ARG1},${APP},1'),
      hangup(1),
    ],
  );
