import type { Field, FieldKind, Fields, Noun, Rule, Value } from './field.ts';

/** Declares one field; `const` keeps `required` and `initial` visible to the types. */
export function field<T extends Value, const More extends Partial<Field<T>> = Record<never, never>>(
  kind: FieldKind,
  flag: string,
  of: Rule<T>,
  help: string,
  more?: More,
): Field<T> & More {
  return { kind, flag, help, rule: of, ...more } as Field<T> & More;
}

/** Declares a noun; its fields stay visible to the types. */
export const noun = <F extends Fields, Key extends string>(spec: Noun<F, Key>): Noun<F, Key> => spec;
