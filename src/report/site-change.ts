import { pluralOf, titleOf, type Value } from '../model/field.ts';
import { masked, Secret } from '../model/secret.ts';
import { countEdits, type FieldEdit, type ObjectEdit, type SiteChange } from '../plan/edits.ts';
import type { Action } from '../plan/plan.ts';
import { plain, type Style } from './style.ts';
import { shown } from './table.ts';

/** From so many objects of one tenant, noun and action on, they are counted and not named. */
const named = 50;

const signs: Record<Action, string> = { create: '+', update: '~', delete: '-' };

/** What a source would change in the database, or has changed, as people read it. */
export function siteChangeText(change: SiteChange, style: Style = plain, isWritten = false): string {
  if (change.edits.length === 0) return `Database: ${change.unchanged} declared, nothing to change.\n`;
  const groups = grouped(change.edits, headOf);
  const parts = [...groups].map(([head, edits]) => `${style.bold(head)}\n${groupText(edits, style)}`);
  const count = countEdits(change);
  const [add, alter, remove] = isWritten
    ? ['added', 'changed', 'removed']
    : ['to add', 'to change', 'to remove'];
  const sum = `${count.create} ${add}, ${count.update} ${alter}, ${count.delete} ${remove}, ${change.unchanged} unchanged`;
  return `${parts.join('')}${style.bold('Database')}: ${sum}.\n`;
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}

const headOf = ({ noun, tenant, name }: ObjectEdit): string =>
  noun.name === 'tenant' ? `tenant ${name}` : tenant === null ? pluralOf(noun) : `tenant ${tenant}`;

function groupText(edits: readonly ObjectEdit[], style: Style): string {
  const kinds = grouped(edits, ({ noun, action }) => `${noun.name} ${action}`);
  return [...kinds.values()]
    .map((alike) => {
      const rest = alike.length - named;
      const more =
        rest > 0
          ? `  ${signs[(alike[0] as ObjectEdit).action]} … and ${rest} more ${pluralOf((alike[0] as ObjectEdit).noun)}\n`
          : '';
      return (
        alike
          .slice(0, named)
          .map((edit) => editText(edit, style))
          .join('') + more
      );
    })
    .join('');
}

function editText({ action, noun, name, fields }: ObjectEdit, style: Style): string {
  const paint = { create: style.good, update: style.warn, delete: style.bad }[action];
  const lines = fields.map((field) => `      ${fieldText(action, field)}\n`);
  return `${paint(`  ${signs[action]} ${titleOf(noun)} ${name}`)}\n${lines.join('')}`;
}

/** `port: 5060 → 5061`; of a secret only that it changes. */
export function fieldText(action: Action, { field, from, to, generated }: FieldEdit): string {
  if (to instanceof Secret || from instanceof Secret) {
    const how = generated ? 'made' : to === null ? 'removed' : from === null ? 'set' : 'changed';
    return `${field}: ${masked} ${how}`;
  }
  return action === 'create' ? `${field}: ${shown(to)}` : `${field}: ${orUnset(from)} → ${orUnset(to)}`;
}

const orUnset = (value: Value): string => (value === null ? '(not set)' : shown(value));

/** A change as data; secrets show only that they change. */
export function siteChangeData(change: SiteChange): object {
  const changes = change.edits.map(({ action, noun, tenant, name, fields }) => ({
    ...{ action, noun: noun.name, tenant, name },
    fields: Object.fromEntries(
      fields.map(({ field, from, to, generated }) => [
        field,
        { from, to, ...(generated ? { generated } : {}) },
      ]),
    ),
  }));
  return { changes, count: countEdits(change), unchanged: change.unchanged };
}
