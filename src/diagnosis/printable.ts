import type { Finding } from '../sip/finding.ts';
import { maskEchoes } from '../sip/trace/trace.ts';

// C0, DEL and C1 controls, line and paragraph separators, and the marks that reorder what a reader sees.
const disturbing = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * The finding with everything made visible that could steer a terminal or end a line: reason phrases, realms, names of
 * certificates and DNS records are the other side's to choose. Digest proofs that it repeats are hidden.
 */
export const printable = (finding: Finding): Finding => shown(finding) as Finding;

function shown(value: unknown): unknown {
  if (typeof value === 'string') return short(maskEchoes(value).replace(disturbing, visible));
  if (Array.isArray(value)) return value.map(shown);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shown(one)]));
}

/** A reason phrase may be as long as a message, and a monitoring system takes 8 kB. */
const mostCharacters = 1000;

const short = (text: string): string =>
  text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;

const visible = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
