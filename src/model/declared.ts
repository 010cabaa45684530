import type { Place } from '../errors.ts';
import type { Noun, Value } from './field.ts';

/** An object as a source describes it; its name and values were parsed by the rules of their fields. */
export interface Declared {
  noun: Noun;
  /** null where the noun belongs to no tenant. */
  tenant: string | null;
  name: string;
  /** By field; `enabled` may be among them. References by name. Secrets: a Secret; one that is left out stays as it is. */
  values: Readonly<Record<string, Value>>;
  /** `whole`: fields that are not named get their defaults (secrets stay as they are); `given`: they stay as they are. */
  extent: 'whole' | 'given';
  /** Fields of secrets that are made where the object has none. */
  generated: readonly string[];
  /** Fields whose values could not be read, which was complained of: they are not missing. */
  faulty?: readonly string[];
  place: Place | null;
  /** Of single values, by field. */
  places: Readonly<Record<string, Place>>;
}
