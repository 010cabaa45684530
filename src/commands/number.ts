import { checkNumber } from '../model/check-calls.ts';
import * as nouns from '../model/nouns.ts';
import { boxProblems } from './call-surroundings.ts';
import { nounCommand } from './noun-verbs.ts';
import { numberExplain } from './number-explain.ts';
import { numberTest } from './number-test.ts';

export const numberCommand = nounCommand({
  noun: nouns.number,
  summary: 'phone numbers (DIDs)',
  listed: ['destination', 'schedule', 'trunk', 'inbound', 'outbound', 'label'],
  examples: [
    'sipctl number add +15551234568 --tenant acme --trunk telnyx_main --to group:sales --label "sales"',
    'sipctl number set +15551234568 --tenant acme --schedule office --record',
  ],
  more: [numberExplain, numberTest],
  check: checkNumber,
  checkAround: async (draft, app) => ({ problems: await boxProblems(app, draft), warnings: [] }),
  effective: async ({ destination }) => ({
    destination:
      destination === null
        ? { value: 'hangup:unallocated', origin: 'no destination is set' }
        : { value: destination ?? null, origin: 'number' },
  }),
});
