import type { Element } from './element.ts';

const code = {
  ...{ lineFeed: 10, blank: 32, exclamation: 33, quote: 34, ampersand: 38, hyphen: 45, slash: 47 },
  ...{ less: 60, equals: 61, greater: 62, ascii: 127 },
} as const;

/**
 * Reads a rendered text back, byte by byte: it must hold exactly these elements, inside of one `<include>`.
 * @throws Error where it does not, which is a bug: what a value could do to its place was escaped or refused before
 */
export function checkElements(text: Uint8Array, intended: readonly Element[]): void {
  const reader = new Reader(text);
  if (!reader.holds({ name: 'include', attributes: [], children: intended }) || !reader.ends())
    throw new Error('the rendered text does not hold exactly the intended elements');
}

/**
 * A parser of XML 1.0 that knows what comes next, so that it builds nothing. Of the language it takes the part that sipctl
 * writes: elements with attributes in double quotes, references, comments, and blanks between tags. All else is refused,
 * and with it whatever is no XML.
 */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether this element comes next, with all that is in it and nothing else. */
  holds({ name, attributes, children }: Element): boolean {
    this.#skip();
    if (!this.#pass(code.less) || !this.#word(name)) return false;
    for (let at = 0; at < attributes.length; at += 1) {
      // Taking a pair apart by its iterator costs more than reading it.
      const attribute = attributes[at] as readonly [string, string];
      if (!this.#pass(code.blank) || !this.#word(attribute[0]) || !this.#value(attribute[1])) return false;
    }
    if (this.#pass(code.slash)) return children.length === 0 && this.#pass(code.greater);
    if (!this.#pass(code.greater)) return false;
    for (let at = 0; at < children.length; at += 1) if (!this.holds(children[at] as Element)) return false;
    this.#skip();
    return this.#pass(code.less) && this.#pass(code.slash) && this.#word(name) && this.#pass(code.greater);
  }

  /** Whether nothing else follows. */
  ends(): boolean {
    this.#skip();
    return this.#at === this.#bytes.length;
  }

  /** Goes past blanks and comments; a comment ends with the first two hyphens in it, or is none (§2.5). */
  #skip(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (;;) {
      while (bytes[at] === code.blank || bytes[at] === code.lineFeed) at += 1;
      this.#at = at;
      if (bytes[at + 1] !== code.exclamation || !this.#isNext('<!--')) return;
      at += 4;
      while (at < bytes.length && (bytes[at] !== code.hyphen || bytes[at + 1] !== code.hyphen)) at += 1;
      if (bytes[at + 2] !== code.greater) return;
      at += 3;
    }
  }

  #pass(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #isNext(text: string): boolean {
    const [bytes, start] = [this.#bytes, this.#at];
    for (let at = 0; at < text.length; at += 1) if (bytes[start + at] !== text.charCodeAt(at)) return false;
    return true;
  }

  /** A name, which ends where something follows that can stand in none. */
  #word(name: string): boolean {
    if (!this.#isNext(name)) return false;
    this.#at += name.length;
    return inName[this.#bytes[this.#at] ?? 0] === 0;
  }

  /** The rest of an attribute: `="…"` with this value. */
  #value(value: string): boolean {
    if (!this.#pass(code.equals) || !this.#pass(code.quote)) return false;
    const bytes = this.#bytes;
    let at = this.#at;
    for (let read = 0; read < value.length; read += 1) {
      const byte = bytes[at] ?? 0;
      // What is written in another way than one byte for one character: in most values nothing is.
      if (inValue[byte] !== 1) return this.#otherwise(value);
      if (byte !== value.charCodeAt(read)) return false;
      at += 1;
    }
    this.#at = at;
    return this.#pass(code.quote);
  }

  /** The same for a value with references or with characters beyond ASCII. */
  #otherwise(value: string): boolean {
    const end = this.#bytes.indexOf(code.quote, this.#at);
    if (end < 0) return false;
    const found = decoded(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return found === value;
  }
}

/** 1 for each byte that stands for itself in a value. */
const inValue = Uint8Array.from(
  { length: 256 },
  (_, byte) =>
    +(byte >= code.blank && byte < code.ascii && ![code.quote, code.ampersand, code.less].includes(byte)),
);

/** 1 for each byte that a name may go on with. */
const inName = Uint8Array.from(
  { length: 256 },
  (_, byte) => +(/[\w.:-]/.test(String.fromCharCode(byte)) || byte > code.ascii),
);

// §2.2 has no place for other control characters, and tabs and line breaks would come back as blanks (§3.3.3).
const noCharacter = /[\p{Cc}\ufffe\uffff<]/u;
const reference = /&(?:#([0-9]{2,3});|(amp|lt|gt|quot|apos);)?/g;
const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What stands between the quotes of an attribute; null where it is not written as it must be. */
function decoded(bytes: Uint8Array): string | null {
  try {
    const text = utf8.decode(bytes);
    if (noCharacter.test(text)) return null;
    return text.replace(reference, (_, number: string | undefined, name: string | undefined) => {
      if (name !== undefined) return named[name] as string;
      // Of numbers those of ASCII: no others are needed, and not all are characters.
      if (number === undefined || Number(number) < code.blank || Number(number) >= code.ascii)
        throw new RangeError('no reference');
      return String.fromCharCode(Number(number));
    });
  } catch {
    return null;
  }
}
