import { destinationKinds, hangupCauses } from '../model/destination.ts';
import { everyNoun } from '../model/every-noun.ts';
import { commandOf, type Field, type Noun } from '../model/field.ts';

/** What the value of a noun's flag names: objects of one kind, or destinations. */
export interface NamedKinds {
  kind: string | 'destination';
  isList: boolean;
  /** Destinations of menu keys stand behind `1=`. */
  isKeyed: boolean;
}

/** The noun whose command these words begin with: that of `twilio account add` is one of its own. */
function nounOf(words: readonly string[]): Noun | undefined {
  const starts = words.map((_, at) => words.slice(0, at + 1).join(' '));
  const found = everyNoun.filter((noun) => starts.includes(commandOf(noun)));
  return found.toSorted((one, other) => commandOf(other).length - commandOf(one).length)[0];
}

/** What the first argument of a command names, by how its help writes it: `<name>`, `[name]`; null where it names nothing. */
export function kindOfArgument(words: readonly string[], args: string): string | null {
  const argument = /^[<[]([a-z]+)/.exec(args)?.[1];
  if (argument === undefined) return null;
  if (argument === 'number') return 'number';
  const noun = nounOf(words);
  // What has no noun is asked for under its own word: `provider`.
  if (noun === undefined) return args.startsWith('<') ? (words[0] ?? null) : null;
  return argument === noun.key || argument === 'name' ? noun.name : null;
}

/** What a flag of a noun names; null where it names nothing. */
export function kindsNamedBy(words: readonly string[], flag: string): NamedKinds | null {
  const fields = nounOf(words)?.fields ?? {};
  const field = Object.values(fields).find((one) => `--${one.flag}` === flag);
  if (field === undefined) return null;
  const isList = field.kind === 'list';
  if (field.to !== undefined) return { kind: field.to, isList, isKeyed: false };
  if (field.mentions === undefined) return null;
  return { ...kindOf(field), isList };
}

// What a field takes is asked of the field itself, by a name of each form.
function kindOf(field: Field): Pick<NamedKinds, 'kind' | 'isKeyed'> {
  const [plain] = field.mentions?.(field.kind === 'list' ? ['x'] : 'x') ?? [];
  if (plain !== undefined) return { kind: plain.noun, isKeyed: false };
  return { kind: 'destination', isKeyed: field.rule('1=hangup:busy').ok };
}

/** The texts that such a value may go on with, given what is typed of it. */
export async function spelled(
  { kind, isList, isKeyed }: NamedKinds,
  last: string,
  namesOf: (kind: string) => Promise<string[]>,
): Promise<string[]> {
  const before = isList ? last.slice(0, last.lastIndexOf(',') + 1) : '';
  const part = last.slice(before.length);
  const key = isKeyed ? (/^[0-9*#]=/.exec(part)?.[0] ?? '') : '';
  if (isKeyed && key === '') return [...'1234567890*#'].map((one) => `${before}${one}=`);
  const names = kind === 'destination' ? await destinations(namesOf) : await namesOf(kind);
  return names.map((name) => before + key + name);
}

async function destinations(namesOf: (kind: string) => Promise<string[]>): Promise<string[]> {
  const named = await Promise.all(
    destinationKinds.map(async (kind) =>
      (await namesOf(kind === 'voicemail' ? 'user' : kind)).map((name) => `${kind}:${name}`),
    ),
  );
  const causes = Object.keys(hangupCauses).map((cause) => `hangup:${cause}`);
  return [...named.flat(), 'app:', 'external:', ...causes];
}
