import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { twilioOrigination } from '../model/service-nouns.ts';
import type { Input, OptionSpec, Result, Run, VerbGroup, VerbSpec } from './command.ts';
import { nounCommand } from './noun-verbs.ts';
import { refOf } from './object-ref.ts';
import { provision, provisionedResult } from './twilio-provision.ts';
import { trunkAsked } from './twilio-scope.ts';

const command = nounCommand({
  noun: twilioOrigination,
  summary: 'where Twilio sends the calls of a trunk',
  listed: ['twilioTrunk', 'sipUrl', 'priority', 'weight'],
  examples: [
    'sipctl twilio origination add pbx1 --tenant acme --sip-url "sip:pbx1.example.com;transport=tls" --priority 20',
  ],
});

/** The verbs of the noun; what is written is told to Twilio at once. */
const atOnce = (verb: VerbSpec): VerbSpec => ({
  ...verb,
  options: (verb.options ?? []).filter(([flags]) => flags !== '--apply'),
  run: writing(verb),
});

const writing =
  ({ name, run }: VerbSpec): Run =>
  async (app, input) => {
    const { records } = await app.store();
    const before = await records.find(twilioOrigination, refOf(twilioOrigination, app, input));
    const { twilioTrunk: asked = before?.twilioTrunk } = input.options;
    if (before !== null && asked !== before.twilioTrunk) throw cannotMove(before);
    const named = before?.twilioTrunk ?? (await trunkOfNew(app, input, name));
    const written = await run(app, {
      ...input,
      options: before === null && named !== null ? { ...input.options, twilioTrunk: named } : input.options,
    });
    return named === null ? written : told(app, input, named, written);
  };

const cannotMove = ({ name, twilioTrunk }: { name: string; twilioTrunk: string }): SipctlError =>
  new SipctlError('conflict', {
    code: 'twilio_origination_elsewhere',
    message: `Twilio origination '${name}' belongs to Twilio trunk '${twilioTrunk}'`,
    field: 'twilioTrunk',
    hint: 'give that of the other trunk a name of its own',
  });

// What cannot be there is complained of by the verb itself.
const trunkOfNew = async (app: App, input: Input, verb: string): Promise<string | null> =>
  verb === 'add' || verb === 'ensure' ? (await trunkAsked(app, input)).name : null;

async function told(app: App, input: Input, name: string, written: Result): Promise<Result> {
  const trunk = await trunkAsked(app, input, name);
  const result = await provisionedResult(app, await provision(app, trunk), 'provisioned');
  return {
    ...result,
    changed: written.changed === true || result.changed === true,
    data: { ...(written.data as object), ...(result.data as object) },
    text: (style) => written.text(style) + result.text(style),
    warnings: written.warnings ?? [],
  };
}

const reading = new Set(['list', 'show']);

/** An origination cannot move: it is another one at another trunk. */
const withoutMove = (options: readonly OptionSpec[] = []): OptionSpec[] =>
  options.filter(([flags]) => !flags.startsWith('--twilio-trunk'));

export const twilioOriginationCommand: VerbGroup = {
  ...command,
  verbs: (command.verbs as VerbSpec[]).map((verb) => {
    if (reading.has(verb.name)) return verb;
    const told = atOnce(verb);
    return verb.name === 'set' ? { ...told, options: withoutMove(told.options) } : told;
  }),
};
