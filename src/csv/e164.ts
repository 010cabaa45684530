import type { NumberingPlan } from '../model/flow/numbering.ts';

/**
 * A number as it is written in lists, in E.164: `+1 (555) 123-4567`, `0049 30 …`, `030 …`, or what a carrier delivers
 * without the plus. Null where it cannot be told; digits that could be both are taken for what the country dials.
 */
export function toE164(text: string, plan: NumberingPlan | null): string | null {
  if (!/^\+?[0-9 ().\-/]+$/.test(text)) return null;
  const digits = text.replace(/[^0-9]/g, '');
  const number = text.trimStart().startsWith('+') ? digits : withCountry(digits, plan);
  return number !== null && /^[1-9][0-9]{6,14}$/.test(number) ? `+${number}` : null;
}

function withCountry(digits: string, plan: NumberingPlan | null): string | null {
  if (plan === null) return null;
  const { callingCode, nationalPrefix, bareLengths, internationalPrefixes } = plan;
  const abroad = internationalPrefixes.find((prefix) => /^[0-9]+$/.test(prefix) && digits.startsWith(prefix));
  if (abroad !== undefined) return digits.slice(abroad.length);
  if (bareLengths.includes(digits.length)) return `${callingCode}${digits}`;
  if (digits.startsWith(callingCode)) return digits;
  if (nationalPrefix !== '' && digits.startsWith(nationalPrefix))
    return `${callingCode}${digits.slice(nationalPrefix.length)}`;
  return null;
}
