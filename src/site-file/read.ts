import type { Place, Problem } from '../errors.ts';
import { nearest } from '../model/check.ts';
import type { Declared } from '../model/declared.ts';
import {
  type Field,
  fieldProblem,
  type Noun,
  type Parsed,
  separatorOf,
  titleOf,
  type Value,
} from '../model/field.ts';
import { isLabelled } from '../model/labelled.ts';
import { tenant as tenantNoun } from '../model/nouns.ts';
import { boolean } from '../model/rules.ts';
import { readDocuments, type SourceText, type Written, type WrittenEntry } from './documents.ts';
import { parseSecretReference, type SecretReference } from './secret-reference.ts';
import { tenantSections, topSections } from './sections.ts';

/** What of the sources is meant, and how secrets are come by. */
export interface ReadOptions {
  /** Only this tenant, and no nodes; null: everything. */
  tenant: string | null;
  /** Only objects with this label; null: everything. */
  label: string | null;
  /** Gives a secret that a file refers to; complaints must not hold it. */
  reveal: (reference: Exclude<SecretReference, { kind: 'generate' }>, source: string) => Parsed<string>;
}

export interface SiteReading {
  declared: Declared[];
  problems: Problem[];
  /** Tenants and nodes that are described and were passed over. */
  passedOver: string[];
}

/** Reads site files: every object that they describe, and every complaint with its line and column. */
export function readSite(sources: readonly SourceText[], options: ReadOptions): SiteReading {
  const reader = new SiteReader(options);
  for (const source of sources)
    for (const document of readDocuments(source, reader.problems)) reader.read(document);
  const { declared, problems, passedOver } = reader;
  return { declared, problems, passedOver: [...passedOver] };
}

/** An object while it is read. */
interface Reading {
  noun: Noun;
  tenant: string | null;
  name: string;
  values: Record<string, Value>;
  secrets: { name: string; field: Field; value: Written }[];
  faulty: string[];
  places: Record<string, Place>;
}

class SiteReader {
  readonly declared: Declared[] = [];
  readonly problems: Problem[] = [];
  readonly passedOver = new Set<string>();
  readonly #options: ReadOptions;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  read(document: Written): void {
    for (const { key, keyPlace, value } of this.#entriesOf(document, 'the file')) {
      // Editors and people keep notes there: a schema, values with anchors.
      if (key === '$schema' || key.startsWith('x-')) continue;
      const noun = topSections.get(key);
      if (noun === undefined) this.#unknownSection(key, keyPlace);
      else if (noun.name === 'tenant') for (const entry of this.#entriesOf(value, key)) this.#tenant(entry);
      else this.#section(noun, null, value);
    }
  }

  #tenant(entry: WrittenEntry): void {
    const name = this.#nameOf(tenantNoun, null, entry);
    if (name === null) return;
    const { tenant } = this.#options;
    if (tenant !== null && tenant !== name) {
      this.passedOver.add(`tenant ${name}`);
      return;
    }
    const entries = this.#entriesOf(entry.value, `tenant ${name}`);
    const own = entries.filter(({ key }) => !tenantSections.has(key));
    const reading = this.#fields(tenantNoun, null, name, own, [...tenantSections.keys()]);
    // A file that says nothing of the tenant itself adds to it, and takes nothing back.
    this.#keep(reading, entry.keyPlace, own.length === 0 ? 'given' : 'whole');
    for (const { key, value } of entries) {
      const noun = tenantSections.get(key);
      if (noun !== undefined) this.#section(noun, name, value);
    }
  }

  #section(noun: Noun, tenant: string | null, value: Written): void {
    const seen = new Map<string, Place>();
    for (const entry of this.#entriesOf(value, `${tenant === null ? '' : `${tenant}: `}${noun.table}`)) {
      const name = this.#nameOf(noun, tenant, entry);
      if (name === null) continue;
      if (tenant === null && this.#options.tenant !== null) {
        this.passedOver.add(`${noun.name} ${name}`);
        continue;
      }
      const first = seen.get(name);
      if (first !== undefined) {
        this.#complain(
          'duplicate_key',
          `'${name}' stands twice, first in line ${first.line}`,
          entry.keyPlace,
          'keep one of them',
        );
        continue;
      }
      seen.set(name, entry.keyPlace);
      const about = `${tenant === null ? '' : `${tenant}: `}${titleOf(noun)} ${name}`;
      this.#keep(
        this.#fields(noun, tenant, name, this.#entriesOf(entry.value, about), []),
        entry.keyPlace,
        'whole',
      );
    }
  }

  /** The entries of a map; of nothing none. */
  #entriesOf(value: Written, what: string): readonly WrittenEntry[] {
    if (value.kind === 'map') return value.entries;
    if (value.kind !== 'nothing')
      this.#complain(
        'invalid_type',
        `${what}: is not made of keys with values`,
        value.place,
        'write one "name: …" a line, indented below it',
      );
    return [];
  }

  #nameOf(noun: Noun, tenant: string | null, { key, keyPlace }: WrittenEntry): string | null {
    const parsed = noun.keyRule(key);
    if (parsed.ok) return parsed.value;
    const where = tenant === null ? '' : `${tenant}: `;
    this.#complain(
      `invalid_${noun.key}`,
      `${where}${titleOf(noun)}: ${parsed.message}`,
      keyPlace,
      parsed.hint,
    );
    return null;
  }

  #fields(
    noun: Noun,
    tenant: string | null,
    name: string,
    entries: readonly WrittenEntry[],
    sections: readonly string[],
  ): Reading {
    const reading: Reading = { noun, tenant, name, values: {}, secrets: [], faulty: [], places: {} };
    for (const { key, keyPlace, value } of entries) {
      const field = Object.hasOwn(noun.fields, key) ? (noun.fields[key] as Field) : undefined;
      if (field !== undefined || key === 'enabled')
        reading.places[key] = value.kind === 'nothing' ? keyPlace : value.place;
      if (key === 'enabled') this.#enabled(reading, value);
      else if (field === undefined) this.#unknownField(reading, key, keyPlace, sections);
      else if (field.kind === 'secret') reading.secrets.push({ name: key, field, value });
      else this.#value(reading, key, field, value);
    }
    return reading;
  }

  #enabled(reading: Reading, value: Written): void {
    if (value.kind === 'nothing') return;
    const parsed = boolean(value.kind === 'text' ? value.text : '');
    if (parsed.ok) reading.values.enabled = parsed.value;
    else this.#fault(reading, 'enabled', { hint: 'write true or false', ...parsed }, value.place);
  }

  #value(reading: Reading, name: string, field: Field, value: Written): void {
    if (
      value.kind === 'nothing' ||
      (value.kind === 'list' && value.items.length === 0 && field.kind === 'list')
    ) {
      reading.values[name] = null;
      return;
    }
    const text =
      field.kind === 'list'
        ? this.#listText(reading, name, field, value)
        : value.kind === 'text'
          ? value.text
          : null;
    if (text === null) {
      const wanted = field.kind === 'list' ? 'a list' : 'one value';
      if (!reading.faulty.includes(name))
        this.#fault(reading, name, { message: `is not ${wanted}`, hint: field.help }, value.place);
      return;
    }
    const parsed = field.rule(text);
    if (parsed.ok) reading.values[name] = parsed.value;
    else this.#fault(reading, name, { hint: field.help, ...parsed }, value.place);
  }

  /** The text that the rule of a list takes: of a list, of `key: value` pairs, or as it stands. */
  #listText(reading: Reading, name: string, field: Field, value: Written): string | null {
    const separator = separatorOf(field);
    if (value.kind === 'text') return value.text;
    const items =
      value.kind === 'map'
        ? value.entries.map((entry) => ({
            text: entry.value.kind === 'text' ? `${entry.key}=${entry.value.text}` : null,
            place: entry.keyPlace,
          }))
        : value.kind === 'list'
          ? value.items.map((item) => ({ text: item.kind === 'text' ? item.text : null, place: item.place }))
          : [];
    for (const { text, place } of items) {
      const parsed: Parsed<Value> =
        text === null
          ? { ok: false, message: 'holds what is no single value' }
          : text.includes(separator)
            ? {
                ok: false,
                message: `'${text}' holds a ${separator === ',' ? 'comma' : 'line break'}`,
                hint: 'make it values of their own',
              }
            : field.rule(text);
      if (parsed.ok) continue;
      this.#fault(reading, name, { hint: field.help, ...parsed }, place);
      return null;
    }
    return items.map(({ text }) => text).join(separator);
  }

  #keep(reading: Reading, place: Place, extent: Declared['extent']): void {
    const { noun, tenant, name, values, faulty, places } = reading;
    const { label } = this.#options;
    if (!isLabelled(values.labels, label)) return;
    const generated: string[] = [];
    for (const secret of reading.secrets) this.#secret(reading, secret, generated);
    this.declared.push({ noun, tenant, name, values, extent, generated, faulty, place, places });
  }

  #secret(reading: Reading, { name, field, value }: Reading['secrets'][number], generated: string[]): void {
    if (value.kind === 'nothing') {
      reading.values[name] = null;
      return;
    }
    const reference = parseSecretReference(referenceText(value));
    if (!reference.ok) {
      this.#fault(reading, name, reference, value.place);
      return;
    }
    if (reference.value.kind === 'generate') {
      generated.push(name);
      return;
    }
    const revealed = this.#options.reveal(reference.value, value.place.source);
    if (!revealed.ok) {
      this.#fault(reading, name, revealed, value.place);
      return;
    }
    const parsed = field.rule(revealed.value);
    if (parsed.ok) reading.values[name] = parsed.value;
    else
      this.#fault(
        reading,
        name,
        { hint: `check what ${reference.value.kind}: gives`, ...parsed },
        value.place,
      );
  }

  #fault(reading: Reading, name: string, bad: { message: string; hint?: string }, place: Place): void {
    const problem = fieldProblem(name, name, bad);
    this.problems.push({ ...problem, message: `${aboutOf(reading)}: ${problem.message}`, place });
    reading.faulty.push(name);
  }

  #unknownField(reading: Reading, key: string, place: Place, sections: readonly string[]): void {
    const { noun } = reading;
    const names = [...Object.keys(noun.fields), 'enabled', ...sections];
    const [byFlag] = Object.entries(noun.fields).find(([, { flag }]) => flag === key) ?? [];
    const near = byFlag ?? nearest(key, names);
    const hint = kept.has(key)
      ? 'leave it out: it is kept by sipctl, or stands above'
      : near === null
        ? `known: ${names.join(', ')}`
        : `did you mean '${near}'?`;
    this.#complain('unknown_key', `${aboutOf(reading)}: there is no field '${key}'`, place, hint);
  }

  #unknownSection(key: string, place: Place): void {
    const isOwned = tenantSections.has(key);
    const near = nearest(key, [...topSections.keys(), ...tenantSections.keys()]);
    const hint = isOwned
      ? `it belongs to a tenant: tenants, below it the tenant's name, below that ${key}`
      : near === null
        ? `known: ${[...topSections.keys()].join(', ')}`
        : `did you mean '${near}'?`;
    this.#complain('unknown_key', `there is no '${key}' at the top of a site file`, place, hint);
  }

  #complain(code: string, message: string, place: Place, hint?: string): void {
    this.problems.push({ code, message, ...(hint === undefined ? {} : { hint }), place });
  }
}

/** `env:NAME` as it stands, or written as a pair: `env: NAME`. */
function referenceText(value: Written): string {
  if (value.kind === 'text') return value.text;
  const [pair, ...more] = value.kind === 'map' ? value.entries : [];
  if (pair === undefined || more.length > 0) return '';
  return `${pair.key}:${pair.value.kind === 'text' ? pair.value.text : ''}`;
}

const aboutOf = ({ noun, tenant, name }: Reading): string =>
  `${tenant === null ? '' : `${tenant}: `}${titleOf(noun)} ${name}`;

/** What `--json` shows of an object besides its fields. */
const kept = new Set(['id', 'createdAt', 'updatedAt', 'revision', 'tenant', 'name', 'username', 'number']);
