import { isIP } from 'node:net';

/**
 * How a value of pjsip.conf looks when it is read back over AMI, tried on Asterisk 16.28 and 22.10. Each form takes
 * what was written and what is shown to one spelling, in which equal values are equal texts.
 */
export type Form = (value: string) => string;

export const text: Form = (value) => value;

/** `ast_true`: these words are yes, and everything else is no. */
export const flag: Form = (value) => (/^(yes|true|y|t|1|on)$/i.test(value) ? 'yes' : 'no');

export const word: Form = (value) => value.toLowerCase();

/** A decimal number; Asterisk shows seconds with six places. Anything else stays as it is, and so differs. */
export const number: Form = (value) => (/^[0-9]+(\.[0-9]+)?$/.test(value) ? String(Number(value)) : value);

/** A list whose order means nothing: Asterisk may sort it. */
export const set: Form = (value) => parts(value).sort().join(',');

export const upperSet: Form = (value) =>
  parts(value)
    .map((one) => one.toUpperCase())
    .join(',');

/** Call groups: `1,2-4` is shown as `1, 2, 3, 4`. */
export const groups: Form = (value) => {
  const numbers = new Set<number>();
  for (const part of parts(value)) {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    for (let one = first; one <= Math.min(last, 63); one++) numbers.add(one);
  }
  return [...numbers].sort((one, other) => one - other).join(',');
};

/** `reinvite` is another word for `invite`, and shown as that. */
export const refreshMethod: Form = (value) => (word(value) === 'reinvite' ? 'invite' : word(value));

/** Session timers: `forced` is shown as `always`; the words of a boolean are taken too. */
export const timers: Form = (value) => {
  const given = word(value);
  if (given === 'forced' || given === 'always') return 'always';
  return given === 'required' ? given : flag(given);
};

/** Before 22 every way of verifying is shown as `Yes`, so that only yes and no can be told apart. */
export const verifyFlag: Form = (value) => (word(value) === 'no' ? 'no' : 'yes');

/** Codec preferences are shown with other blanks between the same words. */
export const preferences: Form = (value) => word(value).replace(/\s+/g, '');

/** DiffServ names (RFC 2474, RFC 2597, RFC 3246) are shown as the number of the whole TOS byte. */
export const tos: Form = (value) => {
  const given = word(value);
  const [, classes, assured, drop] = /^(?:cs([0-7])|af([1-4])([1-3]))$/.exec(given) ?? [];
  if (given === 'ef') return '184';
  if (classes !== undefined) return String(Number(classes) * 32);
  if (assured !== undefined) return String(Number(assured) * 32 + Number(drop) * 8);
  return /^0x[0-9a-f]+$/.test(given) ? String(Number(given)) : number(given);
};

/** An address; 22 shows IPv6 in the spelling of RFC 5952, 16 as it was written. */
export const address: Form = (value) => (isIP(value) === 6 ? canonicalIpv6(value) : value);

/** Networks: `192.0.2.0/28` is shown as `192.0.2.0/255.255.255.240`, an address with a mask of ones. */
export const networks: Form = (value) => parts(value).map(network).sort().join(',');

/** One network as people write it: `192.0.2.0/255.255.255.240` is `192.0.2.0/28`, and a single address has no length. */
export function cidr(shown: string): string {
  const [given = '', mask = ''] = shown.split('/');
  if (isIP(given) === 0 || isIP(mask) === 0) return shown;
  const bytes = bytesOf(mask, isIP(mask));
  const length = bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
  return length === bytes.length * 8 ? given : `${given}/${length}`;
}

/** False for an entry that Asterisk had to resolve: what it found cannot be foretold. */
export const areAddresses = (value: string): boolean =>
  parts(value).every((one) => isIP(one.split('/')[0] as string) !== 0);

/**
 * Caller IDs, as `ast_callerid_parse` takes them apart and `ast_callerid_merge` puts them together: the name gets
 * quotes, a number loses what does not belong into one, and an absent part leaves only the other.
 */
export const callerId: Form = (value) => {
  if (value === '' || value === '<unknown>') return '';
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(value);
  const rest = quoted === null ? value : value.slice(quoted[0].length);
  const open = rest.lastIndexOf('<');
  const close = rest.indexOf('>', open);
  const bracketed = open >= 0 && close >= 0;
  if (!bracketed && quoted === null) return phoneNumber(value);
  const name = quoted === null ? rest.slice(0, open).trim() : (quoted[1] as string).replace(/\\(.)/g, '$1');
  const location = bracketed ? phoneNumber(rest.slice(open + 1, close)) : '';
  if (name === '') return location;
  return location === '' ? name : `"${name.replace(/["\\]/g, '\\$&')}" <${location}>`;
};

// Only what looks like a number is shrunk: `anonymous` stays.
const phoneNumber = (value: string): string =>
  /^[0-9*#+()\-. ]+$/.test(value) ? value.replace(/[()\-. ]/g, '') : value;

export const parts = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function network(entry: string): string {
  const [given = '', mask] = entry.split('/');
  const family = isIP(given);
  if (family === 0) return entry;
  const bits = bytesOf(given, family);
  const maskBytes =
    mask === undefined || /^[0-9]+$/.test(mask)
      ? prefixMask(mask === undefined ? bits.length * 8 : Number(mask), bits.length)
      : bytesOf(mask, isIP(mask));
  const masked = bits.map((byte, at) => byte & (maskBytes[at] ?? 0));
  return `${Buffer.from(masked).toString('hex')}/${Buffer.from(maskBytes).toString('hex')}`;
}

const prefixMask = (length: number, size: number): number[] =>
  Array.from({ length: size }, (_, at) => 0xff & (0xff00 >> Math.max(0, Math.min(8, length - at * 8))));

function bytesOf(value: string, family: number): number[] {
  if (family === 4) return value.split('.').map(Number);
  const [head = '', tail] = canonicalIpv6(value).split('::');
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const middle = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...middle, ...right].flatMap((group) => [group >> 8, group & 0xff]);
}

const groupsOf = (half: string): number[] =>
  half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16));

// The URL standard serialises hosts by RFC 5952.
const canonicalIpv6 = (value: string): string => new URL(`http://[${value}]/`).hostname.slice(1, -1);
