import type { App } from '../app.ts';
import { type Outcome, type Problem, SipctlError } from '../errors.ts';
import { integer } from '../model/rules.ts';
import type { Style } from '../report/style.ts';

/** What a command has to say: the same answer as data for `--json`, and as text for people. */
export interface Result {
  data: unknown;
  changed?: boolean;
  text: (style: Style) => string;
  warnings?: readonly Problem[];
  /** How the command ended, where that is not `done`; with the errors that say why. */
  outcome?: Outcome;
  errors?: readonly Problem[];
  /** True where the text says the errors itself. */
  tellsErrors?: boolean;
  /** True where the command wrote its answer itself, line by line: nothing is printed of `data` and `text`. */
  streamed?: true;
  /** Instead of the outcome's own, where the caller expects the codes of another convention. */
  exitCode?: number;
}

/** What the command line gave: words by position, flags by their camel-cased name. */
export interface Input {
  args: readonly (string | undefined)[];
  options: Readonly<Record<string, unknown>>;
}

export type Run = (app: App, input: Input) => Promise<Result>;

/** `['--limit <n>', 'how many']`; values of a flag that is `joined`, or of `lines`, add up where it is given again. */
export type OptionSpec = readonly [flags: string, help: string, repeated?: 'joined' | 'lines'];

export interface VerbSpec {
  name: string;
  summary: string;
  /** `<name>` is needed, `[name]` may be left out, `<name...>` takes several. */
  args?: string;
  options?: readonly OptionSpec[];
  examples?: readonly string[];
  run: Run;
}

/** Verbs that share a word, which stands before them: `account` in `twilio account add`. */
export interface VerbGroup {
  name: string;
  summary: string;
  verbs: readonly (VerbSpec | VerbGroup)[];
  /** The name of the verb that is meant where none is given. */
  alone?: string;
}

/** One file of `commands/`: a verb of its own, or a noun with its verbs. */
export type CommandSpec = VerbSpec | VerbGroup;

/** A command as the first help page shows it; its file is loaded when it is called. */
export interface CommandEntry {
  name: string;
  summary: string;
  heading: string;
  load: () => Promise<CommandSpec>;
}

/** The nodes that `--node` names, by name or label (`@east`); none means all. */
export const nodeNames = ({ options }: Input): string[] => separated(options.node);

/** The parts of a value between commas; none where the flag was not given. */
export const separated = (value: unknown): string[] =>
  typeof value === 'string' ? value.split(',').map((name) => name.trim()) : [];

/** A flag that takes a whole number; null where it was not given. @throws SipctlError `invalid` */
export function integerOption(input: Input, name: string, lowest: number, hint: string): number | null {
  const given = input.options[name];
  if (given === undefined) return null;
  const parsed = integer(lowest, 999_999_999)(String(given));
  if (parsed.ok) return parsed.value;
  throw new SipctlError('invalid', {
    code: `invalid_${name}`,
    message: `${name}: ${parsed.message}`,
    field: name,
    hint,
  });
}

export const lines = (...texts: string[]): string => `${texts.join('\n')}\n`;
