import type { Field, Mention, Noun, Value } from './field.ts';

/** One place of an object where the text of a field names another object of its tenant. */
export interface MentionPlace {
  field: string;
  /** The part of the value that names it: `user:ann`, or one element of a list. */
  text: string;
  mention: Mention;
}

/** The fields of a noun whose values name other objects. */
export const mentionFields = (noun: Noun): [name: string, field: Field][] =>
  Object.entries(noun.fields).filter(([, field]) => field.mentions !== undefined);

/** Every object that these values name inside their texts. */
export const mentionsIn = (noun: Noun, values: Readonly<Record<string, Value>>): MentionPlace[] =>
  mentionFields(noun).flatMap(([name, field]) =>
    partsOf(values[name] ?? null).flatMap((part) =>
      mentionsOfPart(field, part).map((mention) => ({ field: name, text: part, mention })),
    ),
  );

/** What is left of an object's values where others go: the patch, and the fields that cannot do without them. */
export interface Remainder {
  patch: Record<string, Value>;
  /** Fields that would be emptied although they are needed, or mean something else when they are empty. */
  stuck: string[];
}

/**
 * Takes names out of an object's values: a list loses the elements that hold one, a single destination is unset. A list
 * is never emptied, because an empty one may mean "all" (the trunks of a route).
 */
export function withoutMentions(
  noun: Noun,
  values: Readonly<Record<string, Value>>,
  isGone: (mention: Mention) => boolean,
): Remainder {
  const remainder: Remainder = { patch: {}, stuck: [] };
  for (const [name, field] of mentionFields(noun)) {
    const parts = partsOf(values[name] ?? null);
    const left = parts.filter((part) => !mentionsOfPart(field, part).some(isGone));
    if (left.length === parts.length) continue;
    const mayBeUnset = field.kind !== 'list' && field.required !== true;
    if (left.length > 0) remainder.patch[name] = left;
    else if (mayBeUnset) remainder.patch[name] = null;
    else remainder.stuck.push(name);
  }
  return remainder;
}

const partsOf = (value: Value): readonly string[] =>
  typeof value === 'string' ? [value] : Array.isArray(value) ? (value as readonly string[]) : [];

const mentionsOfPart = (field: Field, part: string): readonly Mention[] =>
  field.mentions?.(field.kind === 'list' ? [part] : part) ?? [];
