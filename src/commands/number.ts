import * as nouns from '../model/nouns.ts';
import { nounCommand } from './noun-verbs.ts';

export const numberCommand = nounCommand({
  noun: nouns.number,
  summary: 'phone numbers (DIDs)',
  listed: ['trunk', 'inbound', 'outbound', 'label'],
  examples: ['sipctl number add +15551234568 --tenant acme --trunk telnyx_main --label "sales"'],
});
