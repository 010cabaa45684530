/** Comma-separated values as RFC 4180 has them. */

/**
 * One line, without its end. A value that a spreadsheet would take for a formula gets a quote before it: callers choose
 * their names.
 */
export const csvLine = (values: readonly (string | number | boolean | null)[]): string =>
  values.map(cell).join(',');

function cell(value: string | number | boolean | null): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  // A number in E.164 is no formula, and stays what it is.
  const isFormula = /^[=+\-@\t\r]/.test(value) && !/^\+\d+$/.test(value);
  const safe = isFormula ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The records of a text that comes in parts. Quoted values may hold line ends; a last line needs none. */
export class CsvReader {
  #values: string[] = [];
  #value = '';
  #isQuoted = false;
  /** A quote inside a quoted value: the next character says whether it was the end. */
  #afterQuote = false;
  #isEmpty = true;

  /** The records that are complete with this part. */
  push(text: string): string[][] {
    const records: string[][] = [];
    for (const character of text) this.#take(character, records);
    return records;
  }

  /** What is left without a line end. */
  end(): string[][] {
    const records: string[][] = [];
    if (!this.#isEmpty) this.#endRecord(records);
    return records;
  }

  #take(character: string, records: string[][]): void {
    if (this.#isQuoted) {
      if (!this.#afterQuote) {
        if (character === '"') this.#afterQuote = true;
        else this.#value += character;
        return;
      }
      this.#afterQuote = false;
      if (character === '"') {
        this.#value += '"';
        return;
      }
      this.#isQuoted = false;
    }
    if (character === '\n') this.#endRecord(records);
    else if (character === ',') this.#endValue();
    else if (character === '"' && this.#value === '') {
      this.#isQuoted = true;
      this.#isEmpty = false;
    } else if (character !== '\r') {
      // FreeSWITCH writes a blank after some commas.
      if (character === ' ' && this.#value === '') return;
      this.#value += character;
      this.#isEmpty = false;
    }
  }

  #endValue(): void {
    this.#values.push(this.#value);
    this.#value = '';
    this.#isEmpty = false;
  }

  #endRecord(records: string[][]): void {
    if (this.#isEmpty) return;
    this.#endValue();
    records.push(this.#values);
    this.#values = [];
    this.#isEmpty = true;
    this.#isQuoted = false;
    this.#afterQuote = false;
  }
}
