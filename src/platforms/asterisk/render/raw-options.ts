import { SipctlError } from '../../../errors.ts';
import { partsOfOption, type RawOption } from '../../../model/raw-option.ts';
import { escapeValue, valueGuard } from '../conf/write.ts';
import { isType, knownIn } from '../options.ts';

/** Of these each line adds to those before it; of every other option an object's own lines take the template's place. */
const adding = new Set(['set_var']);

/**
 * A rendered block with the options of its object laid over it. Sections are never opened: what is for a section that
 * the object does not have stays out, as a trunk that does not register has no use for how to.
 * @throws SipctlError `invalid` for an option that this version of Asterisk would refuse
 */
export function withRawOptions(
  block: string,
  options: readonly string[],
  object: string,
  version: string,
): string {
  const own = options.map(partsOfOption).filter(({ section }) => isType(section));
  if (own.length === 0) return block;
  refuseUnknown(own, object, version);
  const sections = block.split(/^(?=\[)/m);
  return sections
    .map((section) => {
      const [, type] = /^\[.*\]\ntype=(.*)$/m.exec(section) ?? [];
      const of = own.filter((one) => one.section === type);
      return of.length === 0 ? section : withLines(section, of, object);
    })
    .join('');
}

function withLines(section: string, options: readonly RawOption[], object: string): string {
  const end = section.indexOf('\n\n') + 1;
  const lines = section.slice(0, end).split('\n').slice(0, -1);
  for (const option of new Set(options.map((one) => one.option))) {
    const own = options.filter((one) => one.option === option && one.value !== '');
    const written = own.map(({ value }) => lineOf(option, value, object));
    const at = lines.findIndex((line) => line.startsWith(`${option}=`));
    if (at < 0 || adding.has(option)) {
      lines.push(...written);
      continue;
    }
    const kept = lines.filter((line) => !line.startsWith(`${option}=`));
    lines.splice(0, lines.length, ...kept.slice(0, at), ...written, ...kept.slice(at));
  }
  return `${lines.join('\n')}\n${section.slice(end)}`;
}

function lineOf(option: string, value: string, object: string): string {
  const escaped = escapeValue(value, object, option);
  return `${option}=${valueGuard(escaped)}${escaped}`;
}

function refuseUnknown(options: readonly RawOption[], object: string, version: string): void {
  const unknown = options.filter(({ section, option }) => !knownIn(version, section, option));
  if (unknown.length === 0) return;
  throw new SipctlError(
    'invalid',
    unknown.map(({ section, option }) => ({
      code: 'unknown_option',
      message: `${object}: Asterisk ${version} has no option ${section}.${option}`,
      field: 'options',
      hint: 'take it out of its options, or set --engine-version of the node to the release it runs',
    })),
  );
}
