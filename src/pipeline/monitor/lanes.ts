/** What work in lanes is made of. */
export interface LanesOptions<Item> {
  /** Pieces of work at one time. */
  lanes: number;
  /** Items that may wait before further ones are dropped. */
  mostWaiting: number;
  /** Never rejects; ends early where the signal says so. */
  work: (item: Item, signal: AbortSignal) => Promise<void>;
  dropped: () => void;
}

/** Does one piece of work for each item, several at a time, with a bounded number of them waiting. */
export class Lanes<Item> {
  readonly #options: LanesOptions<Item>;
  readonly #ending = new AbortController();
  readonly #waiting: Item[] = [];
  #busy = 0;
  #idle: (() => void) | null = null;

  constructor(options: LanesOptions<Item>) {
    this.#options = options;
  }

  take(item: Item): void {
    const { lanes, mostWaiting, dropped } = this.#options;
    if (this.#waiting.length >= mostWaiting) dropped();
    else this.#waiting.push(item);
    if (this.#busy < lanes) void this.#run();
  }

  /** Gives what waits so many milliseconds more, then ends what is at work; says how many items were left undone. */
  async finish(graceMs: number): Promise<number> {
    if (this.#busy > 0) {
      const done = new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([done, late]);
      clearTimeout(timer);
      const undone = this.#waiting.splice(0).length + this.#busy;
      this.#ending.abort();
      if (this.#busy > 0) await done;
      return undone;
    }
    return 0;
  }

  async #run(): Promise<void> {
    this.#busy += 1;
    for (let item = this.#waiting.shift(); item !== undefined; item = this.#waiting.shift())
      await this.#options.work(item, this.#ending.signal);
    this.#busy -= 1;
    if (this.#busy === 0) this.#idle?.();
  }
}
