import { masked } from '../model/secret.ts';
import type { OptionChange } from './plan.ts';

/** Section and option with a blank between them → value, of one object. */
export type OptionValues = ReadonlyMap<string, string>;

/** What differs between the values of an object before and after; those of secrets are compared, and never shown. */
export function optionChanges(
  before: OptionValues,
  after: OptionValues,
  isSecret: (option: string) => boolean,
): OptionChange[] {
  const changes: OptionChange[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key) ?? null, after.get(key) ?? null];
    if (was === is) continue;
    const [section = '', option = ''] = key.split(' ');
    const shown = (value: string | null): string | null =>
      value !== null && isSecret(option) ? masked : value;
    changes.push({ section, option, before: shown(was), after: shown(is) });
  }
  return changes;
}
