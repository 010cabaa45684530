import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SipctlError } from '../errors.ts';
import type { Secret } from '../model/secret.ts';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const idBytes = 4;
const format = 1;
const headBytes = 1 + idBytes + nonceBytes + tagBytes;

interface Key {
  /** First bytes of the key's SHA-256: which key sealed a value. */
  id: Buffer;
  key: KeyObject;
  bytes: Buffer;
}

/**
 * Seals and opens secrets with AES-256-GCM (NIST SP 800-38D): a fresh nonce each time, and the place of the
 * value (table, row, column) as associated data, so that a sealed value moved elsewhere does not open.
 *
 * `format(1) | key id(4) | nonce(12) | tag(16) | ciphertext`
 */
export class Keyring {
  readonly #keys: readonly Key[];
  #nonces = Buffer.alloc(0);

  private constructor(keys: readonly Key[]) {
    this.#keys = keys;
  }

  /** Reads the key file; the first key seals, all of them open. @throws SipctlError when it is unusable */
  static read(file: string): Keyring {
    return usable(file, () => new Keyring(parseKeyFile(file)));
  }

  /** Makes a key file that is readable by its owner only, unless there is one. */
  static create(file: string): Keyring {
    usable(file, () => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeKeyFile(file, [randomBytes(keyBytes)], 'unless there is one');
    });
    return Keyring.read(file);
  }

  /** Whether a key of this id, in hex, is among those that open. */
  has(id: string): boolean {
    return this.#keys.some((key) => key.id.toString('hex') === id);
  }

  /** Identifies the sealing key in the database, in hex. */
  get id(): string {
    return this.#sealing.id.toString('hex');
  }

  get #sealing(): Key {
    return this.#keys[0] as Key;
  }

  seal(secret: Secret, place: string): Buffer {
    const nonce = this.#nonce();
    const cipher = createCipheriv('aes-256-gcm', this.#sealing.key, nonce);
    cipher.setAAD(Buffer.from(place));
    const text = cipher.update(secret.reveal(), 'utf8');
    cipher.final();
    return Buffer.concat([Buffer.of(format), this.#sealing.id, nonce, cipher.getAuthTag(), text]);
  }

  /** @throws SipctlError `failed` when the value was sealed by another key, for another place, or damaged */
  open(sealed: Buffer, place: string): string {
    const key = this.#keyOf(sealed);
    if (key === undefined || sealed[0] !== format) throw cannotOpen(place, 'it was sealed with another key');
    const tagAt = 1 + idBytes + nonceBytes;
    const decipher = createDecipheriv('aes-256-gcm', key.key, sealed.subarray(1 + idBytes, tagAt));
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(sealed.subarray(tagAt, headBytes));
    try {
      // As bytes: a decoder for a text in parts would be made for each value, which is one part.
      const text = decipher.update(sealed.subarray(headBytes));
      decipher.final();
      return text.toString('utf8');
    } catch {
      throw cannotOpen(place, 'it is damaged, or was moved from elsewhere');
    }
  }

  #keyOf(sealed: Buffer): Key | undefined {
    return this.#keys.find((key) => sealed.compare(key.id, 0, idBytes, 1, 1 + idBytes) === 0);
  }

  // Random bytes are drawn in bulk: a call for each nonce costs more than the encryption itself.
  #nonce(): Buffer {
    if (this.#nonces.length < nonceBytes) this.#nonces = randomBytes(nonceBytes * 512);
    const nonce = this.#nonces.subarray(0, nonceBytes);
    this.#nonces = this.#nonces.subarray(nonceBytes);
    return nonce;
  }
}

/**
 * Puts a new key in front of the file's keys and keeps the old ones, so that a run that is killed before
 * everything is sealed anew can still open all of it. `finish` then leaves the new key alone.
 */
export function addKey(file: string): { finish: () => void } {
  const old = parseKeyFile(file).map((key) => key.bytes);
  const fresh = randomBytes(keyBytes);
  writeKeyFile(file, [fresh, ...old], 'replace');
  return { finish: () => writeKeyFile(file, [fresh], 'replace') };
}

// Whoever asks for the key gets an answer about the key, whatever the system says of its folder.
function usable<T>(file: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new SipctlError(
      'refused',
      {
        code: 'key_file_unusable',
        message: `the key file ${file} cannot be used: ${error.message}`,
        field: 'keyFile',
        hint: 'check owner and mode of the file and of its folder, or name another one with SIPCTL_KEY_FILE',
      },
      { cause: error },
    );
  }
}

function parseKeyFile(file: string): Key[] {
  const found = statSync(file);
  const mode = found.mode & 0o777;
  if (found.isFile() && (mode & 0o077) !== 0) {
    throw new SipctlError('refused', {
      code: 'key_file_mode',
      message: `the key file ${file} can be read by others (mode ${mode.toString(8)})`,
      hint: `chmod 600 ${file}`,
    });
  }
  const keys = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => Buffer.from(line, 'base64'));
  if (keys.length === 0 || keys.some((key) => key.length !== keyBytes)) {
    throw new SipctlError('invalid', {
      code: 'key_file_content',
      message: `${file} is not a sipctl key file`,
      field: 'keyFile',
      hint: 'point SIPCTL_KEY_FILE to the file that belongs to this database',
    });
  }
  return keys.map((bytes) => ({ bytes, id: keyId(bytes), key: createSecretKey(bytes) }));
}

const keyId = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest().subarray(0, idBytes);

// The file comes into being whole, under its own name at the end: another process never reads half a key.
function writeKeyFile(file: string, keys: readonly Buffer[], how: 'unless there is one' | 'replace'): void {
  const draft = `${file}.${process.pid}.new`;
  const handle = openSync(draft, 'w', 0o600);
  try {
    writeSync(
      handle,
      `# sipctl key: keep it secret, keep a copy\n${keys.map((key) => key.toString('base64')).join('\n')}\n`,
    );
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  chmodSync(draft, 0o600);
  if (how === 'replace') renameSync(draft, file);
  else linkUnlessThere(draft, file);
}

// Of two first runs at once one makes the key, and both use it.
function linkUnlessThere(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
}

function cannotOpen(place: string, why: string): SipctlError {
  return new SipctlError('failed', {
    code: 'secret_unreadable',
    message: `the secret in ${place} cannot be opened: ${why}`,
    hint: 'check SIPCTL_KEY_FILE, or set the secret again',
  });
}
