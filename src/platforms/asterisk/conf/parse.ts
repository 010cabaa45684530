import { longestLine } from './write.ts';

/**
 * Reads the syntax of Asterisk's .conf files the way config.c does, with the line of everything. Nothing is
 * resolved: templates, inheritance and includes are handed over as they stand. Time is linear in the text.
 */

export type ConfItem = ConfSection | ConfEntry | ConfDirective | ConfFault;

/** `[name]`, `[name](!)`, `[name](template,other)`, `[name](+)`. */
export interface ConfSection {
  kind: 'section';
  line: number;
  name: string;
  /** Marked `(!)`: it exists only to be inherited from. */
  template: boolean;
  /** Marked `(+)`: its entries are added to the section of that name before it. */
  append: boolean;
  /** What stands behind that `+`: which of several sections of the name is meant, as `type=endpoint`. */
  filter: string;
  inherits: readonly string[];
}

/** `key = value`, `key => value`, or `key += value`, which continues the value before it. */
export interface ConfEntry {
  kind: 'entry';
  line: number;
  key: string;
  value: string;
  append: boolean;
}

/** `#include file`, `#tryinclude file`, `#exec command`; the argument without its quotes. */
export interface ConfDirective {
  kind: 'directive';
  line: number;
  name: string;
  argument: string;
}

/** A line that Asterisk skips, or, where `fatal`, stops reading at. */
export interface ConfFault {
  kind: 'fault';
  line: number;
  message: string;
  fatal: boolean;
}

export interface ConfFile {
  items: readonly ConfItem[];
  /** Comments that end a line or fill it, without the `;`, in the order of the file. */
  comments: readonly { line: number; text: string }[];
}

/** Text of a .conf file, with or without a byte order mark, with LF or CRLF. */
export function parseConf(text: string): ConfFile {
  const items: ConfItem[] = [];
  const reader = new CommentReader();
  for (let start = text.startsWith('\ufeff') ? 1 : 0; start < text.length; ) {
    const lineBreak = text.indexOf('\n', start);
    const end = lineBreak < 0 ? text.length : lineBreak;
    const line = text.slice(start, end);
    start = end + 1;
    reader.line += 1;
    if (isTooLong(line)) {
      items.push(fault(reader.line, `longer than ${longestLine} bytes`, false));
      continue;
    }
    const content = reader.contentOf(line);
    if (content !== '') items.push(parseLine(content, reader.line));
  }
  if (reader.depth !== 0) items.push(fault(reader.since, 'a block comment is not closed', true));
  return { items, comments: reader.comments };
}

/**
 * Tells text from comments, as config.c (`config_text_file_load`) does. A block comment runs from `;--` to
 * `--;`, nests, and may leave text on both sides of it. A `--;` too many makes the depth negative, and Asterisk
 * then takes all that follows for a comment, just as after a `;--` too many.
 */
class CommentReader {
  line = 0;
  depth = 0;
  /** The line that took the depth away from zero. */
  since = 0;
  readonly comments: { line: number; text: string }[] = [];

  /** The part of a line that is no comment, without the backslashes before semicolons, stripped. */
  contentOf(line: string): string {
    if (!line.includes(';')) return this.depth === 0 ? strip(line) : '';
    let kept = '';
    let keeping = this.depth === 0;
    // From where text is kept, and from where Asterisk looks back for a backslash or a `--`.
    let from = 0;
    let seen = 0;
    for (let at = line.indexOf(';'); at >= 0; at = line.indexOf(';', seen)) {
      if (at > seen && line[at - 1] === '\\') {
        if (keeping) kept += line.slice(from, at - 1);
        from = at;
        seen = at + 1;
      } else if (line.startsWith('--', at + 1) && line[at + 3] !== '-') {
        if (keeping) kept += line.slice(from, at);
        keeping = false;
        this.#deepen(1);
        seen = at + 3;
      } else if (at >= seen + 2 && line.endsWith('--', at)) {
        this.#deepen(-1);
        seen = at + 1;
        if (this.depth === 0) {
          keeping = true;
          from = seen;
        }
      } else if (this.depth === 0) {
        this.comments.push({ line: this.line, text: strip(line.slice(at + 1)) });
        return strip(kept + line.slice(from, at));
      } else {
        seen = at + 1;
      }
    }
    return strip(keeping ? kept + line.slice(from) : kept);
  }

  #deepen(by: 1 | -1): void {
    if (this.depth === 0) this.since = this.line;
    this.depth += by;
  }
}

// No character takes more than three bytes per UTF-16 unit, so most lines need no count.
const isTooLong = (line: string): boolean =>
  line.length * 3 > longestLine && Buffer.byteLength(line) > longestLine;

function parseLine(content: string, line: number): ConfItem {
  if (content.startsWith('[')) return parseSection(content, line);
  if (content.startsWith('#')) return parseDirective(content, line);
  // A backslash before the first character of a name makes it an ordinary one.
  const start = content.startsWith('\\') ? 1 : 0;
  if (start === 1 && isBlank(content, 1)) return fault(line, 'nothing stands after the backslash', true);
  const equals = content.indexOf('=', 2 * start);
  if (equals < 0) return fault(line, `no '=' in this line`, false);
  const append = equals > 2 * start && content[equals - 1] === '+';
  const key = strip(content.slice(start, append ? equals - 1 : equals));
  if (key === '') return fault(line, `nothing stands before '='`, false);
  const after = !append && content[equals + 1] === '>' ? equals + 2 : equals + 1;
  return { kind: 'entry', line, key, value: strip(content.slice(after)), append };
}

function parseSection(content: string, line: number): ConfItem {
  const close = content.indexOf(']');
  if (close < 0) return fault(line, `a section name has no ']'`, true);
  const name = content.slice(1, close);
  if (content[close + 1] !== '(') {
    return { kind: 'section', line, name, template: false, append: false, filter: '', inherits: [] };
  }
  const end = content.indexOf(')', close);
  if (end < 0) return fault(line, `the options of section '${name}' have no ')'`, true);
  const words = content
    .slice(close + 2, end)
    .split(',')
    .map(strip)
    .filter((word) => word !== '');
  return {
    kind: 'section',
    line,
    name,
    template: words.includes('!'),
    append: words.some((word) => word.startsWith('+')),
    filter: words.find((word) => word.startsWith('+'))?.slice(1) ?? '',
    inherits: words.filter((word) => word !== '!' && !word.startsWith('+')),
  };
}

function parseDirective(content: string, line: number): ConfItem {
  const blank = content.search(/[\0- ]/);
  const name = (blank < 0 ? content.slice(1) : content.slice(1, blank)).toLowerCase();
  const argument = unquote(blank < 0 ? '' : strip(content.slice(blank)));
  if (!['include', 'tryinclude', 'exec'].includes(name)) {
    return fault(line, `#${name} is not a directive`, false);
  }
  if (argument === '') return fault(line, `#${name} needs an argument`, false);
  return { kind: 'directive', line, name, argument };
}

function unquote(text: string): string {
  const closing = text.startsWith('"') ? '"' : text.startsWith('<') ? '>' : '';
  return closing !== '' && text.length > 1 && text.endsWith(closing) ? text.slice(1, -1) : text;
}

// config.c counts every byte up to 32 as blank, and nothing beyond ASCII. So is the end of the text.
const isBlank = (text: string, at: number): boolean => !(text.charCodeAt(at) > 32);

function strip(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text, start)) start += 1;
  while (end > start && isBlank(text, end - 1)) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

const fault = (line: number, message: string, fatal: boolean): ConfFault => ({
  kind: 'fault',
  line,
  message,
  fatal,
});
