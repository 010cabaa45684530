import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { longestMessage } from '../message/framer.ts';
import {
  behindLineEnds,
  MalformedMessage,
  parseMessage,
  type SipMessage,
  serializeMessage,
} from '../message/message.ts';
import { newToken } from '../message/requests.ts';
import type { Trace } from '../trace/trace.ts';
import { type Arrival, type Connection, Listeners, type OpenOptions } from './connection.ts';
import type { Target } from './dns.ts';
import { type Endpoint, endpointText, type Transport } from './endpoint.ts';
import { connectTcp } from './tcp.ts';
import { connectTls } from './tls.ts';
import type { TlsFacts } from './tls-facts.ts';
import { errorCode, malformedFailure, systemFailure, TransportFailure } from './transport-failure.ts';

/** A socket that is open, before HTTP is spoken on it. */
interface Carrier {
  socket: Socket;
  tls: TlsFacts | null;
  failureOf: (error: unknown) => TransportFailure;
}

/**
 * Opens a WebSocket of sub-protocol `sip` (RFC 7118), plain or behind TLS whose certificate is judged here: a browser
 * refuses one without a word. @throws TransportFailure, or the reason of the signal
 */
export async function openWebSocket(target: Target, options: OpenOptions): Promise<Connection> {
  const started = performance.now();
  const carrier = await carry(target, options);
  const left = Math.max(1, Math.ceil(options.timeoutMs - (performance.now() - started)));
  const { WebSocket } = await import('ws');
  const host = authority(target, options);
  const scheme = target.transport === 'wss' ? 'https' : 'http';
  const websocket = new WebSocket(`ws://${host}${options.path ?? '/'}`, 'sip', {
    // Whatever the scheme, this one carries it.
    createConnection: () => carrier.socket,
    // Browsers say where their page came from, and proxies may ask for it.
    origin: `${scheme}://${host}`,
    maxPayload: longestMessage,
    perMessageDeflate: false,
  });
  await shakenHands(websocket, target, carrier, { timeoutMs: left, signal: options.signal });
  return new WebSocketConnection(websocket, target.transport, carrier, options.trace);
}

async function carry(target: Target, options: OpenOptions): Promise<Carrier> {
  if (target.transport === 'wss') return connectTls(target, options);
  const socket = await connectTcp(target, options);
  return { socket, tls: null, failureOf: (error) => systemFailure(error, target) };
}

/** The name that a browser would have in its URL. */
function authority({ name, port }: Target, { tls }: OpenOptions): string {
  const host = tls?.servername ?? name;
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Waits for the answer to the upgrade; a WebSocket that does not open is ended. */
function shakenHands(
  websocket: WebSocket,
  target: Target,
  carrier: Carrier,
  { timeoutMs, signal }: Pick<OpenOptions, 'timeoutMs' | 'signal'>,
): Promise<void> {
  const place = endpointText(target);
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      websocket.off('open', open).off('error', fail).off('unexpected-response', refused);
      finish();
    };
    const refuse = (reason: unknown): void => {
      settle(() => reject(reason));
      // What a dying one still complains about is of no interest, and must not end the process.
      websocket.on('error', () => {});
      websocket.terminate();
      carrier.socket.destroy();
    };
    const open = () => settle(resolve);
    const fail = (error: unknown) => refuse(handshakeFailure(error, place, carrier));
    const refused = (_: unknown, response: IncomingMessage) => refuse(refusal(response, place, carrier.tls));
    const abort = () => refuse(signal.reason);
    const silence = `${place} accepted the connection and did not answer the WebSocket handshake`;
    const late = () => refuse(new TransportFailure('connection_timeout', silence, { tls: carrier.tls }));
    const timer = setTimeout(late, timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    websocket.once('open', open).once('error', fail).once('unexpected-response', refused);
    if (signal.aborted) abort();
  });
}

function refusal(response: IncomingMessage, place: string, tls: TlsFacts | null): TransportFailure {
  const { statusCode: status = 0, statusMessage = '', headers } = response;
  const { server, location } = headers;
  const facts = { status, ...(server === undefined ? {} : { server }), ...(location ? { location } : {}) };
  const message = `${place} answers the WebSocket handshake with ${status} ${statusMessage}`.trimEnd();
  return new TransportFailure('ws_refused', message, { tls, facts });
}

function handshakeFailure(error: unknown, place: string, { tls, failureOf }: Carrier): TransportFailure {
  const said = error instanceof Error ? error.message : '';
  if (/subprotocol/i.test(said)) {
    const message = `${place} opens a WebSocket and does not choose the sub-protocol sip`;
    return new TransportFailure('ws_subprotocol', message, { tls, cause: error });
  }
  // Complaints of the HTTP parser, and of the handshake itself.
  if (errorCode(error).startsWith('HPE_') || /^Invalid /.test(said)) {
    const message = `${place} does not answer like a WebSocket server: ${said}`;
    return new TransportFailure('not_websocket', message, { tls, cause: error });
  }
  if (said === 'socket hang up') {
    const message = `${place} closed the connection during the WebSocket handshake`;
    return new TransportFailure('connection_closed', message, { tls, cause: error });
  }
  return failureOf(error);
}

/** How long a peer may take to agree that we close, in milliseconds. */
const farewellMs = 500;

/** Messages in the frames of a WebSocket, one in each; pings are answered by the library. */
class WebSocketConnection implements Connection {
  readonly transport: Transport;
  readonly tls: TlsFacts | null;
  readonly reliable = true;
  readonly elsewhere: readonly Endpoint[] = [];
  readonly incomplete = 0;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly sentBy = `${newToken()}.invalid`;
  readonly #websocket: WebSocket;
  readonly #trace: Trace | undefined;
  readonly #listeners = new Listeners();

  constructor(websocket: WebSocket, transport: Transport, carrier: Carrier, trace: Trace | undefined) {
    const { socket, tls, failureOf } = carrier;
    this.#websocket = websocket;
    this.transport = transport;
    this.tls = tls;
    this.#trace = trace;
    // Kept, as a socket forgets them when it is closed.
    this.local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    this.remote = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    websocket.on('message', (data) => this.#receive(bytesOf(data)));
    websocket.on('error', (error) => this.#listeners.end(this.#frameFailure(error) ?? failureOf(error)));
    websocket.on('close', (code) => this.#listeners.end(this.#closed(code)));
  }

  send(message: SipMessage): void {
    const bytes = serializeMessage(message);
    if (this.#websocket.readyState !== this.#websocket.OPEN) return;
    this.#trace?.sent(bytes, this.local, this.remote, this.transport);
    // Browsers send text; servers must take both (RFC 7118 §5.3).
    this.#websocket.send(bytes, { binary: !isUtf8(bytes) });
  }

  listen(listener: (arrival: Arrival) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#listeners.silence();
    if (this.#websocket.readyState === this.#websocket.CLOSED) return;
    const closed = new Promise((resolve) => this.#websocket.once('close', resolve));
    // A peer that no longer reads must not keep us.
    const timer = setTimeout(() => this.#websocket.terminate(), farewellMs);
    this.#websocket.close(1000);
    await closed;
    clearTimeout(timer);
  }

  #receive(bytes: Buffer): void {
    // A frame of line ends is a keep-alive (RFC 7118 §6).
    if (behindLineEnds(bytes) === bytes.length) return;
    this.#trace?.received(bytes, this.local, this.remote, this.transport);
    try {
      this.#listeners.deliver(parseMessage(bytes));
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#listeners.deliver(malformedFailure(error, this.remote, this.tls));
    }
  }

  /** What the library does not take for frames; null where the complaint is the network's. */
  #frameFailure(error: unknown): TransportFailure | null {
    const code = errorCode(error);
    if (!code.startsWith('WS_ERR_')) return null;
    const isLong = code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    const message = `${endpointText(this.remote)} sent a frame that cannot be taken: ${(error as Error).message}`;
    return new TransportFailure(isLong ? 'oversized_answer' : 'malformed_answer', message, { tls: this.tls });
  }

  #closed(code: number): TransportFailure {
    const message = `${endpointText(this.remote)} closed the WebSocket (${code})`;
    return new TransportFailure('connection_closed', message, { tls: this.tls });
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
