import { unsendable } from './codec.ts';
import { EslError } from './failures.ts';

/** Runs one API command and gives what it printed: `EslConnection.api`, or `background`. */
export type Ask = (command: string) => Promise<string>;

/**
 * Runs a command whose parts are words or quoted texts.
 * @throws EslError where FreeSWITCH does not know it, or calls its arguments wrong
 */
export async function run(ask: Ask, ...parts: readonly string[]): Promise<string> {
  const reply = await ask(parts.join(' '));
  const name = parts[0] as string;
  // `limit_usage` says it without the dash.
  if (reply === `-ERR ${name} Command not found!\n` || /^-?USAGE: /.test(reply))
    throw new EslError(name, reply);
  return reply;
}

/** A part of a command that must reach it as one word. @throws SipctlError `invalid` naming the field */
export function word(field: string, text: string): string {
  // Quotes and backslashes mean something to FreeSWITCH's splitting of arguments.
  if (!/^[^\s\p{Cc}'"\\]+$/u.test(text)) throw unsendable(field, 'is not one plain word');
  return text;
}

/** A part of a command that may hold anything but control characters. @throws SipctlError `invalid` naming the field */
export function quoted(field: string, text: string): string {
  if (/\p{Cc}/u.test(text)) throw unsendable(field, 'holds a control character');
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** `true` or `false`, and nothing else. @throws EslError */
export function truth(command: string, reply: string): boolean {
  const text = reply.trimEnd();
  if (text !== 'true' && text !== 'false') throw new EslError(command, reply);
  return text === 'true';
}

/** A decimal number. @throws EslError */
export function count(command: string, reply: string): number {
  const text = reply.trimEnd();
  if (!/^\d{1,15}$/.test(text)) throw new EslError(command, reply);
  return Number(text);
}

/** What a command printed as JSON. @throws EslError where it is something else, such as `-ERR …` */
export function json(command: string, reply: string): unknown {
  try {
    return JSON.parse(reply);
  } catch {
    throw new EslError(command, reply);
  }
}

/** True where the value is a JSON object. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The rows of `show … as json`; without any, FreeSWITCH leaves `rows` out. @throws EslError */
export function rows(command: string, reply: string): Readonly<Record<string, string>>[] {
  const parsed = json(command, reply);
  if (!isObject(parsed)) throw new EslError(command, reply);
  const { row_count: expected, rows: list = [] } = parsed;
  if (!Array.isArray(list) || !list.every(isObject) || list.length !== expected)
    throw new EslError(command, reply);
  return list as Readonly<Record<string, string>>[];
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * The texts of the innermost elements of a flat XML answer, by their names. FreeSWITCH writes one to a line and escapes
 * only some of them, so this is read by line and not as XML.
 */
export function flatXml(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*<([\w-]+)>(.*)<\/\1>\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) {
      found.set(
        name,
        value.replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => entities[entity] ?? ''),
      );
    }
  }
  return found;
}
