import { SipctlError } from '../../../errors.ts';

/**
 * FreeSWITCH's event socket on the wire (mod_event_socket): messages of `Name: value` lines that end in LF; an empty
 * line ends the headers, and `Content-Length` says how many bytes of body follow.
 *
 * ```
 * Content-Type: auth/request␊␊                                               greeting
 * Content-Type: command/reply␊Reply-Text: +OK accepted␊␊                     answer to a command of the socket itself
 * Content-Type: api/response␊Content-Length: 15␊␊+OK [Success]␊              answer to `api …`, final LF or none
 * Content-Length: 612␊Content-Type: text/event-json␊␊{"Event-Name":…}        event
 * Content-Type: text/rude-rejection␊Content-Length: 24␊␊Access Denied, …     instead of a greeting: refused by an ACL
 * Content-Type: text/disconnect-notice␊Content-Length: 67␊␊Disconnected, …   before the end
 * ```
 */

/** One message of the event socket. */
export interface EslMessage {
  /** Its `Content-Type`. */
  type: string;
  /** The other headers, by their names as FreeSWITCH spells them. Values are as sent: no URL encoding is undone. */
  headers: ReadonlyMap<string, string>;
  body: string;
}

const lf = 10;
const cr = 13;
const endOfHeaders = Buffer.from('\n\n');
// Every message of mod_event_socket begins so; whatever does not is another protocol, or out of step.
const beginning = Buffer.from('Content-');
// FreeSWITCH cuts its own headers off at 1 KiB.
const longestHeaders = 16 * 1024;
// Beyond this a length is a fault of the peer: ten times what `show registrations` of a million phones takes.
const longestBody = 256 * 1024 * 1024;

/** These bytes are no message of an event socket. */
export class NotEventSocket extends Error {
  /** How they begin, as text. */
  readonly said: string;

  constructor(bytes: Buffer) {
    super('not an event socket');
    this.said = bytes.toString('utf8', 0, 80);
  }
}

/**
 * Turns the bytes of a connection into messages, at a cost that is linear in their number, however they are cut into
 * packets: what is incomplete is laid aside, and joined once all of it is there.
 */
export class EslParser {
  #held: Buffer[] = [];
  #length = 0;
  /** So many bytes must be held before looking at them again can give a message. */
  #needed = 0;

  /** The messages that these bytes complete. @throws NotEventSocket */
  push(chunk: Buffer): EslMessage[] {
    const data = this.#join(chunk);
    if (data === null) return [];
    const messages: EslMessage[] = [];
    let start = 0;
    for (;;) {
      while (data[start] === lf || data[start] === cr) start += 1;
      if (start >= data.length) break;
      const message = this.#read(data, start);
      if (message === null) break;
      messages.push(message.message);
      start = message.end;
    }
    this.#keep(data, start);
    return messages;
  }

  #join(chunk: Buffer): Buffer | null {
    if (this.#length === 0) return chunk;
    this.#held.push(chunk);
    this.#length += chunk.length;
    return this.#length < this.#needed ? null : Buffer.concat(this.#held, this.#length);
  }

  #keep(data: Buffer, start: number): void {
    const rest = data.length - start;
    this.#length = rest;
    // Copied, so that a few bytes do not keep the whole of a giant message in memory.
    this.#held = rest === 0 ? [] : [Buffer.from(data.subarray(start))];
  }

  /** The message that begins at `start`, or null while it is incomplete. */
  #read(data: Buffer, start: number): { message: EslMessage; end: number } | null {
    const length = Math.min(beginning.length, data.length - start);
    if (data.compare(beginning, 0, length, start, start + length) !== 0)
      throw new NotEventSocket(data.subarray(start));
    const end = data.indexOf(endOfHeaders, start);
    if ((end === -1 ? data.length : end) - start > longestHeaders)
      throw new NotEventSocket(data.subarray(start));
    this.#needed = 0;
    if (end === -1) return null;

    const { type, headers, bodyBytes } = readHeaders(data.toString('utf8', start, end));
    if (bodyBytes === null) throw new NotEventSocket(data.subarray(start));
    const from = end + endOfHeaders.length;
    const to = from + bodyBytes;
    if (data.length < to) {
      this.#needed = to - start;
      return null;
    }
    return { message: { type, headers, body: data.toString('utf8', from, to) }, end: to };
  }
}

interface Headers extends Omit<EslMessage, 'body'> {
  bodyBytes: number | null;
}

const none: ReadonlyMap<string, string> = new Map();

function readHeaders(text: string): Headers {
  // Nearly all messages are events, and nothing is made of their headers.
  const [, length, event] = /^Content-Length: (\d+)\nContent-Type: (text\/event-json)$/.exec(text) ?? [];
  if (event !== undefined) return { type: event, headers: none, bodyBytes: bodyLength(length) };
  const headers = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon > 0) headers.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const [type = '', bytes] = [headers.get('Content-Type'), headers.get('Content-Length')];
  headers.delete('Content-Type');
  headers.delete('Content-Length');
  return { type, headers, bodyBytes: bodyLength(bytes) };
}

function bodyLength(text = '0'): number | null {
  const length = /^\d{1,10}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return length <= longestBody ? length : null;
}

// Parsing the whole of an event costs as much as finding so many headers in its text.
const cheapLookUps = 16;

/** Headers that are wanted of one event after the other. */
export interface WantedHeaders {
  names: ReadonlySet<string>;
  pattern: RegExp;
}

/** Makes ready for `EslEvent.pick`. */
export function wantedHeaders(names: readonly string[]): WantedHeaders {
  // A name stands after a brace or a comma, which within a text have a backslash before the quotation mark.
  const pattern = new RegExp(`[{,]"(${names.join('|')})":(?:"([^"\\\\]*)")?`, 'g');
  return { names: new Set(names), pattern };
}

/**
 * One event, as `event json` sends it. It is taken apart when it is asked for many headers; a few are just looked up, and
 * those that are known beforehand found in one pass.
 */
export class EslEvent {
  readonly #text: string;
  #headers: Readonly<Record<string, unknown>> | null = null;
  #lookUps = 0;
  #picked: { names: ReadonlySet<string>; values: Map<string, string> } | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  /** For example `CHANNEL_ANSWER`, or `CUSTOM`. */
  get name(): string {
    return this.get('Event-Name') ?? '';
  }

  /** What a CUSTOM event is, for example `sofia::register`; else empty. */
  get subclass(): string {
    return this.get('Event-Subclass') ?? '';
  }

  /** The text that came with the event, for example what a background job printed; empty for most. */
  get body(): string {
    return this.get('_body') ?? '';
  }

  /** The value of a header, by its name as FreeSWITCH spells it; the first one of a list. */
  get(name: string): string | undefined {
    if (this.#headers === null && this.#picked?.names.has(name)) return this.#picked.values.get(name);
    if (this.#headers === null && this.#lookUps < cheapLookUps) {
      this.#lookUps += 1;
      const found = lookUp(this.#text, name);
      if (found !== null) return found.value;
    }
    return this.all(name)[0];
  }

  /** Finds these headers now: a third of what taking it apart costs, as most of a channel's event are its variables. */
  pick({ names, pattern }: WantedHeaders): this {
    if (!isPlain(this.#text)) return this;
    const values = new Map<string, string>();
    pattern.lastIndex = 0;
    for (let found = pattern.exec(this.#text); found !== null; found = pattern.exec(this.#text)) {
      const [, name = '', value] = found;
      // A list, or a text with a backslash: only parsing can tell.
      if (value === undefined) return this;
      values.set(name, value);
    }
    this.#picked = { names, values };
    return this;
  }

  /** The values of a header: more than one where FreeSWITCH keeps a list. */
  all(name: string): string[] {
    const headers = this.#parsed();
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (value === undefined || value === null) return [];
    return Array.isArray(value) ? value.map(String) : [String(value)];
  }

  /** The names of all headers, in their order. */
  get names(): string[] {
    return Object.keys(this.#parsed()).filter((name) => name !== '_body');
  }

  /** Cheaper than `name`: false where the event certainly has another one. */
  mayBe(name: string): boolean {
    return this.#text.includes(name);
  }

  #parsed(): Readonly<Record<string, unknown>> {
    this.#headers ??= parseEvent(this.#text);
    return this.#headers;
  }
}

/**
 * Finds one header in a JSON text without blanks, which FreeSWITCH writes. A quotation mark inside of a string has a
 * backslash before it, so that `"name":` without one can be nothing but the name of a header. Null where only parsing can tell.
 */
function lookUp(text: string, name: string): { value: string | undefined } | null {
  if (!isPlain(text) || !/^[\w-]+$/.test(name)) return null;
  const key = `"${name}":`;
  let at = text.indexOf(key);
  if (at === -1) return { value: undefined };
  // Where a name stands twice the last one counts, as for JSON.parse; searching backwards would be slower.
  for (let next = at; next !== -1; next = text.indexOf(key, next + key.length)) at = next;
  const start = at + key.length;
  if (text[at - 1] === '\\' || text[start] !== '"') return null;
  const end = text.indexOf('"', start + 1);
  const value = text.slice(start + 1, end);
  return end === -1 || value.includes('\\') ? null : { value };
}

/** False where there are blanks between names and values, or no event at all. */
const isPlain = (text: string): boolean =>
  text.startsWith('":"', text.indexOf('"', 2)) && (text.endsWith('"}') || text.endsWith(']}'));

function parseEvent(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // The parser's own words quote the event, which may hold a password.
  }
  throw new SipctlError('failed', {
    code: 'esl_malformed',
    message: 'FreeSWITCH sent an event that is not JSON',
    hint: 'report this together with the version of FreeSWITCH',
  });
}

// Where a command is longer than 10 MiB FreeSWITCH takes the rest of it for further commands.
const longestCommand = 1024 * 1024;

/**
 * The bytes of one command. Nothing in it or in a header can end its line, so no value can become a second command.
 * @throws SipctlError `invalid` naming the field, never its value
 */
export function encodeCommand(
  name: string,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const lines = [sendable(name, line)];
  for (const [header, value] of Object.entries(headers)) lines.push(`${header}: ${sendable(header, value)}`);
  return `${lines.join('\n')}\n\n`;
}

function sendable(field: string, text: string): string {
  if (/[\r\n\0]/.test(text)) throw unsendable(field, 'holds a line break or NUL');
  if (Buffer.byteLength(text) > longestCommand) throw unsendable(field, 'is longer than a mebibyte');
  return text;
}

/** The refusal of a value that would not reach FreeSWITCH as what it is. */
export function unsendable(name: string, what: string): SipctlError {
  const field = name.replace(/[^\x20-\x7e]/g, '?').slice(0, 60);
  return new SipctlError('invalid', {
    code: 'esl_unsendable',
    message: `the event socket cannot be sent this: ${field} ${what}`,
    field,
    hint: 'correct the value it was made from',
  });
}
