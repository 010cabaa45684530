import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { commandOf, fieldProblem, type Noun } from '../model/field.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Input } from './command.ts';

/** The object that a command names, its name checked by the noun's own rule. */
export function refOf(noun: Noun, app: App, input: Input): ObjectRef {
  const name = noun.keyRule(input.args[0] ?? '');
  if (!name.ok)
    throw new SipctlError(
      'invalid',
      fieldProblem(noun.key, noun.key, { hint: `see ${commandOf(noun)} list`, ...name }),
    );
  return { tenant: noun.tenantScoped ? app.config.tenant : null, name: name.value };
}
