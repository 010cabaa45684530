import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** One client of a scripted server. */
export interface Peer {
  readonly socket: Socket;
  /** Writes as it is, in pieces where the server was told to. */
  send(text: string | Buffer): Promise<void>;
  /** Ends the connection with a RST. */
  reset(): void;
}

/** A text is sent; `null` leaves it unanswered; undefined: the default answer. */
export type Answer = string | Buffer | null | undefined;

export interface Listening {
  host?: string;
  port?: number;
  tls?: TlsOptions | undefined;
  /** Everything is written in pieces of so many bytes. */
  pieceBytes?: number;
}

export interface ScriptedServer {
  readonly host: string;
  readonly port: number;
  readonly peers: Peer[];
  close(): Promise<void>;
}

/** Listens, and hands every client over; whoever is left at the end is cut off. */
export async function listen(script: Listening, greet: (peer: Peer) => void): Promise<ScriptedServer> {
  const peers: Peer[] = [];
  const accept = (socket: Socket): void => {
    const peer = peerOf(socket, script.pieceBytes);
    peers.push(peer);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    greet(peer);
  };
  const server: Server = script.tls ? createTlsServer(script.tls, accept) : createServer(accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(script.port ?? 0, script.host ?? '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no address');
  return {
    host: address.address,
    port: address.port,
    peers,
    close: () =>
      new Promise((resolve) => {
        for (const peer of peers) peer.socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function peerOf(socket: Socket, pieceBytes?: number): Peer {
  return {
    socket,
    async send(text) {
      const bytes = Buffer.from(text);
      if (pieceBytes === undefined) {
        socket.write(bytes);
        return;
      }
      for (let at = 0; at < bytes.length && !socket.destroyed; at += pieceBytes) {
        socket.write(bytes.subarray(at, at + pieceBytes));
        await nextTurn();
      }
    },
    reset: () => socket.resetAndDestroy(),
  };
}
