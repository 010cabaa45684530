import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';
import type { Place, Problem } from '../errors.ts';

/** A text of a site file, and what it is called in complaints. */
export interface SourceText {
  /** The file as it was named; `-` for standard input. */
  source: string;
  text: string;
}

/** A value of YAML or JSON with its place; scalars are the texts that were written, so that 0100 stays 0100. */
export type Written =
  | { kind: 'nothing'; place: Place }
  | { kind: 'text'; text: string; place: Place }
  | { kind: 'list'; items: readonly Written[]; place: Place }
  | { kind: 'map'; entries: readonly WrittenEntry[]; place: Place };

export interface WrittenEntry {
  key: string;
  keyPlace: Place;
  value: Written;
}

/** So many values may come of aliases: more are an attempt to fill the memory. */
const mostAliased = 10_000;

/** Every document of a text that holds something, and every complaint about how it is written. */
export function readDocuments(source: SourceText, problems: Problem[]): Written[] {
  const lines = new LineCounter();
  const reader = new DocumentReader(source.source, lines, problems);
  let documents: readonly Document[];
  try {
    // Keys are compared here as they are written: 0100 and 100 are two extensions.
    const parsed = parseAllDocuments(source.text, {
      ...{ lineCounter: lines, uniqueKeys: false, prettyErrors: false, strict: true },
      ...{ version: '1.2', schema: 'core', logLevel: 'silent' },
    });
    documents = Array.isArray(parsed) ? parsed : [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.push(reader.problem('invalid_yaml', 'is nested too deeply', reader.at(0)));
    return [];
  }
  return documents.flatMap((document) => {
    const written = reader.read(document);
    return written === null || written.kind === 'nothing' ? [] : [written];
  });
}

class DocumentReader {
  readonly #source: string;
  readonly #lines: LineCounter;
  readonly #problems: Problem[];
  /** What may be repeated, by its anchor, as far as the document was read. */
  #anchors = new Map<string, Node>();
  /** How many aliases are being followed, and how many values that gave. */
  #following = 0;
  #aliased = 0;

  constructor(source: string, lines: LineCounter, problems: Problem[]) {
    this.#source = source;
    this.#lines = lines;
    this.#problems = problems;
  }

  at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { source: this.#source, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  problem(code: string, message: string, place: Place, hint?: string): Problem {
    return { code, message, ...(hint === undefined ? {} : { hint }), place };
  }

  read(document: Document): Written | null {
    const faults = [...document.errors, ...document.warnings];
    // One fault may make others, at the same place.
    const first = faults.filter(({ pos }, at) => faults.findIndex((one) => one.pos[0] === pos[0]) === at);
    for (const { message, pos } of first.slice(0, 20))
      this.#problems.push(
        this.problem('invalid_yaml', firstLine(message), this.at(pos[0]), hintFor(message)),
      );
    if (faults.length > 0 || document.contents === null) return null;
    this.#anchors = new Map();
    return this.#written(document.contents as Node, 0);
  }

  #written(node: Node | null, depth: number): Written {
    const place = this.at(node?.range?.[0] ?? 0);
    if (node === null) return { kind: 'nothing', place };
    if (depth > 40) return this.#refused('is nested too deeply', place);
    if (isAlias(node)) return this.#alias(node, depth, place);
    if (this.#following > 0 && ++this.#aliased > mostAliased)
      return this.#refused('aliases make too many values', place);
    if ('anchor' in node && typeof node.anchor === 'string') this.#anchors.set(node.anchor, node);
    if ('tag' in node && node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:'))
      return this.#refused(`the tag ${node.tag} means nothing here`, place);
    if (isScalar(node)) {
      const isQuoted = node.type !== 'PLAIN';
      if (node.value === null && !isQuoted) return { kind: 'nothing', place };
      return {
        kind: 'text',
        text: isQuoted ? String(node.value) : (node.source ?? String(node.value)),
        place,
      };
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#written(item as Node | null, depth + 1));
      return { kind: 'list', items, place };
    }
    return isMap(node) ? this.#map(node, depth, place) : this.#refused('is not a value', place);
  }

  #map(node: { items: unknown[] }, depth: number, place: Place): Written {
    const own = new Map<string, WrittenEntry>();
    const merged = new Map<string, WrittenEntry>();
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      const key = this.#written(pair.key as Node | null, depth + 1);
      const value = this.#written(pair.value as Node | null, depth + 1);
      if (key.kind !== 'text')
        this.#complain('invalid_key', 'a key is no text', key.place, 'write <key>: <value>');
      else if (key.text === '<<' && value.kind === 'map')
        for (const entry of value.entries) merged.set(entry.key, entry);
      else if (own.has(key.text))
        this.#twice(key.text, key.place, (own.get(key.text) as WrittenEntry).keyPlace);
      else own.set(key.text, { key: key.text, keyPlace: key.place, value });
    }
    return { kind: 'map', entries: [...new Map([...merged, ...own]).values()], place };
  }

  #alias(node: Alias, depth: number, place: Place): Written {
    const target = this.#anchors.get(node.source);
    if (target === undefined)
      return this.#refused(
        `there is no anchor &${node.source}`,
        place,
        'a text that begins with * stands in quotes',
      );
    this.#following++;
    const written = this.#written(target, depth + 1);
    this.#following--;
    return written;
  }

  #twice(key: string, place: Place, first: Place): void {
    this.#complain(
      'duplicate_key',
      `'${key}' stands twice, first in line ${first.line}`,
      place,
      'keep one of them',
    );
  }

  #refused(message: string, place: Place, hint?: string): Written {
    // What refers to itself would be told of at every level.
    if (this.#problems.at(-1)?.message !== message) this.#complain('invalid_yaml', message, place, hint);
    return { kind: 'nothing', place };
  }

  #complain(code: string, message: string, place: Place, hint?: string): void {
    this.#problems.push(this.problem(code, message, place, hint));
  }
}

const firstLine = (message: string): string =>
  /call stack/.test(message) ? 'is nested too deeply' : (message.split('\n')[0] as string).replace(/:$/, '');

const hintFor = (message: string): string | undefined => {
  if (/tab/i.test(message)) return 'indent with blanks';
  return /unexpected scalar|implicit|multiline|compact mapping/i.test(message)
    ? 'put values that hold ": " or " #" in quotes, and check the indentation'
    : undefined;
};
