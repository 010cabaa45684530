import { schedule } from '../model/call-nouns.ts';
import { checkSchedule } from '../model/check-calls.ts';
import { boxProblems } from './call-surroundings.ts';
import { nounCommand } from './noun-verbs.ts';

export const scheduleCommand = nounCommand({
  noun: schedule,
  summary: 'open hours and holidays of numbers',
  listed: ['timeZone', 'open', 'holidays', 'closed'],
  examples: [
    'sipctl schedule add office --tenant acme --time-zone Europe/Berlin --open "mon-fri 09:00-17:00" --open "sat 10:00-13:00" --holidays 12-25,12-26 --closed voicemail:ann',
  ],
  check: checkSchedule,
  checkAround: async (draft, app) => ({ problems: await boxProblems(app, draft), warnings: [] }),
});
