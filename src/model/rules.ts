import { ok, type Parsed, type Rule, wrong } from './field.ts';
import { Secret } from './secret.ts';

/**
 * The rules of single values: text in, value or complaint out. They hold for every input alike: a flag, a
 * prompt, a file. What two values mean together is said where the object is checked.
 */

// C0, DEL and C1 controls, line and paragraph separators, and the marks that reorder what a reader sees.
const controls = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const loneSurrogate = /\p{Surrogate}/u;

function cleanText(text: string, longest: number): Parsed<string> {
  if (text === '') return wrong('must not be empty');
  if (controls.test(text) || loneSurrogate.test(text)) {
    return wrong('holds a control character or a line break', 'use printable characters only');
  }
  if (text !== text.trim()) return wrong('starts or ends with a blank', 'remove the blank');
  if ([...text].length > longest) return wrong(`is longer than ${longest} characters`);
  return ok(text);
}

export const text =
  (longest: number): Rule<string> =>
  (value) =>
    cleanText(value, longest);

const pattern =
  (shape: RegExp, longest: number, message: string, hint: string): Rule<string> =>
  (value) => {
    const clean = cleanText(value, longest);
    if (!clean.ok) return clean;
    return shape.test(value) ? clean : wrong(`'${value}' ${message}`, hint);
  };

/** A tenant's or node's name: it becomes part of file and context names. */
export const slug = pattern(
  /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/,
  40,
  'is not a name sipctl can use in files and contexts',
  'use a-z, 0-9 and inner dashes, at most 40 characters',
);

/** A trunk's name: it becomes a section of pjsip.conf and part of dial strings. */
export const trunkName = pattern(
  /^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$/,
  100,
  'is not a trunk name',
  'use letters, digits, - and _, at most 100 characters',
);

/** RFC 3261 §25.1 `user`, without what means something to a dial string or a section name. */
export const sipUser = pattern(
  /^[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9])?$/,
  100,
  'is not a SIP user name',
  'use letters, digits and . _ + -, at most 100 characters',
);

/** An account name at a carrier: freer than our own, but never what could leave its place in a URI. */
export const accountName = pattern(
  /^[A-Za-z0-9+](?:[A-Za-z0-9._~+*!&=$-]|%[0-9A-F]{2})*$/,
  100,
  'is not a SIP account name',
  'give the user part only, without "sip:" and "@host"',
);

/** The user name inside a digest, which some carriers make `account@realm`. */
export const authUsername = pattern(
  /^[!-~]+$/,
  128,
  'is not a digest user name',
  'use printable ASCII without blanks',
);

export const extension = pattern(/^[0-9*#]{1,20}$/, 20, 'is not an extension', 'use 1 to 20 digits');

export const context = pattern(
  /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/,
  79,
  'is not a dialplan context',
  'use letters, digits, _ . -, at most 79 characters',
);

/** A context of the operator's own: those that sipctl renders cannot be named. */
export const ownContext: Rule<string> = (value) => {
  const parsed = context(value);
  return parsed.ok && /^(t-|from-trunk-)/.test(value)
    ? wrong(`'${value}' has the form of sipctl's own contexts`, 'name a context of your own dialplan')
    : parsed;
};

/** A sound file of the PBX, relative to its sounds folder, without its ending. */
export const sound = pattern(
  /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]*$/,
  200,
  'is not a sound file',
  'write it without its ending, for example custom/acme-welcome',
);

export const label = pattern(
  /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/,
  64,
  'is not a label',
  'use letters and digits',
);

export const templateId = pattern(/^[a-z0-9][a-z0-9_]*$/, 40, 'is not a template id', 'see provider list');

export const objectName = pattern(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 80, 'is not an object name', 'use letters');

export const mailbox = pattern(
  /^[A-Za-z0-9_.-]+(?:@[A-Za-z0-9_.-]+)?$/,
  80,
  'is not a mailbox',
  'write 1001 or 1001@default',
);

/** ITU-T E.164 with the leading plus: at most 15 digits. */
export const e164 = pattern(
  /^\+[1-9][0-9]{6,14}$/,
  16,
  'is not an E.164 number',
  'write it as +<country code><number>, for example +15551234567',
);

export const countryCode: Rule<string> = (value) =>
  /^[A-Za-z]{2}$/.test(value)
    ? ok(value.toUpperCase())
    : wrong(`'${value}' is not a country`, 'use two letters of ISO 3166, for example US');

export const techPrefix = pattern(/^[0-9*#]{1,16}$/, 16, 'is not a tech prefix', 'use digits, * and #');

// RFC 1123 §2.1 labels; a name in other scripts has to be given in its A-label form (RFC 5890).
const hostname =
  /^(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** A host name, an IPv4 address, or an IPv6 address in brackets (RFC 3261 §25.1 `host`); lower-cased. */
export const host: Rule<string> = (value) => {
  const clean = cleanText(value, 255);
  if (!clean.ok) return clean;
  if (value.startsWith('[')) {
    return value.endsWith(']') && isIpv6(value.slice(1, -1))
      ? ok(value.toLowerCase())
      : wrong(`'${value}' is not an IPv6 address in brackets`);
  }
  if (/^[0-9.]+$/.test(value)) return isIpv4(value) ? ok(value) : wrong(`'${value}' is not an IPv4 address`);
  return hostname.test(value)
    ? ok(value.toLowerCase())
    : wrong(`'${value}' is not a host name`, 'give the name or address only, without "sip:" and port');
};

export const domain: Rule<string> = (value) => {
  const parsed = host(value);
  if (!parsed.ok) return parsed;
  return value.startsWith('[') ? wrong(`'${value}' is not a domain`, 'use a DNS name') : parsed;
};

export function integer(lowest: number, highest: number): Rule<number> {
  const rule: Rule<number> = (value) => {
    const number = /^-?[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN;
    return number >= lowest && number <= highest
      ? ok(number)
      : wrong(`'${printable(value)}' is not a whole number from ${lowest} to ${highest}`);
  };
  return Object.assign(rule, { bounds: [lowest, highest] as const });
}

export const port = integer(1, 65535);

export function oneOf<const T extends string>(...choices: T[]): Rule<T> {
  const rule: Rule<T> = (value) => {
    const choice = choices.find((one) => one === value.toLowerCase());
    return choice === undefined
      ? wrong(`'${printable(value)}' is not one of ${choices.join(', ')}`)
      : ok(choice);
  };
  return Object.assign(rule, { choices });
}

export const boolean: Rule<boolean> = (value) => {
  if (/^(yes|true|on|1)$/i.test(value)) return ok(true);
  if (/^(no|false|off|0)$/i.test(value)) return ok(false);
  return wrong(`'${printable(value)}' is neither yes nor no`);
};

/** Values with commas, or another separator, between them, each by its own rule, without repetition. */
export function listOf(rule: Rule<string>, separator = ','): Rule<readonly string[]> {
  const all: Rule<readonly string[]> = (value) => {
    const values: string[] = [];
    for (const part of value.split(separator).map((one) => one.trim())) {
      const parsed = rule(part);
      if (!parsed.ok) return parsed;
      if (values.includes(parsed.value)) return wrong(`'${part}' stands twice`);
      values.push(parsed.value);
    }
    return ok(values);
  };
  return rule.choices === undefined ? all : Object.assign(all, { choices: rule.choices });
}

const audioCodecs = [
  'ulaw', 'alaw', 'g722', 'opus', 'g729', 'gsm', 'ilbc', 'speex', 'speex16', 'speex32', 'slin', 'slin16',
  'g723', 'g726', 'g726aal2', 'lpc10', 'adpcm', 'siren7', 'siren14', 'g719', 'silk8', 'silk12', 'silk16',
  'silk24',
] as const; // biome-ignore format: a list
const videoCodecs = ['h264', 'vp8', 'vp9', 'h263', 'h263p', 'h265', 'h261'] as const;

/** Codec names as Asterisk writes them, in order of preference. */
export const codecs = listOf(oneOf(...audioCodecs, ...videoCodecs));
export const videoCodecList = listOf(oneOf(...videoCodecs));

export const isVideoCodec = (codec: string): boolean => (videoCodecs as readonly string[]).includes(codec);

/** An IPv4 or IPv6 network; a single address is written without a length. Host bits must be zero. */
export const network: Rule<string> = (value) => {
  const [address = '', length, rest] = value.split('/');
  const bits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : 0;
  if (bits === 0 || rest !== undefined || (length !== undefined && !/^[0-9]{1,3}$/.test(length))) {
    return wrong(`'${printable(value)}' is not an address or network`, 'write 192.0.2.1 or 192.0.2.0/24');
  }
  const size = length === undefined ? bits : Number(length);
  if (size > bits) return wrong(`'${value}' has a length over ${bits}`);
  if (size < 8)
    return wrong(`'${value}' would accept calls from much of the Internet`, 'name the carrier’s networks');
  if (bits === 32 && hostBits(address, size))
    return wrong(`'${value}' has host bits set`, 'write its first address');
  return ok(size === bits ? address.toLowerCase() : `${address.toLowerCase()}/${size}`);
};

export const networks = listOf(network);

/** RFC 7064/7065: `stun:host[:port]`, `turn:host[:port]`, with `s` for TLS. */
export const iceServer =
  (scheme: 'stun' | 'turn'): Rule<string> =>
  (value) => {
    const match = /^([a-z]+):([^:?]+|\[[^\]]+\])(?::([0-9]+))?(\?transport=(?:udp|tcp))?$/.exec(value);
    const [, given, server = '', serverPort] = match ?? [];
    const good =
      (given === scheme || given === `${scheme}s`) &&
      host(server).ok &&
      (serverPort === undefined || port(serverPort).ok);
    return good
      ? ok(value)
      : wrong(`'${printable(value)}' is not a ${scheme.toUpperCase()} URI`, `write ${scheme}:host:3478`);
  };

/** `host:port` of a control connection. */
export const hostPort: Rule<string> = (value) => {
  const match = /^(\[[^\]]+\]|[^:]+):([0-9]+)$/.exec(value);
  const good = match !== null && host(match[1] as string).ok && port(match[2] as string).ok;
  return good
    ? ok(value.toLowerCase())
    : wrong(`'${printable(value)}' is not host:port`, 'write 127.0.0.1:5038');
};

/** Where to log in by SSH: `user@host`, `user@host:port`. */
export const sshLogin: Rule<string> = (value) => {
  const [, name = '', address = '', tail] = /^([^@]*)@(\[[^\]]+\]|[^:]+)(?::([0-9]+))?$/.exec(value) ?? [];
  const good =
    /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name) && host(address).ok && (tail === undefined || port(tail).ok);
  return good
    ? ok(value)
    : wrong(`'${printable(value)}' is not user@host or user@host:port`, 'write sipctl@pbx.example');
};

/** The same, or a name that ssh's own settings give the machine. */
export const sshTarget: Rule<string> = (value) => {
  const isName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$/.test(value);
  return isName || sshLogin(value).ok
    ? ok(value)
    : wrong(
        `'${printable(value)}' is not user@host, user@host:port or a name of ssh’s settings`,
        'write sipctl@pbx.example',
      );
};

/** An absolute path of a POSIX system, without `..`. */
export const directory: Rule<string> = (value) => {
  const clean = cleanText(value, 500);
  if (!clean.ok) return clean;
  if (!value.startsWith('/')) return wrong(`'${value}' is not an absolute path`);
  if (value.split('/').includes('..')) return wrong(`'${value}' holds '..'`);
  return ok(value.length > 1 ? value.replace(/\/+$/, '') : value);
};

/** A SIP password: whatever a carrier may have chosen that a line of a file can hold. */
export const password: Rule<Secret> = (value) => {
  const clean = cleanText(value, 1000);
  return clean.ok ? ok(new Secret(value)) : wrong(`the password ${clean.message}`, clean.hint);
};

/** For messages: what was given, cut short, with whatever could disturb a terminal made visible. */
function printable(value: string): string {
  const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value;
  return shown.replace(new RegExp(controls.source, 'gu'), '�');
}

function isIpv4(value: string): boolean {
  const parts = value.split('.');
  return (
    parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
  );
}

// RFC 4291 §2.2, without the mixed IPv4 notation.
function isIpv6(value: string): boolean {
  if (!/^[0-9A-Fa-f:]+$/.test(value) || !value.includes(':')) return false;
  const halves = value.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}

function hostBits(address: string, length: number): boolean {
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return number % 2 ** (32 - length) !== 0;
}
