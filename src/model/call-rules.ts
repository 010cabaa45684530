import { formatDestination, parseDestination } from './destination.ts';
import { type Mention, ok, type Parsed, type Rule, wrong } from './field.ts';
import * as rule from './rules.ts';
import { Secret } from './secret.ts';

/** The rules of values that say where calls go. */

export const destination: Rule<string> = (text) => {
  const parsed = parseDestination(text);
  return parsed.ok ? ok(formatDestination(parsed.value)) : parsed;
};

/** A member of a ring group: a user name, or `external:<number>`. */
export const member: Rule<string> = (text) =>
  text.startsWith('external:') ? destination(text) : rule.sipUser(text);

/** `1=user:ann` */
export const menuKey: Rule<string> = (text) => {
  const [, key, to] = /^([0-9*#])=(.*)$/.exec(text) ?? [];
  if (key === undefined || to === undefined)
    return wrong(`'${text}' is not key=destination`, 'for example 1=user:ann');
  const parsed = destination(to);
  return parsed.ok ? ok(`${key}=${parsed.value}`) : parsed;
};

export const pin: Rule<Secret> = (text) =>
  /^[0-9]{3,12}$/.test(text) ? ok(new Secret(text)) : wrong('the PIN is not 3 to 12 digits');

/** RFC 5321 §4.1.2, as far as voicemail.conf can hold it. */
export const email: Rule<string> = (text) =>
  /^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/.test(text)
    ? ok(text)
    : wrong(`'${text}' is not an e-mail address`);

export const emergencyNumber: Rule<string> = (text) =>
  /^[0-9]{2,6}$/.test(text)
    ? ok(text)
    : wrong(`'${text}' is not an emergency number`, 'for example 112 or 911');

/** A cause of ITU-T Q.850, 1 to 127. */
export const q850: Rule<string> = (text) => {
  const parsed = rule.integer(1, 127)(text);
  return parsed.ok ? ok(String(parsed.value)) : parsed;
};

export const prepended: Rule<string> = (text) =>
  /^\+?[0-9*#]{0,16}$/.test(text) && text !== ''
    ? ok(text)
    : wrong(`'${text}' cannot stand before a number`, 'use digits, * and #, or a leading +');

/** An E.164 prefix (`+`, `+49`), or digits as dialled, where trailing X are any digit and a last dot is any more of them. */
export const dialMatch: Rule<string> = (text) =>
  /^\+[0-9]{0,15}$/.test(text) || (/^[0-9*#]{1,20}X{0,15}\.?$/.test(text) && text.length <= 24)
    ? ok(text)
    : wrong(`'${text}' is neither an E.164 prefix nor a dialled number`, 'write +49, 116117, 1XX or 9.');

/** A zone of the IANA time zone database, as this runtime and both engines know it. */
export const timeZone: Rule<string> = (text) => {
  try {
    if (!/^[A-Za-z0-9_+/-]{2,60}$/.test(text)) throw new RangeError();
    new Intl.DateTimeFormat('en', { timeZone: text });
    return ok(text);
  } catch {
    return wrong(`'${text}' is not a time zone`, 'write it as Europe/Berlin');
  }
};

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Days 1 (Monday) to 7 as ISO 8601 counts them; minutes of the day, `to` not included. */
export interface OpenHours {
  days: readonly number[];
  from: number;
  to: number;
}

const openShape =
  /^(mon|tue|wed|thu|fri|sat|sun)(?:-(mon|tue|wed|thu|fri|sat|sun))? ([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])$/;

/** `mon-fri 09:00-17:00`; a range over midnight is written as two. */
export const openHours: Rule<string> = (text) => {
  const parsed = parseOpenHours(text.toLowerCase());
  return parsed.ok ? ok(text.toLowerCase()) : parsed;
};

export function parseOpenHours(text: string): Parsed<OpenHours> {
  const match = openShape.exec(text);
  if (match === null) return wrong(`'${text}' are not open hours`, 'write mon-fri 09:00-17:00');
  const [, first = '', last = first, ...clock] = match;
  const [hour = 0, minute = 0, toHour = 0, toMinute = 0] = clock.map(Number);
  const from = hour * 60 + minute;
  const to = toHour * 60 + toMinute;
  if (to <= from || to > 1440)
    return wrong(`'${text}' ends before it begins`, 'write hours over midnight as two ranges');
  const start = days.indexOf(first as (typeof days)[number]);
  const length = ((days.indexOf(last as (typeof days)[number]) - start + 7) % 7) + 1;
  return ok({ days: Array.from({ length }, (_, at) => ((start + at) % 7) + 1), from, to });
}

/** `2026-12-24`, or `12-25` for every year. */
export const holiday: Rule<string> = (text) => {
  const [, year = '2024', month, day] = /^(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})$/.exec(text) ?? [];
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return month !== undefined &&
    !Number.isNaN(date.getTime()) &&
    date.toISOString().slice(5, 10) === `${month}-${day}`
    ? ok(text)
    : wrong(`'${text}' is not a day`, 'write 2026-12-24, or 12-25 for every year');
};

/** `name=value` of a channel variable; the value cannot become dialplan code. */
export const variable: Rule<string> = (text) =>
  /^[A-Za-z][A-Za-z0-9_]{0,40}=[A-Za-z0-9 ._@:/+-]{0,200}$/.test(text) && !/^sipctl/i.test(text)
    ? ok(text)
    : wrong(`'${text}' is not name=value`, 'use letters, digits and . _ @ : / + - in values');

export const mentionsOfDestination = (text: string): readonly Mention[] => {
  const parsed = parseDestination(text);
  if (!parsed.ok || !('name' in parsed.value)) return [];
  const { kind, name } = parsed.value;
  return [{ noun: kind === 'voicemail' ? 'user' : kind, name }];
};

export const mentionsOf =
  (noun: string) =>
  (names: readonly string[]): readonly Mention[] =>
    names.map((name) => ({ noun, name }));

export const mentionsOfMembers = (members: readonly string[]): readonly Mention[] =>
  members.filter((one) => !one.startsWith('external:')).map((name) => ({ noun: 'user', name }));

export const mentionsOfMenuKeys = (keys: readonly string[]): readonly Mention[] =>
  keys.flatMap((key) => mentionsOfDestination(key.slice(2)));
