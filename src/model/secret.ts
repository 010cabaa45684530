/** What stands in the place of a secret wherever something is shown. */
export const masked = '[secret]';

/** A password or token. It prints as `[secret]` wherever it is shown; only `reveal` gives the text. */
export class Secret {
  readonly #source: string | (() => string);

  /** From the text, or from what gives it when it is asked for, so that a sealed secret stays sealed until then. */
  constructor(source: string | (() => string)) {
    this.#source = source;
  }

  /** The text itself: for rendering, signing in, and an audited `--reveal`; never for a message. */
  reveal(): string {
    return typeof this.#source === 'string' ? this.#source : this.#source();
  }

  toString(): string {
    return masked;
  }

  toJSON(): string {
    return masked;
  }

  get [Symbol.toStringTag](): string {
    return masked;
  }

  // util.inspect asks for this symbol by its registered name, so that no import of node:util is needed.
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return masked;
  }
}
