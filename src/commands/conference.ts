import { conference } from '../model/call-nouns.ts';
import { checkConference } from '../model/check-calls.ts';
import { conferenceLive } from './conference-live.ts';
import { nounCommand } from './noun-verbs.ts';

export const conferenceCommand = nounCommand({
  noun: conference,
  summary: 'rooms, with PINs',
  listed: ['extension', 'profile', 'waitForModerator', 'maxMembers', 'record'],
  examples: [
    'printf %s "$PIN" | sipctl conference add board --tenant acme --extension 8000 --pin-stdin --moderator-pin-file ./moderator.pin --wait-for-moderator',
  ],
  check: checkConference,
  more: conferenceLive,
});
