import table from './numbering-plans.json' with { type: 'json' };

/** How people of one country dial, and write, telephone numbers. From the metadata of libphonenumber-js. */
export interface NumberingPlan {
  /** ISO 3166; of several that share a calling code, the main one where a number says no more. */
  country: string;
  /** `49` */
  callingCode: string;
  /** Before a number abroad; an X is any digit. The usual one comes first. */
  internationalPrefixes: readonly string[];
  /** Before a number of the country; empty where there is none. */
  nationalPrefix: string;
  /** How many digits a number has that is dialled without any prefix; empty where numbers are not dialled so. */
  bareLengths: readonly number[];
  /** Prefixes with which a caller chooses a carrier, and the digits that follow them. */
  carrierSelection: { prefixes: readonly string[]; lengths: readonly number[] } | null;
}

interface Line {
  code: string;
  international: readonly string[];
  national: string;
  bare?: readonly number[];
  selection?: { prefixes: readonly string[]; lengths: readonly number[] };
}

const plans = table.plans as unknown as Readonly<Record<string, Line>>;
const mainCountries = table.main as Readonly<Record<string, string>>;

/** The plan of a country of ISO 3166; null where there are no telephones, or no such country. */
export function numberingPlan(country: string): NumberingPlan | null {
  const line = Object.hasOwn(plans, country) ? plans[country] : undefined;
  if (line === undefined) return null;
  return {
    country,
    callingCode: line.code,
    internationalPrefixes: line.international,
    nationalPrefix: line.national,
    bareLengths: line.bare ?? [],
    carrierSelection: line.selection ?? null,
  };
}

/** The plan that an E.164 number belongs to, by its calling code; null for numbers of no country (+800, +883). */
export function planOfNumber(number: string): NumberingPlan | null {
  // No calling code begins another one (ITU-T E.164 §6).
  for (const length of [1, 2, 3]) {
    const country = countryOf(number.slice(1, 1 + length));
    if (country !== undefined) return numberingPlan(country);
  }
  return null;
}

let byCode: Map<string, string> | null = null;

function countryOf(callingCode: string): string | undefined {
  byCode ??= new Map(
    Object.entries(plans).map(([country, { code }]) => [code, mainCountries[code] ?? country]),
  );
  return byCode.get(callingCode);
}

/** E.164 (ITU-T E.164 §6.2.1): at most 15 digits; fewer than 7 are no number that could be reached from abroad. */
export const isE164 = (number: string): boolean => /^\+[0-9]{7,15}$/.test(number);
