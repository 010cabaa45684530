import { type TarEntry, TarReader } from './tar.ts';

/** What a request to a shell on another machine was answered with; see `far-shell.ts`. */
export interface Answer {
  /** 0, or one of `codes`. */
  code: number;
  lines: string[];
  /** What came in archives. */
  entries: TarEntry[];
}

/** Takes the shell's output apart: one answer after the other, however it comes in. */
export class AnswerReader {
  readonly #opening: Buffer;
  #open = false;
  #rest: Buffer = Buffer.alloc(0);
  #tar: TarReader | null = null;
  #answer: Answer = { code: 0, lines: [], entries: [] };

  /** @param opening the line that comes before everything; what a login shell may say before it counts for nothing */
  constructor(opening: string) {
    this.#opening = Buffer.from(opening);
  }

  /** The answers that are whole with this. @throws Error for what is no answer */
  *push(chunk: Buffer): Generator<Answer> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#open && !this.#opened()) return;
    for (;;) {
      if (this.#tar !== null && !this.#unpacked(this.#tar)) return;
      const end = this.#rest.indexOf(10);
      if (end === -1) return;
      const line = this.#rest.toString('utf8', 0, end);
      this.#rest = this.#rest.subarray(end + 1);
      if (line === 'tar') this.#tar = new TarReader();
      else if (line.startsWith('=')) this.#answer.lines.push(line.slice(1));
      else yield this.#whole(line);
    }
  }

  #opened(): boolean {
    const at = this.#rest.indexOf(this.#opening);
    if (at === -1) return false;
    this.#rest = this.#rest.subarray(at + this.#opening.length);
    this.#open = true;
    return true;
  }

  #unpacked(tar: TarReader): boolean {
    const after = tar.push(this.#rest);
    this.#rest = after ?? Buffer.alloc(0);
    if (after === null) return false;
    this.#answer.entries.push(...tar.entries);
    this.#tar = null;
    return true;
  }

  #whole(line: string): Answer {
    const code = /^end ([0-9]+)$/.exec(line)?.[1];
    if (code === undefined) throw new Error(`'${line.slice(0, 60)}' is no answer`);
    const answer = { ...this.#answer, code: Number(code) };
    this.#answer = { code: 0, lines: [], entries: [] };
    return answer;
  }
}
