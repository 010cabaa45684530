import type { Problem } from '../errors.ts';

/** The one JSON document of a command, also of one that failed. */
export interface Envelope {
  schema: 'sipctl/v1';
  ok: boolean;
  changed: boolean;
  data: unknown;
  warnings: readonly Problem[];
  errors: readonly Problem[];
}

export function envelope(part: Partial<Envelope> & { ok: boolean }): string {
  const { ok, changed = false, data = null, warnings = [], errors = [] } = part;
  return `${JSON.stringify({ schema: 'sipctl/v1', ok, changed, data, warnings, errors } satisfies Envelope)}\n`;
}
