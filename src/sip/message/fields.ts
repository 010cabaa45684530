/**
 * The values of the headers that a client acts on (RFC 3261 §25.1). Each function answers null for what is not of
 * its form, and takes time linear in the length of its input: the text comes from anybody.
 */

/** A `sip:` or `sips:` URI. A password in it, and headers after `?`, are left out. */
export interface SipUri {
  scheme: 'sip' | 'sips';
  /** Percent-decoded: may hold any character, so it never goes back into a message as it is. */
  user: string | null;
  /** An IPv6 address stands here without its brackets. */
  host: string;
  port: number | null;
  /** Names in lower case, values percent-decoded, null for a parameter without a value. */
  params: Record<string, string | null>;
}

/** `"Name" <uri>;params`, or a bare `uri;params` (RFC 3261 §20.10). */
export interface NameAddress {
  displayName: string | null;
  uri: string;
  /** Names in lower case, values without their quotes, null for a parameter without a value. */
  params: Record<string, string | null>;
}

/** One hop that a request took (RFC 3261 §20.42, RFC 3581 for `rport`). */
export interface Via {
  /** In upper case: `UDP`, `TCP`, `TLS`, `WS`, `WSS`, or what the peer made up. */
  transport: string;
  /** An IPv6 address stands here without its brackets. */
  host: string;
  port: number | null;
  branch: string | null;
  received: string | null;
  /** Null too where the parameter has no value, as in a request. */
  rport: number | null;
  params: Record<string, string | null>;
}

const token = /^[\w.!%*+`'~-]+$/;
const highestPort = 65_535;
/** RFC 3261 §8.1.1.5: the sequence number is less than 2**31. */
const highestSequenceNumber = 2 ** 31 - 1;

/** Whether a text is a `token` of RFC 3261 §25.1: a method, a header name, the name of a parameter. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** Cuts at each `separator` outside quoted strings and angle brackets; null where a quoted string has no end. */
export function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] | null {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '<') bracketed = true;
    else if (character === '>') bracketed = false;
    else if (character === separator && !bracketed) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return quoted ? null : parts;
}

/** A SIP or SIPS URI (RFC 3261 §19.1.1); null for another scheme too. */
export function parseUri(text: string): SipUri | null {
  const scheme = /^(sips?):/i.exec(text)?.[1]?.toLowerCase() as 'sip' | 'sips' | undefined;
  if (!scheme || /[\s<>"\p{Cc}]/u.test(text)) return null;
  const [before, after, ...tooMany] = text.slice(scheme.length + 1).split('@');
  if (before === undefined || tooMany.length > 0) return null;
  const userInfo = after === undefined ? null : before;
  const user = userInfo === null ? null : percentDecoded(userInfo.split(':', 1)[0] ?? '');
  if (userInfo !== null && !user) return null;
  const [address = '', ...params] = ((after ?? before).split('?', 1)[0] ?? '').split(';');
  const hostPort = parseHostPort(address);
  const decoded = uriParams(params);
  return hostPort && decoded ? { scheme, user, ...hostPort, params: decoded } : null;
}

function uriParams(parts: readonly string[]): Record<string, string | null> | null {
  const params: [string, string | null][] = [];
  for (const part of parts) {
    const at = part.indexOf('=');
    const name = percentDecoded(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? null : percentDecoded(part.slice(at + 1));
    if (!name || (at >= 0 && value === null)) return null;
    params.push([name.toLowerCase(), value]);
  }
  return recordOf(params);
}

/** The text behind the percent signs; null where one is not followed by two hexadecimal digits. */
function percentDecoded(text: string): string | null {
  if (!text.includes('%')) return text;
  if (/%(?![0-9a-f]{2})/i.test(text)) return null;
  const bytes = Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function parseHostPort(text: string): { host: string; port: number | null } | null {
  const parts = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?:\s*:\s*(\d{1,5}))?$/i.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  if (!parts || !host) return null;
  const port = parts[3] === undefined ? null : Number(parts[3]);
  return port !== null && port > highestPort ? null : { host, port };
}

/**
 * The value of From, To, Contact, Route, Record-Route. Blanks inside the angle brackets and a display name that should
 * be quoted are forgiven (RFC 4475 §3.1.2.14 and §3.1.2.15): phones and carriers send both.
 */
export function parseNameAddress(value: string): NameAddress | null {
  const parts = splitOutsideQuotes(value, ';');
  const address = parts?.[0];
  if (!parts || !address) return null;
  const params = headerParams(parts.slice(1));
  if (!params) return null;
  const open = openingBracket(address);
  if (open === null) {
    // Without brackets nobody can tell whose `?`, `,` or `;` it is, so the URI may hold none (RFC 3261 §20).
    return isBareUri(address) ? { displayName: null, uri: address, params } : null;
  }
  const uri = address.slice(open + 1, -1).trim();
  const displayName = displayNameOf(address.slice(0, open).trim());
  if (!address.endsWith('>') || !isUri(uri) || displayName === undefined) return null;
  return { displayName, uri, params };
}

function openingBracket(address: string): number | null {
  let from = 0;
  if (address.startsWith('"')) from = endOfQuoted(address);
  const at = address.indexOf('<', from);
  return at < 0 ? null : at;
}

/** The index behind the closing quote of a quoted string that starts the text. */
function endOfQuoted(text: string): number {
  for (let at = 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** Null where there is none, undefined where it is not one. */
function displayNameOf(text: string): string | null | undefined {
  if (text === '') return null;
  if (text.startsWith('"')) return endOfQuoted(text) === text.length ? unquoted(text) : undefined;
  return text.includes('"') ? undefined : text.replace(/\s+/g, ' ');
}

const isUri = (text: string): boolean => /^[a-z][a-z\d+.-]*:[^\s<>"\p{Cc}]+$/iu.test(text);
const isBareUri = (text: string): boolean => isUri(text) && !/[?,]/.test(text);

const unquoted = (text: string): string => text.slice(1, -1).replace(/\\([\s\S])/g, '$1');

/** Parameters of a header, already cut at their semicolons; null where one is not a parameter. */
function headerParams(parts: readonly string[]): Record<string, string | null> | null {
  const params: [string, string | null][] = [];
  for (const part of parts) {
    const at = part.indexOf('=');
    const name = (at < 0 ? part : part.slice(0, at)).trim();
    const value = at < 0 ? null : part.slice(at + 1).trim();
    if (!isToken(name)) return null;
    if (value === null) params.push([name.toLowerCase(), null]);
    else if (value.startsWith('"') && value.length > 1 && endOfQuoted(value) === value.length)
      params.push([name.toLowerCase(), unquoted(value)]);
    else if (/^[^\s"<>,]+$/.test(value)) params.push([name.toLowerCase(), value]);
    else return null;
  }
  return recordOf(params);
}

/** The first of each name counts; a name like `__proto__` is a name like any other. */
function recordOf(params: readonly [string, string | null][]): Record<string, string | null> {
  return Object.fromEntries([...params].reverse());
}

/** One value of Via, which may have blanks around its slashes and its colon (RFC 3261 §25.1). */
export function parseVia(value: string): Via | null {
  const [sentProtocolAndBy, ...rest] = splitOutsideQuotes(value, ';') ?? [];
  const parts = /^SIP\s*\/\s*2\.0\s*\/\s*([^\s/]+)\s+(\S.*)$/is.exec(sentProtocolAndBy ?? '');
  const [, transport, sentBy] = parts ?? [];
  const params = headerParams(rest);
  const hostPort = sentBy === undefined ? null : parseHostPort(sentBy);
  if (!transport || !isToken(transport) || !hostPort || !params) return null;
  const rport = params.rport ?? null;
  if (rport !== null && (!/^\d{1,5}$/.test(rport) || Number(rport) > highestPort)) return null;
  return {
    transport: transport.toUpperCase(),
    ...hostPort,
    branch: params.branch ?? null,
    received: params.received?.replace(/^\[(.*)\]$/, '$1') ?? null,
    rport: rport === null ? null : Number(rport),
    params,
  };
}

/** The value of CSeq (RFC 3261 §20.16); null also for a number of 2**31 or more. */
export function parseCSeq(value: string): { number: number; method: string } | null {
  const [, digits, method] = /^(\d+)\s+(\S+)$/.exec(value.trim()) ?? [];
  if (digits === undefined || method === undefined || !isToken(method)) return null;
  const number = Number(digits);
  return number > highestSequenceNumber ? null : { number, method };
}
