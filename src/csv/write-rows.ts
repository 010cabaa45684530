import { type Noun, separatorOf, type Value } from '../model/field.ts';
import { csvLine } from './line.ts';

/** Objects as a table that `import csv` takes back unchanged: one column per field, in a fixed order, and no secret. */
export function writeRows(
  noun: Noun,
  objects: readonly Readonly<Record<string, Value>>[],
  { withTenant }: { withTenant: boolean },
): string {
  const fields = Object.entries(noun.fields)
    .filter(([, { kind }]) => kind !== 'secret')
    .map(([name]) => name);
  const columns = [...(withTenant ? ['tenant'] : []), noun.key, ...fields, 'enabled'];
  const lines = objects.map((object) =>
    csvLine(columns.map((name) => cellOf(noun, name, object[name] ?? null))),
  );
  return [csvLine(columns), ...lines].map((line) => `${line}\n`).join('');
}

const cellOf = (noun: Noun, name: string, value: Value): string | number | boolean | null =>
  Array.isArray(value)
    ? value.join(separatorOf(noun.fields[name] ?? {}))
    : (value as string | number | boolean | null);
