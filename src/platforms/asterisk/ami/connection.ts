import { randomUUID } from 'node:crypto';
import { createConnection, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Secret } from '../../../model/secret.ts';
import { EventFeed } from '../../control/event-feed.ts';
import type { EventStream } from '../../control/event-queue.ts';
import type { Place, Stage } from '../../control/failures.ts';
import { type AmiFields, type AmiMessage, AmiParser, encodeAction } from './codec.ts';
import { AmiError, AmiFailures, amiError } from './failures.ts';
import { login } from './login.ts';

export interface AmiOptions {
  host: string;
  port: number;
  /** A socket of this machine that leads there: it is dialled instead. */
  path?: string | undefined;
  username: string;
  secret: Secret;
  /** Speak TLS from the first byte. `ca` is PEM text; the certificate must be valid for `servername` or the host. */
  tls?: { ca?: string | undefined; servername?: string | undefined } | undefined;
  /** For everything up to the accepted login, in milliseconds. */
  connectTimeoutMs: number;
  /** For each action, in milliseconds; for lists, since the last item. */
  actionTimeoutMs: number;
  /** Ends the opening; an open connection is ended by `close`. */
  signal?: AbortSignal | undefined;
  /** Event mask as manager.conf writes it, for example `system,call`; none by default. */
  events?: string | undefined;
  /** Keeps what comes right after the login for the first one who asks for events, who must then read them. */
  fromLogin?: boolean | undefined;
  /** While events are awaited and nothing arrives, the server is asked this often whether it is there. */
  pingIntervalMs?: number | undefined;
}

interface Pending {
  action: string;
  /** The events gathered so far, where the answer is a list. */
  items: AmiMessage[] | null;
  timer: NodeJS.Timeout;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

interface Answer {
  response: AmiMessage;
  items: AmiMessage[];
}

// A consumer that leaves more events than this lying pauses the socket, until it is down to the lower mark.
const highWater = 2000;
const lowWater = 500;
const logoffTimeoutMs = 1000;
const defaultPingIntervalMs = 30_000;

// PJSIPShow… and ConfbridgeListRooms answer an empty list with an error in these words.
const emptyList = /^(no (endpoints|aors|auths|contacts|resource lists) found|no active conferences)\.?$/i;
/** VoicemailUsersList says so as a success, and then sends no list at all, not even its end. */
const noList = /^there are no voicemail users/i;

/**
 * Opens a session at an Asterisk manager interface: connects, waits for the banner, signs in.
 * @throws SipctlError `unreachable` where nothing answers in time, `refused` where the login is denied
 */
export async function connectAmi(options: AmiOptions): Promise<AmiConnection> {
  const place: Place = {
    host: options.host.replace(/^\[(.*)\]$/, '$1'),
    port: options.port,
    encrypted: options.tls !== undefined,
  };
  const failures = new AmiFailures(place);
  if (options.signal?.aborted) throw failures.openingInterrupted(options.signal.reason);
  return await AmiConnection.open(dial(place, options), failures, options);
}

function dial(place: Place, { tls, path }: AmiOptions): Socket {
  const { host, port } = place;
  const to = path === undefined ? { host, port } : { path };
  if (tls === undefined) return createConnection({ ...to, noDelay: true, keepAlive: true });
  const name = tls.servername ?? (isIP(host) === 0 ? host : undefined);
  const socket = connectTls({
    ...to,
    ...(path === undefined ? {} : { host }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(name === undefined ? {} : { servername: name }),
  });
  return socket.setNoDelay(true).setKeepAlive(true);
}

/**
 * One session at a manager interface. Answers find their action by its ActionID, in whatever order they come; every
 * action ends: with its answer, at its deadline, or when the connection is lost.
 *
 * ```
 * connecting ─ handshake ─ banner ─ login ─ open ─ closing ─ ended
 *      └───────────┴─────────┴───────┴───────┴── lost ────────┘
 * ```
 */
export class AmiConnection {
  readonly #socket: Socket;
  readonly #failures: AmiFailures;
  readonly #options: AmiOptions;
  readonly #parser = new AmiParser();
  readonly #pending = new Map<string, Pending>();
  readonly #feed: EventFeed<AmiMessage>;
  // OriginateResponse brings other sessions' ActionIDs: ours must be no one else's.
  readonly #session = `sipctl-${randomUUID().slice(0, 8)}`;
  #sent = 0;
  #stage: Stage | 'open' | 'closing' = 'connecting';
  #ended: { error: Error | null } | null = null;
  #greeted: { resolve: () => void; reject: (error: Error) => void } | null = null;
  #socketError: Error | null = null;
  #closing: Promise<void> | null = null;
  /** Of a session with events: what came since the login, until somebody asks for it. */
  #fromLogin: EventStream<AmiMessage> | null = null;

  private constructor(socket: Socket, failures: AmiFailures, options: AmiOptions) {
    this.#socket = socket;
    this.#failures = failures;
    this.#options = options;
    this.#feed = new EventFeed(socket, {
      awaitsAnswer: () => this.#pending.size > 0,
      ping: () => this.#ping(),
      pingIntervalMs: options.pingIntervalMs ?? defaultPingIntervalMs,
      highWater,
      lowWater,
    });
    if (options.fromLogin === true) this.#fromLogin = this.#feed.open();
    socket.on('connect', () => this.#enter(failures.place.encrypted ? 'handshake' : 'banner'));
    socket.on('secureConnect', () => this.#enter('banner'));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => {
      this.#socketError = error;
    });
    socket.on('close', () => this.#lost());
  }

  /** For `connectAmi`: takes a socket that is connecting through banner and login. */
  static async open(socket: Socket, failures: AmiFailures, options: AmiOptions): Promise<AmiConnection> {
    const { signal, connectTimeoutMs, username, secret, events = 'off' } = options;
    const connection = new AmiConnection(socket, failures, options);
    const interrupt = (): void => connection.#end(failures.openingInterrupted(signal?.reason));
    const timer = setTimeout(() => {
      connection.#end(failures.openingTimedOut(connection.#stage as Stage, connectTimeoutMs));
    }, connectTimeoutMs);
    signal?.addEventListener('abort', interrupt, { once: true });
    try {
      await connection.#banner();
      const act = (name: string, fields: AmiFields) => connection.#perform(name, fields, connectTimeoutMs);
      await login(act, failures, { username, secret, events });
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

  /** The first line of the server, for example `Asterisk Call Manager/11.0.0`. */
  get banner(): string {
    return this.#parser.banner ?? '';
  }

  /**
   * Sends an action and gives its answer.
   * @throws AmiError where Asterisk answers with an error
   * @throws SipctlError `unreachable` at the deadline or when the connection is lost, `invalid` for an unsendable field
   */
  async action(
    name: string,
    fields: AmiFields = {},
    options: { timeoutMs?: number } = {},
  ): Promise<AmiMessage> {
    return await this.#perform(name, fields, options.timeoutMs);
  }

  /**
   * Sends an action that is answered by a list of events, and gives the events between its start and its end.
   * An empty list is empty here also where Asterisk calls it an error. @throws like `action`
   */
  async list(
    name: string,
    fields: AmiFields = {},
    options: { timeoutMs?: number } = {},
  ): Promise<AmiMessage[]> {
    const { items } = await this.#send(name, fields, [], options.timeoutMs);
    return items;
  }

  /** Runs a CLI command and gives the lines it printed. @throws AmiError also for an unknown command */
  async command(line: string, options: { timeoutMs?: number } = {}): Promise<string[]> {
    return [...(await this.action('Command', { Command: line }, options)).output];
  }

  /**
   * The events from now on, each consumer on its own. One that does not keep up pauses the socket; only while an
   * action awaits its answer, which may stand behind the events, is it read on.
   * The iteration ends at `close`, and throws where the connection is lost.
   */
  events(): EventStream<AmiMessage> {
    const first = this.#fromLogin;
    this.#fromLogin = null;
    return first ?? this.#feed.open();
  }

  /** Signs off and closes. Takes a second at most, and never throws. */
  close(): Promise<void> {
    this.#closing ??= this.#logOff();
    return this.#closing;
  }

  async #logOff(): Promise<void> {
    if (this.#ended !== null) return;
    const goodbye = this.#perform('Logoff', {}, logoffTimeoutMs).catch(() => undefined);
    this.#stage = 'closing';
    await goodbye;
    this.#end(null);
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
  }

  #banner(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#greeted = { resolve, reject };
    });
  }

  #greet(banner: string): void {
    if (banner.startsWith('Asterisk Call Manager')) {
      this.#stage = 'login';
      this.#greeted?.resolve();
      this.#greeted = null;
    } else this.#end(this.#failures.wrongProtocol(banner));
  }

  async #perform(name: string, fields: AmiFields, timeoutMs?: number): Promise<AmiMessage> {
    return (await this.#send(name, fields, null, timeoutMs)).response;
  }

  #send(
    action: string,
    fields: AmiFields,
    items: AmiMessage[] | null,
    timeoutMs = this.#options.actionTimeoutMs,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null || this.#stage === 'closing') throw this.#failures.connectionClosed(action);
      this.#sent += 1;
      const id = `${this.#session}-${this.#sent}`;
      const bytes = encodeAction(action, id, fields);
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(this.#failures.commandTimedOut(action, timeoutMs));
      }, timeoutMs);
      this.#pending.set(id, { action, items, timer, resolve, reject });
      this.#socket.write(bytes);
      this.#feed.regulate();
    });
  }

  #settle(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    clearTimeout(pending.timer);
    this.#pending.delete(id);
    this.#feed.regulate();
    return pending;
  }

  #read(chunk: Buffer): void {
    const greeted = this.#parser.banner !== null;
    try {
      const messages = this.#parser.push(chunk);
      if (!greeted && this.#parser.banner !== null) this.#greet(this.#parser.banner);
      for (const message of messages) {
        if (this.#ended !== null) return;
        this.#dispatch(message);
      }
    } catch (error) {
      this.#end(error as Error);
    }
    this.#feed.regulate();
  }

  #dispatch(message: AmiMessage): void {
    const event = message.get('Event');
    if (event === undefined) this.#answer(message);
    else if (this.#pending.size === 0 || !this.#collect(event, message)) {
      this.#feed.push(message);
    }
  }

  // An answer that nobody waits for any more came after its deadline.
  #answer(response: AmiMessage): void {
    const id = response.get('ActionID') ?? '';
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (response.get('Response')?.toLowerCase() === 'error') {
      this.#settle(id);
      const error = amiError(pending.action, response);
      if (pending.items !== null && emptyList.test(error.reply)) pending.resolve({ response, items: [] });
      else pending.reject(error);
    } else if (pending.items === null || noList.test(response.get('Message') ?? '')) {
      this.#settle(id)?.resolve({ response, items: [] });
    } else pending.timer.refresh();
  }

  // The end of a list says `EventList: Complete`; where a module leaves that out, its event's name still says it.
  #collect(event: string, message: AmiMessage): boolean {
    const id = message.get('ActionID') ?? '';
    const pending = this.#pending.get(id);
    if (pending?.items == null) return false;
    const state = message.get('EventList')?.toLowerCase();
    if (state === 'complete' || (state === undefined && event.endsWith('Complete'))) {
      this.#settle(id)?.resolve({ response: message, items: pending.items });
    } else if (state === 'cancelled') {
      this.#settle(id)?.reject(amiError(pending.action, message));
    } else {
      pending.items.push(message);
      pending.timer.refresh();
    }
    return true;
  }

  #ping(): void {
    if (this.#stage !== 'open') return;
    this.#perform('Ping', {}).catch((error: Error) => {
      // Even a refusal proves that the peer is there.
      if (!(error instanceof AmiError)) this.#end(this.#failures.connectionLost('', error));
    });
  }

  #lost(): void {
    const { stage, cause } = { stage: this.#stage, cause: this.#socketError };
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
    for (const [id, { action }] of this.#pending) {
      this.#settle(id)?.reject(this.#unanswered(action, error));
    }
    this.#feed.end(error);
  }

  #unanswered(action: string, error: Error | null): Error {
    if (error === null) return this.#failures.connectionClosed(action);
    if (this.#stage !== 'open') return error;
    return this.#failures.connectionLost(` before ${action} was answered`, this.#socketError);
  }
}
