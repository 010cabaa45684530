import { parseCSeq, parseVia } from '../message/fields.ts';
import { headerOf, headersOf, type SipRequest, type SipResponse } from '../message/message.ts';
import type { Arrival, Connection } from './connection.ts';
import { TransportFailure } from './transport-failure.ts';

/** What became of one request. */
export interface Exchange {
  /** Null: none came. */
  final: SipResponse | null;
  provisional: SipResponse[];
  /** How often the request was sent. */
  sent: number;
  /** Responses that came and belonged to another branch or method. */
  stray: number;
  /** Why no final response came; null together with `final`: silence. */
  failure: TransportFailure | null;
  /** Milliseconds from the first sending to the end. */
  ms: number;
}

/** How patient a transaction is, in milliseconds. */
export interface ExchangeOptions {
  signal: AbortSignal;
  /** The longest time for the whole, below the 64 × T1 of Timers B and F where it is shorter. */
  timeoutMs: number;
  /** T1 of RFC 3261 §17.1.1.1, the guess at a round trip: 500 where it is not given. */
  t1?: number;
  /** T2, the longest interval between two sendings of a request: 4000 where it is not given. */
  t2?: number;
  onProvisional?: (response: SipResponse) => void;
}

/**
 * Sends a request and waits for its final response: the client transactions of RFC 3261 §17.1, with their
 * retransmissions over UDP. A final response of 300 and more to an INVITE is acknowledged, also when it is repeated,
 * also when it comes after the end, for as long as the connection is open; a 2xx is the caller's to acknowledge.
 * @throws the reason of the signal; Error where the request has no Via branch or CSeq
 */
export async function exchange(
  connection: Connection,
  request: SipRequest,
  options: ExchangeOptions,
): Promise<Exchange> {
  return new ClientTransaction(connection, request, options).run();
}

/** A server that never stops promising must not fill the memory. */
const mostProvisional = 100;

class ClientTransaction {
  readonly #connection: Connection;
  readonly #request: SipRequest;
  readonly #options: ExchangeOptions;
  readonly #key: string;
  readonly #isInvite: boolean;
  readonly #t1: number;
  readonly #t2: number;
  readonly #outcome: Exchange = { final: null, provisional: [], sent: 0, stray: 0, failure: null, ms: 0 };
  #ended = false;
  #isProceeding = false;
  #settle: () => void = () => {};
  /** Timer A or E. */
  #retransmission: NodeJS.Timeout | undefined;
  /** Timer B or F. */
  #patience: NodeJS.Timeout | undefined;

  constructor(connection: Connection, request: SipRequest, options: ExchangeOptions) {
    const key = transactionKey(request);
    if (key === null) throw new Error(`a ${request.method} without a Via branch or CSeq cannot be sent`);
    this.#connection = connection;
    this.#request = request;
    this.#options = options;
    this.#key = key;
    this.#isInvite = request.method === 'INVITE';
    this.#t1 = options.t1 ?? 500;
    this.#t2 = options.t2 ?? 4000;
  }

  async run(): Promise<Exchange> {
    const { signal, timeoutMs } = this.#options;
    signal.throwIfAborted();
    const started = performance.now();
    const ended = new Promise<void>((resolve) => {
      this.#settle = resolve;
    });
    const stop = () => this.#end();
    const limit = setTimeout(stop, timeoutMs);
    this.#patience = setTimeout(stop, 64 * this.#t1);
    signal.addEventListener('abort', stop, { once: true });
    const deafen = this.#connection.listen((arrival) => this.#take(arrival));
    try {
      this.#send(this.#t1);
      await ended;
    } finally {
      this.#end();
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      // An INVITE listens on: its final response is repeated until an ACK gets through.
      if (!this.#isInvite) deafen();
    }
    signal.throwIfAborted();
    return { ...this.#outcome, ms: Math.round(performance.now() - started) };
  }

  #send(interval: number): void {
    if (this.#ended) return;
    this.#connection.send(this.#request);
    this.#outcome.sent += 1;
    if (this.#connection.reliable) return;
    const next = this.#isInvite ? interval * 2 : Math.min(interval * 2, this.#t2);
    this.#retransmission = setTimeout(() => this.#send(this.#isProceeding ? this.#t2 : next), interval);
  }

  #take(arrival: Arrival): void {
    if (arrival instanceof TransportFailure) this.#fail(arrival);
    else if (arrival.kind === 'response') this.#receive(arrival);
  }

  #receive(response: SipResponse): void {
    if (transactionKey(response) !== this.#key) {
      if (!this.#ended) this.#outcome.stray += 1;
      return;
    }
    if (this.#isInvite && response.status >= 300)
      this.#connection.send(acknowledgement(this.#request, response));
    if (this.#ended) return;
    if (response.status < 200) this.#proceed(response);
    else {
      this.#outcome.final = response;
      this.#outcome.failure = null;
      this.#end();
    }
  }

  /** The server has the request: an INVITE is not repeated and may ring on, others are repeated at the slowest pace. */
  #proceed(response: SipResponse): void {
    if (this.#isInvite) {
      clearTimeout(this.#retransmission);
      clearTimeout(this.#patience);
    }
    this.#isProceeding = true;
    if (this.#outcome.provisional.length < mostProvisional) this.#outcome.provisional.push(response);
    this.#options.onProvisional?.(response);
  }

  /**
   * A datagram that is no SIP may be followed by one that is, so it counts only if nothing better comes. On a stream
   * every failure ends the wait.
   */
  #fail(failure: TransportFailure): void {
    if (this.#ended) return;
    this.#outcome.failure = failure;
    if (this.#connection.reliable || failure.reason !== 'malformed_answer') this.#end();
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#retransmission);
    clearTimeout(this.#patience);
    this.#settle();
  }
}

/** The ACK that belongs to the transaction of its INVITE (RFC 3261 §17.1.1.3). */
function acknowledgement(invite: SipRequest, response: SipResponse): SipRequest {
  const kept = ['Via', 'Route', 'From', 'Call-ID', 'Max-Forwards'];
  const headers = kept.flatMap((name) => {
    const values = headersOf(invite, name);
    return (name === 'Via' ? values.slice(0, 1) : values).map((value) => ({ name, value }));
  });
  const number = parseCSeq(headerOf(invite, 'CSeq') ?? '')?.number ?? 1;
  const own = [
    { name: 'To', value: headerOf(response, 'To') ?? headerOf(invite, 'To') ?? '' },
    { name: 'CSeq', value: `${number} ACK` },
  ];
  return {
    kind: 'request',
    method: 'ACK',
    uri: invite.uri,
    headers: [...headers, ...own],
    body: Buffer.alloc(0),
  };
}

/** What a response has in common with its request (RFC 3261 §17.1.3); null where it lacks it. */
function transactionKey(message: SipRequest | SipResponse): string | null {
  const branch = parseVia(headersOf(message, 'Via')[0] ?? '')?.branch;
  const method = parseCSeq(headerOf(message, 'CSeq') ?? '')?.method;
  return branch && method ? `${branch.toLowerCase()} ${method}` : null;
}
