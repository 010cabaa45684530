import { ok, type Rule, wrong } from './field.ts';
import { listOf } from './rules.ts';

/** A setting that an engine takes and no field stands for: `endpoint.rtp_timeout=30`. */
export interface RawOption {
  section: string;
  option: string;
  /** Empty: the line that the template has is left out. */
  value: string;
}

const shape = /^([a-z]+)\.([A-Za-z0-9_][A-Za-z0-9_.-]*)=(.*)$/;
// What no line of a file can hold, and what reorders what a reader sees.
const controls = /[\p{Cc}\p{Surrogate}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const longest = 1000;

/** One `section.option=value`; what it means to an engine is said where the object is checked. */
export const rawOption: Rule<string> = (text) => {
  if (controls.test(text)) return wrong('holds a control character or a line break');
  if (text.length > longest) return wrong(`is longer than ${longest} characters`);
  const [, section, option, value = ''] = shape.exec(text) ?? [];
  if (section === undefined || option === undefined)
    return wrong(
      // What stands behind the `=` may be a secret.
      `'${text.split('=', 1)[0]}' is not section.option=value`,
      'write for example endpoint.rtp_timeout=30',
    );
  return ok(`${section}.${option}=${value.trim()}`);
};

/** Options as they are kept, whatever order they came in: by section and option, several of one in the order they had. */
export function inOrder(options: readonly string[]): string[] {
  const key = (text: string): string => text.slice(0, text.indexOf('='));
  return [...options].sort((one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0));
}

/** A list of options, one to a line. */
export const rawOptions: Rule<readonly string[]> = (text) => {
  const parsed = listOf(rawOption, '\n')(text);
  return parsed.ok ? ok(inOrder(parsed.value)) : parsed;
};

/** The parts of a text that the rule let through. */
export function partsOfOption(text: string): RawOption {
  const [, section = '', option = '', value = ''] = shape.exec(text) ?? [];
  return { section, option, value };
}

/** Options that no engine knows may hold a secret all the same, such as `secret` of chan_sip. */
const soundsSecret = /secret|passw|token|credential|api_?key|hash/i;
/** Of several assignments with commas between them, too. */
const setsSecret = new RegExp(`(^|,)[^=,]*(${soundsSecret.source})[^=,]*=`, 'i');
const variables = new Set(['inbound', 'outbound', 'variable']);
const passwordInUri = /sips?:[^@\s;>]*:[^@\s;>]*@/i;

/** Whether a value is one that no output may show: a variable that is called like a secret, a SIP URI with a password. */
export function holdsSecret({ section, option, value }: RawOption): boolean {
  if (passwordInUri.test(value)) return true;
  if (option === 'set_var') return setsSecret.test(value);
  return variables.has(section) && soundsSecret.test(option);
}

/** Whether an option is called like one whose value is a secret. */
export const isCalledSecret = (option: string): boolean => soundsSecret.test(option);
