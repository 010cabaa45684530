import type { Place, Problem } from '../errors.ts';
import { checkTrunk, checkUser, type TrunkValues, type UserValues } from '../model/check.ts';
import type { Noun, Value } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import { holdsSecret, inOrder, isCalledSecret } from '../model/raw-option.ts';
import { Secret } from '../model/secret.ts';
import type { Catalog } from '../model/template.ts';

/** One line of an object of an engine, as it was written or as it would be rendered. */
export interface Line {
  option: string;
  value: string;
  place?: Place;
}

/** Section → its lines; one that is not there has none. */
export type Sections = ReadonlyMap<string, readonly Line[]>;

/** One way in which what is rendered is not what was written. */
export interface Difference {
  section: string;
  /** null: the whole section. */
  option: string | null;
  written: string | null;
  rendered: string | null;
  place: Place | null;
}

export type Values = Readonly<Record<string, Value>>;

/** An object whose fields, with its options, say what was written, and what they cannot say. */
export interface Fit {
  values: Values;
  left: readonly Difference[];
  /** What speaks against these values. */
  problems: readonly Problem[];
}

/** How an engine renders objects, and compares what it means. */
export interface Fitting {
  kind: 'trunk' | 'user';
  catalog: Catalog;
  text(values: Values): string;
  sections(values: Values): Sections;
  differences(written: Sections, rendered: Sections): Difference[];
  /** The options that take differences away, as far as an object may have them. */
  optionsFor(found: readonly Difference[], written: Sections): string[];
}

/**
 * The values as few as they can be: what the template gives anyway is left to it. What they leave unsaid of the written
 * sections is said by options; both are proved by rendering, so that nothing has to be known twice.
 */
export function fitValues(given: Values, written: Sections, fitting: Fitting): Fit {
  const problems = problemsOf(given, fitting);
  if (problems.length > 0) return { values: given, left: [], problems };
  const values = withoutNeedless(given, fitting);
  const found = fitting.differences(written, fitting.sections(values));
  const options = fitting.optionsFor(found, written);
  if (options.length === 0) return { values: { ...values, options: null }, left: found, problems };
  const full = { ...values, options: inOrder(options) };
  return { values: full, left: fitting.differences(written, fitting.sections(full)), problems };
}

/** Of several guesses, the one whose rendering is nearest to what was written, fitted. */
export function fitNearest(guesses: readonly Values[], written: Sections, fitting: Fitting): Fit {
  const [only] = guesses;
  if (only === undefined) throw new TypeError('there is nothing to choose from');
  const distance = (values: Values): number =>
    problemsOf(values, fitting).length > 0
      ? Number.POSITIVE_INFINITY
      : fitting.differences(written, fitting.sections(values)).length;
  const nearest =
    guesses.length === 1
      ? only
      : guesses
          .map((values) => ({ values, far: distance(values) }))
          .reduce((best, one) => (one.far < best.far ? one : best)).values;
  return fitValues(nearest, written, fitting);
}

/** Values with those of a new object in the place of what is not named. */
export const filled = (noun: Noun, values: Values): Values => ({
  ...Object.fromEntries(Object.entries(noun.fields).map(([name, { initial }]) => [name, initial ?? null])),
  ...values,
});

function problemsOf(values: Values, { kind, catalog }: Fitting): Problem[] {
  if (kind === 'trunk')
    return checkTrunk(filled(nouns.trunk, values) as unknown as TrunkValues, catalog).map((problem) => ({
      ...problem,
      hint: problem.field === 'password' ? leaveOut : `say it with --set <trunk>.${problem.field}=<value>`,
    }));
  const missing = ['extension', 'password'].filter((field) => (values[field] ?? null) === null);
  return [
    ...missing.map((field) => ({
      ...{ code: `missing_${field}`, message: `${field}: nothing says it`, field },
      hint:
        field === 'extension'
          ? 'say it with --set <user>.extension=<number>'
          : `give --generate-passwords, or ${leaveOut}`,
    })),
    ...checkUser(filled(nouns.user, values) as unknown as UserValues, catalog),
  ];
}

const leaveOut = 'leave it out with --except <name>';

/** What has to be said although the template says the same today. */
const always = new Set([
  ...['provider', 'template', 'username', 'password', 'extension', 'maxCalls', 'region', 'did'],
]);

function withoutNeedless(given: Values, fitting: Fitting): Values {
  const { kind, text } = fitting;
  const { fields }: Noun = kind === 'trunk' ? nouns.trunk : nouns.user;
  let values = given;
  let known = text(values);
  for (const name of Object.keys(given)) {
    const initial = fields[name]?.initial ?? null;
    if (always.has(name) || values[name] === initial || values[name] instanceof Secret) continue;
    const fewer = { ...values, [name]: initial };
    if (problemsOf(fewer, fitting).length > 0) continue;
    const shorter = text(fewer);
    if (shorter !== known) continue;
    values = fewer;
    known = shorter;
  }
  return values;
}

/** The complaint about something that is not taken over as it is. */
export const notTaken = (message: string, place: Place, hint?: string): Problem => ({
  ...{ code: 'not_taken_over', message, place },
  ...(hint === undefined ? {} : { hint }),
});

/** A difference in words. Secrets are never among them. */
export function told(
  { section, option, written, rendered, place }: Difference,
  object: string,
  { at, isSecret, hint }: { at: Place; isSecret: (option: string) => boolean; hint?: string | undefined },
): Problem {
  const where = place ?? at;
  if (option === null)
    return notTaken(
      `${object}: the section ${section} is ${rendered === null ? 'left out' : 'added'}`,
      where,
      hint,
    );
  const shown = (value: string): string =>
    isSecret(option) || isCalledSecret(option) || holdsSecret({ section, option, value })
      ? 'its secret'
      : `'${value}'`;
  const name = `${section}.${option}`;
  if (written === null) return notTaken(`${object}: ${name}=${shown(rendered ?? '')} is added`, where, hint);
  const instead = rendered === null ? 'nothing' : shown(rendered);
  return notTaken(`${object}: ${name}=${shown(written)} becomes ${instead}`, where, hint);
}

/** Stands for a password that is to be made when the object is written. */
export const madeLater = new Secret('to be made');

/** The values, and which of them are to be made. */
export function madeApart(values: Values): { values: Values; generated: readonly string[] } {
  if (values.password !== madeLater) return { values, generated: [] };
  const { password: _, ...others } = values;
  return { values: others, generated: ['password'] };
}
