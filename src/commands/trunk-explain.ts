import { SipctlError } from '../errors.ts';
import { explainedStatus } from '../pipeline/explain-status.ts';
import { explanationsText } from '../report/trunk-test.ts';
import { type Input, integerOption, type VerbSpec } from './command.ts';
import { interruptible } from './test-flags.ts';
import { reported, testFlags, trunksAsked } from './trunk-test.ts';

const stages = ['register', 'call', 'options'] as const;

/** Tests, or explains a status that somebody saw elsewhere without sending anything. */
const run = interruptible(async (app, input) => {
  const status = integerOption(input, 'status', 300, 'give a final status of SIP, for example 403');
  if (status === null) return reported(app, input, explanationsText);
  if (status > 699) throw noStatus(status);
  const during = stageOf(input);
  const catalog = await app.catalog();
  const asked = await trunksAsked(app, input);
  const explained = asked.map((one) => explainedStatus(one, catalog, status, during));
  return {
    data: { trunks: explained.map(({ tenant, name, causes }) => ({ tenant, trunk: name, causes })) },
    text: (style) => explanationsText(explained, style),
  };
});

function stageOf({ options }: Input): (typeof stages)[number] {
  const during = options.during ?? 'call';
  const known = stages.find((stage) => stage === during);
  if (known !== undefined) return known;
  throw new SipctlError('invalid', {
    code: 'invalid_during',
    message: `during: '${String(during)}' is none of ${stages.join(', ')}`,
    field: 'during',
    hint: 'what was asked when the status came',
  });
}

const noStatus = (status: number): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_status',
    message: `status: ${status} is no status of SIP`,
    field: 'status',
    hint: 'give a final one, from 300 to 699',
  });

/** The same test, told as causes and remedies. */
export const trunkExplain: VerbSpec = {
  name: 'explain',
  summary: 'test trunks, and say only what is wrong and what to do',
  args: '[name...]',
  options: [
    ...testFlags,
    ['--status <code>', 'explain this answer of the carrier, seen elsewhere; nothing is sent'],
    ['--during <stage>', `what it answered: ${stages.join(', ')}; call where not given`],
  ],
  examples: [
    'sipctl trunk explain telnyx_main --tenant acme',
    'sipctl trunk explain telnyx_main --tenant acme --status 403 --during call',
  ],
  run,
};
