import { SaxesParser } from 'saxes';
import type { Place, Problem } from '../../../errors.ts';
import type { SourceFinder, SourceText } from '../../../model/reading.ts';

/** An element, with where it was written. */
export interface PlacedElement {
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: readonly PlacedElement[];
  place: Place;
}

/**
 * The elements of configuration files as FreeSWITCH sees them. Before any parser, its preprocessor (`preprocess` in
 * switch_xml.c) goes over the lines: it keeps what `set` says, puts values in the place of `$${name}`, and includes files.
 */
export function readElements(
  files: readonly SourceText[],
  finder: SourceFinder,
  known: Readonly<Record<string, string>>,
): { elements: PlacedElement[]; problems: Problem[] } {
  const preprocessor = new Preprocessor(finder, known);
  // A file may be named here, and included by another one that is.
  for (const file of files) if (!preprocessor.sources.has(file.source)) preprocessor.read(file, []);
  const { lines, problems } = preprocessor;
  return { elements: parsed(lines, problems), problems };
}

interface SourceLine {
  text: string;
  place: Place;
}

const directive = /<X-PRE-PROCESS\b([^>]*)>/i;
const attribute = /([A-Za-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** FreeSWITCH drops such a line: the tag stands around whole files. */
const isDropped = /<\/?include>|<\?/;

/** Characters that are read at most: files that include each other twice, and variables made of others, double with every step. */
const mostCharacters = 128 * 1024 * 1024;

/** Characters that a variable holds at most. */
const longestVariable = 64 * 1024;

class Preprocessor {
  readonly lines: SourceLine[] = [];
  readonly problems: Problem[] = [];
  readonly sources = new Set<string>();
  readonly #finder: SourceFinder;
  readonly #variables: Map<string, string>;
  #left = mostCharacters;

  constructor(finder: SourceFinder, known: Readonly<Record<string, string>>) {
    this.#finder = finder;
    this.#variables = new Map(Object.entries(known));
  }

  read({ source, text }: SourceText, including: readonly string[]): void {
    this.sources.add(source);
    if (this.#isTooMuch(text.length + 4096, { source, line: 1, column: 1 })) return;
    for (const [at, line] of text
      .replace(/^\ufeff/, '')
      .split(/\r?\n/)
      .entries()) {
      const place: Place = { source, line: at + 1, column: 1 };
      const expanded = this.#expanded(line, place);
      if (expanded.length > line.length && this.#isTooMuch(expanded.length - line.length, place)) return;
      const found = directive.exec(expanded);
      if (found !== null) this.#obey(found[1] ?? '', place, [...including, source]);
      else if (!isDropped.test(expanded)) this.lines.push({ text: expanded, place });
      else this.#drop(expanded, place);
    }
  }

  #drop(line: string, place: Place): void {
    const lost = line.replace(/<\?.*?\?>|<\/?include>|<!--.*?-->/g, '').trim();
    if (lost === '') return;
    this.problems.push({
      ...{ code: 'not_taken_over', place },
      message:
        'FreeSWITCH passes over a whole line that holds an include tag or a declaration, and more stands on it',
      hint: 'put each tag on a line of its own',
    });
  }

  // It is told once.
  #isTooMuch(characters: number, place: Place): boolean {
    const before = this.#left;
    this.#left -= characters;
    if (before >= 0 && this.#left < 0)
      this.problems.push({
        ...{ code: 'too_large', place },
        message: `what is included is more than ${mostCharacters} characters: it is read up to here`,
        hint: 'look for files that are included again and again',
      });
    return this.#left < 0;
  }

  #expanded(line: string, place: Place): string {
    return line.replace(/\$\$\{([^}]+)\}/g, (_, name: string) => {
      const value = this.#variables.get(name);
      if (value === undefined && !this.#isOfFreeSwitch(name))
        this.problems.push({
          ...{ code: 'not_taken_over', place },
          message: `nothing says what $\${${name}} is: it is taken for nothing`,
        });
      return value ?? '';
    });
  }

  // What FreeSWITCH knows of itself: folders and addresses, which stand in no trunk and no user.
  #isOfFreeSwitch(name: string): boolean {
    return /_dir$|^(local_ip_v[46]|local_mask_v4|hostname|switchname|switch_serial|recordings_dir|core_uuid|version)$/.test(
      name,
    );
  }

  #obey(text: string, place: Place, including: readonly string[]): void {
    const words = Object.fromEntries(
      [...text.matchAll(attribute)].map(([, key, one, two]) => [key, one ?? two ?? '']),
    );
    const { cmd = '', data = '' } = words;
    const equals = data.indexOf('=');
    if (cmd === 'set' && equals > 0)
      this.#variables.set(data.slice(0, equals), unquoted(data.slice(equals + 1)).slice(0, longestVariable));
    else if (cmd === 'include') this.#include(data, place, including);
    else if (/^exec/.test(cmd))
      this.problems.push({
        ...{ code: 'exec_refused', message: `X-PRE-PROCESS ${cmd} is not run`, place },
        hint: 'write its output to a file, and include that',
      });
  }

  #include(data: string, place: Place, including: readonly string[]): void {
    for (const file of this.#finder.find(data, place.source)) {
      if (!including.includes(file.source)) this.read(file, including);
      else this.problems.push({ code: 'include_loop', message: `${file.source} includes itself`, place });
    }
  }
}

const unquoted = (text: string): string => /^'(.*)'$/.exec(text)?.[1] ?? text;

interface OpenElement extends PlacedElement {
  children: PlacedElement[];
}

function parsed(lines: readonly SourceLine[], problems: Problem[]): PlacedElement[] {
  const parser = new SaxesParser({ fragment: true });
  const roots: PlacedElement[] = [];
  const open: OpenElement[] = [];
  let at = 0;
  let failed = false;
  const place = (): Place => lines[at]?.place ?? { source: '', line: 1, column: 1 };
  parser.on('error', () => {
    if (!failed)
      problems.push({ code: 'invalid_xml', message: 'not well-formed XML from here on', place: place() });
    failed = true;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const texts = attributes as Readonly<Record<string, string>>;
    const opened: OpenElement = { name, attributes: texts, children: [], place: place() };
    (open.at(-1)?.children ?? roots).push(opened);
    open.push(opened);
  });
  parser.on('closetag', () => void open.pop());
  for (; at < lines.length && !failed; at += 1) parser.write(`${lines[at]?.text}\n`);
  at = lines.length - 1;
  if (!failed) parser.close();
  return roots;
}

/** All elements of a name, however deep they stand, but not inside of one another. */
export const allNamed = (elements: readonly PlacedElement[], name: string): PlacedElement[] =>
  elements.flatMap((one) => (one.name === name ? [one] : allNamed(one.children, name)));
