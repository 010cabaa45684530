import { ivr } from '../model/call-nouns.ts';
import { checkIvr } from '../model/check-calls.ts';
import { boxProblems } from './call-surroundings.ts';
import { ivrLint } from './ivr-lint.ts';
import { nounCommand } from './noun-verbs.ts';

export const ivrCommand = nounCommand({
  noun: ivr,
  summary: 'menus: what each key does',
  listed: ['extension', 'greeting', 'keys', 'unanswered'],
  examples: [
    'sipctl ivr add main --tenant acme --greeting custom/acme-welcome --key 1=group:sales --key 2=user:ann --unanswered voicemail:ann',
  ],
  more: [ivrLint],
  check: (values, _, { name }) => checkIvr(values, name),
  checkAround: async (draft, app) => ({ problems: await boxProblems(app, draft), warnings: [] }),
});
