import type { Field, Noun, Value } from '../model/field.ts';
import { separatorOf, snake } from '../model/field.ts';
import { Secret } from '../model/secret.ts';
import type { Row } from './database.ts';
import type { Keyring } from './keyring.ts';

/** One stored object, keyed as in `--json`. References and the tenant stand by name. */
export type Stored = {
  id: number;
  enabled: boolean;
  createdAt: string;
  updatedAt: string;
  tenant?: string;
} & Record<string, Value>;

export const columnOf = (name: string, field: Field): string =>
  field.kind === 'reference' ? `${snake(name)}_id` : snake(name);

/** The place of a secret, as it is bound to its sealed form. */
export const secretPlace = (table: string, id: number, column: string): string => `${table}/${id}/${column}`;

/** Builds the function that turns rows of a noun into objects. Secrets are opened only when they are revealed. */
export function decoder(noun: Noun, keyring: () => Keyring): (row: Row) => Stored {
  const fields = Object.entries(noun.fields).map(([name, field]) => ({
    name,
    field,
    column: field.kind === 'reference' ? `${name}_name` : columnOf(name, field),
  }));
  const keyColumn = snake(noun.key);
  return (row) => {
    const object: Stored = { id: row.id as number } as Stored;
    if (noun.tenantScoped) object.tenant = row.tenant_name as string;
    object[noun.key] = row[keyColumn] as string;
    for (const { name, field, column } of fields)
      object[name] = decode(field, row[column], noun, row, column, keyring);
    object.enabled = row.enabled === 1;
    object.createdAt = row.created_at as string;
    object.updatedAt = row.updated_at as string;
    if (row.revision !== undefined) object.revision = row.revision as string;
    return object;
  };
}

function decode(
  field: Field,
  stored: unknown,
  noun: Noun,
  row: Row,
  column: string,
  keyring: () => Keyring,
): Value {
  const { kind } = field;
  if (stored === null || stored === undefined) return null;
  if (kind === 'boolean') return stored === 1;
  if (kind === 'list') return (stored as string).split(separatorOf(field));
  if (kind === 'secret') {
    return new Secret(() =>
      keyring().open(stored as Buffer, secretPlace(noun.table, row.id as number, column)),
    );
  }
  return stored as string | number;
}

/** The column value of a field. References are given as ids already. */
export function encode(
  field: Field,
  value: Value,
  noun: Noun,
  id: number,
  column: string,
  keyring: () => Keyring,
): unknown {
  if (value === null) return null;
  if (field.kind === 'boolean') return value === true ? 1 : 0;
  if (field.kind === 'list')
    return (value as readonly string[]).length === 0
      ? null
      : (value as readonly string[]).join(separatorOf(field));
  if (field.kind === 'secret') return keyring().seal(value as Secret, secretPlace(noun.table, id, column));
  return value;
}
