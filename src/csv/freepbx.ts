import type { Place, Problem } from '../errors.ts';
import type { Declared } from '../model/declared.ts';
import { fieldProblem, type Noun, type Value } from '../model/field.ts';
import type { NumberingPlan } from '../model/flow/numbering.ts';
import { cellPlace, type Table, type TableRow } from './table.ts';

/** What a list of FreePBX's Bulk Handler is read by. */
export interface FreePbxOptions {
  tenant: string;
  /** Of the tenant’s country: FreePBX keeps numbers as the carrier delivers them. */
  plan: NumberingPlan | null;
  /** The trunk on which the DIDs arrive. */
  trunk: string | null;
  /** Make the passwords of users who have none in the list. */
  generatePasswords: boolean;
}

/** What a list says, what is wrong with it, and what of it sipctl has no place for. */
export interface FreePbxRows {
  declared: Declared[];
  problems: Problem[];
  /** Not taken over. */
  left: Problem[];
}

/** Reads the cells of one row by the names of their columns, and keeps what was found. */
export class FreePbxRow {
  readonly noun: Noun;
  readonly values: Record<string, Value> = {};
  readonly places: Record<string, Place> = {};
  readonly #faulty: string[] = [];
  readonly #list: FreePbxList;
  readonly #row: TableRow;

  constructor(list: FreePbxList, row: TableRow, noun: Noun) {
    this.#list = list;
    this.#row = row;
    this.noun = noun;
  }

  /** Without blanks around it; empty where there is no such column. */
  text(column: string): string {
    const at = this.#list.columns.get(column);
    return at === undefined ? '' : (this.#row.cells[at] ?? '').trim();
  }

  place(column: string): Place {
    return cellPlace(this.#list.table.source, this.#row, this.#list.columns.get(column) ?? 0);
  }

  /** Takes a value over; one that breaks the field’s rule is a complaint. An empty text is no value. */
  take(field: string, column: string, text: string): void {
    if (text === '') return;
    const declared = this.noun.fields[field];
    const parsed = declared?.rule(text);
    if (declared === undefined || parsed === undefined) return;
    this.places[field] = this.place(column);
    if (parsed.ok) this.values[field] = parsed.value;
    else {
      this.#faulty.push(field);
      this.#list.problems.push({
        ...fieldProblem(field, declared.flag, parsed),
        message: `${column}: ${parsed.message}`,
        place: this.place(column),
      });
    }
  }

  /** Says of a cell that it is not taken over, and why. */
  leave(column: string, why: string): void {
    const cell = this.text(column);
    const shown = cell.length > 60 ? `${cell.slice(0, 60)}…` : cell;
    const said = shown.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
    this.#list.left.push({
      code: 'not_taken_over',
      message: `${column} '${said}': ${why}`,
      field: column,
      place: this.place(column),
    });
  }

  complain(column: string, problem: Problem): void {
    this.#list.problems.push({ ...problem, place: this.place(column) });
  }

  declare(name: string, column: string, tenant: string): void {
    const makes = this.#list.generatePasswords && this.noun.fields.password && !('password' in this.values);
    this.#list.declared.push({
      ...{ noun: this.noun, tenant, name, extent: 'given', generated: makes ? ['password'] : [] },
      ...{ values: this.values, places: this.places, place: this.place(column), faulty: this.#faulty },
    });
  }
}

/** What is found in one list. Names of columns are compared in lower case: both cases are exported. */
export class FreePbxList implements FreePbxRows {
  readonly table: Table;
  readonly columns: ReadonlyMap<string, number>;
  readonly declared: Declared[] = [];
  readonly problems: Problem[] = [];
  readonly left: Problem[] = [];

  readonly generatePasswords: boolean;

  constructor(table: Table, { generatePasswords }: FreePbxOptions) {
    this.table = table;
    this.generatePasswords = generatePasswords;
    this.columns = new Map(table.header.cells.map((name, at) => [name.toLowerCase(), at]));
  }

  /** Says once of a column that it is not taken over, where a row has something else in it than what is usual. */
  leaveColumns(columns: Readonly<Record<string, { usual: readonly string[]; why: string }>>): void {
    for (const [column, { usual, why }] of Object.entries(columns)) {
      const at = this.columns.get(column);
      if (at === undefined) continue;
      const rows = this.table.rows.filter(
        ({ cells }) => !['', ...usual].includes((cells[at] ?? '').trim().toLowerCase()),
      );
      const [first] = rows;
      if (first === undefined) continue;
      this.left.push({
        code: 'not_taken_over',
        message: `${column}, set in ${rows.length} ${rows.length === 1 ? 'row' : 'rows'}: ${why}`,
        field: column,
        place: cellPlace(this.table.source, first, at),
      });
    }
  }
}
