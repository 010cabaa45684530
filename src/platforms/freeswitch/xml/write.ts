import { SipctlError } from '../../../errors.ts';
import type { Element } from './element.ts';

/**
 * XML as FreeSWITCH reads it. Before any parser, its preprocessor (`preprocess` in switch_xml.c) goes over the lines:
 * it puts the value of a global variable in the place of each `$${name}`, obeys every line that holds `X-PRE-PROCESS`,
 * a comment's included, and drops whole lines that hold `<include>` or `<?`. So there is one element to a line, and an
 * attribute holds none of these: what would be one is written as a character reference, which it does not know.
 */

/** The lines of an element and all in it, each with its line break. @throws SipctlError `invalid` */
export function elementText(element: Element, depth = 0): string {
  const indent = '  '.repeat(depth);
  const start = `${indent}<${element.name}${attributesText(element)}`;
  if (element.children.length === 0) return `${start}/>\n`;
  let text = `${start}>\n`;
  for (const child of element.children) text += elementText(child, depth + 1);
  return `${text}${indent}</${element.name}>\n`;
}

function attributesText({ name: element, attributes }: Element): string {
  let text = '';
  for (const [name, value] of attributes)
    text += ` ${name}="${escapeAttribute(value, `${element} ${name}`)}"`;
  return text;
}

const special = /[&<>"]|\$(?=\$)|-(?=pre-process)/gi;

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  $: '&#36;',
  '-': '&#45;',
};

// Tab and line breaks would come back as blanks; the others are no characters of XML 1.0.
const unwritable = /[\p{Cc}\p{Surrogate}\ufffe\uffff]/u;

/** A value between the quotes of an attribute. @throws SipctlError `invalid` naming `what`, never the value */
function escapeAttribute(value: string, what: string): string {
  if (unwritable.test(value)) {
    throw new SipctlError('invalid', {
      code: 'unwritable_value',
      message: `${what} holds a character that cannot stand in a file of FreeSWITCH`,
      hint: 'remove line breaks and control characters',
    });
  }
  return value.replace(special, (found) => references[found] as string);
}
