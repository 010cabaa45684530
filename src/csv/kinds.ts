import { SipctlError } from '../errors.ts';
import { everyNoun } from '../model/every-noun.ts';
import type { Noun } from '../model/field.ts';

/** Objects that a table can hold: those of a tenant that are described by their own fields. */
const kinds: readonly Noun[] = everyNoun.filter(
  ({ tenantScoped, command = '' }) => tenantScoped && !command.includes(' '),
);

/** Their names, as `--kind` takes them. */
export const kindNames = kinds.map(({ table }) => table).join(', ');

/** The noun of `--kind users`, or `user`. @throws SipctlError `usage` where none is named, `invalid` for one that is none */
export function kindNamed(name: unknown): Noun {
  const noun = kinds.find((one) => one.table === name || one.name === name);
  if (noun !== undefined) return noun;
  const isMissing = typeof name !== 'string';
  throw new SipctlError(isMissing ? 'usage' : 'invalid', {
    code: isMissing ? 'usage' : 'invalid_kind',
    message: isMissing
      ? 'what the rows are has to be said: --kind is needed'
      : `kind: there are no '${name}'`,
    field: 'kind',
    hint: `one of: ${kindNames}`,
  });
}
