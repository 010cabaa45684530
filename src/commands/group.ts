import { group } from '../model/call-nouns.ts';
import { checkGroup } from '../model/check-calls.ts';
import { boxProblems } from './call-surroundings.ts';
import { nounCommand } from './noun-verbs.ts';

export const groupCommand = nounCommand({
  noun: group,
  summary: 'users that ring together, or one after another',
  listed: ['extension', 'strategy', 'members', 'ringTime', 'unanswered'],
  examples: [
    'sipctl group add sales --tenant acme --members ann,bob --ring-time 20 --unanswered voicemail:ann',
    'sipctl group add night --members ann,external:+4915112345678 --strategy order',
  ],
  check: (values, _, { name }) => checkGroup(values, name),
  checkAround: async (draft, app) => ({ problems: await boxProblems(app, draft), warnings: [] }),
});
