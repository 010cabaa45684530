/** Milliseconds between two complaints of the same kind. */
const interval = 5000;

/** Says what goes wrong again and again without flooding the log: the first one at once, later ones counted together. */
export class RepeatedComplaint {
  readonly #say: (text: string) => void;
  readonly #now: () => number;
  #lastAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  /** @param now milliseconds since 1970 */
  constructor(say: (text: string) => void, now: () => number) {
    this.#say = say;
    this.#now = now;
  }

  tell(text: string): void {
    if (this.#now() - this.#lastAt < interval) this.#unsaid += 1;
    else {
      this.#say(this.#unsaid === 0 ? text : `${text} (and ${this.#unsaid} more before)`);
      this.#unsaid = 0;
      this.#lastAt = this.#now();
    }
  }

  /** Says how many were left unsaid, where there are any. */
  finish(what: string): void {
    if (this.#unsaid > 0) this.#say(`${what}: ${this.#unsaid} more`);
    this.#unsaid = 0;
  }
}
