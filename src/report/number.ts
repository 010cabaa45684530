import type { Understood } from '../model/flow/explain-number.ts';
import type { ScheduleState } from '../model/flow/open-hours.ts';
import { plain, type Style } from './style.ts';
import { listing, shown, table } from './table.ts';

/** What libphonenumber knows of a number. */
export interface ParsedNumber {
  /** E.164 */
  number: string;
  /** ISO 3166 */
  country: string | null;
  callingCode: string;
  /** `MOBILE`, `FIXED_LINE`, … */
  type: string | null;
  valid: boolean;
  international: string;
}

/** Each step from a number as it was given to where it leads. */
export interface ExplainedNumber {
  given: string;
  /** Without blanks, dashes and brackets. */
  bare: string;
  parsed: ParsedNumber | null;
  understood: Understood | null;
  owner: {
    tenant: string;
    enabled: boolean;
    inbound: boolean;
    outbound: boolean;
    trunk: string | null;
  } | null;
  /** In which a carrier may write it. */
  forms: readonly string[];
  trunks: readonly { trunk: string; writes: string | null; arrives: 'request-uri' | 'to' | null }[];
  schedule: ({ name: string } & ScheduleState) | null;
  /** Where a call leads now. */
  destination: string | null;
}

export function explanationText(explained: ExplainedNumber, style: Style = plain): string {
  const { given, bare, parsed, understood, owner, forms, trunks, schedule, destination } = explained;
  const head = listing(
    [
      ['given', given],
      ['digits', bare],
      ['parsed', parsed === null ? 'no telephone number' : parsedText(parsed)],
      ['canonical', understood === null ? 'none' : `${style.bold(understood.canonical)} (${understood.why})`],
      ['whose', owner === null ? 'nobody’s here: a number of the outside' : ownerText(owner)],
      ['recognised as', shown(forms)],
      ['schedule', schedule === null ? '-' : `${schedule.name}: ${schedule.result} at ${schedule.localTime}`],
      ['leads to', destination ?? '-'],
    ],
    style,
  );
  if (trunks.length === 0) return head;
  return `${head}\n${table(
    trunks,
    [
      { title: 'TRUNK', value: ({ trunk }) => trunk, style: () => style.bold },
      { title: 'WRITES', value: ({ writes }) => writes ?? '-' },
      { title: 'CALLS IN', value: ({ arrives }) => (arrives === null ? 'none' : arrivalWords[arrives]) },
    ],
    style,
  )}`;
}

const arrivalWords = { 'request-uri': 'number in the request URI', to: 'number in To' } as const;

function parsedText({ international, country, callingCode, type, valid }: ParsedNumber): string {
  const kind = type === null ? '' : `, ${type.toLowerCase().replaceAll('_', ' ')}`;
  return `${international}, ${country ?? `+${callingCode}`}${kind}, ${valid ? 'valid' : 'not assigned to anybody'}`;
}

function ownerText({
  tenant,
  enabled,
  inbound,
  outbound,
  trunk,
}: NonNullable<ExplainedNumber['owner']>): string {
  const states = [
    ...(enabled ? [] : ['disabled']),
    ...(inbound ? [] : ['no calls in']),
    ...(outbound ? [] : ['not shown on calls out']),
    ...(trunk === null ? [] : [`on trunk ${trunk}`]),
  ];
  return `tenant ${tenant}${states.length === 0 ? '' : ` (${states.join(', ')})`}`;
}
