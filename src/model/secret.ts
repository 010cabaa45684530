const masked = '[secret]';

/** A password or token. It prints as `[secret]` wherever it is shown; only `reveal` gives the text. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself: for rendering, signing in, and an audited `--reveal`; never for a message. */
  reveal(): string {
    return this.#text;
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
