import { SipctlError } from '../../errors.ts';

/** Where a control interface listens. */
export interface Place {
  host: string;
  port: number;
  encrypted: boolean;
}

/** What an opening was doing when it ended; decides what is advised. */
export type Stage = 'connecting' | 'handshake' | 'banner' | 'login';

/** The words in which one kind of control interface is spoken of. */
export interface ControlWords {
  /** Begins every code: `ami` makes `ami_timeout`. */
  code: string;
  /** For example `the manager interface`. */
  name: string;
  engine: string;
  /** What to check where nothing listens. */
  switchedOn: string;
  /** What to check where something listens and does not speak as it should. */
  rightPort: (place: Place) => string;
  /** What to check where the server hangs up instead of answering the login. */
  accessRules: string;
  /** How to see whether the engine is alive. */
  alive: string;
}

const stageWords: Record<Stage, string> = {
  connecting: 'did not accept the connection',
  handshake: 'did not finish the TLS handshake',
  banner: 'did not greet',
  login: 'did not answer the login',
};

/** The failures of one control connection, whatever its protocol: all say where, what was waited for, and what to do. */
export class ControlFailures {
  readonly place: Place;
  readonly #words: ControlWords;

  constructor(place: Place, words: ControlWords) {
    this.place = place;
    this.#words = words;
  }

  /** For example `the manager interface at 127.0.0.1:5038`. */
  get subject(): string {
    return `${this.#words.name} at ${placeName(this.place)}`;
  }

  /** The opening took longer than it may. */
  openingTimedOut(stage: Stage, ms: number): SipctlError {
    return this.#unreachable(
      'timeout',
      `${this.subject} ${stageWords[stage]} within ${seconds(ms)}`,
      this.#advice(stage),
    );
  }

  /** The opening failed: nothing listens, no such name, a certificate that is not trusted. */
  openingFailed(stage: Stage, cause: Error | null): SipctlError {
    const { code = '', reason: tlsReason } = (cause ?? {}) as NodeJS.ErrnoException & { reason?: string };
    // OpenSSL's own message names its source files; its reason is the part that people can use.
    const words = code.startsWith('ERR_SSL') ? `TLS: ${tlsReason ?? code}` : cause?.message || code;
    const reason = cause === null ? 'the connection was closed' : printable(words);
    const certificate = /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO_/.test(code);
    let hint = this.#advice(stage);
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
      hint = 'check the spelling of the host, and that this machine can resolve it';
    } else if (certificate) {
      hint =
        'give the PEM file of the authority that signed the certificate, and connect by a name that stands in it';
    } else if (stage === 'login') {
      hint = this.#words.accessRules;
    }
    return this.#unreachable(
      certificate ? 'certificate' : 'unreachable',
      `cannot connect to ${this.subject}: ${reason}`,
      hint,
      cause,
    );
  }

  /** Something listens, but it is another protocol. */
  wrongProtocol(said: string): SipctlError {
    const { code, engine, name, rightPort } = this.#words;
    const kind = name.replace(/^the /, '');
    return new SipctlError('unreachable', {
      code: `${code}_banner`,
      message: `${placeName(this.place)} is not ${/^[aeiou]/i.test(engine) ? 'an' : 'a'} ${engine} ${kind}: it says '${printable(said)}'`,
      hint: rightPort(this.place),
    });
  }

  openingInterrupted(cause: unknown): SipctlError {
    const message = `connecting to ${this.subject} was interrupted`;
    return new SipctlError('interrupted', { code: 'interrupted', message }, { cause });
  }

  commandTimedOut(command: string, ms: number): SipctlError {
    return this.#unreachable(
      'timeout',
      `${this.subject} did not answer ${command} within ${seconds(ms)}`,
      this.#words.alive,
    );
  }

  /** The open connection ended before this was answered. */
  connectionLost(waiting: string, cause?: Error | null): SipctlError {
    const reason = cause ? ` (${printable(cause.message)})` : '';
    return this.#unreachable(
      'lost',
      `the connection to ${this.subject} was lost${reason}${waiting}`,
      `see whether ${this.#words.engine} on that host was restarted or stopped, then run the command again`,
      cause,
    );
  }

  connectionClosed(command: string): SipctlError {
    const message = `${command} was not done: the connection to ${this.subject} is closed`;
    return this.#unreachable('closed', message, 'run the command again');
  }

  #advice(stage: Stage): string {
    return stage === 'connecting' ? this.#words.switchedOn : this.#words.rightPort(this.place);
  }

  #unreachable(code: string, message: string, hint: string, cause?: Error | null): SipctlError {
    const problem = { code: `${this.#words.code}_${code}`, message, hint };
    return new SipctlError('unreachable', problem, cause ? { cause } : {});
  }
}

/** `127.0.0.1:5038`, `[::1]:5038`. */
const placeName = ({ host, port }: Place): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

const seconds = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);

/** Words from the network, without what could disturb a terminal. */
export function printable(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}
