import type { CallFlow } from './call-flow.ts';
import { matches } from './dialled.ts';
import { isE164 } from './numbering.ts';

/** How a text was understood as a number: by which rule, and the E.164 it makes. */
export interface Understood {
  by: 'form' | 'dialled' | 'given';
  /** For people: `form of +15551234567`, `national number of US`. */
  why: string;
  canonical: string;
}

/**
 * Reads a number in whatever form: as a carrier writes one of the tenant's, or as a user of the tenant dials one. null:
 * it is neither.
 */
export function understand(flow: CallFlow, text: string): Understood | null {
  const own = flow.inbound.find(({ forms }) => forms.includes(text));
  if (own !== undefined && own.number !== text)
    return { by: 'form', why: `a form of ${own.number}`, canonical: own.number };
  if (isE164(text)) return { by: 'given', why: 'E.164', canonical: text };
  const rule = flow.dialled.find(
    ({ action, pattern }) => action.kind === 'canonical' && matches(pattern, text),
  );
  if (rule?.action.kind !== 'canonical') return null;
  const canonical = rule.action.prepend + text.slice(rule.action.strip);
  return isE164(canonical) ? { by: 'dialled', why: rule.why, canonical } : null;
}
