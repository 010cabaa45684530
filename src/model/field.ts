import type { Problem } from '../errors.ts';
import type { Secret } from './secret.ts';

/** What a field can hold. `null` means "not set": the template, or the tenant, decides. */
export type Value = string | number | boolean | readonly string[] | Secret | null;

/** The answer of a rule: the parsed value, or what is wrong with the text and how to mend it. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; message: string; hint?: string };

export interface Rule<T> {
  (text: string): Parsed<T>;
  /** The only texts it takes, where they are few. */
  choices?: readonly string[];
  /** The least and the largest number it takes. */
  bounds?: readonly [number, number];
}

export type FieldKind = 'text' | 'integer' | 'boolean' | 'list' | 'secret' | 'reference';

/** One field of a noun: the single place that knows its flag, its rule, its default and its help. */
export interface Field<T extends Value = Value> {
  kind: FieldKind;
  /** The long flag without dashes; booleans also get `--no-<flag>`, secrets `--<flag>-stdin` and its kin. */
  flag: string;
  help: string;
  rule: Rule<T>;
  /** Must be given when an object is added. */
  required?: true;
  /** The value of a new object that does not name one. */
  initial?: T;
  /** What stands between the values of a list where a comma may be part of one; `,` where it is not set. */
  separator?: string;
  /** The noun that a reference points to, within the same tenant. */
  to?: string;
  /** The objects of the same tenant that a value names inside its text: they must be there, and stay. */
  mentions?(value: T): readonly Mention[];
}

/** An object of the same tenant, by name. */
export interface Mention {
  noun: string;
  name: string;
}

export type Fields = Readonly<Record<string, Field>>;

/** The values of one object, keyed like its fields. */
export type ValuesOf<F extends Fields> = {
  [K in keyof F]: F[K] extends { required: true } | { initial: Exclude<Value, null> }
    ? FieldValue<F[K]>
    : FieldValue<F[K]> | null;
};

type FieldValue<F> = F extends Field<infer T> ? T : never;

/** A kind of object that sipctl keeps: `trunk`, `user`, … */
export interface Noun<F extends Fields = Fields, Key extends string = string> {
  name: string;
  /** As a sentence speaks of one, where its name is not what people say: `Twilio account`. */
  title?: string;
  /** The words of its command, where its name is none: `twilio account`. */
  command?: string;
  table: string;
  /** Belongs to a tenant; names are unique per tenant. */
  tenantScoped: boolean;
  /** The field that names an object: `name`, `username` or `number`. */
  key: Key;
  keyRule: Rule<string>;
  fields: F;
}

/** One stored object of a noun. */
export type ObjectOf<N> =
  N extends Noun<infer F, infer Key>
    ? ValuesOf<F> & { [K in Key]: string } & {
        id: number;
        enabled: boolean;
        /** UTC, ISO 8601. */
        createdAt: string;
        updatedAt: string;
      }
    : never;

/** What stands between the values of a list, as text and in the database. */
export const separatorOf = ({ separator = ',' }: Pick<Field, 'separator'>): string => separator;

/** What a noun is called in sentences, and what its objects are called together. */
export const titleOf = ({ name, title = name }: Pick<Noun, 'name' | 'title'>): string => title;

export const pluralOf = ({ title, table }: Noun): string => (title === undefined ? table : `${title}s`);

/** The words that follow `sipctl` in the commands of a noun. */
export const commandOf = ({ name, command = name }: Pick<Noun, 'name' | 'command'>): string => command;

export const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });

export const wrong = (message: string, hint?: string): Parsed<never> =>
  hint === undefined ? { ok: false, message } : { ok: false, message, hint };

/** The complaint about one field, in the shape every output uses. */
export function fieldProblem(field: string, flag: string, bad: { message: string; hint?: string }): Problem {
  const problem: Problem = { code: `invalid_${snake(field)}`, message: `${field}: ${bad.message}`, field };
  problem.hint = bad.hint ?? `see --${flag} in --help`;
  return problem;
}

/** `maxCalls` → `max_calls`: the column of a field, and the tail of its problem code. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
