import type { CallFlow, FlowConference } from '../../../model/flow/call-flow.ts';
import { word } from './dialplan.ts';
import { namesOf } from './names.ts';
import type { ConfSection } from './sections.ts';

/** The bridge profile of each room, and the user profiles of participants and moderators in it. */
export function roomSections(flow: CallFlow): ConfSection[] {
  const names = namesOf(flow.tenant);
  return flow.conferences.flatMap((conference) => {
    const name = names.room(conference.name);
    const owner = `conference ${word(conference.name)}`;
    const section = (id: string, options: readonly (readonly [string, string])[]): ConfSection => ({
      name: id,
      owner,
      entries: options.map(([key, value]) => ({ key, value, owner: '' })),
    });
    return [
      section(name, bridgeOptions(conference)),
      section(`${name}.participant`, participantOptions(conference)),
      ...(conference.moderatorPin === null
        ? []
        : [section(`${name}.moderator`, moderatorOptions(conference, conference.moderatorPin.reveal()))]),
    ];
  });
}

type Options = readonly (readonly [string, string])[];

const yes = (option: string, isSo: boolean): Options => (isSo ? [[option, 'yes']] : []);

const bridgeOptions = ({ maxMembers, record }: FlowConference): Options => [
  ['type', 'bridge'],
  ...(maxMembers === 0 ? [] : [['max_members', String(maxMembers)] as const]),
  ...yes('record_conference', record),
  // The name is made of the call's own time and id already; also where somebody has a room recorded now and then.
  ['record_file_timestamp', 'no'],
];

const pinOption = (pin: string): Options => [['pin', pin]];

const participantOptions = (one: FlowConference): Options => [
  ['type', 'user'],
  ...(one.pin === null ? [] : pinOption(one.pin.reveal())),
  ...yes('quiet', !one.announce),
  ...yes('startmuted', one.profile === 'lecture'),
  ...yes('wait_marked', one.waitForModerator),
  ...yes('music_on_hold_when_empty', one.waitForModerator),
];

const moderatorOptions = ({ announce }: FlowConference, pin: string): Options => [
  ['type', 'user'],
  ...pinOption(pin),
  ['admin', 'yes'],
  ['marked', 'yes'],
  ...yes('quiet', !announce),
];
