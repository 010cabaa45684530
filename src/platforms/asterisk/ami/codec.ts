import { SipctlError } from '../../../errors.ts';

/**
 * The Asterisk Manager Interface on the wire (docs.asterisk.org, "AMI v2 Specification"): one banner line, then
 * messages of `Name: value` lines that end in CRLF; an empty line ends a message.
 *
 * ```
 * Asterisk Call Manager/11.0.0␍␊
 * Response: Success␍␊ActionID: 1␍␊Message: Command output follows␍␊Output: …␍␊Output: …␍␊␍␊
 * Response: Follows␍␊Privilege: Command␍␊ActionID: 1␍␊…␊…␊--END COMMAND--␍␊␍␊        before Asterisk 14
 * ```
 *
 * Only CRLF ends a line: texts such as `No endpoints found␊` carry a bare LF, and to take it for a line end would
 * let a caller's name forge headers.
 */

/** A header of a message as it was sent. */
export type AmiEntry = readonly [name: string, value: string];

/** The fields of an action, in the order they are sent; a list repeats its header, as `Variable` does. */
export type AmiFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

const cr = 13;
const lf = 10;
const space = 32;
/** The bit in which `A` and `a` differ. */
const upperOrLower = 32;
const follows = 'Response: Follows';
const endOfMessage = Buffer.from('\r\n\r\n');
const endOfFollows = Buffer.from('\n--END COMMAND--\r\n\r\n');
const endOfOutput = '\n--END COMMAND--';

// No banner is longer; something that is longer is not a manager interface.
const longestBanner = 1024;
// Beyond this a message is a fault of the peer and not a list: Asterisk's largest answers are a tenth of it.
const longestMessage = 128 * 1024 * 1024;
// A buffer that held a giant answer is given back; a smaller one serves the next message.
const keptCapacity = 1024 * 1024;

/**
 * One message of the manager interface: an answer or an event. Where its headers stand is found when one is first asked
 * for, and only what is asked for is cut out: of most events nobody wants more than a few.
 */
export class AmiMessage {
  readonly #text: string;
  /** Three numbers for each header: where its name begins, its colon, and where its value ends. */
  #marks: number[] | null = null;
  #output: string[] | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  /** The headers in their order, repeated ones repeated; without the lines of a command's output. */
  get entries(): readonly AmiEntry[] {
    const marks = this.#parsed();
    const entries: AmiEntry[] = [];
    for (let at = 0; at < marks.length; at += 3)
      entries.push([this.#text.slice(marks[at], marks[at + 1]), this.#value(marks, at)]);
    return entries;
  }

  /** The lines that a CLI command printed, whole; empty for every other message. */
  get output(): readonly string[] {
    this.#parsed();
    return this.#output ?? [];
  }

  /** The first value of a header, whatever its case. */
  get(name: string): string | undefined {
    const marks = this.#parsed();
    for (let at = 0; at < marks.length; at += 3) {
      if (this.#isNamed(marks, at, name)) return this.#value(marks, at);
    }
    return undefined;
  }

  /** Every value of a header, whatever its case. */
  all(name: string): string[] {
    const marks = this.#parsed();
    const values: string[] = [];
    for (let at = 0; at < marks.length; at += 3) {
      if (this.#isNamed(marks, at, name)) values.push(this.#value(marks, at));
    }
    return values;
  }

  // Names differ in length or in their first letter nearly always, which makes this cheaper than an index per message.
  #isNamed(marks: number[], at: number, name: string): boolean {
    const start = marks[at] as number;
    const colon = marks[at + 1] as number;
    if (colon - start !== name.length) return false;
    const text = this.#text;
    if (((text.charCodeAt(start) ^ name.charCodeAt(0)) & ~upperOrLower) !== 0) return false;
    return text.startsWith(name, start) || text.slice(start, colon).toLowerCase() === name.toLowerCase();
  }

  #value(marks: number[], at: number): string {
    const colon = marks[at + 1] as number;
    const from = this.#text.charCodeAt(colon + 1) === space ? colon + 2 : colon + 1;
    return this.#text.slice(from, marks[at + 2]);
  }

  #parsed(): number[] {
    if (this.#marks === null) {
      this.#marks = [];
      if (this.#text.startsWith(follows)) this.#parseFollows(this.#marks);
      else this.#parseLines(this.#marks);
    }
    return this.#marks;
  }

  #parseLines(marks: number[]): void {
    const text = this.#text;
    let colon = -1;
    for (let start = 0; start < text.length; ) {
      const end = endOfLine(text, start);
      if (colon < start) {
        // A colon far ahead is remembered, so that lines without one are not searched again and again.
        colon = text.indexOf(':', start);
        if (colon === -1) break;
      }
      if (colon < end) this.#addLine(marks, start, colon, end);
      start = end + 2;
    }
  }

  #addLine(marks: number[], start: number, colon: number, end: number): void {
    const text = this.#text;
    const from = text.charCodeAt(colon + 1) === space ? colon + 2 : colon + 1;
    if (colon - start === 6 && text.startsWith('Output', start)) {
      this.#output ??= [];
      this.#output.push(text.slice(from, end));
      return;
    }
    let to = end;
    while (to > from && text.charCodeAt(to - 1) === lf) to -= 1;
    marks.push(start, colon, to);
  }

  // The three headers of the old form end in CRLF; everything after them is what the command printed.
  #parseFollows(marks: number[]): void {
    const text = this.#text;
    const header = /(Response|Privilege|ActionID): ?([^\r\n]*)\r\n/y;
    const names = new Set<string>();
    let start = 0;
    for (let match = header.exec(text); match !== null; match = header.exec(text)) {
      const [line, name = ''] = match;
      if (names.has(name)) break;
      names.add(name);
      marks.push(start, start + name.length, start + line.length - 2);
      start += line.length;
    }
    // A command that printed nothing leaves the end mark right after the headers.
    const end = text.endsWith(endOfOutput) ? text.length - endOfOutput.length : text.length;
    if (end >= start) this.#output = text.slice(start, end).replace(/\r$/, '').split(/\r?\n/);
  }
}

/** Where the next CRLF stands, or the end. One character is searched for: for two, the engine is far slower. */
function endOfLine(text: string, start: number): number {
  let end = text.indexOf('\r', start);
  while (end !== -1 && text.charCodeAt(end + 1) !== lf) end = text.indexOf('\r', end + 1);
  return end === -1 ? text.length : end;
}

/**
 * Turns the bytes of a connection into messages, at a cost that is linear in their number, however they are cut
 * into packets. Text is decoded per message, so that no character is ever split.
 */
export class AmiParser {
  /** The first line of the connection, once it is there. */
  banner: string | null = null;
  #held: Buffer = Buffer.alloc(0);
  #length = 0;
  #scanned = 0;

  /** The messages that these bytes complete. @throws SipctlError `failed` where the peer cannot be an AMI */
  push(chunk: Buffer): AmiMessage[] {
    const messages: AmiMessage[] = [];
    const data = this.#length === 0 ? chunk : this.#append(chunk);
    let start = this.banner === null ? this.#readBanner(data) : 0;
    let terminator = endOfMessage;
    while (this.banner !== null) {
      while (start < data.length && (data[start] === cr || data[start] === lf)) start += 1;
      terminator = startsFollows(data, start) ? endOfFollows : endOfMessage;
      const end = data.indexOf(terminator, Math.max(start, this.#scanned));
      if (end === -1) break;
      // The end mark of the old form stays in the text: it tells the output's last line from an empty one.
      const stop = end + terminator.length;
      messages.push(new AmiMessage(data.toString('utf8', start, stop - endOfMessage.length)));
      start = stop;
      this.#scanned = start;
    }
    this.#keep(data, start, terminator.length);
    return messages;
  }

  #readBanner(data: Buffer): number {
    const end = data.indexOf(lf);
    if ((end === -1 ? data.length : end) > longestBanner) {
      throw new SipctlError('failed', {
        code: 'ami_banner',
        message: 'the server is not an Asterisk manager interface: its first line is too long',
      });
    }
    if (end === -1) return 0;
    this.banner = data.toString('utf8', 0, end).trimEnd();
    return end + 1;
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#held.length));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    chunk.copy(this.#held, this.#length);
    this.#length = length;
    return this.#held.subarray(0, length);
  }

  /** Keeps what no message has used yet, and how far it has been searched. */
  #keep(data: Buffer, start: number, terminatorLength: number): void {
    const rest = data.length - start;
    if (rest > longestMessage) {
      throw new SipctlError('failed', {
        code: 'ami_message_too_long',
        message: `a message of the manager interface is longer than ${longestMessage / 1024 / 1024} MiB`,
      });
    }
    if (this.#length === 0) {
      if (rest > 0) this.#append(data.subarray(start));
    } else {
      if (start > 0) this.#held.copyWithin(0, start, data.length);
      this.#length = rest;
      if (rest === 0 && this.#held.length > keptCapacity) this.#held = Buffer.alloc(0);
    }
    this.#scanned = Math.max(0, rest - terminatorLength + 1);
  }
}

function startsFollows(data: Buffer, start: number): boolean {
  // One byte rules out nearly every message: `F` after `Response: `.
  return data[start + 10] === 70 && data.toString('latin1', start, start + follows.length) === follows;
}

// Asterisk reads lines of at most 1,022 bytes and 128 of them; what is longer it answers with errors that no
// longer carry the ActionID, or with two of them (tried on 16.28 and 22.10).
const longestLine = 1022;
const mostLines = 128;

/**
 * The bytes of one action. Nothing in a name or value can end its line, so no value can become a second action.
 * @throws SipctlError `invalid` naming the field, never its value
 */
export function encodeAction(action: string, actionId: string, fields: AmiFields = {}): string {
  const lines = [actionLine('Action', action), actionLine('ActionID', actionId)];
  for (const [name, value] of Object.entries(fields)) {
    if (/^action(id)?$/i.test(name)) throw unsendable(name, 'is set by the connection itself');
    const values = Array.isArray(value) ? (value as readonly string[]) : [String(value)];
    for (const one of values) lines.push(actionLine(name, one));
  }
  if (lines.length > mostLines)
    throw unsendable(action, `has more than the ${mostLines} lines Asterisk reads`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function actionLine(name: string, value: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) throw unsendable(name, 'is not the name of a header');
  if (/[\r\n\0]/.test(value)) throw unsendable(name, 'holds a line break or NUL');
  const line = `${name}: ${value}`;
  if (Buffer.byteLength(line) > longestLine) throw unsendable(name, `is longer than ${longestLine} bytes`);
  return line;
}

function unsendable(name: string, what: string): SipctlError {
  const field = name.replace(/[^\x20-\x7e]/g, '?').slice(0, 60);
  return new SipctlError('invalid', {
    code: 'ami_unsendable',
    message: `the manager interface cannot be sent this: ${field} ${what}`,
    field,
    hint: 'correct the value it was made from',
  });
}
