import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { completionScript, type Shell, shells } from '../report/completion.ts';
import type { CommandEntry, CommandSpec, OptionSpec, Run, VerbSpec } from './command.ts';

const script =
  (shell: Shell): Run =>
  async () => ({ data: { shell, script: completionScript(shell) }, text: () => completionScript(shell) });

/** Words that may stand next, one a line: what the shells' scripts ask for while somebody types. */
const words =
  (commands: readonly CommandEntry[], globalOptions: readonly OptionSpec[]): Run =>
  async (app, { args }) => {
    const typed = args.filter((word): word is string => word !== undefined);
    const called = await candidates(typed.slice(0, -1), commands, app);
    const found = called.afterCommand
      ? [...called.words, ...globalOptions.map(([option]) => longFlag(option))]
      : called.words;
    const last = typed.at(-1) ?? '';
    const matching = found.filter((word) => word.startsWith(last));
    return { data: { words: matching }, text: () => matching.map((word) => `${word}\n`).join('') };
  };

async function candidates(
  typed: readonly string[],
  commands: readonly CommandEntry[],
  app: App,
): Promise<{ words: string[]; afterCommand: boolean }> {
  const [name, verb, ...rest] = typed.filter((word) => !word.startsWith('-'));
  const before = (words: string[]) => ({ words, afterCommand: false });
  if (name === undefined) return before(commands.map((command) => command.name));
  const spec = await commands.find((command) => command.name === name)?.load();
  if (spec === undefined) return before([]);
  if ('run' in spec) return { words: optionFlags(spec), afterCommand: true };
  const called = spec.verbs.find((one) => one.name === verb);
  if (called === undefined) return before(spec.verbs.map((one) => one.name));
  const named = rest.length === 0 && called.args?.startsWith('<') === true && called.name !== 'add';
  const names = named ? await objectNames(spec, app, typed) : [];
  return { words: [...names, ...optionFlags(called)], afterCommand: true };
}

const optionFlags = (verb: VerbSpec): string[] => (verb.options ?? []).map(([flags]) => longFlag(flags));

const longFlag = (flags: string): string => /--[a-z-]+/.exec(flags)?.[0] ?? flags;

// A database that is not there, or locked, must not disturb somebody who types.
const objectNames = async (spec: CommandSpec, app: App, typed: readonly string[]): Promise<string[]> => {
  const nouns = await import('../model/nouns.ts');
  const noun = Object.values(nouns).find((one) => one.name === spec.name);
  if (noun === undefined) {
    const { providers, users } = await app.catalog();
    return spec.name === 'provider'
      ? [...providers.keys()]
      : spec.name === 'user-template'
        ? [...users.keys()]
        : [];
  }
  try {
    const store = await app.store();
    const at = typed.indexOf('--tenant');
    const tenant = at >= 0 ? (typed[at + 1] ?? null) : app.config.tenant;
    const objects = await store.records.list(noun, { tenant });
    return objects.map((object) => String((object as unknown as Record<string, unknown>)[noun.key]));
  } catch (error) {
    if (error instanceof SipctlError) return [];
    throw error;
  }
};

export const completion = (
  commands: readonly CommandEntry[],
  globalOptions: readonly OptionSpec[],
): CommandSpec => ({
  name: 'completion',
  summary: 'completion for bash, zsh and fish',
  verbs: [
    ...shells.map((shell) => ({ name: shell, summary: `print the script for ${shell}`, run: script(shell) })),
    {
      name: 'words',
      summary: 'print the words that may stand next',
      args: '[typed...]',
      run: words(commands, globalOptions),
    },
  ],
});
