import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** One action as the server read it; its headers in their order. */
export interface ReceivedAction {
  name: string;
  id: string;
  headers: readonly (readonly [name: string, value: string])[];
  get(name: string): string | undefined;
}

/** One client of the server. */
export interface AmiPeer {
  readonly socket: Socket;
  /** Writes as it is, in pieces where the server was told to. */
  send(text: string | Buffer): Promise<void>;
  /** Ends the connection with a RST. */
  reset(): void;
}

export interface AmiScript {
  /** What is sent first; empty: the server stays silent. */
  banner?: string;
  username?: string;
  secret?: string;
  /** False: the action Challenge is unknown, as behind some proxies. */
  challenge?: boolean;
  tls?: TlsOptions;
  host?: string;
  port?: number;
  /** Everything is written in pieces of so many bytes. */
  pieceBytes?: number;
  /** Asked first for every action. A text is sent; `null` leaves the action unanswered; undefined: the default answer. */
  answer?: (action: ReceivedAction, peer: AmiPeer) => Answer | Promise<Answer>;
}

type Answer = string | Buffer | null | undefined;

export interface AmiServer {
  readonly host: string;
  readonly port: number;
  /** Every action received so far, of all clients. */
  readonly actions: ReceivedAction[];
  readonly peers: AmiPeer[];
  close(): Promise<void>;
}

/** A message with its ActionID second, as Asterisk writes it. */
export function message(action: ReceivedAction, first: string, ...lines: string[]): string {
  return [first, `ActionID: ${action.id}`, ...lines, '', ''].join('\r\n');
}

/**
 * A manager interface that does what a script says: for faults that a real Asterisk will not produce on demand.
 * Its reading of actions is deliberately its own, so that an error of the client's codec cannot cancel out.
 */
export async function startAmiServer(script: AmiScript = {}): Promise<AmiServer> {
  const actions: ReceivedAction[] = [];
  const peers: AmiPeer[] = [];
  const greet = (socket: Socket): void => {
    const peer = peerOf(socket, script.pieceBytes);
    peers.push(peer);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    void peer.send(script.banner ?? 'Asterisk Call Manager/11.0.0\r\n');
    serve(socket, peer, script, actions);
  };
  const server: Server = script.tls ? createTlsServer(script.tls, greet) : createServer(greet);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(script.port ?? 0, script.host ?? '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no address');
  return {
    host: address.address,
    port: address.port,
    actions,
    peers,
    close: () =>
      new Promise((resolve) => {
        for (const peer of peers) peer.socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function peerOf(socket: Socket, pieceBytes?: number): AmiPeer {
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

function serve(socket: Socket, peer: AmiPeer, script: AmiScript, actions: ReceivedAction[]): void {
  const session = { challenge: '' };
  let text = '';
  let answered = Promise.resolve();
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (text + chunk).split('\r\n\r\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const action = receivedAction(part);
      actions.push(action);
      // One after the other, as Asterisk does within a session.
      answered = answered.then(() => respond(action, peer, script, session));
    }
  });
}

function receivedAction(text: string): ReceivedAction {
  const headers = text.split('\r\n').map((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)] as const;
  });
  const get = (name: string) => headers.find(([header]) => header.toLowerCase() === name.toLowerCase())?.[1];
  return { name: get('Action') ?? '', id: get('ActionID') ?? '', headers, get };
}

async function respond(
  action: ReceivedAction,
  peer: AmiPeer,
  script: AmiScript,
  session: { challenge: string },
): Promise<void> {
  const scripted = await script.answer?.(action, peer);
  if (scripted === null) return;
  if (scripted !== undefined) return await peer.send(scripted);
  switch (action.name.toLowerCase()) {
    case 'challenge':
      if (script.challenge === false) break;
      session.challenge = String(Math.trunc(Math.random() * 1e9));
      return await peer.send(message(action, 'Response: Success', `Challenge: ${session.challenge}`));
    case 'login':
      return await peer.send(loginAnswer(action, script, session.challenge));
    case 'ping':
      return await peer.send(message(action, 'Response: Success', 'Ping: Pong'));
    case 'logoff':
      await peer.send(message(action, 'Response: Goodbye', 'Message: Thanks for all the fish.'));
      peer.socket.end();
      return;
  }
  await peer.send(message(action, 'Response: Error', `Message: Invalid/unknown command: ${action.name}.`));
}

function loginAnswer(action: ReceivedAction, script: AmiScript, challenge: string): string {
  const { username = 'sipctl', secret = 's3cret' } = script;
  const key = createHash('md5').update(`${challenge}${secret}`).digest('hex');
  const proved =
    action.get('AuthType') === 'MD5'
      ? challenge !== '' && action.get('Key') === key
      : action.get('Secret') === secret;
  return action.get('Username') === username && proved
    ? message(action, 'Response: Success', 'Message: Authentication accepted')
    : message(action, 'Response: Error', 'Message: Authentication failed');
}
