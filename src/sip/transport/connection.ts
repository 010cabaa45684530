import type { SipMessage } from '../message/message.ts';
import type { Trace } from '../trace/trace.ts';
import type { Endpoint, Transport } from './endpoint.ts';
import type { TlsFacts } from './tls-facts.ts';
import type { TransportFailure } from './transport-failure.ts';

/** What arrives: a message, or why there are none. */
export type Arrival = SipMessage | TransportFailure;

/** A way to one server, open from the start. */
export interface Connection {
  readonly transport: Transport;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** What stands for us in Via and Contact where our address means nothing to the server (RFC 7118 §5). */
  readonly sentBy?: string;
  /** What the TLS handshake showed; null without TLS. */
  readonly tls: TlsFacts | null;
  /** Whether the transport itself repeats what is lost (RFC 3261 §17). */
  readonly reliable: boolean;
  /** Places other than `remote` that responses came from; a NAT or firewall would not let these through. */
  readonly elsewhere: readonly Endpoint[];
  /** Bytes of a message that has begun and not ended. */
  readonly incomplete: number;
  /** Hands a message to the network. What goes wrong then is told to those who listen. */
  send(message: SipMessage): void;
  /**
   * Calls the listener for each message, for each malformed one, and once for the end of the connection, even where
   * that has come already. Gives the way to stop listening.
   */
  listen(listener: (arrival: Arrival) => void): () => void;
  close(): Promise<void>;
}

/** How a connection is opened. */
export interface OpenOptions {
  /** For the whole opening, TLS handshake included, in milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
  trace?: Trace;
  tls?: {
    /** PEM; in the place of the authorities that Node knows. */
    ca?: string;
    /** False: a certificate that is not to be trusted is only reported, in `tls.fault`. */
    verify?: boolean;
    /** The name that the certificate must have; the target's own where it is not given. */
    servername?: string;
  };
  /** The resource that a WebSocket is asked for; `/` where it is not given. */
  path?: string;
  /** The local address to send from. */
  bind?: string;
}

/** Those who listen to a connection, and the word of its end for those who come late. */
export class Listeners {
  readonly #listeners = new Set<(arrival: Arrival) => void>();
  #end: TransportFailure | null = null;
  #silent = false;

  add(listener: (arrival: Arrival) => void): () => void {
    const end = this.#end;
    if (end === null) this.#listeners.add(listener);
    else queueMicrotask(() => listener(end));
    return () => this.#listeners.delete(listener);
  }

  deliver(arrival: Arrival): void {
    if (this.#silent || this.#end !== null) return;
    for (const listener of [...this.#listeners]) listener(arrival);
  }

  /** The connection has ended: the first reason is told, once. */
  end(failure: TransportFailure): void {
    if (this.#silent || this.#end !== null) return;
    this.deliver(failure);
    this.#end = failure;
    this.#listeners.clear();
  }

  /** The connection is closed from our side, which is no failure: nothing more is told. */
  silence(): void {
    this.#silent = true;
    this.#listeners.clear();
  }
}
