/** What a writer of lines is made of. */
export interface LineWriterOptions {
  /** Resolves when the text has left the process. */
  out: (text: string) => Promise<void>;
  /** Characters that may wait for a slow reader before lines are dropped. */
  mostWaiting: number;
  /** The line that stands in the place of so many that were dropped. */
  droppedLine: (count: number) => string;
}

/**
 * Lines on their way to a reader that may be slow. Never more than a bounded number of them waits: what comes then is
 * dropped, and one line says how much, where it is missing.
 */
export class LineWriter {
  readonly #options: LineWriterOptions;
  #waiting: string[] = [];
  #size = 0;
  #dropped = 0;
  #writing: Promise<void> | null = null;
  #failure: { error: unknown } | null = null;

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  /** Takes a line without its end. @throws what kept an earlier one from being written */
  write(line: string): void {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#size > this.#options.mostWaiting) {
      this.#dropped += 1;
      return;
    }
    this.#sayDropped();
    this.#push(line);
    this.#writing ??= this.#writeAll();
  }

  /** Waits until everything is written. @throws what kept it from being written */
  async flush(): Promise<void> {
    await this.#writing;
    this.#sayDropped();
    if (this.#waiting.length > 0) await this.#writeAll();
    if (this.#failure !== null) throw this.#failure.error;
  }

  #push(line: string): void {
    this.#waiting.push(line);
    this.#size += line.length;
  }

  #sayDropped(): void {
    if (this.#dropped === 0) return;
    this.#push(this.#options.droppedLine(this.#dropped));
    this.#dropped = 0;
  }

  async #writeAll(): Promise<void> {
    // Everything that one packet of the PBX brings goes out in one write.
    await null;
    try {
      while (this.#waiting.length > 0) {
        const text = `${this.#waiting.join('\n')}\n`;
        this.#waiting = [];
        const size = this.#size;
        await this.#options.out(text);
        this.#size -= size;
      }
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#writing = null;
    }
  }
}
