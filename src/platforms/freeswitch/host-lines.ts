/**
 * A file of FreeSWITCH's own as its preprocessor goes over it (`preprocess` in switch_xml.c), before there is any XML: a
 * line that holds `<X-PRE-PROCESS` is obeyed and taken out whole, with whatever opens or ends a comment on it. So an include
 * that is commented out on one line is an include all the same, and one between the lines of a comment puts what it
 * includes into that comment.
 */
export interface HostLine {
  /** Without its line break. */
  text: string;
  /** Where the next line begins. */
  end: number;
  /** The path that it includes, as it stands there. */
  include: string | null;
  /** True where a comment that began on an earlier line goes on. */
  inComment: boolean;
  /** True where a comment goes on behind it. */
  opensComment: boolean;
}

export function hostLines(text: string): HostLine[] {
  const lines: HostLine[] = [];
  let inComment = false;
  for (const { 0: whole, index } of text.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    const line = whole.replace(/\r?\n$/, '');
    const isTaken = /<X-PRE-PROCESS/i.test(line);
    const isDropped = isTaken || /<\/?include>|<\?/.test(line);
    const opensComment: boolean = isDropped ? inComment : endsInComment(line, inComment);
    lines.push({
      ...{ text: line, end: index + whole.length, inComment, opensComment },
      include: isTaken ? includedPath(line) : null,
    });
    inComment = opensComment;
  }
  return lines;
}

// FreeSWITCH looks for `cmd`, then behind it for `data`, and takes double quotes only.
function includedPath(line: string): string | null {
  const [, command, path] = /<X-PRE-PROCESS.*?cmd.*?=.*?"([^"]*)".*?data.*?=.*?"([^"]*)"/i.exec(line) ?? [];
  return command?.toLowerCase() === 'include' ? (path ?? null) : null;
}

function endsInComment(line: string, inComment: boolean): boolean {
  let inside = inComment;
  for (const [mark] of line.matchAll(/<!--|-->/g)) inside = mark === '<!--';
  return inside;
}

/**
 * The text with a line after the first start tag of this name that stands on its own, outside of every comment; null
 * where there is none. Everything else stays as it is, line breaks included.
 */
export function withLineAfter(text: string, tag: string, line: string): string | null {
  for (const { text: found, end, inComment, opensComment } of hostLines(text)) {
    if (inComment || opensComment) continue;
    const bare = found.replace(/<!--.*?-->/g, '').trimEnd();
    const [, indent] = new RegExp(`^([ \\t]*)<${tag}>$`).exec(bare) ?? [];
    if (indent === undefined) continue;
    const lineBreak = text.slice(0, end).endsWith('\r\n') ? '\r\n' : '\n';
    const before = text.slice(0, end).endsWith('\n') ? text.slice(0, end) : `${text.slice(0, end)}\n`;
    return `${before}${indent}  ${line}${lineBreak}${text.slice(end)}`;
  }
  return null;
}
