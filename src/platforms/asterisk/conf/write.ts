import { SipctlError } from '../../../errors.ts';

/** What a value belongs to, for the complaint; never the value itself, which may be a secret. */
export interface ValuePlace {
  object: string;
  option: string;
}

/**
 * Bytes that Asterisk reads of one line (config.c, `char buf[8192]`, less the line break and the final NUL);
 * measured on 16.28 and 22.10: a line of 8191 bytes is skipped with a warning.
 */
export const longestLine = 8190;

// Most values: printable ASCII without a blank at the ends, a semicolon, or a leading `>`.
const plain = /^(?!>)[!-:<-~](?:[ -:<-~]*[!-:<-~])?$/;
const control = /\p{Cc}|\p{Surrogate}/u;

/**
 * A value as it stands inside a line of a .conf file: every `;` becomes `\;`. That is exact in all cases, because
 * Asterisk takes away one backslash before a semicolon and no other one (config.c, `config_text_file_load`).
 * @throws SipctlError `invalid` for what no line can hold: control characters, and blanks at the ends
 */
export function escapeValue(text: string, place: ValuePlace): string {
  if (text === '' || plain.test(text)) return text;
  if (control.test(text)) refuse(place, 'holds a control character', 'remove line breaks and tabs');
  if (isBlank(text, 0) || isBlank(text, text.length - 1)) {
    refuse(place, 'starts or ends with a blank, which Asterisk cuts off', 'remove the blank');
  }
  return text.replaceAll(';', '\\;');
}

/**
 * What has to stand between `=` and an escaped value: a blank where the value starts with `>`, because Asterisk
 * takes `=>` for another spelling of `=`.
 */
export const valueGuard = (escaped: string): '' | ' ' => (escaped.startsWith('>') ? ' ' : '');

/** One line, with its line break. @throws SipctlError `invalid` for a value or length that no line can hold */
export function confLine(option: string, text: string, object: string): string {
  const place = { object, option };
  const escaped = escapeValue(text, place);
  const line = `${option}=${valueGuard(escaped)}${escaped}\n`;
  if (Buffer.byteLength(line) - 1 > longestLine) refuseLength(place);
  return line;
}

/** @throws SipctlError `invalid`: the line would be skipped by Asterisk */
export function refuseLength(place: ValuePlace): never {
  return refuse(place, `is longer than the ${longestLine} bytes of a line`, 'shorten the value');
}

function refuse({ object, option }: ValuePlace, message: string, hint: string): never {
  throw new SipctlError('invalid', {
    code: 'unwritable_value',
    message: `${object}: ${option} ${message}`,
    field: option,
    hint,
  });
}

// config.c strips bytes up to 32 and nothing else: a no-break space stays.
const isBlank = (text: string, at: number): boolean => text.charCodeAt(at) <= 32;
