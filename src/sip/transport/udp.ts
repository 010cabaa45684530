import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { MalformedMessage, parseMessage, type SipMessage, serializeMessage } from '../message/message.ts';
import type { Trace } from '../trace/trace.ts';
import { type Arrival, type Connection, Listeners, type OpenOptions } from './connection.ts';
import type { Target } from './dns.ts';
import type { Endpoint } from './endpoint.ts';
import { malformedFailure, systemFailure } from './transport-failure.ts';

/**
 * Opens a UDP socket towards the target. Nothing is sent yet, so a closed port shows only when something is.
 *
 * The socket is connected: only then does the system say that an ICMP message came back, which is the difference
 * between a closed port and silence. But the system throws away what comes to a connected socket from elsewhere, and
 * some carriers answer from another port or another machine. A PBX, whose socket is open to all, takes such an answer
 * by its branch (RFC 3261 §18.1.2), so a test must do so too. Therefore a second socket, which is not connected, holds
 * the same local port: the system gives it just what the first one does not match. `elsewhere` says who used it.
 * @throws TransportFailure, or the reason of the signal
 */
export async function openUdp(target: Target, options: OpenOptions): Promise<Connection> {
  options.signal.throwIfAborted();
  const main = await bindFreePort(target, options.bind);
  const { port } = main.address();
  try {
    main.connect(target.port, target.address);
    await once(main, 'connect');
    const aside = await bind(target, options.bind, port).catch(() => null);
    return new UdpConnection(main, aside, target, options.trace);
  } catch (error) {
    portsInUse.delete(port);
    main.close();
    throw systemFailure(error, target);
  }
}

/** Ports that two sockets may share are free to the system even when they are taken, so we keep account of ours. */
const portsInUse = new Set<number>();

async function bindFreePort(target: Target, address: string | undefined): Promise<Socket> {
  for (;;) {
    const socket = await bind(target, address, 0);
    const { port } = socket.address();
    if (!portsInUse.has(port)) {
      portsInUse.add(port);
      return socket;
    }
    socket.close();
  }
}

async function bind(target: Target, address: string | undefined, port: number): Promise<Socket> {
  const socket = createSocket({ type: target.family === 4 ? 'udp4' : 'udp6', reuseAddr: true });
  try {
    socket.bind({ port, ...(address === undefined ? {} : { address }) });
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw systemFailure(error, target);
  }
}

/** Servers answer from a handful of places; a flood from forged ones must not fill the memory. */
const mostElsewhere = 8;

class UdpConnection implements Connection {
  readonly transport = 'udp';
  readonly tls = null;
  readonly reliable = false;
  readonly incomplete = 0;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly elsewhere: Endpoint[] = [];
  readonly #main: Socket;
  readonly #aside: Socket | null;
  readonly #trace: Trace | undefined;
  readonly #listeners = new Listeners();
  #open = true;

  constructor(main: Socket, aside: Socket | null, target: Target, trace: Trace | undefined) {
    this.#main = main;
    this.#aside = aside;
    this.#trace = trace;
    const { address, port } = main.address();
    this.local = { address, port };
    this.remote = { address: target.address, port: target.port };
    main.on('message', (bytes) => this.#receive(bytes));
    main.on('error', (error) => this.#listeners.deliver(systemFailure(error, this.remote)));
    aside?.on('message', (bytes, from) => this.#receiveAside(bytes, from));
    aside?.on('error', () => {});
  }

  send(message: SipMessage): void {
    const bytes = serializeMessage(message);
    if (!this.#open) return;
    this.#trace?.sent(bytes, this.local, this.remote, this.transport);
    this.#main.send(bytes, (error) => {
      if (error !== null && this.#open) this.#listeners.deliver(systemFailure(error, this.remote));
    });
  }

  listen(listener: (arrival: Arrival) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#listeners.silence();
    const sockets = this.#aside === null ? [this.#main] : [this.#main, this.#aside];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
    portsInUse.delete(this.local.port);
  }

  #receive(bytes: Buffer): void {
    if (isKeepAlive(bytes)) return;
    this.#trace?.received(bytes, this.local, this.remote, this.transport);
    const message = parsed(bytes);
    if (!(message instanceof MalformedMessage)) this.#listeners.deliver(message);
    else this.#listeners.deliver(malformedFailure(message, this.remote, null));
  }

  /** Anybody can send to this socket: what is no message says nothing about our server, and is only traced. */
  #receiveAside(bytes: Buffer, { address, port }: RemoteInfo): void {
    if (isKeepAlive(bytes)) return;
    this.#trace?.received(bytes, this.local, { address, port }, this.transport);
    const message = parsed(bytes);
    if (message instanceof MalformedMessage) return;
    if (message.kind === 'response') this.#note({ address, port });
    this.#listeners.deliver(message);
  }

  #note({ address, port }: Endpoint): void {
    const isKnown = this.elsewhere.some((known) => known.address === address && known.port === port);
    if (!isKnown && this.elsewhere.length < mostElsewhere) this.elsewhere.push({ address, port });
  }
}

/** Line ends or zeros keep a NAT open, and mean nothing. */
function isKeepAlive(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x0d || byte === 0x0a || byte === 0);
}

function parsed(bytes: Buffer): SipMessage | MalformedMessage {
  try {
    return parseMessage(bytes);
  } catch (error) {
    if (error instanceof MalformedMessage) return error;
    throw error;
  }
}
