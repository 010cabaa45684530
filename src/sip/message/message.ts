import { isUtf8 } from 'node:buffer';
import { isToken, parseCSeq, parseNameAddress, parseVia, splitOutsideQuotes } from './fields.ts';

/** One header as it was received: its name as spelt, its folded lines joined by one blank. */
export interface Header {
  name: string;
  value: string;
}

export interface SipRequest {
  kind: 'request';
  method: string;
  uri: string;
  headers: readonly Header[];
  body: Buffer;
}

export interface SipResponse {
  kind: 'response';
  /** 100 to 699. */
  status: number;
  reason: string;
  headers: readonly Header[];
  body: Buffer;
}

/** A message of RFC 3261 §7; the headers keep their order. */
export type SipMessage = SipRequest | SipResponse;

/** What is wrong with a message, as a sentence for people, and in which header, where it is one. */
export class MalformedMessage extends Error {
  readonly field: string | null;

  constructor(message: string, field: string | null = null) {
    super(message);
    this.name = 'MalformedMessage';
    this.field = field;
  }
}

/** RFC 3261 §7.3.3 and the later specifications, as IANA lists them. */
const compactForms: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

/** Headers whose values may share one line, separated by commas. */
const listHeaders = new Set(
  `accept accept-contact accept-encoding accept-language alert-info allow allow-events call-info contact
  content-encoding content-language error-info history-info in-reply-to p-asserted-identity p-associated-uri
  p-preferred-identity path proxy-require reason record-route reject-contact require route security-client
  security-server security-verify service-route supported unsupported via warning`.split(/\s+/),
);

/** Headers that every message has exactly once (RFC 3261 §8.1.1 and §8.2.6), and their names for people. */
const singleHeaders = ['From', 'To', 'Call-ID', 'CSeq'];

function fullName(name: string): string {
  const lower = name.toLowerCase();
  return (lower.length === 1 && compactForms[lower]) || lower;
}

/** The value of the first header of that name, spelt long, short or in any case; null where there is none. */
export function headerOf(message: { readonly headers: readonly Header[] }, name: string): string | null {
  const wanted = fullName(name);
  return message.headers.find((header) => fullName(header.name) === wanted)?.value ?? null;
}

/** The values of all headers of that name in order; those of a list header one by one. */
export function headersOf(message: { readonly headers: readonly Header[] }, name: string): string[] {
  const wanted = fullName(name);
  const values = message.headers
    .filter((header) => fullName(header.name) === wanted)
    .map(({ value }) => value);
  if (!listHeaders.has(wanted)) return values;
  return values.flatMap((value) => splitOutsideQuotes(value, ',') ?? [value]).filter((value) => value !== '');
}

/**
 * One message of a datagram, or one that a stream's framer cut out. Bytes behind Content-Length are ignored
 * (RFC 3261 §18.3). Strict where two readers could understand different things, forgiving elsewhere.
 * @throws MalformedMessage and nothing else
 */
export function parseMessage(bytes: Buffer): SipMessage {
  const start = behindLineEnds(bytes);
  if (start === bytes.length) throw new MalformedMessage('The message is empty');
  const end = bytes.indexOf('\r\n\r\n', start);
  if (end < 0) throw new MalformedMessage('The message has no empty line behind its headers');
  const { startLine, headers } = parseHead(bytes.subarray(start, end));
  const length = contentLengthOf(headers);
  const rest = bytes.subarray(end + 4);
  if (length !== null && length > rest.length)
    throw new MalformedMessage(
      `Content-Length says ${length} bytes, but ${rest.length} came`,
      'Content-Length',
    );
  const message = {
    ...parseStartLine(startLine),
    headers,
    body: length === null ? rest : rest.subarray(0, length),
  };
  checkHeaders(message);
  return message;
}

/** Where the first line starts: line ends before it are keep-alives (RFC 3261 §7.5, RFC 5626 §3.5.1). */
export function behindLineEnds(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2;
  return at;
}

/**
 * The first line and the headers of what stands before the empty line.
 * @throws MalformedMessage
 */
export function parseHead(bytes: Buffer): { startLine: string; headers: Header[] } {
  const [startLine = '', ...lines] = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1').split('\r\n');
  refuseControlCharacters(startLine, null);
  const headers: { name: string; parts: string[] }[] = [];
  for (const line of lines) {
    const last = headers.at(-1);
    if (/^[ \t]/.test(line)) {
      if (!last) throw new MalformedMessage('The first header starts with a blank');
      last.parts.push(line.trim());
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (!isToken(name)) throw new MalformedMessage(`Not a header: ${excerpt(line)}`);
    headers.push({ name, parts: [line.slice(colon + 1).trim()] });
  }
  return { startLine, headers: headers.map(({ name, parts }) => headerFrom(name, parts)) };
}

function headerFrom(name: string, parts: readonly string[]): Header {
  const value = parts.join(' ').trim();
  refuseControlCharacters(value, name);
  return { name, value };
}

/** In a quoted string a control character may follow a backslash (RFC 3261 §25.1); elsewhere it has no business. */
function refuseControlCharacters(text: string, field: string | null): void {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const isLineEnd = code === 0x0a || code === 0x0d;
    if (isLineEnd) throw new MalformedMessage('A line ends in a bare CR or LF, where SIP wants both', field);
    const isControl = code < 0x20 || code === 0x7f;
    if (isControl && code !== 0x09 && text[at - 1] !== '\\')
      throw new MalformedMessage(`A control character (code ${code}) stands in a line`, field);
  }
}

/** Enough of a peer's text to recognise it, and nothing that a terminal would obey. */
function excerpt(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

type StartLine =
  | Pick<SipRequest, 'kind' | 'method' | 'uri'>
  | Pick<SipResponse, 'kind' | 'status' | 'reason'>;

function parseStartLine(line: string): StartLine {
  if (/^SIP\//i.test(line)) return parseStatusLine(line);
  const [method = '', uri = '', version = '', ...more] = line.split(' ');
  if (more.length > 0 || !isToken(method) || !/^[a-z][a-z\d+.-]*:[^<>"\s]+$/i.test(uri))
    throw new MalformedMessage(`Not the first line of a SIP message: ${excerpt(line)}`);
  refuseVersion(version);
  return { kind: 'request', method, uri };
}

function parseStatusLine(line: string): StartLine {
  const [version = '', digits = ''] = line.split(' ', 2);
  refuseVersion(version);
  if (!/^[1-6]\d\d$/.test(digits)) throw new MalformedMessage(`Not a status code: ${excerpt(digits)}`);
  // The blank before an empty reason is part of the grammar, and often forgotten.
  return { kind: 'response', status: Number(digits), reason: line.slice(version.length + 5) };
}

function refuseVersion(version: string): void {
  if (version.toUpperCase() !== 'SIP/2.0')
    throw new MalformedMessage(`Not version 2.0 of SIP: ${excerpt(version)}`);
}

/**
 * The number of bytes of the body, as Content-Length says; null where the header is missing.
 * @throws MalformedMessage where it is no number, or where two of them differ
 */
export function contentLengthOf(headers: readonly Header[]): number | null {
  const values = headersOf({ headers }, 'Content-Length');
  const [first] = values;
  if (first === undefined) return null;
  if (values.some((value) => value !== first))
    throw new MalformedMessage('Content-Length stands there more than once', 'Content-Length');
  if (!/^\d{1,10}$/.test(first))
    throw new MalformedMessage(`Content-Length is not a length: ${excerpt(first)}`, 'Content-Length');
  return Number(first);
}

function checkHeaders(message: SipMessage): void {
  for (const name of singleHeaders) {
    const count = headersOf(message, name).length;
    if (count === 0) throw new MalformedMessage(`${name} is missing`, name);
    if (count > 1) throw new MalformedMessage(`${name} stands there more than once`, name);
  }
  for (const name of ['From', 'To']) {
    const value = headerOf(message, name) ?? '';
    if (!parseNameAddress(value))
      throw new MalformedMessage(`${name} is not an address: ${excerpt(value)}`, name);
  }
  const callId = headerOf(message, 'Call-ID') ?? '';
  if (!/^\S+$/.test(callId))
    throw new MalformedMessage(`Call-ID is not one word: ${excerpt(callId)}`, 'Call-ID');
  checkVia(message);
  checkCSeq(message);
  if (message.kind === 'request') checkMaxForwards(message);
}

function checkVia(message: SipMessage): void {
  const lines = message.headers.filter(({ name }) => fullName(name) === 'via');
  if (lines.length === 0) throw new MalformedMessage('Via is missing', 'Via');
  for (const { value } of lines) {
    for (const hop of splitOutsideQuotes(value, ',') ?? [value])
      if (!parseVia(hop)) throw new MalformedMessage(`Via is not a hop: ${excerpt(hop)}`, 'Via');
  }
}

function checkCSeq(message: SipMessage): void {
  const value = headerOf(message, 'CSeq') ?? '';
  const sequence = parseCSeq(value);
  if (!sequence)
    throw new MalformedMessage(`CSeq is not a number below 2**31 and a method: ${excerpt(value)}`, 'CSeq');
  if (message.kind === 'request' && message.method !== sequence.method)
    throw new MalformedMessage(
      `CSeq names ${excerpt(sequence.method)}, the first line ${excerpt(message.method)}`,
      'CSeq',
    );
}

function checkMaxForwards(request: SipRequest): void {
  const values = headersOf(request, 'Max-Forwards');
  if (values.length > 1)
    throw new MalformedMessage('Max-Forwards stands there more than once', 'Max-Forwards');
  const [value] = values;
  if (value !== undefined && !(/^\d+$/.test(value) && Number(value) <= 255))
    throw new MalformedMessage(`Max-Forwards is not 0 to 255: ${excerpt(value)}`, 'Max-Forwards');
}

/**
 * The bytes of a message. Content-Length is computed, whatever the headers say.
 * @throws MalformedMessage where a part would end its line early: what an operator typed stays in its place
 */
export function serializeMessage(message: SipMessage): Buffer {
  const length = String(message.body.length);
  const others = message.headers.filter(({ name }) => fullName(name) !== 'content-length');
  const headers = [...others, { name: 'Content-Length', value: length }];
  const lines = headers.map(({ name, value }) => {
    if (!isToken(name)) throw new MalformedMessage(`Not the name of a header: ${excerpt(name)}`, name);
    refuseLineEnds(value, name);
    return `${name}: ${value}`;
  });
  return Buffer.concat([Buffer.from([startLineOf(message), ...lines, '', ''].join('\r\n')), message.body]);
}

function startLineOf(message: SipMessage): string {
  if (message.kind === 'response') {
    refuseLineEnds(message.reason, null);
    return `SIP/2.0 ${message.status} ${message.reason}`;
  }
  if (!isToken(message.method)) throw new MalformedMessage(`Not a method: ${excerpt(message.method)}`);
  if (!/^[^\s<>"\0]+$/.test(message.uri))
    throw new MalformedMessage('The request URI has blanks or brackets in it');
  return `${message.method} ${message.uri} SIP/2.0`;
}

/**
 * A NUL may stand behind a backslash, as when it is read, so that what came can be sent back. The value stays out of
 * the complaint: it may be a secret.
 */
function refuseLineEnds(text: string, field: string | null): void {
  if (/[\r\n]|(?<!\\)\0/.test(text))
    throw new MalformedMessage(`${field ?? 'The first line'} would contain a line end or a NUL`, field);
}
