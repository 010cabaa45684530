import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** A request that arrived. */
export interface Heard {
  method: string;
  text: string;
  /** Counts all that arrived, retransmissions too, from 1. */
  nth: number;
}

/** What a peer can do about a request. */
export interface Line {
  send(data: string | Buffer): void;
  /** By UDP, from another port than the one that was asked. */
  sendFromElsewhere(data: string | Buffer): void;
  /** Over TCP: no more will come. */
  end(): void;
  /** Over TCP: the connection is broken off. */
  reset(): void;
  /** Does something so many milliseconds later, unless the peer is closed by then. */
  later(ms: number, work: () => void): void;
}

export type Behaviour = (line: Line, heard: Heard) => void;

/** A server of our own that does what no sound server does. */
export interface FaultyPeer {
  host: string;
  port: number;
  /** Methods in the order of their arrival, retransmissions too. */
  requests(): string[];
  close(): Promise<void>;
}

export interface FaultyPeerOptions {
  host: string;
  transport: 'udp' | 'tcp' | 'tls';
  behaviour: Behaviour;
  /** Of a TLS server. */
  tls?: TlsOptions;
  /** Over TCP: any data at all is a request, as it is to a server that speaks another protocol. */
  takesAnything?: boolean;
}

interface Peer {
  options: FaultyPeerOptions;
  heard: string[];
  timers: Set<NodeJS.Timeout>;
  elsewhere: Datagrams;
}

/** Listens on a free port of the address, for one transport. */
export async function startFaultyPeer(options: FaultyPeerOptions): Promise<FaultyPeer> {
  const { host, transport } = options;
  const elsewhere = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  await new Promise<void>((bound) => elsewhere.bind(0, host, bound));
  const peer: Peer = { options, heard: [], timers: new Set(), elsewhere };
  const { port, close } = await (transport === 'udp' ? listenUdp(peer) : listenStream(peer));
  return {
    ...{ host, port },
    requests: () => [...peer.heard],
    close: async () => {
      for (const timer of peer.timers) clearTimeout(timer);
      elsewhere.close();
      await close();
    },
  };
}

interface Listener {
  port: number;
  close(): Promise<void>;
}

function listenUdp(peer: Peer): Promise<Listener> {
  const { host } = peer.options;
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => {
    // Four bytes keep a NAT binding open: RFC 5626 §3.5.1.
    if (message.length <= 4) return;
    take(peer, message.toString(), {
      send: (data) => socket.send(data, from.port, from.address),
      sendFromElsewhere: (data) => peer.elsewhere.send(data, from.port, from.address),
      end: () => undefined,
      reset: () => undefined,
    });
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, host, () =>
      resolve({
        port: socket.address().port,
        close: () => new Promise((closed) => socket.close(() => closed())),
      }),
    );
  });
}

function listenStream(peer: Peer): Promise<Listener> {
  const { host, transport, tls } = peer.options;
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    serveStream(peer, socket);
  };
  const server: Server =
    transport === 'tls'
      ? createTlsServer(tls ?? {}, serve).on('tlsClientError', () => undefined)
      : createServer({ allowHalfOpen: true }, serve);
  // Connections that never get through the TLS handshake are to end, too.
  if (transport === 'tls') server.on('connection', (socket: Socket) => sockets.add(socket));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            for (const socket of sockets) socket.destroy();
            server.close(() => closed());
          }),
      }),
    );
  });
}

function serveStream(peer: Peer, socket: Socket): void {
  let pending = '';
  const line: Omit<Line, 'later'> = {
    send: (data) => socket.writable && socket.write(data),
    sendFromElsewhere: () => undefined,
    end: () => socket.end(),
    reset: () => socket.resetAndDestroy(),
  };
  socket.on('end', () => socket.end());
  socket.on('data', (data: Buffer) => {
    if (peer.options.takesAnything) return take(peer, data.toString('latin1'), line);
    pending += data.toString();
    // A request with a body is over at its end, whose length it says.
    for (;;) {
      const head = pending.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/^Content-Length: *(\d+)/im.exec(pending.slice(0, head))?.[1] ?? 0);
      if (pending.length < head + 4 + length) return;
      const text = pending.slice(0, head + 4 + length);
      pending = pending.slice(head + 4 + length);
      // Two line breaks alone keep the connection open: RFC 5626 §3.5.1.
      if (text.trim() !== '') take(peer, text.trimStart(), line);
    }
  });
}

function take(peer: Peer, text: string, line: Omit<Line, 'later'>): void {
  const method = text.slice(0, Math.max(0, text.indexOf(' ')));
  peer.heard.push(method);
  const later: Line['later'] = (ms, work) => {
    const timer = setTimeout(() => {
      peer.timers.delete(timer);
      work();
    }, ms);
    peer.timers.add(timer);
  };
  peer.options.behaviour({ ...line, later }, { method, text, nth: peer.heard.length });
}

export interface ReplyChanges {
  /** Instead of the first line. */
  first?: string;
  /** Changes the topmost Via. */
  via?: (value: string) => string;
  headers?: readonly string[];
  body?: string;
  /** Instead of the length of the body. */
  length?: number;
}

/** A proper answer, RFC 3261 §8.2.6, but for what is to be changed. */
export function reply(
  { text, method }: Heard,
  status: string,
  { first = `SIP/2.0 ${status}`, via = (value) => value, headers = [], body = '', length }: ReplyChanges = {},
): string {
  const lines = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  const of = (name: string): string[] =>
    lines.filter((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  const [top = '', ...vias] = of('Via');
  const tagged = (to: string): string =>
    /;tag=/.test(to) || status.startsWith('100') ? to : `${to};tag=faulty`;
  const granted = method === 'REGISTER' && status.startsWith('2') ? [...of('Contact'), 'Expires: 60'] : [];
  return [
    ...[first, via(top), ...vias, ...of('From'), ...of('To').map(tagged), ...of('Call-ID'), ...of('CSeq')],
    ...[...granted, ...headers, `Content-Length: ${length ?? Buffer.byteLength(body)}`, '', body],
  ].join('\r\n');
}
