import type { Dialled, DialPattern } from './call-flow.ts';
import { isE164, type NumberingPlan } from './numbering.ts';

/** What people dial, as patterns: which digits they match, which of two counts, and those of a country. */

/** Whether a caller who dialled this is meant. */
export function matches({ literal, anyDigits, more }: DialPattern, dialled: string): boolean {
  if (!dialled.startsWith(literal)) return false;
  const rest = dialled.slice(literal.length);
  if (more ? rest.length <= anyDigits : rest.length !== anyDigits) return false;
  return /^[0-9]*$/.test(rest.slice(0, anyDigits)) && /^[0-9*#]*$/.test(rest.slice(anyDigits));
}

/**
 * Sorts the pattern first that counts where several match. Engines that sort by themselves, character for character
 * (Asterisk: a literal before any digit, any digit before more), come to the same first match.
 */
export function comparePatterns(one: DialPattern, other: DialPattern): number {
  const exact = Number(isExact(other)) - Number(isExact(one));
  if (exact !== 0) return exact;
  if (one.literal.length !== other.literal.length) return other.literal.length - one.literal.length;
  if (one.anyDigits !== other.anyDigits) return other.anyDigits - one.anyDigits;
  if (one.more !== other.more) return one.more ? 1 : -1;
  return one.literal < other.literal ? -1 : one.literal > other.literal ? 1 : 0;
}

const isExact = ({ anyDigits, more }: DialPattern): boolean => anyDigits === 0 && !more;

/** In the order in which they count; of equal patterns, the one that was given first is kept. */
export function inOrder(entries: readonly Dialled[]): Dialled[] {
  const first = new Map<string, Dialled>();
  for (const entry of entries) {
    const key = formatPattern(entry.pattern);
    if (!first.has(key)) first.set(key, entry);
  }
  return [...first.values()].sort((one, other) => comparePatterns(one.pattern, other.pattern));
}

/** `00X.`: an X is any digit, a last dot any more of them. */
export const formatPattern = ({ literal, anyDigits, more }: DialPattern): string =>
  `${literal}${'X'.repeat(anyDigits)}${more ? '.' : ''}`;

/** Reads what `formatPattern` writes, which is how routes name dialled digits. */
export function parsePattern(text: string): DialPattern {
  const [, literal = '', any = '', more = ''] = /^([^X.]*)(X*)(\.?)$/.exec(text) ?? [];
  return { literal, anyDigits: any.length, more: more !== '' };
}

export const exactly = (literal: string): DialPattern => ({ literal, anyDigits: 0, more: false });

/** How the people of a country dial the numbers of the world; with no plan, only as E.164. */
export function countryRules(plan: NumberingPlan | null): Dialled[] {
  const e164 = rule('+.', 0, '', 'number in E.164');
  if (plan === null) return [e164];
  const { nationalPrefix, bareLengths, carrierSelection, internationalPrefixes } = plan;
  const ownCountry = `+${plan.callingCode}`;
  const national = `national number of ${plan.country}`;
  const chosen = (carrierSelection?.prefixes ?? []).flatMap((prefix) =>
    (carrierSelection?.lengths ?? []).map((digits) =>
      rule(
        prefix + 'X'.repeat(digits),
        prefix.length,
        ownCountry,
        `${national}, carrier ${prefix.slice(-2)}`,
      ),
    ),
  );
  return [
    e164,
    ...internationalPrefixes.map((prefix) =>
      rule(`${prefix}.`, prefix.length, '+', `international number dialled in ${plan.country}`),
    ),
    ...chosen,
    ...withPrefix(plan).map((pattern) => rule(pattern, nationalPrefix.length, ownCountry, national)),
    ...bareLengths.map((digits) => rule('X'.repeat(digits), 0, ownCountry, national)),
  ];
}

/** E.164 of a number as the people of a country dial it; what is none of theirs stays as it is. */
export function canonicalIn(plan: NumberingPlan | null, text: string): string {
  const found = countryRules(plan).find(({ pattern }) => matches(pattern, text));
  if (found?.action.kind !== 'canonical') return text;
  const canonical = found.action.prepend + text.slice(found.action.strip);
  return isE164(canonical) ? canonical : text;
}

// Where every number is as long as the other, fewer digits are somebody's mistyped extension.
function withPrefix({ nationalPrefix, bareLengths }: NumberingPlan): string[] {
  if (nationalPrefix === '') return [];
  return bareLengths.length === 0
    ? [`${nationalPrefix}.`]
    : bareLengths.map((digits) => nationalPrefix + 'X'.repeat(digits));
}

const rule = (pattern: string, strip: number, prepend: string, why: string): Dialled => ({
  pattern: parsePattern(pattern),
  why,
  action: { kind: 'canonical', strip, prepend },
});
