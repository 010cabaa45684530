import { SipctlError } from '../errors.ts';
import { completionScript, type Shell, shells } from '../report/completion.ts';
import type { CommandSpec, Run, VerbSpec } from './command.ts';
import { commands, globalOptions } from './index.ts';

const script =
  (shell: Shell): Run =>
  async () => ({ data: { shell, script: completionScript(shell) }, text: () => completionScript(shell) });

/** Words that may stand next, one a line: what the shells' scripts ask for while somebody types. */
const words: Run = async (app, { args }) => {
  const typed = args.filter((word): word is string => word !== undefined);
  const found = await candidates(typed.slice(0, -1), app);
  const last = typed.at(-1) ?? '';
  const matching = found.filter((word) => word.startsWith(last));
  return { data: { words: matching }, text: () => matching.map((word) => `${word}\n`).join('') };
};

type Candidates = (typed: readonly string[], app: Parameters<Run>[0]) => Promise<string[]>;

const candidates: Candidates = async (typed, app) => {
  const plainWords = typed.filter((word) => !word.startsWith('-'));
  const [name, verb, ...rest] = plainWords;
  if (name === undefined) return commands.map((command) => command.name);
  const entry = commands.find((command) => command.name === name);
  if (entry === undefined) return [];
  const spec = await entry.load();
  const flags = globalOptions.map(([option]) => longFlag(option));
  if ('run' in spec) return [...optionFlags(spec), ...flags];
  const called = spec.verbs.find((one) => one.name === verb);
  if (called === undefined) return spec.verbs.map((one) => one.name);
  const names =
    rest.length === 0 && called.args?.startsWith('<') && called.name !== 'add'
      ? await objectNames(spec, app, typed)
      : [];
  return [...names, ...optionFlags(called), ...flags];
};

const optionFlags = (verb: VerbSpec): string[] => (verb.options ?? []).map(([flags]) => longFlag(flags));

const longFlag = (flags: string): string => /--[a-z-]+/.exec(flags)?.[0] ?? flags;

// A database that is not there, or locked, must not disturb somebody who types.
const objectNames = async (
  spec: CommandSpec,
  app: Parameters<Run>[0],
  typed: readonly string[],
): Promise<string[]> => {
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

export const completion: CommandSpec = {
  name: 'completion',
  summary: 'completion for bash, zsh and fish',
  verbs: [
    ...shells.map((shell) => ({ name: shell, summary: `print the script for ${shell}`, run: script(shell) })),
    { name: 'words', summary: 'print the words that may stand next', args: '[typed...]', run: words },
  ],
};
