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
  const text = new XmlText(1024);
  text.addElement(element, depth);
  return text.copy().toString('utf8');
}

/** XML that is put together in one buffer, which is used again for the next text. */
export class XmlText {
  #bytes: Buffer;
  #length = 0;

  /** @param bytes that it begins with; it grows where they are not enough */
  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Everything added since it was cleared, in memory of its own, which can be handed to another thread. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(copy, 0, 0, this.#length);
    return copy;
  }

  /** The lines of an element and all in it. @throws SipctlError `invalid` for a value that no line can hold */
  addElement({ name, attributes, children }: Element, depth: number): void {
    this.#indent(depth);
    this.add('<');
    this.add(name);
    for (let at = 0; at < attributes.length; at += 1) {
      // Taking a pair apart by its iterator costs more than writing it.
      const attribute = attributes[at] as readonly [string, string];
      this.add(' ');
      this.add(attribute[0]);
      this.add('="');
      if (!this.#addPlain(attribute[1])) this.add(escapeAttribute(attribute[1], `${name} ${attribute[0]}`));
      this.add('"');
    }
    if (children.length === 0) {
      this.add('/>\n');
      return;
    }
    this.add('>\n');
    for (let at = 0; at < children.length; at += 1) this.addElement(children[at] as Element, depth + 1);
    this.#indent(depth);
    this.add('</');
    this.add(name);
    this.add('>\n');
  }

  /** Text as it stands. */
  add(text: string): void {
    // No UTF-16 unit takes more than three bytes of UTF-8.
    this.#reserve(3 * text.length);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let at = 0; at < text.length; at += 1) {
      const character = text.charCodeAt(at);
      if (character > 127) {
        this.#length = start + bytes.write(text, start);
        return;
      }
      bytes[start + at] = character;
    }
    this.#length = start + text.length;
  }

  /** A value in which nothing needs an escape, as in most: false, and nothing is added, where something may. */
  #addPlain(value: string): boolean {
    this.#reserve(value.length);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let at = 0; at < value.length; at += 1) {
      const character = value.charCodeAt(at);
      const known = plain[character];
      if (known !== 1 && (known !== 2 || !standsAlone(value, at))) return false;
      bytes[start + at] = character;
    }
    this.#length = start + value.length;
    return true;
  }

  #indent(depth: number): void {
    this.#reserve(2 * depth);
    const bytes = this.#bytes;
    let at = this.#length;
    for (const end = at + 2 * depth; at < end; at += 1) bytes[at] = blank;
    this.#length = at;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + more, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

const blank = 32;

/** Of the characters of ASCII: 1 for what stands for itself wherever it stands, 2 where that depends on what follows. */
const plain = Uint8Array.from({ length: 128 }, (_, at) => {
  const character = String.fromCharCode(at);
  if (/[$-]/.test(character)) return 2;
  return +/[ !#%'(-,./0-;=?-~]/.test(character);
});

/** Whether a `$` begins nothing that the preprocessor would replace, or a hyphen is not the one of `X-PRE-PROCESS`. */
function standsAlone(value: string, at: number): boolean {
  const next = value.charAt(at + 1);
  return value.charAt(at) === '$' ? next !== '$' : next !== 'p' && next !== 'P';
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
