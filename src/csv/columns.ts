import { type Problem, SipctlError } from '../errors.ts';
import type { Noun } from '../model/field.ts';
import { nearest } from '../model/nearest.ts';
import { cellPlace, type Table } from './table.ts';

/** What a column gives: a field of the noun, its name, its tenant, whether it is enabled; null: it is passed over. */
export type Column = string | null;

export interface ColumnOptions {
  noun: Noun;
  /** Header → field, or `-` to pass the column over. */
  map: ReadonlyMap<string, string>;
  /** Pass over columns that no field is named like. */
  onlyKnown: boolean;
}

/** The name of a column without what people write differently: `Display Name`, `display_name`, `display-name`. */
const plainName = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** What each column of a table gives, and what is wrong with the header. */
export function readColumns(
  table: Table,
  { noun, map, onlyKnown }: ColumnOptions,
): { columns: Column[]; problems: Problem[] } {
  const known = knownNames(noun);
  const mapped = new Map([...map].map(([header, field]) => [plainName(header), field]));
  const problems: Problem[] = unusedMappings(table, noun, map);
  const first = new Map<string, string>();
  const columns = table.header.cells.map((header, at): Column => {
    if (header === '') return null;
    const wanted = mapped.get(plainName(header)) ?? header;
    if (wanted === '-') return null;
    const field = known.get(plainName(wanted));
    const place = cellPlace(table.source, table.header, at);
    if (field === undefined) {
      if (onlyKnown && wanted === header) return null;
      problems.push({ ...unknownColumn(header, wanted, noun), place });
      return null;
    }
    const before = first.get(field);
    if (before !== undefined) problems.push({ ...twice(field, before, header), place });
    first.set(field, header);
    return field;
  });
  return { columns, problems };
}

/** Everything that a column may be called, and the field it then is. */
function knownNames(noun: Noun): Map<string, string> {
  const names = new Map([[plainName(noun.key), noun.key], ...[['enabled', 'enabled'] as const]]);
  if (noun.tenantScoped) names.set('tenant', 'tenant');
  // Fields win over flags: a trunk's `username` is its account.
  for (const [name, { flag }] of Object.entries(noun.fields)) names.set(plainName(flag), name);
  for (const name of Object.keys(noun.fields)) names.set(plainName(name), name);
  return names;
}

function unusedMappings(table: Table, noun: Noun, map: ReadonlyMap<string, string>): Problem[] {
  const headers = table.header.cells.filter((header) => header !== '');
  const present = new Set(headers.map(plainName));
  return [...map.keys()]
    .filter((header) => !present.has(plainName(header)))
    .map((header) => ({
      code: 'no_such_column',
      message: `map: there is no column '${header}'`,
      field: 'map',
      hint: `${table.source} has: ${headers.join(', ')}; write --map "Column=${Object.keys(noun.fields)[0]}"`,
    }));
}

function unknownColumn(header: string, wanted: string, noun: Noun): Problem {
  const fields = [noun.key, ...Object.keys(noun.fields)];
  const near = nearest(wanted, fields);
  const map = `--map "${header}=${near ?? '<field>'}" names the field, --map "${header}=-" passes the column over`;
  return {
    code: 'unknown_column',
    message:
      wanted === header
        ? `${noun.name} has no field for the column '${header}'`
        : `map: ${noun.name} has no field '${wanted}'`,
    field: wanted === header ? header : 'map',
    hint: near === null ? `${map}; fields: ${fields.join(', ')}` : map,
  };
}

const twice = (field: string, before: string, header: string): Problem => ({
  code: 'column_twice',
  message: `the columns '${before}' and '${header}' both give ${field}`,
  field,
  hint: `pass one of them over: --map "${header}=-"`,
});

/**
 * Reads `--map "Ext=extension,Name=displayName"`; a header that holds a comma is put together again.
 * @throws SipctlError `invalid`
 */
export function readMapping(text: string | null): Map<string, string> {
  const map = new Map<string, string>();
  if (text === null) return map;
  let header = '';
  for (const part of text.split(',')) {
    const equals = part.lastIndexOf('=');
    header += equals < 0 ? `${part},` : part.slice(0, equals);
    if (equals < 0) continue;
    map.set(header.trim(), part.slice(equals + 1).trim());
    header = '';
  }
  if (header === '' && ![...map].some(([from, to]) => from === '' || to === '')) return map;
  throw new SipctlError('invalid', {
    code: 'invalid_map',
    message: `map: '${text}' is not column=field`,
    field: 'map',
    hint: '--map "Ext=extension" --map "Comment=-"',
  });
}
