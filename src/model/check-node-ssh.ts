import type { Problem } from '../errors.ts';
import type { Value } from './field.ts';

/** What the SSH settings of a node mean together. */
export function checkNodeSsh({ ssh, sshConfig, tunnel }: Readonly<Record<string, Value>>): Problem[] {
  if ((ssh ?? null) !== null) return [];
  const needing = [
    ...(tunnel === true ? ['tunnel'] : []),
    ...((sshConfig ?? null) === null ? [] : ['sshConfig']),
  ];
  return needing.map((field) => ({
    code: 'missing_ssh',
    message: `${field}: only a node that is reached by SSH has it`,
    field,
    hint: 'give --ssh user@host',
  }));
}
