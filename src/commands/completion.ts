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
    const typed = unbroken(args.filter((word): word is string => word !== undefined));
    const last = typed.words.at(-1) ?? '';
    const found = await candidates({ typed: typed.words.slice(0, -1), last, commands, globalOptions, app });
    const matching = found.filter((word) => word.startsWith(last)).map((word) => word.slice(typed.standing));
    return { data: { words: matching }, text: () => matching.map((word) => `${word}\n`).join('') };
  };

/** Bash takes words apart at `:` and `=`, and replaces the last part only: `--to user : a` is `--to user:a`. */
function unbroken(parts: readonly string[]): { words: string[]; standing: number } {
  const words: string[] = [];
  let standing = 0;
  for (const [at, part] of parts.entries()) {
    const joins = at > 0 && (isBreak(part) || isBreak(parts[at - 1] as string));
    const before = joins ? (words.pop() ?? '') : '';
    words.push(before + part);
    // A break that is being typed is itself what stands there already.
    standing = before.length + (isBreak(part) ? part.length : 0);
  }
  return { words, standing };
}

const isBreak = (part: string): boolean => /^[:=]+$/.test(part);

interface Line {
  /** Every word before the one that is being typed. */
  typed: readonly string[];
  last: string;
  commands: readonly CommandEntry[];
  globalOptions: readonly OptionSpec[];
  app: App;
}

async function candidates({ typed, last, commands, globalOptions, app }: Line): Promise<string[]> {
  const flag = typed.at(-1) ?? '';
  const [name, ...more] = plainWords(typed, globalOptions);
  const wanted = valuesOf.get(flag);
  if (wanted !== undefined) return namesOf(wanted, typed, app);
  if (name !== undefined && flag.startsWith('--')) {
    const named = await import('./completion-names.ts');
    const kinds = named.kindsNamedBy([name, ...more], flag);
    if (kinds !== null) return named.spelled(kinds, last, (kind) => namesOf(kind, typed, app));
  }
  if (name === undefined) return commands.map((command) => command.name);
  const spec = await commands.find((command) => command.name === name)?.load();
  if (spec === undefined) return [];
  const flags = globalOptions.map(([option]) => longFlag(option));
  const called = calledBy(spec, more);
  if (!('run' in called.spec)) return called.spec.verbs.map((one) => one.name);
  if (called.words === 0) return [...optionFlags(called.spec), ...flags];
  const given = plainWords(typed, [...globalOptions, ...(called.spec.options ?? [])]);
  const { kindOfArgument } = await import('./completion-names.ts');
  const isNext = given.length === 1 + called.words && called.spec.name !== 'add';
  const kind = isNext ? kindOfArgument([name, ...more], called.spec.args ?? '') : null;
  return [...(kind === null ? [] : await namesOf(kind, typed, app)), ...optionFlags(called.spec), ...flags];
}

/** The command that these words call, as far as they go, and how many of them do. */
function calledBy(spec: CommandSpec, words: readonly string[]): { spec: CommandSpec; words: number } {
  const next = 'run' in spec ? undefined : spec.verbs.find((one) => one.name === words[0]);
  if (next === undefined) return { spec, words: 0 };
  const called = calledBy(next, words.slice(1));
  return { spec: called.spec, words: called.words + 1 };
}

/** Flags whose value is the name of something, and what that is. */
const valuesOf: ReadonlyMap<string, string> = new Map([
  ['--tenant', 'tenant'],
  ['--provider', 'provider'],
  ['--template', 'user-template'],
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
