import { optionProblems } from '../../../model/check-options.ts';
import type { Difference, Line, Sections } from '../../fit-values.ts';
import { expectedDefault, spelled } from '../expected-values.ts';
import { knownIn } from '../options.ts';
import { codecList } from './codec-list.ts';

/** Names of other objects: they follow the names that sipctl gives, and only that there is one can differ. */
const references = new Set([
  ...['endpoint.auth', 'endpoint.aors', 'endpoint.outbound_auth', 'registration.outbound_auth'],
  ...['registration.endpoint', 'identify.endpoint'],
]);

/** Where what was written and what is rendered mean something else to an Asterisk of this version. */
export function differences(written: Sections, rendered: Sections, version: string): Difference[] {
  const found: Difference[] = [];
  for (const section of new Set([...written.keys(), ...rendered.keys()])) {
    const [before, after] = [written.get(section), rendered.get(section)];
    if (before === undefined || after === undefined) {
      const place = before?.[0]?.place ?? null;
      found.push({
        section,
        option: null,
        written: before && '',
        rendered: after && '',
        place,
      } as Difference);
      continue;
    }
    const [one, other] = [linesByOption(before), linesByOption(after)];
    for (const option of new Set([...one.keys(), ...other.keys()])) {
      const difference = differenceOf(section, option, one, other, version);
      if (difference !== null) found.push(difference);
    }
  }
  return found;
}

/** Option → its lines; those of codecs stand together, because they work on one list. */
type ByOption = ReadonlyMap<string, readonly Line[]>;

function linesByOption(lines: readonly Line[]): ByOption {
  const found = new Map<string, Line[]>();
  for (const line of lines) {
    const option = line.option === 'disallow' ? 'allow' : line.option;
    const known = found.get(option);
    if (known === undefined) found.set(option, [line]);
    else known.push(line);
  }
  return found;
}

function differenceOf(
  section: string,
  option: string,
  before: ByOption,
  after: ByOption,
  version: string,
): Difference | null {
  const [own, fresh] = [before.get(option) ?? [], after.get(option) ?? []];
  const written = meaning(section, option, own, version);
  const rendered = meaning(section, option, fresh, version);
  if (written === rendered) return null;
  if (references.has(`${section}.${option}`) && written !== null && rendered !== null) return null;
  const initial = expectedDefault(section, option, version);
  if (rendered === null && initial?.agrees(textOf(own, option))) return null;
  if (written === null && initial?.agrees(textOf(fresh, option))) return null;
  const place = own.at(-1)?.place ?? first(before)?.place ?? null;
  return {
    ...{ section, option, place },
    written: written === null ? null : textOf(own, option),
    rendered: rendered === null ? null : textOf(fresh, option),
  };
}

const first = (lines: ByOption): Line | undefined => lines.values().next().value?.[0];

const valuesOf = (lines: readonly Line[], option: string): string[] =>
  lines.flatMap((line) => (line.option === option ? [line.value] : []));

/** An option that adds up shows all its lines, any other one the last, which is the one that counts. */
const textOf = (lines: readonly Line[], option: string): string =>
  isRepeated(option) ? valuesOf(lines, option).join(',') : (valuesOf(lines, option).at(-1) ?? '');

const isRepeated = (option: string): boolean =>
  ['allow', 'set_var', 'contact', 'match', 'deny', 'permit', 'match_header'].includes(option);

const ownVariable = /^_{0,2}(SIPCTL_[A-Z]+|CALL_LIMIT)=/;

// null: the option is not there, or means as much.
function meaning(section: string, option: string, lines: readonly Line[], version: string): string | null {
  const values = valuesOf(lines, option);
  if (values.length === 0) return null;
  if (option === 'allow') return codecList(lines).join(',');
  if (option === 'set_var') {
    const own = values.filter((value) => !ownVariable.test(value));
    return own.length === 0 ? null : own.join('\n');
  }
  if (option === 'contact')
    return values
      .flatMap((value) => value.split(','))
      .sort()
      .join(',');
  if (isRepeated(option)) return spelled(section, option, values.join(','), version);
  const value = values.at(-1) as string;
  return value === '' ? null : spelled(section, option, value, version);
}

/** The options that take differences away, as far as an object may have them. */
export function optionsFor(
  kind: 'trunk' | 'user',
  found: readonly Difference[],
  written: Sections,
  settings: { version: string; templateDefaults: boolean },
): string[] {
  return found.flatMap(({ section, option, written: value }) => {
    if (option === null || !knownIn(settings.version, section, option)) return [];
    if (value === null && settings.templateDefaults) return [];
    const values = value === null ? [''] : ownLines(written.get(section) ?? [], option);
    const texts = values.map((one) => `${section}.${option}=${one}`);
    const allowed = texts.filter((text) => optionProblems(kind, [text]).length === 0);
    // Variables have nothing to do with each other; other values mean something together.
    return option === 'set_var' || allowed.length === texts.length ? allowed : [];
  });
}

function ownLines(lines: readonly Line[], option: string): string[] {
  const values = [...new Set(valuesOf(lines, option))];
  if (option === 'set_var') return values.filter((value) => !ownVariable.test(value));
  if (option === 'allow') return [codecList(lines).join(',')];
  return isRepeated(option) ? values : values.slice(-1);
}
