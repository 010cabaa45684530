import { Secret } from '../model/secret.ts';
import type { Keyring, SealedAt } from './keyring.ts';

/** The secrets of one tenant as they are read: all of them are opened when the first one is revealed. */
export class SealedSecrets {
  readonly #keyring: () => Keyring;
  readonly #values: SealedAt[] = [];
  #hex: string[] = [];
  #bytes = Buffer.alloc(0);
  #length = 0;
  #texts: (string | null)[] | null = null;

  constructor(keyring: () => Keyring) {
    this.#keyring = keyring;
  }

  /** A sealed value, in hex, and the place it is bound to. */
  add(hex: string, place: string): Secret {
    const at = this.#values.length;
    const from = this.#length;
    this.#length += hex.length / 2;
    this.#values.push({ from, to: this.#length, place });
    this.#hex.push(hex);
    return new Secret(() => this.#open(at));
  }

  #open(at: number): string {
    const keyring = this.#keyring();
    if (this.#texts === null) {
      this.#bytes = Buffer.from(this.#hex.join(''), 'hex');
      this.#hex = [];
      this.#texts = keyring.openTogether(this.#bytes, this.#values);
    }
    const { from, to, place } = this.#values[at] as SealedAt;
    return this.#texts[at] ?? keyring.open(this.#bytes.subarray(from, to), place);
  }
}
