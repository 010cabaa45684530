import { destinationKinds, hangupCauses } from '../model/destination.ts';
import { everyNoun } from '../model/every-noun.ts';
import type { Field } from '../model/field.ts';

/** What the value of a noun's flag names: objects of one kind, or destinations. */
export interface NamedKinds {
  kind: string | 'destination';
  isList: boolean;
  /** Destinations of menu keys stand behind `1=`. */
  isKeyed: boolean;
}

/** What a flag of a noun names; null where it names nothing. */
export function kindsNamedBy(noun: string, flag: string): NamedKinds | null {
  const fields = everyNoun.find((one) => one.name === noun)?.fields ?? {};
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
