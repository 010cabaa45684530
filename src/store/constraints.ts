import { type Problem, SipctlError } from '../errors.ts';
import { commandOf, type Noun, snake, titleOf } from '../model/field.ts';

/** The object of a tenant that is reached by what users dial. */
export interface Holder {
  noun: string;
  name: string;
}

/** What is said of a noun in a complaint. */
export type NamedNoun = Pick<Noun, 'name' | 'title' | 'command'>;

/** What a broken constraint means to the person who wrote; null when the error is none. */
export function constraintError(
  error: unknown,
  noun: NamedNoun,
  ref: { tenant: string | null; name: string },
  holder: Holder | null = null,
): SipctlError | null {
  const column = uniqueColumn(error);
  if (column !== null) {
    if (isDialled(column, noun.name)) {
      const isItself = holder?.noun === noun.name && holder.name === ref.name;
      const problem = isItself
        ? exists(noun.name === 'user' ? 'username' : 'name', noun, ref)
        : dialledTaken(noun.name, ref, holder);
      return new SipctlError('conflict', problem, { cause: error });
    }
    return new SipctlError('conflict', taken(column, noun, ref), { cause: error });
  }
  if (!isReference(error)) return null;
  return new SipctlError(
    'conflict',
    {
      code: `${snake(noun.name)}_in_use`,
      message: `${titleOf(noun)} '${ref.name}' is used by other objects`,
      hint: 'remove those first, or use --cascade',
    },
    { cause: error },
  );
}

/** `users.extension`, where a value was there already; null for other errors. */
function uniqueColumn(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  // SQLite's words; our triggers use them on both.
  const said = /UNIQUE constraint failed: (.+)/.exec(error.message);
  if (said !== null) return (said[1] as string).split(', ').at(-1) as string;
  // PostgreSQL, appendix A and 55.8; a key is called by its table and columns, by the table's first name.
  const { code, table, constraint } = error as Partial<Record<'code' | 'table' | 'constraint', string>>;
  if (code !== '23505' || table === undefined || constraint === undefined) return null;
  const columns = constraint.replace(/_key$/, '').replace(/^.*_tenant_id_/, '');
  return `${table}.${columns.replace(new RegExp(`^${table}_(with_destination_)?`), '')}`;
}

const isReference = (error: unknown): boolean =>
  error instanceof Error &&
  (/FOREIGN KEY constraint failed/.test(error.message) || (error as { code?: unknown }).code === '23503');

// Of emergencies themselves the key of the table is meant, which says that one is there already.
const isDialled = (column: string, noun: string): boolean =>
  column.endsWith('.extension') || (column === 'emergencies.number' && noun !== 'emergency');

function dialledTaken(
  noun: string,
  ref: { tenant: string | null; name: string },
  holder: Holder | null,
): Problem {
  const field = noun === 'emergency' ? 'number' : 'extension';
  const who =
    holder === null
      ? 'somebody else has this extension'
      : holder.noun === 'emergency'
        ? `${holder.name} is an emergency number`
        : `${holder.noun} '${holder.name}' has this extension`;
  const other =
    holder === null
      ? `see sipctl user list --tenant ${ref.tenant}`
      : `see sipctl ${holder.noun} show ${holder.name} --tenant ${ref.tenant}`;
  return {
    code: 'extension_taken',
    message: `${field}: ${who} in tenant '${ref.tenant}'`,
    field,
    hint: noun === 'emergency' ? `give it another one first: ${other}` : `choose another one; ${other}`,
  };
}

const exists = (field: string, noun: NamedNoun, ref: { tenant: string | null; name: string }): Problem => ({
  code: `${snake(noun.name)}_exists`,
  message: `${titleOf(noun)} '${ref.name}' exists already${ref.tenant === null ? '' : ` in tenant '${ref.tenant}'`}`,
  field,
  hint: `sipctl ${commandOf(noun)} set changes it, ${commandOf(noun)} ensure does either`,
});

function taken(column: string, noun: NamedNoun, ref: { tenant: string | null; name: string }): Problem {
  switch (column) {
    case 'numbers.number':
      return {
        code: 'number_taken',
        message: `number ${ref.name} belongs to a tenant already`,
        field: 'number',
        hint: 'sipctl number list --all-tenants',
      };
    case 'tenants.domain':
      return {
        code: 'domain_taken',
        message: 'another tenant has this SIP domain',
        field: 'domain',
        hint: 'sipctl tenant list',
      };
    case 'users.endpoint':
    case 'trunks.endpoint':
      return {
        code: 'endpoint_taken',
        message: `'${ref.name}' is taken on the PBX by a ${column.startsWith('users') ? 'user' : 'trunk'} of this or another tenant`,
        field: noun.name === 'user' ? 'username' : 'name',
        hint: 'choose another name, or give the tenant a SIP domain of its own: sipctl tenant set <tenant> --domain <domain>',
      };
    default:
      return exists(column.split('.')[1] ?? 'name', noun, ref);
  }
}
