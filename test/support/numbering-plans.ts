import metadata from 'libphonenumber-js/metadata.min.json' with { type: 'json' };

/**
 * Makes src/model/flow/numbering-plans.json from the metadata of libphonenumber-js: of 80 kB, sipctl needs at run time
 * how people dial, which is a line for each country.
 */

// One country of the metadata, by position; see `libphonenumber-js/source/metadata.js`.
type Country = readonly [
  callingCode: string,
  internationalPrefix: string,
  pattern: string,
  possibleLengths: readonly number[],
  formats: unknown,
  nationalPrefix: string | 0 | undefined,
  nationalPrefixFormattingRule: unknown,
  nationalPrefixForParsing: string | 0 | undefined,
  nationalPrefixTransformRule: string | 0 | undefined,
  optional: unknown,
  leadingDigits: unknown,
  types: unknown,
  preferredInternationalPrefix: string | 0 | undefined,
];

const countries = metadata.countries as unknown as Record<string, Country>;
const sharedCodes = metadata.country_calling_codes as Record<string, string[]>;

/** More ways to dial abroad than this are carriers' own, and would only fill the dialplan. */
const mostPrefixes = 32;
/** Italy writes its zero inside the number too: no prefix is cut off there. */
const zeroBelongs = ['IT', 'SM', 'VA'];

/** The file's text: one line for each country. */
export function numberingPlansText(): string {
  const lines = Object.keys(countries)
    .sort()
    .map((country) => `    "${country}": ${JSON.stringify(planOf(country, countries[country] as Country))}`);
  const main = Object.entries(sharedCodes)
    .filter(([, all]) => all.length > 1)
    .map(([code, [first]]) => [code, first]);
  return `{\n  "plans": {\n${lines.join(',\n')}\n  },\n  "main": ${JSON.stringify(Object.fromEntries(main))}\n}\n`;
}

function planOf(country: string, data: Country): Record<string, unknown> {
  const [code, , , lengths, , nationalPrefix] = data;
  const national = zeroBelongs.includes(country) ? '' : nationalPrefix || '';
  const whole = lengths.filter((length) => code.length + length >= 7 && code.length + length <= 15);
  const bare = national === '' || code === '1' ? whole : [];
  const selection = carrierSelection(data[7] || '');
  return {
    code,
    international: internationalPrefixes(data),
    national,
    ...(bare.length > 0 ? { bare } : {}),
    ...(selection === null ? {} : { selection }),
  };
}

function internationalPrefixes(data: Country): string[] {
  const forms = formsOf(data[1]);
  const preferred = String(data[12] || '').replace(/\D/g, '');
  const usual = preferred || (forms.includes('00') ? '00' : (forms[0] as string));
  const clash = forms.some((one) => forms.some((other) => one !== other && startsAlike(one, other)));
  // One that begins like another cannot be told from it before the whole number is known.
  const inside = forms.some((one) => /\d*X+\d/.test(one));
  return clash || inside || forms.length > mostPrefixes
    ? [usual]
    : [usual, ...forms.filter((form) => form !== usual)];
}

const startsAlike = (one: string, other: string): boolean =>
  one.length <= other.length &&
  [...one].every((digit, at) => digit === other[at] || digit === 'X' || other[at] === 'X');

/** Brazil: a trunk zero, two digits of a carrier, then the area code and the number. */
function carrierSelection(forParsing: string): { prefixes: string[]; lengths: number[] } | null {
  const [, codes, least, most] =
    /^\(\?:0\|90\)\(\?:\((.*)\)\(\\d\{(\d+),(\d+)\}\)\)\?$/.exec(forParsing) ?? [];
  if (codes === undefined) return null;
  return {
    prefixes: formsOf(codes)
      .map((code) => `0${code}`)
      .sort(),
    lengths: [Number(least), Number(most)],
  };
}

/** Every text that a pattern of digits matches; a digit that may be any is an X. */
function formsOf(pattern: string): string[] {
  const reader = { pattern, at: 0 };
  const forms = alternatives(reader);
  if (reader.at !== pattern.length) throw new Error(`pattern not understood: ${pattern}`);
  return [...new Set(forms)].sort();
}

interface Reader {
  pattern: string;
  at: number;
}

function alternatives(reader: Reader): string[] {
  const forms = sequence(reader);
  while (reader.pattern[reader.at] === '|') {
    reader.at += 1;
    forms.push(...sequence(reader));
  }
  return forms;
}

function sequence(reader: Reader): string[] {
  let forms = [''];
  while (reader.at < reader.pattern.length && !'|)'.includes(reader.pattern[reader.at] as string)) {
    let next = atom(reader);
    if (reader.pattern[reader.at] === '?') {
      reader.at += 1;
      next = ['', ...next];
    }
    forms = forms.flatMap((form) => next.map((tail) => form + tail));
  }
  return forms;
}

function atom(reader: Reader): string[] {
  const rest = reader.pattern.slice(reader.at);
  if (rest.startsWith('(')) {
    reader.at += rest.startsWith('(?:') ? 3 : 1;
    const forms = alternatives(reader);
    reader.at += 1;
    return forms;
  }
  const [taken = '', set] = /^(?:\[([\d-]+)\]|\\d|\d)/.exec(rest) ?? [];
  if (taken === '') throw new Error(`pattern not understood: ${reader.pattern}`);
  reader.at += taken.length;
  if (set !== undefined) return digitsOf(set);
  return [taken === '\\d' ? 'X' : taken];
}

const digitsOf = (set: string): string[] =>
  [...set.matchAll(/(\d)(?:-(\d))?/g)].flatMap(([, first = '', last = first]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => String(Number(first) + at)),
  );
