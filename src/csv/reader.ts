/**
 * Records of comma-separated values in a text that comes in parts, as the engines write their lists of calls: with blanks
 * after commas and quotes where they please, which a strict reader refuses. What people hand in is read by `table.ts`.
 */
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
