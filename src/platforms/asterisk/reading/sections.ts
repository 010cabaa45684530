import type { Place, Problem } from '../../../errors.ts';
import type { SourceFinder, SourceText } from '../../../model/reading.ts';
import { type ConfEntry, type ConfFile, type ConfItem, type ConfSection, parseConf } from '../conf/parse.ts';

/** One line of a section, after templates and `+=` were worked in. */
export interface ReadOption {
  option: string;
  value: string;
  place: Place;
}

/** A section that Asterisk makes an object of. */
export interface ReadSection {
  name: string;
  place: Place;
  options: readonly ReadOption[];
  /** The pair of markers that it stands in: `; === TRUNK: name ===`. */
  marker: Marker | null;
}

export interface Marker {
  kind: 'trunk' | 'user';
  name: string;
  /** What stands in brackets behind a user: the title of its template. */
  title: string | null;
}

/**
 * The sections of configuration files as Asterisk sees them (`process_text_line` in config.c): files are included,
 * sections inherit from templates and from each other, `(+)` goes on with an earlier one.
 */
export function readSections(
  files: readonly SourceText[],
  finder: SourceFinder,
): { sections: ReadSection[]; problems: Problem[] } {
  const reader = new SectionReader(finder);
  for (const file of files) reader.read(file, []);
  return { sections: reader.sections, problems: reader.problems };
}

interface OpenSection extends ReadSection {
  template: boolean;
  options: ReadOption[];
}

/** Characters that are read at most: files that include each other twice double with every step. */
const mostCharacters = 128 * 1024 * 1024;

/** Lines that a section has at most, with what it inherits: templates that inherit twice double as well. */
const mostLines = 10_000;

class SectionReader {
  readonly problems: Problem[] = [];
  readonly #finder: SourceFinder;
  readonly #all: OpenSection[] = [];
  #current: OpenSection | null = null;
  #left = mostCharacters;

  constructor(finder: SourceFinder) {
    this.#finder = finder;
  }

  get sections(): ReadSection[] {
    return this.#all.filter(({ template }) => !template);
  }

  read(file: SourceText, including: readonly string[]): void {
    if (this.#isTooMuch(file)) return;
    const parsed = parseConf(file.text);
    const markerAt = markersOf(parsed);
    for (const item of parsed.items) {
      const place: Place = { source: file.source, line: item.line, column: 1 };
      if (item.kind === 'fault') {
        this.#complain(
          'invalid_line',
          `${item.message}: Asterisk ${item.fatal ? 'stops reading here' : 'skips the line'}`,
          place,
        );
        if (item.fatal) return;
      } else if (item.kind === 'section') this.#open(item, place, markerAt(item.line));
      else if (item.kind === 'entry') this.#add(item, place);
      else this.#include(item, place, [...including, file.source]);
    }
  }

  // An empty file counts, too. It is told once.
  #isTooMuch({ source, text }: SourceText): boolean {
    const before = this.#left;
    this.#left -= text.length + 4096;
    if (before >= 0 && this.#left < 0)
      this.#complain(
        'too_large',
        `what is included is more than ${mostCharacters} characters: it is read up to here`,
        { source, line: 1, column: 1 },
        'look for files that are included again and again',
      );
    return this.#left < 0;
  }

  #open(item: ConfSection, place: Place, marker: Marker | null): void {
    const { name, template } = item;
    if (item.append) {
      const found = this.#find(name, item.filter);
      if (found === undefined)
        this.#complain('no_section', `there is no section '${name}' before it to add to`, place);
      this.#current = found ?? null;
      return;
    }
    const options: ReadOption[] = [];
    for (const base of item.inherits) {
      const found = this.#all.find((one) => sameName(one.name, base));
      if (found === undefined)
        this.#complain(
          'no_section',
          `[${name}] inherits from '${base}', which does not stand before it`,
          place,
        );
      if (options.length + (found?.options.length ?? 0) <= mostLines)
        for (const option of found?.options ?? []) options.push(option);
      else this.#complain('too_large', `[${name}] inherits more than ${mostLines} lines`, place);
    }
    this.#current = { name, place, template, options, marker };
    this.#all.push(this.#current);
  }

  #find(name: string, filter: string): OpenSection | undefined {
    const wanted = filter.split('&').filter((part) => part !== '');
    const templates = wanted.some((part) => /^templates=(include|restrict)$/i.test(part));
    const values = wanted.filter((part) => !/^templates=/i.test(part)).map((part) => part.split('=', 2));
    return this.#all.find(
      (one) =>
        sameName(one.name, name) &&
        (templates || !one.template) &&
        values.every(([key, value]) =>
          one.options.some(({ option, value: held }) => option === key && held === value),
        ),
    );
  }

  #add({ key, value, append }: ConfEntry, place: Place): void {
    const section = this.#current;
    if (section === null) {
      this.#complain('no_section', `'${key}' stands in no section`, place);
      return;
    }
    const option = key.toLowerCase();
    const before = append ? section.options.findLastIndex((one) => one.option === option) : -1;
    if (before < 0) section.options.push({ option, value, place });
    else section.options[before] = { option, value: `${section.options[before]?.value}${value}`, place };
  }

  #include(
    { name, argument }: Extract<ConfItem, { kind: 'directive' }>,
    place: Place,
    including: readonly string[],
  ): void {
    if (name === 'exec') {
      this.#complain(
        'exec_refused',
        `#exec ${argument} is not run`,
        place,
        'write its output to a file, and give that',
      );
      return;
    }
    const found = this.#finder.find(argument, including[0] as string);
    if (found.length === 0 && name === 'include' && !/[*?[]/.test(argument))
      this.#complain(
        'include_missing',
        `${argument} is not there: Asterisk stops reading here`,
        place,
        'give the folder that it stands in as a whole',
      );
    for (const file of found) {
      if (including.includes(file.source))
        this.#complain('include_loop', `${file.source} includes itself`, place);
      else this.read(file, including);
    }
  }

  #complain(code: string, message: string, place: Place, hint?: string): void {
    this.problems.push({ code, message, place, ...(hint === undefined ? {} : { hint }) });
  }
}

const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const opening = /^=== (TRUNK|SIP USER): (\S+)(?: \((.*)\))? ===$/;
const closing = /^=== END (TRUNK|SIP USER): (\S+) ===$/;

/** Which pair of markers a line stands in. Lines are asked for in ascending order. */
function markersOf({ comments }: ConfFile): (line: number) => Marker | null {
  let current: Marker | null = null;
  let seen = 0;
  return (line) => {
    for (
      let comment = comments[seen];
      comment !== undefined && comment.line < line;
      comment = comments[++seen]
    ) {
      const begin = opening.exec(comment.text);
      if (begin !== null)
        current = {
          kind: begin[1] === 'TRUNK' ? 'trunk' : 'user',
          name: begin[2] as string,
          title: begin[3] ?? null,
        };
      else if (closing.test(comment.text)) current = null;
    }
    return current;
  };
}
