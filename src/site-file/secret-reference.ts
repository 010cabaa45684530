import { type Parsed, wrong } from '../model/field.ts';

/** Where a secret comes from that a site file names and does not hold. */
export type SecretReference =
  | { kind: 'env'; name: string }
  | { kind: 'file'; path: string }
  | { kind: 'cmd'; command: string }
  | { kind: 'generate' };

/** Reads `env:NAME`, `file:PATH`, `cmd:COMMAND` or `generate`. What was written may be the secret itself: it is never repeated. */
export function parseSecretReference(text: string): Parsed<SecretReference> {
  const [, kind, rest = ''] =
    /^(env|file|cmd|generate):(.*)$/s.exec(text.trim() === 'generate' ? 'generate:' : text.trim()) ?? [];
  if (kind === 'generate' && rest.trim() === '') return { ok: true, value: { kind } };
  if (kind === 'env' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(rest))
    return { ok: true, value: { kind, name: rest } };
  if (kind === 'file' && rest !== '') return { ok: true, value: { kind, path: rest } };
  if (kind === 'cmd' && rest.trim() !== '') return { ok: true, value: { kind, command: rest.trim() } };
  if (kind === 'env') return wrong('env: wants the name of a variable', 'for example env:TRUNK_PASSWORD');
  if (kind === 'generate') return wrong('generate: takes nothing after it', 'write generate');
  return kind === undefined
    ? wrong(
        'is a secret, and those are not taken from a file that others read',
        'write env:NAME, file:PATH, cmd:COMMAND or generate',
      )
    : wrong(`${kind}: says nothing`, 'write env:NAME, file:PATH, cmd:COMMAND or generate');
}
