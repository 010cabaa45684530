import { type Problem, SipctlError } from '../errors.ts';

/** What a broken constraint means to the person who wrote; null when the error is none. */
export function constraintError(
  error: unknown,
  noun: { name: string; table: string },
  ref: { tenant: string | null; name: string },
): SipctlError | null {
  const message = error instanceof Error ? error.message : '';
  const unique = /UNIQUE constraint failed: (.+)/.exec(message);
  if (unique !== null) {
    const column = (unique[1] as string).split(', ').at(-1) as string;
    return new SipctlError('conflict', taken(column, noun.name, ref), { cause: error });
  }
  if (!/FOREIGN KEY constraint failed/.test(message)) return null;
  return new SipctlError(
    'conflict',
    {
      code: `${noun.name}_in_use`,
      message: `${noun.name} '${ref.name}' is used by other objects`,
      hint: 'remove those first, or use --cascade',
    },
    { cause: error },
  );
}

function taken(column: string, noun: string, ref: { tenant: string | null; name: string }): Problem {
  const inTenant = ref.tenant === null ? '' : ` in tenant '${ref.tenant}'`;
  switch (column) {
    case 'users.extension':
      return {
        code: 'extension_taken',
        message: `another user${inTenant} has this extension`,
        field: 'extension',
        hint: `sipctl user list --tenant ${ref.tenant}`,
      };
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
        field: noun === 'user' ? 'username' : 'name',
        hint: 'choose another name, or give the tenant a SIP domain of its own: sipctl tenant set <tenant> --domain <domain>',
      };
    default:
      return {
        code: `${noun}_exists`,
        message: `${noun} '${ref.name}' exists already${inTenant}`,
        field: column.split('.')[1] ?? 'name',
        hint: `sipctl ${noun} set changes it, ${noun} ensure does either`,
      };
  }
}
