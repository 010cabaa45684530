import type { Socket } from 'node:net';
import { StreamFramer } from '../message/framer.ts';
import { MalformedMessage, type SipMessage, serializeMessage } from '../message/message.ts';
import type { Trace } from '../trace/trace.ts';
import { type Arrival, type Connection, Listeners } from './connection.ts';
import { type Endpoint, endpointText, type Transport } from './endpoint.ts';
import type { TlsFacts } from './tls-facts.ts';
import { malformedFailure, TransportFailure } from './transport-failure.ts';

/** What a stream is besides its socket. */
export interface StreamTraits {
  transport: Transport;
  tls: TlsFacts | null;
  trace: Trace | undefined;
  /** What an error of the socket means. */
  failureOf: (error: unknown) => TransportFailure;
}

/** How long a peer may take to acknowledge that we close, in milliseconds. */
const farewellMs = 500;

/** Messages over TCP or TLS. */
export class StreamConnection implements Connection {
  readonly transport: Transport;
  readonly tls: TlsFacts | null;
  readonly reliable = true;
  readonly elsewhere: readonly Endpoint[] = [];
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: Socket;
  readonly #trace: Trace | undefined;
  readonly #framer = new StreamFramer();
  readonly #listeners = new Listeners();

  constructor(socket: Socket, { transport, tls, trace, failureOf }: StreamTraits) {
    this.#socket = socket;
    this.transport = transport;
    this.tls = tls;
    this.#trace = trace;
    // Kept, as a socket forgets them when it is closed.
    this.local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    this.remote = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', (error) => this.#listeners.end(failureOf(error)));
    socket.on('end', () => this.#listeners.end(this.#closed()));
    socket.on('close', () => this.#listeners.end(this.#closed()));
  }

  get incomplete(): number {
    return this.#framer.held;
  }

  send(message: SipMessage): void {
    const bytes = serializeMessage(message);
    if (!this.#socket.writable) return;
    this.#trace?.sent(bytes, this.local, this.remote, this.transport);
    this.#socket.write(bytes);
  }

  listen(listener: (arrival: Arrival) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#listeners.silence();
    if (this.#socket.closed) return;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    // A peer that no longer reads must not keep us.
    const timer = setTimeout(() => this.#socket.destroy(), farewellMs);
    this.#socket.destroySoon();
    await closed;
    clearTimeout(timer);
  }

  #receive(bytes: Buffer): void {
    this.#framer.push(bytes);
    for (let next = this.#framer.next(); next !== null; next = this.#framer.next()) {
      this.#trace?.received(this.#framer.taken, this.local, this.remote, this.transport);
      if (!(next instanceof MalformedMessage)) this.#listeners.deliver(next);
      else this.#refuse(malformedFailure(next, this.remote, this.tls));
    }
  }

  /** Where the next message of a broken stream would begin cannot be known. */
  #refuse(failure: TransportFailure): void {
    if (this.#framer.broken) {
      this.#listeners.end(failure);
      this.#socket.destroy();
    } else this.#listeners.deliver(failure);
  }

  #closed(): TransportFailure {
    const middle =
      this.incomplete > 0 ? ` in the middle of a message, after ${this.incomplete} bytes of it` : '';
    const message = `${endpointText(this.remote)} closed the connection${middle}`;
    return new TransportFailure('connection_closed', message, { tls: this.tls });
  }
}
