import type { Place, Problem } from '../errors.ts';
import type { Declared } from '../model/declared.ts';
import { type Field, fieldProblem, type Noun, type Parsed, type Value } from '../model/field.ts';
import * as rule from '../model/rules.ts';
import { type Column, type ColumnOptions, readColumns } from './columns.ts';
import { withoutGuard } from './line.ts';
import { cellPlace, type Table, type TableRow } from './table.ts';

export interface RowOptions extends ColumnOptions {
  /** Of rows that name none. */
  tenant: string;
  /** An empty cell sets its field back; otherwise the field stays as it is. */
  clearEmpty: boolean;
  /** Make the passwords of new users that have none in the table. */
  generatePasswords: boolean;
}

/** What a source says, and all that is wrong with it. */
export interface DeclaredRows {
  declared: Declared[];
  problems: Problem[];
}

/** One object per row; a row with a bad value is among them without that value, so that the rest of it is looked at, too. */
export function declareRows(table: Table, options: RowOptions): DeclaredRows {
  const { columns, problems } = readColumns(table, options);
  if (problems.length > 0) return { declared: [], problems };
  const missing = missingColumn(table, columns, options.noun);
  if (missing !== null) return { declared: [], problems: [missing] };
  const found = table.rows.map((row) => new Row(table, row, columns, options).read(problems));
  return { declared: found.filter((one) => one !== null), problems };
}

/** Where no column names the users, their extensions do. */
const keyColumn = (columns: readonly Column[], noun: Noun): number => {
  const named = columns.indexOf(noun.key);
  return named < 0 && noun.key === 'username' ? columns.indexOf('extension') : named;
};

function missingColumn(table: Table, columns: readonly Column[], noun: Noun): Problem | null {
  if (keyColumn(columns, noun) >= 0) return null;
  const also = noun.key === 'username' ? ', or extension' : '';
  return {
    code: 'missing_column',
    message: `no column names the ${noun.table}: ${noun.key}${also}`,
    field: noun.key,
    hint: `if it is called otherwise: --map "<column>=${noun.key}"`,
    place: cellPlace(table.source, table.header, 0),
  };
}

class Row {
  readonly table: Table;
  readonly row: TableRow;
  readonly columns: readonly Column[];
  readonly options: RowOptions;
  readonly values: Record<string, Value> = {};
  readonly places: Record<string, Place> = {};
  readonly #faulty: string[] = [];
  #problems: Problem[] = [];

  constructor(table: Table, row: TableRow, columns: readonly Column[], options: RowOptions) {
    this.table = table;
    this.row = row;
    this.columns = columns;
    this.options = options;
  }

  /** Null where it cannot be said which object is meant. */
  read(problems: Problem[]): Declared | null {
    this.#problems = problems;
    this.#countCells();
    const { noun, tenant, generatePasswords } = this.options;
    const at = keyColumn(this.columns, noun);
    const name = this.#name(at);
    let owner: string | null = noun.tenantScoped ? tenant : null;
    for (const [index, column] of this.columns.entries()) {
      if (column === null || column === noun.key) continue;
      if (column === 'tenant') owner = this.#tenant(index) ?? owner;
      else this.#value(column, index);
    }
    if (name === null) return null;
    const makes = generatePasswords && noun.fields.password?.required && this.values.password === undefined;
    return {
      ...{ noun, tenant: owner, name, extent: 'given', generated: makes ? ['password'] : [] },
      ...{ values: this.values, places: this.places, place: this.#place(at), faulty: this.#faulty },
    };
  }

  // A cell too many or too few is most often a delimiter in a text that is not quoted, and shifts all that follow.
  #countCells(): void {
    const { cells } = this.row;
    const named = this.columns.length;
    const isShort = this.table.header.cells.slice(cells.length).some((header) => header !== '');
    const isLong = cells.slice(named).some((cell) => cell.trim() !== '');
    if (!isShort && !isLong) return;
    this.#problems.push({
      code: 'wrong_cell_count',
      message: `the row has ${cells.length} cells, the header has ${named}`,
      hint: 'a cell that holds the delimiter is quoted: "Smith, Ann"',
      place: this.#place(isShort ? cells.length - 1 : named),
    });
  }

  #name(at: number): string | null {
    const { noun } = this.options;
    return this.#parsed(noun.key, at, noun.keyRule);
  }

  #tenant(at: number): string | null {
    return this.#text(at) === '' ? null : this.#parsed('tenant', at, rule.slug);
  }

  #value(name: string, at: number): void {
    if (at >= this.row.cells.length) return;
    const field: Field | undefined = this.options.noun.fields[name];
    this.places[name] = this.#place(at);
    const text = field?.kind === 'secret' ? (this.row.cells[at] ?? '') : this.#text(at);
    if (text === '') {
      const stays =
        !this.options.clearEmpty || field === undefined || field.kind === 'secret' || field.required;
      if (!stays) this.values[name] = field.initial ?? null;
      return;
    }
    const parsed = this.#parsed(name, at, field?.rule ?? rule.boolean, text);
    if (parsed !== null) this.values[name] = parsed;
  }

  #parsed<T extends Value>(
    name: string,
    at: number,
    of: (text: string) => Parsed<T>,
    text = this.#text(at),
  ): T | null {
    const parsed = of(text);
    if (parsed.ok) return parsed.value;
    this.#faulty.push(name);
    const header = this.table.header.cells[at] ?? name;
    const flag = this.options.noun.fields[name]?.flag ?? name;
    const problem = fieldProblem(name, flag, parsed);
    const hint = isRounded(text) ? rounded : problem.hint;
    this.#problems.push({
      ...problem,
      message: `${header}: ${parsed.message}`,
      ...(hint === undefined ? {} : { hint }),
      place: this.#place(at),
    });
    return null;
  }

  readonly #text = (at: number): string => withoutGuard((this.row.cells[at] ?? '').trim());

  readonly #place = (at: number): Place => cellPlace(this.table.source, this.row, Math.max(0, at));
}

/** A long number as a spreadsheet writes it after it took it for a quantity. */
const isRounded = (text: string): boolean => /^[0-9][.,]?[0-9]*E\+?[0-9]+$/i.test(text);
const rounded = 'a spreadsheet has rounded this number: format the column as text, and fill it anew';
