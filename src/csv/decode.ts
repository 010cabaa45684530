import { type Place, SipctlError } from '../errors.ts';

/** How the bytes of a file become text. Latin-1 is read as Windows-1252, as spreadsheets write it. */
export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'latin1'] as const;
export type Encoding = (typeof encodings)[number];

const marks: readonly (readonly [Encoding, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/**
 * The text of a file: by its byte order mark, else by the encoding that was given, else UTF-16 where every other byte is
 * zero, and UTF-8 where not.
 * @throws SipctlError `invalid` with the place of the first byte that is no text
 */
export function decodeText(bytes: Uint8Array, encoding: Encoding | null, source: string): string {
  const marked = marks.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte))?.[0];
  const chosen = marked ?? encoding ?? unmarked(bytes);
  try {
    return new TextDecoder(chosen, { fatal: true }).decode(bytes);
  } catch {
    throw undecodable(chosen, firstBad(bytes, chosen, source));
  }
}

function unmarked(bytes: Uint8Array): Encoding {
  const zeros = [0, 0];
  const looked = bytes.subarray(0, 2000);
  for (const [at, byte] of looked.entries()) if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const many = looked.length / 4;
  const [even = 0, odd = 0] = zeros;
  if (odd > many) return 'utf-16le';
  return even > many ? 'utf-16be' : 'utf-8';
}

// A line of UTF-8 never ends inside a character, so each can be tried alone.
function firstBad(bytes: Uint8Array, encoding: Encoding, source: string): Place {
  const place = { source, line: 1, column: 1 };
  if (encoding !== 'utf-8') return place;
  for (let start = 0; start < bytes.length; place.line++) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found + 1;
    if (!isUtf8(bytes.subarray(start, end))) return place;
    start = end;
  }
  return place;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const undecodable = (encoding: Encoding, place: Place): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_encoding',
    message: `this is not text in ${encoding.toUpperCase()}`,
    field: 'encoding',
    hint: 'older spreadsheets write latin1: --encoding latin1',
    place,
  });
