import type { Field, Noun, Value } from '../model/field.ts';
import { plain, type Style } from './style.ts';
import { type Column, listing, shown, table } from './table.ts';

/** An object as the database gives it. */
export type Shown = Readonly<Record<string, Value>> & { enabled: boolean };

/** Objects of one noun as a table. */
export function displayObjects(
  noun: Noun,
  objects: readonly Shown[],
  fields: readonly string[],
  style: Style = plain,
): string {
  if (objects.length === 0) return '';
  const columns: Column<Shown>[] = [
    { title: noun.key.toUpperCase(), value: (object) => shown(object[noun.key]), style: () => style.bold },
    ...fields.map((field) => ({ title: title(field), value: (object: Shown) => shown(object[field]) })),
    {
      title: 'STATE',
      value: (object) => (object.enabled ? 'enabled' : 'disabled'),
      style: (object) => (object.enabled ? style.good : style.dim),
    },
  ];
  return table(objects, columns, style);
}

/** One object, field by field; a value that the template or the tenant gives says so. */
export function displayObject(
  noun: Noun,
  object: Shown,
  effective: Readonly<Record<string, { value: Value; origin: string }>>,
  style: Style = plain,
): string {
  const entries: [string, string][] = [[noun.key, style.bold(shown(object[noun.key]))]];
  if (noun.tenantScoped) entries.push(['tenant', shown(object.tenant)]);
  for (const name of new Set([...Object.keys(noun.fields), ...Object.keys(effective)])) {
    const worked = effective[name];
    const own = object[name];
    if (own !== null && own !== undefined && (worked === undefined || worked.origin === noun.name))
      for (const one of partsOf(own, noun.fields[name])) entries.push([name, shown(one)]);
    else if (worked !== undefined)
      entries.push([name, `${shown(worked.value)} ${style.dim(`(${worked.origin})`)}`]);
  }
  entries.push(
    ['enabled', shown(object.enabled)],
    ['created', shown(object.createdAt)],
    ['updated', shown(object.updatedAt)],
  );
  return listing(entries, style);
}

// What has a line for each entry where it is written has one where it is read.
const partsOf = (value: Value, field: Field | undefined): readonly Value[] =>
  Array.isArray(value) && field?.separator !== undefined ? value : [value];

const title = (field: string): string => field.replace(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase();
