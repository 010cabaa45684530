/**
 * Text that is put together piece by piece in one buffer, which is used again for the next one. Joining strings
 * would keep every piece of a large file in memory, and copy it several times over.
 */
export class GrowingText {
  #bytes = Buffer.allocUnsafeSlow(1 << 20);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  add(text: string): void {
    // No UTF-16 unit takes more than three bytes of UTF-8.
    const most = this.#length + text.length * 3;
    if (most > this.#bytes.length) this.#grow(most);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** Everything added since it was cleared, in memory of its own, which can be handed to another thread. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(copy, 0, 0, this.#length);
    return copy;
  }

  #grow(most: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(most, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
