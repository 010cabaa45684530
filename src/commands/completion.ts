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
    const found = await candidates({ typed: typed.slice(0, -1), commands, globalOptions, app });
    const last = typed.at(-1) ?? '';
    const matching = found.filter((word) => word.startsWith(last));
    return { data: { words: matching }, text: () => matching.map((word) => `${word}\n`).join('') };
  };

interface Line {
  /** Every word before the one that is being typed. */
  typed: readonly string[];
  commands: readonly CommandEntry[];
  globalOptions: readonly OptionSpec[];
  app: App;
}

async function candidates({ typed, commands, globalOptions, app }: Line): Promise<string[]> {
  const wanted = valuesOf.get(typed.at(-1) ?? '');
  if (wanted !== undefined) return namesOf(wanted, typed, app);
  const [name, verb] = plainWords(typed, globalOptions);
  if (name === undefined) return commands.map((command) => command.name);
  const spec = await commands.find((command) => command.name === name)?.load();
  if (spec === undefined) return [];
  const flags = globalOptions.map(([option]) => longFlag(option));
  if ('run' in spec) return [...optionFlags(spec), ...flags];
  const called = spec.verbs.find((one) => one.name === verb);
  if (called === undefined) return spec.verbs.map((one) => one.name);
  const given = plainWords(typed, [...globalOptions, ...(called.options ?? [])]);
  const named = given.length === 2 && called.args?.startsWith('<') === true && called.name !== 'add';
  return [...(named ? await namesOf(name, typed, app) : []), ...optionFlags(called), ...flags];
}

/** Flags whose value is the name of something, and what that is. */
const valuesOf: ReadonlyMap<string, string> = new Map([
  ['--tenant', 'tenant'],
  ['--provider', 'provider'],
  ['--template', 'user-template'],
  ['--trunk', 'trunk'],
  ['--owner', 'user'],
  ['--node', 'node'],
]);

// Neither flags, nor the values of those that take one.
function plainWords(typed: readonly string[], options: readonly OptionSpec[]): string[] {
  const takesValue = new Set(
    options.filter(([flags]) => flags.includes('<')).map(([flags]) => longFlag(flags)),
  );
  return typed.filter((word, at) => !word.startsWith('-') && !takesValue.has(typed[at - 1] ?? ''));
}

const optionFlags = (verb: VerbSpec): string[] => (verb.options ?? []).map(([flags]) => longFlag(flags));

const longFlag = (flags: string): string => /--[a-z-]+/.exec(flags)?.[0] ?? flags;

// A database that is not there, or locked, must not disturb somebody who types.
async function namesOf(kind: string, typed: readonly string[], app: App): Promise<string[]> {
  if (kind === 'provider') return [...(await app.catalog()).providers.keys()];
  if (kind === 'user-template') return [...(await app.catalog()).users.keys()];
  const { everyNoun } = await import('../model/every-noun.ts');
  const noun = everyNoun.find((one) => one.name === kind);
  if (noun === undefined) return [];
  try {
    const store = await app.store();
    const at = typed.indexOf('--tenant');
    const tenant = at >= 0 ? (typed[at + 1] ?? null) : app.config.tenant;
    const objects = await store.records.list(noun, { tenant: noun.tenantScoped ? tenant : null });
    return objects.map((object) => String((object as unknown as Record<string, unknown>)[noun.key]));
  } catch (error) {
    if (error instanceof SipctlError) return [];
    throw error;
  }
}

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
