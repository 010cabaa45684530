import type { Sections } from '../../../model/template.ts';
import { longestLine, refuseLength } from '../conf/write.ts';

/** The sections that a template's block must open, in order, and the variable that each depends on. */
export type Intended = readonly { tail: string; when: string | null }[];

export const intendedBy = (sections: Sections): Intended =>
  Object.entries(sections).map(([type, options]) => ({
    tail: `]\ntype=${type}\n`,
    when: options.$when ?? null,
  }));

/**
 * Reads a rendered block back, in one pass: it must open exactly the intended sections, hold no comment but its two
 * markers, and no line that Asterisk would skip. Escaping sees to all this; here it is proved for every object.
 * @throws SipctlError `invalid` for a line that is too long, and a plain Error, as a bug, for anything else
 */
export function checkBlock(
  text: string,
  object: string,
  id: string,
  intended: Intended,
  context: Readonly<Record<string, unknown>>,
): void {
  let at = nextSection(text, 0);
  for (const { tail, when } of intended) {
    if (when !== null && !context[when]) continue;
    if (!text.startsWith(id, at + 1) || !text.startsWith(tail, at + 1 + id.length)) fail(object);
    at = nextSection(text, at + 1);
  }
  if (at >= 0 || markers(text) !== 2) fail(object);
  if (text.length * 3 > longestLine) checkLineLengths(text, object);
}

/** Where the next line starts that opens a section. Looking for one character is many times faster than for two. */
function nextSection(text: string, from: number): number {
  let at = text.indexOf('[', from);
  while (at > 0 && text.charCodeAt(at - 1) !== lineFeed) at = text.indexOf('[', at + 1);
  return at;
}

/** How many comments fill a line of their own; -1 where one follows something else. */
function markers(text: string): number {
  let count = 0;
  for (let at = text.indexOf(';'); at >= 0; at = text.indexOf(';', at + 1)) {
    const before = text.charCodeAt(at - 1);
    if (at === 0 || before === lineFeed) count += 1;
    else if (before !== backslash) return -1;
  }
  return count;
}

const lineFeed = 10;
const backslash = 92;

function checkLineLengths(text: string, object: string): void {
  for (const line of text.split('\n')) {
    if (Buffer.byteLength(line) > longestLine) refuseLength(object, line.slice(0, line.indexOf('=')));
  }
}

function fail(object: string): never {
  throw new Error(`${object}: the rendered text does not hold exactly the intended objects`);
}
