import table from './pjsip-options.json' with { type: 'json' };

/** What Asterisk 22's own documentation and a trial on a running one say of one option of pjsip.conf. */
export interface PjsipOption {
  /** The releases that brought it, one per branch: `["18.16.0", "20.1.0"]`. None: it was always there. */
  since?: readonly string[];
  /** `checked`: Asterisk refuses bad values; `boolean`: it reads a bad value as no; `text`: it takes anything. */
  kind?: 'checked' | 'text' | 'boolean';
  /** The only values it takes, where they are words. */
  values?: readonly string[];
  /** The values of Asterisk 16, where they are others. */
  values16?: readonly string[];
  /** The field of PJSIPShowEndpoint and its kin that shows it; none: it cannot be read back. */
  ami?: string;
  /** Asterisk 16.28 has it. */
  in16: boolean;
}

const types = new Map(
  Object.entries(table as Record<string, Record<string, PjsipOption>>).map(
    ([type, options]) => [type, new Map(Object.entries(options))] as const,
  ),
);

/** True for an object type of pjsip.conf: `endpoint`, `auth`, `aor`, … */
export const isType = (type: string): boolean => types.has(type);

/** The option of an object type, or undefined where no supported Asterisk has it. */
export const optionOf = (type: string, option: string): PjsipOption | undefined =>
  types.get(type)?.get(option);

/**
 * Whether an Asterisk of this version takes the option. A bare major (`22`) means its first release, because an
 * unknown option costs the whole object; only 16 means 16.28, which the table was measured on.
 */
export function knownIn(version: string, type: string, option: string): boolean {
  const found = optionOf(type, option);
  if (found === undefined) return false;
  const wanted = numbers(version);
  if (wanted[0] === 16 && found.in16) return true;
  const releases = (found.since ?? []).map(numbers);
  const ofBranch = releases.find(([major]) => major === wanted[0]);
  return ofBranch !== undefined
    ? !isBefore(wanted, ofBranch)
    : releases.every(([major]) => major < wanted[0]);
}

/** The values an option may have in this version, or undefined where they are not a list of words. */
export function valuesIn(version: string, option: PjsipOption): readonly string[] | undefined {
  return numbers(version)[0] === 16 && option.values16 !== undefined ? option.values16 : option.values;
}

type Release = readonly [major: number, minor: number, patch: number];

function numbers(version: string): Release {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return [major, minor, patch];
}

function isBefore(one: Release, other: Release): boolean {
  if (one[0] !== other[0]) return one[0] < other[0];
  if (one[1] !== other[1]) return one[1] < other[1];
  return one[2] < other[2];
}
