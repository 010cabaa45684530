import type { Hop, WireFormat } from './call-flow.ts';
import type { NumberingPlan } from './numbering.ts';

/** How numbers are written to one carrier, and how its writing is read. */

/** A trunk's format in the tenant's country; without a numbering plan, `national` cannot be written: E.164 is sent. */
export function wireFormat(kind: WireFormat['kind'], plan: NumberingPlan | null): WireFormat {
  if (kind !== 'national' || plan === null) return { kind: kind === 'digits' ? 'digits' : 'plus' };
  return {
    kind,
    callingCode: plan.callingCode,
    nationalPrefix: plan.nationalPrefix,
    // An X stands for a carrier that the caller chooses; none is as good as another, the first is the oldest.
    internationalPrefix: (plan.internationalPrefixes[0] ?? '00').replaceAll('X', '1'),
  };
}

/** E.164 as the carrier wants it; what does not start with `+` is no E.164 number and stays as it is. */
export function toWire(number: string, format: WireFormat): string {
  if (!number.startsWith('+') || format.kind === 'plus') return number;
  const digits = number.slice(1);
  if (format.kind === 'digits') return digits;
  return digits.startsWith(format.callingCode)
    ? format.nationalPrefix + digits.slice(format.callingCode.length)
    : format.internationalPrefix + digits;
}

/** What a carrier wrote, as E.164. */
export function fromWire(text: string, format: WireFormat): string {
  if (text.startsWith('+')) return text;
  if (format.kind !== 'national') return `+${text}`;
  const { internationalPrefix, nationalPrefix, callingCode } = format;
  if (text.startsWith(internationalPrefix)) return `+${text.slice(internationalPrefix.length)}`;
  return text.startsWith(nationalPrefix)
    ? `+${callingCode}${text.slice(nationalPrefix.length)}`
    : `+${callingCode}${text}`;
}

/** The number that stands in the request URI of a call over this hop. */
export const sentNumber = (number: string, { format, techPrefix }: Hop): string =>
  techPrefix + toWire(number, format);
