import type { AmiConnection } from '../ami/connection.ts';

/** Questions under way at a time, and channels that wait for theirs: beyond that, codecs are not worth what they cost. */
const few = 10;
const many = 2000;

/**
 * Asks for the codecs of channels that were answered: a few at a time, so that answers never crowd out events. The answers
 * come as events `Status`, in their place among the others.
 */
export class CodecQuestions {
  readonly #ami: AmiConnection;
  readonly #waiting = new Set<string>();
  #isAsking = false;

  constructor(ami: AmiConnection) {
    this.#ami = ami;
  }

  /** By the channel's id. */
  ask(id: string): void {
    if (this.#waiting.size < many) this.#waiting.add(id);
    if (!this.#isAsking) void this.#askAll();
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    try {
      while (this.#waiting.size > 0) {
        const ids = [...this.#waiting].slice(0, few);
        for (const id of ids) this.#waiting.delete(id);
        await Promise.all(ids.map((id) => this.#question(id)));
      }
    } finally {
      this.#isAsking = false;
    }
  }

  // A channel that is gone by then, or a connection that is lost, needs no codec.
  async #question(id: string): Promise<void> {
    await this.#ami.action('Status', { Channel: id }).catch(() => undefined);
  }
}
