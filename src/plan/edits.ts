import type { Place, Problem } from '../errors.ts';
import type { Noun, Value } from '../model/field.ts';
import { Secret } from '../model/secret.ts';
import type { Action } from './plan.ts';

/** The value of one field before and after; secrets show only that they change. */
export interface FieldEdit {
  field: string;
  from: Value;
  to: Value;
  /** True of a secret that is made and was not given. */
  generated: boolean;
}

/** What would be written to the database about one object. */
export interface ObjectEdit {
  action: Action;
  noun: Noun;
  tenant: string | null;
  name: string;
  /** What is written: all values of an object that is created, those that change of one that is there. */
  values: Readonly<Record<string, Value>>;
  fields: readonly FieldEdit[];
  place: Place | null;
}

/** What a source would change in the database, as data; and in what state of the database that was found. */
export interface SiteChange {
  edits: readonly ObjectEdit[];
  /** Objects that are declared and are so already. */
  unchanged: number;
  /** Objects that were there in the scope of the source: of these a share may be deleted. */
  held: number;
  problems: readonly Problem[];
  warnings: readonly Problem[];
  base: SiteBase;
}

/** What the database was when a change was found: `null` where a tenant or node was not there. */
export interface SiteBase {
  /** Tenant → revision. */
  revisions: ReadonlyMap<string, string | null>;
  /** Node → time of its last change. */
  nodes: ReadonlyMap<string, string | null>;
}

/** How many objects would be created, changed and deleted. */
export function countEdits({ edits }: Pick<SiteChange, 'edits'>): Record<Action, number> {
  const count = { create: 0, update: 0, delete: 0 };
  for (const { action } of edits) count[action]++;
  return count;
}

/** Two values of a field that are the same to it. */
export function sameValue(left: Value, right: Value): boolean {
  if (left instanceof Secret && right instanceof Secret) return left.reveal() === right.reveal();
  if (Array.isArray(left) || Array.isArray(right)) return listed(left) === listed(right);
  return left === right;
}

// An empty list is kept as none.
const listed = (value: Value): string =>
  Array.isArray(value) ? value.join('\n') : value === null ? '' : String(value);

/** The fields in which `after` differs; an object that is created differs in those that are set. */
export function fieldEdits(
  noun: Noun,
  before: Readonly<Record<string, Value>> | null,
  after: Readonly<Record<string, Value>>,
  generated: ReadonlySet<string>,
): FieldEdit[] {
  const initial = (name: string): Value => (name === 'enabled' ? true : (noun.fields[name]?.initial ?? null));
  const edits: FieldEdit[] = [];
  for (const [field, to] of Object.entries(after)) {
    const from = before === null ? initial(field) : (before[field] ?? null);
    if (!sameValue(from, to))
      edits.push({ field, from: before === null ? null : from, to, generated: generated.has(field) });
  }
  return edits;
}
