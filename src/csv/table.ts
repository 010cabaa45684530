import { CsvError, parse } from 'csv-parse/sync';
import { type Place, SipctlError } from '../errors.ts';

/** One row of a table, with the line of each cell: a quoted cell may hold line ends. */
export interface TableRow {
  /** Of the first cell. */
  line: number;
  cells: readonly string[];
}

/** A text of separated values whose first record names the columns. */
export interface Table {
  source: string;
  header: TableRow;
  /** Without those whose cells are all empty. */
  rows: readonly TableRow[];
}

/** What may stand between two cells. */
const delimiters = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof delimiters)[number];

/**
 * Reads separated values as RFC 4180 has them, with any of the usual delimiters; the one that stands in the first record
 * most often, where none is given. The line `sep=;` that spreadsheets understand is understood, too.
 * @throws SipctlError `invalid` where quotes do not match, or there is no header
 */
export function readTable(text: string, source: string, delimiter: Delimiter | null = null): Table {
  const [, announced] = /^sep=([,;\t|])\r?\n/i.exec(text) ?? [];
  const rows: TableRow[] = [];
  let line = 1;
  for (const cells of records(text, source, delimiter ?? (announced as Delimiter) ?? likeliest(text))) {
    if (cells.some((cell) => cell.trim() !== '')) rows.push({ line, cells });
    line += linesOf(cells);
  }
  if (announced !== undefined) rows.shift();
  const [header, ...rest] = rows;
  if (header === undefined) throw noHeader(source);
  return { source, header: { ...header, cells: header.cells.map((name) => name.trim()) }, rows: rest };
}

/** Where a cell stands: the line in the file, and the number of its column as a spreadsheet counts. */
export const cellPlace = (source: string, { line, cells }: TableRow, column: number): Place => ({
  source,
  line: line + linesOf(cells.slice(0, column)) - 1,
  column: column + 1,
});

/** How many lines a record takes: one, and one more for each line end inside a cell. */
const linesOf = (cells: readonly string[]): number =>
  cells.reduce((lines, cell) => lines + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 1);

function records(text: string, source: string, delimiter: Delimiter, to = -1): string[][] {
  const options = { delimiter, record_delimiter: ['\r\n', '\n', '\r'], relax_column_count: true, to };
  try {
    return parse(text, options);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { records: whole, column } = error as CsvError & { records: number; column: unknown };
    // What csv-parse counts as lines differs with the line ends inside of cells.
    const before = whole === 0 ? [] : records(text, source, delimiter, whole);
    const line = before.reduce((sum, cells) => sum + linesOf(cells), 1);
    throw broken(error, { source, line, column: typeof column === 'number' ? column + 1 : 1 });
  }
}

const looked = 10;

// Delimiters inside of quotes are none. The right one stands as often in every row as in the header.
function likeliest(text: string): Delimiter {
  const counts = delimiterCounts(text);
  const scored = delimiters.map((delimiter) => {
    const [inHeader = 0, ...others] = counts.map((count) => count.get(delimiter) ?? 0);
    const same = others.filter((count) => count === inHeader).length;
    return { delimiter, inHeader, same };
  });
  const present = scored.filter(({ inHeader }) => inHeader > 0);
  present.sort((one, other) => other.same - one.same || other.inHeader - one.inHeader);
  return present[0]?.delimiter ?? ',';
}

/** Of the first records that are not empty: how often each delimiter stands in it. */
function delimiterCounts(text: string): Map<Delimiter, number>[] {
  const counts: Map<Delimiter, number>[] = [];
  let quoted = false;
  let current: Map<Delimiter, number> | null = null;
  for (const character of text) {
    if (!quoted && (character === '\n' || character === '\r')) {
      current = null;
      if (counts.length === looked) break;
      continue;
    }
    if (current === null) {
      current = new Map();
      counts.push(current);
    }
    if (character === '"') quoted = !quoted;
    else if (!quoted && delimiters.includes(character as Delimiter))
      current.set(character as Delimiter, (current.get(character as Delimiter) ?? 0) + 1);
  }
  return counts;
}

function broken(error: CsvError, place: Place): SipctlError {
  const message =
    error.code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'a quote that is opened here is never closed'
      : 'a quote stands inside a cell: a cell that holds one is quoted, and the quote doubled';
  const hint = 'is --delimiter the right one? A quote inside a quoted cell is written twice';
  return new SipctlError('invalid', { code: 'invalid_csv', message, hint, place }, { cause: error });
}

const noHeader = (source: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'no_header',
    message: 'there is no line that names the columns',
    hint: 'the first line is the header, for example: username,extension,displayName',
    place: { source, line: 1, column: 1 },
  });
