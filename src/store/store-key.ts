import { existsSync } from 'node:fs';
import { SipctlError } from '../errors.ts';
import type { Database } from './database.ts';
import { addKey, Keyring } from './keyring.ts';
import { noteOnce, replaceMeta } from './meta.ts';
import { sealAnew } from './rotate.ts';

const noted = 'key_id';

type Transact = <T>(work: (database: Database) => Promise<T>) => Promise<T>;

/** The key file that belongs to a database, which notes with which key its secrets are sealed. */
export class StoreKey {
  readonly #keyFile: string;
  readonly #database: string;
  #sealedWith: string | null;
  #keyring: Keyring | null = null;

  constructor(keyFile: string, database: string, meta: ReadonlyMap<string, string>) {
    this.#keyFile = keyFile;
    this.#database = database;
    this.#sealedWith = meta.get(noted) ?? null;
  }

  /**
   * The key that seals this database's secrets, made at first use.
   * @throws SipctlError `notFound` when it is gone although secrets were sealed with it, `invalid` when it is another one
   */
  keyring(): Keyring {
    if (this.#keyring !== null) return this.#keyring;
    if (!existsSync(this.#keyFile) && this.#sealedWith !== null) throw this.#isGone();
    const keyring = existsSync(this.#keyFile) ? Keyring.read(this.#keyFile) : Keyring.create(this.#keyFile);
    this.#expect(keyring, this.#sealedWith ?? keyring.id);
    this.#keyring = keyring;
    return keyring;
  }

  /** Looks, in the transaction that is open, whether another run has changed the key meanwhile. */
  async look(database: Database): Promise<void> {
    const row = await database.selectFrom('meta').select('value').where('key', '=', noted).executeTakeFirst();
    this.#sealedWith = (row?.value as string | undefined) ?? null;
    if (this.#sealedWith !== null && this.#keyring?.has(this.#sealedWith) === false) this.#keyring = null;
  }

  /** Notes the key in the transaction that is open, where it was used for the first time. */
  async note(database: Database): Promise<void> {
    if (this.#keyring === null || this.#sealedWith !== null) return;
    const there = await noteOnce(database, noted, this.#keyring.id);
    // Of two that begin with keys of their own, one sealed nothing yet, and must not.
    this.#expect(this.#keyring, there);
    this.#sealedWith = there;
  }

  /** Seals every secret with a new key. Killed at any instant, the key file opens whatever the database holds. */
  async rotate(transact: Transact): Promise<number> {
    this.keyring();
    const rotation = addKey(this.#keyFile);
    const keyring = Keyring.read(this.#keyFile);
    this.#keyring = keyring;
    const sealed = await transact(async (database) => {
      const count = await sealAnew(database, keyring);
      await noteOnce(database, noted, keyring.id);
      await replaceMeta(database, noted, keyring.id);
      return count;
    });
    this.#sealedWith = keyring.id;
    rotation.finish();
    return sealed;
  }

  // Sealing with the key of another database would leave secrets that no single key file opens.
  #expect(keyring: Keyring, id: string): void {
    if (keyring.has(id)) return;
    throw new SipctlError('invalid', {
      code: 'key_file_other',
      message: `${this.#keyFile} holds another key than that of ${this.#database}`,
      field: 'keyFile',
      hint: 'name the right one with SIPCTL_KEY_FILE, or put it back from your copy',
    });
  }

  #isGone(): SipctlError {
    return new SipctlError('notFound', {
      code: 'key_file_missing',
      message: `the key of ${this.#database} is not at ${this.#keyFile}`,
      field: 'keyFile',
      hint: 'put the key file back, or name it with SIPCTL_KEY_FILE; without it no stored secret can be read',
    });
  }
}
