import { createConnection, type Socket } from 'node:net';
import type { Secret } from '../../../model/secret.ts';
import { EventFeed } from '../../control/event-feed.ts';
import type { EventStream } from '../../control/event-queue.ts';
import type { Stage } from '../../control/failures.ts';
import { EslEvent, type EslMessage, EslParser, encodeCommand, NotEventSocket, unsendable } from './codec.ts';
import { EslError, EslFailures } from './failures.ts';
import { BackgroundJobs } from './jobs.ts';

export interface EslOptions {
  host: string;
  port: number;
  /** A socket of this machine that leads there: it is dialled instead. */
  path?: string | undefined;
  /** It crosses the network as it is, the protocol has no other way: connect through the loopback or a tunnel. */
  password: Secret;
  /** For everything up to the accepted password, in milliseconds. */
  connectTimeoutMs: number;
  /** For each command, in milliseconds. */
  commandTimeoutMs: number;
  /** Ends the opening; an open connection is ended by `close`. */
  signal?: AbortSignal | undefined;
  /** While events are awaited and nothing arrives, the server is asked this often whether it is there. */
  pingIntervalMs?: number | undefined;
}

/** A command that was sent. FreeSWITCH answers in the order of the commands, and numbers nothing. */
interface Pending {
  /** Its first word, for messages: arguments can be secrets. */
  name: string;
  /** What kind of answer it can get: `api` is refused by a command/reply too. */
  kind: 'api' | 'command';
  timer: NodeJS.Timeout;
  /** Its deadline has passed: the answer is still to come, and nobody waits for it. */
  abandoned: boolean;
  resolve: (answer: EslMessage) => void;
  reject: (error: Error) => void;
}

interface CommandOptions {
  timeoutMs?: number | undefined;
}

// An event can have 13 kB, so that this is some 13 MB for a consumer that does not keep up.
const highWater = 1000;
const lowWater = 250;
const exitTimeoutMs = 1000;
const defaultPingIntervalMs = 30_000;

// What mod_event_socket writes where a command printed nothing.
const noReply = '-ERR no reply\n';

/**
 * Opens a session at a FreeSWITCH event socket: connects, waits for the greeting, signs in.
 * @throws SipctlError `unreachable` where nothing answers in time, `refused` for a wrong password or address
 */
export async function connectEsl(options: EslOptions): Promise<EslConnection> {
  const host = options.host.replace(/^\[(.*)\]$/, '$1');
  const failures = new EslFailures({ host, port: options.port, encrypted: false });
  if (options.signal?.aborted) throw failures.openingInterrupted(options.signal.reason);
  const to = options.path === undefined ? { host, port: options.port } : { path: options.path };
  const socket = createConnection({ ...to, noDelay: true, keepAlive: true });
  return await EslConnection.open(socket, failures, options);
}

/**
 * One session at an event socket. Answers come in the order of their commands; every command ends: with its answer, at
 * its deadline, or when the connection is lost. An `api` command holds up those behind it until it is done: what takes
 * long belongs into `background`.
 *
 * ```
 * connecting ─ banner ─ login ─ open ─ closing ─ ended
 *      └─────────┴────────┴───── lost ─────────────┘
 * ```
 */
export class EslConnection {
  readonly #socket: Socket;
  readonly #failures: EslFailures;
  readonly #options: EslOptions;
  readonly #parser = new EslParser();
  readonly #pending: Pending[] = [];
  readonly #feed: EventFeed<EslEvent>;
  readonly #jobs: BackgroundJobs;
  #awaited = 0;
  #stage: Stage | 'open' | 'closing' = 'connecting';
  #ended: { error: Error | null } | null = null;
  #greeted: { resolve: () => void; reject: (error: Error) => void } | null = null;
  #socketError: Error | null = null;
  #notice: Error | null = null;
  #closing: Promise<void> | null = null;
  #filtered = false;

  private constructor(socket: Socket, failures: EslFailures, options: EslOptions) {
    this.#socket = socket;
    this.#failures = failures;
    this.#options = options;
    this.#feed = new EventFeed(socket, {
      awaitsAnswer: () => this.#awaited > 0 || this.#jobs.running > 0,
      ping: () => this.#ping(),
      pingIntervalMs: options.pingIntervalMs ?? defaultPingIntervalMs,
      highWater,
      lowWater,
    });
    this.#jobs = new BackgroundJobs(failures, {
      command: (name, line, headers) => this.#command(name, line, headers),
      outOfStep: (name) => this.#end(failures.outOfStep(name)),
      changed: () => this.#feed.regulate(),
    });
    socket.on('connect', () => {
      this.#stage = 'banner';
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => {
      this.#socketError = error;
    });
    socket.on('close', () => this.#lost());
  }

  /** For `connectEsl`: takes a socket that is connecting through greeting and password. */
  static async open(socket: Socket, failures: EslFailures, options: EslOptions): Promise<EslConnection> {
    const { signal, connectTimeoutMs } = options;
    const connection = new EslConnection(socket, failures, options);
    const interrupt = (): void => connection.#end(failures.openingInterrupted(signal?.reason));
    const timer = setTimeout(() => {
      connection.#end(failures.openingTimedOut(connection.#stage as Stage, connectTimeoutMs));
    }, connectTimeoutMs);
    signal?.addEventListener('abort', interrupt, { once: true });
    try {
      await connection.#greeting();
      await connection.#signIn();
      connection.#stage = 'open';
      return connection;
    } catch (error) {
      connection.#end(null);
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', interrupt);
    }
  }

  /**
   * Runs an API command, for example `sofia status`, and gives what it printed, whatever that says: each command has
   * words of its own for failure (see `commands.ts`). Empty where it printed nothing.
   * @throws EslError where the socket itself refuses it
   * @throws SipctlError `unreachable` at the deadline or when the connection is lost, `invalid` for an unsendable command
   */
  async api(command: string, options: CommandOptions = {}): Promise<string> {
    const name = firstWord(command);
    const answer = await this.#send(name, 'api', encodeCommand(name, `api ${command}`), options.timeoutMs);
    if (answer.type === 'command/reply') throw new EslError(name, replyText(answer));
    return answer.body === noReply ? '' : answer.body;
  }

  /**
   * Runs an API command beside all others, and gives what it printed once it is done. The deadline counts to there.
   * @throws like `api`
   */
  async background(command: string, options: CommandOptions = {}): Promise<string> {
    const timeoutMs = options.timeoutMs ?? this.#options.commandTimeoutMs;
    return await this.#jobs.run(firstWord(command), command, timeoutMs);
  }

  /**
   * Asks for events by name, and for CUSTOM events by subclass, on top of those asked for before.
   * @throws EslError for an event that FreeSWITCH does not know; it takes any subclass
   */
  async subscribe(events: readonly string[], subclasses: readonly string[] = []): Promise<void> {
    // One by one: of several, FreeSWITCH drops unknown ones without a word.
    const asked = events.map((event) => this.#command('event', `event json ${word('event', event)}`));
    if (subclasses.length > 0) asked.push(this.#command('event', `event json ${custom(subclasses)}`));
    if (events.some((event) => /^(ALL|BACKGROUND_JOB)$/i.test(event))) this.#jobs.wanted = true;
    await Promise.all(asked);
  }

  /** Asks for these events no more; the background jobs of this connection still end. @throws EslError */
  async unsubscribe(events: readonly string[], subclasses: readonly string[] = []): Promise<void> {
    if (events.some((event) => /^ALL$/i.test(event))) throw unsendable('event', 'is ALL: name the events');
    const jobs = events.some((event) => /^BACKGROUND_JOB$/i.test(event));
    if (jobs) this.#jobs.wanted = false;
    const asked = events
      .filter((event) => !/^BACKGROUND_JOB$/i.test(event))
      .map((event) => this.#command('nixevent', `nixevent ${word('event', event)}`));
    if (subclasses.length > 0) asked.push(this.#command('nixevent', `nixevent ${custom(subclasses)}`));
    await Promise.all(asked);
  }

  /** Lets only those events through that have this value in this header, or match another filter. @throws EslError */
  async filter(header: string, value: string): Promise<void> {
    const name = word('filter', header);
    if (/^(all|add|delete)$/i.test(name)) throw unsendable('filter', 'is a word of the filter command');
    const first = !this.#filtered;
    this.#filtered = true;
    // Filters would hide the ends of background jobs.
    const jobs = first ? [this.#command('filter', 'filter Event-Name BACKGROUND_JOB')] : [];
    await Promise.all([...jobs, this.#command('filter', `filter ${name} ${value}`)]);
  }

  /** Lets all events through again that were asked for. @throws EslError */
  async unfilter(): Promise<void> {
    this.#filtered = false;
    await this.#command('filter', 'filter delete all');
  }

  /**
   * Sends an event of one's own to everybody who asked for it.
   * @throws EslError
   */
  async tell(subclass: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const own = { 'Event-Subclass': word('subclass', subclass), ...headers };
    await this.#command('sendevent', 'sendevent CUSTOM', own);
  }

  /**
   * The events from now on, each consumer on its own. One that does not keep up pauses the socket; only while an answer
   * is awaited, which may stand behind the events, is it read on.
   * The iteration ends at `close`, and throws where the connection is lost.
   */
  events(): EventStream<EslEvent> {
    return this.#feed.open();
  }

  /** Signs off and closes. Takes a second at most, and never throws. */
  close(): Promise<void> {
    this.#closing ??= this.#exit();
    return this.#closing;
  }

  async #exit(): Promise<void> {
    if (this.#ended !== null) return;
    const goodbye = this.#command('exit', 'exit', {}, exitTimeoutMs).catch(() => undefined);
    this.#stage = 'closing';
    await goodbye;
    this.#end(null);
  }

  #greeting(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#greeted = { resolve, reject };
    });
  }

  async #signIn(): Promise<void> {
    this.#stage = 'login';
    const { password, connectTimeoutMs } = this.#options;
    const line = encodeCommand('password', `auth ${password.reveal()}`);
    const reply = replyText(await this.#send('auth', 'command', line, connectTimeoutMs));
    if (reply !== '+OK accepted') throw this.#failures.passwordRefused(reply);
  }

  /** Runs a command of the socket itself. @throws EslError where it does not say `+OK` */
  async #command(
    name: string,
    line: string,
    headers: Readonly<Record<string, string>> = {},
    timeoutMs?: number,
  ): Promise<EslMessage> {
    const answer = await this.#send(name, 'command', encodeCommand(name, line, headers), timeoutMs);
    const reply = replyText(answer);
    if (!reply.startsWith('+OK')) throw new EslError(name, reply);
    return answer;
  }

  #send(
    name: string,
    kind: Pending['kind'],
    bytes: string,
    timeoutMs = this.#options.commandTimeoutMs,
  ): Promise<EslMessage> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null || this.#stage === 'closing') throw this.#failures.connectionClosed(name);
      const timer = setTimeout(() => {
        pending.abandoned = true;
        this.#settled(pending);
        reject(this.#failures.commandTimedOut(name, timeoutMs));
      }, timeoutMs);
      const pending: Pending = { name, kind, timer, abandoned: false, resolve, reject };
      this.#pending.push(pending);
      this.#awaited += 1;
      this.#socket.write(bytes);
      this.#feed.regulate();
    });
  }

  #settled(pending: Pending): void {
    clearTimeout(pending.timer);
    this.#awaited -= 1;
    this.#feed.regulate();
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#parser.push(chunk)) {
        if (this.#ended !== null) return;
        this.#dispatch(message);
      }
    } catch (error) {
      this.#end(error instanceof NotEventSocket ? this.#misread(error) : (error as Error));
    }
    this.#feed.regulate();
  }

  // What comes in the middle of a session can be anything, secrets included: it is not repeated.
  #misread({ said }: NotEventSocket): Error {
    if (this.#stage === 'banner') return this.#failures.wrongProtocol(said);
    return this.#failures.outOfStep(this.#pending[0]?.name ?? 'no command');
  }

  #dispatch(message: EslMessage): void {
    switch (message.type) {
      case 'text/event-json':
        this.#event(new EslEvent(message.body));
        break;
      case 'api/response':
      case 'command/reply':
        this.#answer(message);
        break;
      case 'auth/request':
        this.#greeted?.resolve();
        this.#greeted = null;
        break;
      case 'text/rude-rejection':
        this.#end(this.#failures.addressRefused(message.body));
        break;
      case 'text/disconnect-notice':
        this.#notice = new Error(`it said '${message.body.split('\n', 1)[0]}'`);
        break;
    }
  }

  #event(event: EslEvent): void {
    if (!this.#jobs.take(event)) this.#feed.push(event);
  }

  // An answer to an abandoned command came after its deadline.
  #answer(answer: EslMessage): void {
    const [pending] = this.#pending;
    if (pending === undefined || (pending.kind === 'command' && answer.type === 'api/response')) {
      this.#end(this.#failures.outOfStep(pending?.name ?? 'no command'));
      return;
    }
    this.#pending.shift();
    if (pending.abandoned) return;
    this.#settled(pending);
    pending.resolve(answer);
  }

  // Turning off a log that is off: the cheapest command there is, and one that makes no event.
  #ping(): void {
    if (this.#stage !== 'open') return;
    this.#send('nolog', 'command', encodeCommand('nolog', 'nolog')).catch((error: Error) => {
      this.#end(this.#failures.connectionLost('', error));
    });
  }

  #lost(): void {
    const stage = this.#stage;
    const cause = this.#socketError ?? this.#notice;
    if (stage === 'closing') this.#end(null);
    else if (stage === 'open') this.#end(this.#failures.connectionLost('', cause));
    else this.#end(this.#failures.openingFailed(stage, cause));
  }

  /** Ends everything that waits, once; no error where we closed. */
  #end(error: Error | null): void {
    if (this.#ended !== null) return;
    this.#ended = { error };
    this.#socket.destroy();
    this.#greeted?.reject(error ?? this.#failures.connectionClosed('the login'));
    for (const pending of this.#pending.splice(0)) {
      if (pending.abandoned) continue;
      this.#settled(pending);
      pending.reject(this.#unanswered(pending.name, error));
    }
    this.#jobs.end((name) => this.#unanswered(name, error));
    this.#feed.end(error);
  }

  #unanswered(name: string, error: Error | null): Error {
    if (error === null) return this.#failures.connectionClosed(name);
    if (this.#stage !== 'open') return error;
    return this.#failures.connectionLost(` before ${name} was answered`, this.#socketError ?? this.#notice);
  }
}

const replyText = (answer: EslMessage): string => answer.headers.get('Reply-Text') ?? '';

const firstWord = (command: string): string => /^\S*/.exec(command)?.[0] || 'the command';

const custom = (subclasses: readonly string[]): string =>
  ['CUSTOM', ...subclasses.map((subclass) => word('subclass', subclass))].join(' ');

function word(field: string, text: string): string {
  if (!/^[^\s\p{Cc}]+$/u.test(text)) throw unsendable(field, 'is not one word');
  return text;
}
