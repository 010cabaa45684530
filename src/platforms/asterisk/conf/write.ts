import { SipctlError } from '../../../errors.ts';

/**
 * Bytes that Asterisk reads of one line (config.c, `char buf[8192]`, less the line break and the final NUL);
 * measured on 16.28 and 22.10: a line of 8191 bytes is skipped with a warning.
 */
export const longestLine = 8190;

// Most values hold nothing but printable ASCII without blanks and semicolons, and are done with after one look.
const special = /[^!-:<-~]/;
const control = /\p{Cc}|\p{Surrogate}/u;

/**
 * A value as it stands inside a line of a .conf file: every `;` becomes `\;`. That is exact in all cases, because
 * Asterisk takes away one backslash before a semicolon and no other one (config.c, `config_text_file_load`).
 * @throws SipctlError `invalid` for what no line can hold: control characters, and blanks at the ends
 */
export function escapeValue(text: string, object: string, option: string): string {
  if (!special.test(text)) return text;
  if (control.test(text)) {
    refuse(object, option, 'holds a control character', 'remove line breaks and tabs');
  }
  if (isBlank(text, 0) || isBlank(text, text.length - 1)) {
    refuse(object, option, 'starts or ends with a blank, which Asterisk cuts off', 'remove the blank');
  }
  return text.includes(';') ? text.replaceAll(';', '\\;') : text;
}

/**
 * What has to stand between `=` and an escaped value: a blank where the value starts with `>`, because Asterisk
 * takes `=>` for another spelling of `=`.
 */
export const valueGuard = (escaped: string): '' | ' ' => (escaped.startsWith('>') ? ' ' : '');

/** @throws SipctlError `invalid`: the line would be skipped by Asterisk */
export function refuseLength(object: string, option: string): never {
  return refuse(object, option, `is longer than the ${longestLine} bytes of a line`, 'shorten the value');
}

function refuse(object: string, option: string, message: string, hint: string): never {
  throw new SipctlError('invalid', {
    code: 'unwritable_value',
    message: `${object}: ${option} ${message}`,
    field: option,
    hint,
  });
}

// config.c strips bytes up to 32 and nothing else: a no-break space stays.
const isBlank = (text: string, at: number): boolean => text.charCodeAt(at) <= 32;
