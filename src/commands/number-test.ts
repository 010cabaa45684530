import { SipctlError } from '../errors.ts';
import * as nouns from '../model/nouns.ts';
import { testText } from '../report/trunk-test.ts';
import type { VerbSpec } from './command.ts';
import { refOf } from './object-ref.ts';
import { interruptible, networkFlags } from './test-flags.ts';
import { reported } from './trunk-test.ts';

const run = interruptible(async (app, input) => {
  const { records } = await app.store();
  const number = await records.get(nouns.number, refOf(nouns.number, app, input));
  const { trunk } = number as unknown as nouns.PhoneNumber;
  if (trunk === null) throw noTrunk(String(input.args[0]));
  return reported(app, { ...input, args: [trunk] }, testText);
});

const noTrunk = (number: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'missing_trunk',
    message: `trunk: nothing says on which trunk calls to ${number} arrive`,
    field: 'trunk',
    hint: `sipctl number set ${number} --trunk <trunk>`,
  });

/** Tests the trunk that a number arrives on. */
export const numberTest: VerbSpec = {
  name: 'test',
  summary: 'test the trunk that the number arrives on, as trunk test does',
  args: '<number>',
  options: networkFlags,
  examples: ['sipctl number test +15551234567 --tenant acme'],
  run,
};
