import type { Problem } from '../errors.ts';
import { checkNodeSsh } from './check-node-ssh.ts';
import type { Value } from './field.ts';

/** Control connection of each kind of node, and what it needs besides its address. */
const controls = {
  asterisk: {
    field: 'ami',
    name: 'the manager interface',
    needs: [
      ['amiUser', 'ami-user'],
      ['amiSecret', 'ami-secret-file'],
    ],
  },
  freeswitch: { field: 'esl', name: 'the event socket', needs: [['eslPassword', 'esl-password-file']] },
} as const;

/** What a node's values mean together. */
export function checkNode(values: Readonly<Record<string, Value>>): Problem[] {
  const kind = values.kind === 'freeswitch' ? 'freeswitch' : 'asterisk';
  const problems: Problem[] = checkNodeSsh(values);
  for (const [engine, { field, name, needs }] of Object.entries(controls)) {
    if (values[field] === null) continue;
    if (engine !== kind) {
      const message = `${field}: ${name} is none of a node of kind ${kind}`;
      const hint = `leave --${field} out, or give --kind ${engine}`;
      problems.push({ code: `invalid_${field}`, message, field, hint });
      continue;
    }
    for (const [needed, flag] of needs) {
      if (values[needed] !== null) continue;
      const message = `${needed}: ${name} needs it`;
      problems.push({ code: `missing_${needed}`, message, field: needed, hint: `give --${flag}` });
    }
  }
  return problems;
}
