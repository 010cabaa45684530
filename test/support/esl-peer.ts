import { createRequire } from 'node:module';

/** An event of modesl: a list of headers, and the body beside it. */
interface PeerEvent {
  headers: { name: string; value: unknown }[];
  getHeader(name: string): string | null;
  getBody(): string;
}

interface PeerConnection {
  on(name: string, listener: (event: PeerEvent) => void): void;
  once(name: string, listener: (event: PeerEvent) => void): void;
  api(command: string, done: (answer: PeerEvent) => void): void;
  bgapi(command: string, args: string, done: (event: PeerEvent) => void): void;
  subscribe(events: string, done: () => void): void;
  sendRecv(command: string, done: (answer: PeerEvent) => void): void;
  disconnect(): void;
  socket: { setNoDelay(on: boolean): void } | null;
}

// The package has no types.
const { Connection } = createRequire(import.meta.url)('modesl') as {
  Connection: new (host: string, port: number, password: string, ready: () => void) => PeerConnection;
};

/** One event with its body, in a form that both clients' events can be brought to. */
export interface PlainEvent {
  headers: Readonly<Record<string, unknown>>;
  body: string;
}

/** An independent client, the npm package modesl, to compare with. */
export interface Peer {
  api(command: string): Promise<string>;
  background(command: string): Promise<string>;
  /** The reply text of a command of the socket itself. */
  command(line: string): Promise<string>;
  /** The next event. */
  event(): Promise<PlainEvent>;
  /** Calls the listener for every event from now on. */
  listen(listener: (event: PeerEvent) => void): void;
  close(): void;
}

/** Signs the independent client in. It asks for background jobs, and here for nothing else. */
export async function connectPeer(
  { host, port }: { host: string; port: number },
  password: string,
): Promise<Peer> {
  const connection = await new Promise<PeerConnection>((resolve) => {
    const opening = new Connection(host, port, password, () => resolve(opening));
  });
  // Its own commands are two writes each, which wait for one another otherwise.
  connection.socket?.setNoDelay(true);
  const events: PlainEvent[] = [];
  const waiting: ((event: PlainEvent) => void)[] = [];
  let listener: ((event: PeerEvent) => void) | null = null;
  connection.on('esl::event::**', (event) => {
    // Answers come the same way; only events have a name.
    if (event.getHeader('Event-Name') === null) return;
    if (listener) return listener(event);
    const next = waiting.shift();
    if (next) next(plain(event));
    else events.push(plain(event));
  });
  return {
    api: (command) =>
      new Promise((resolve) => connection.api(command, (answer) => resolve(answer.getBody()))),
    background: (command) =>
      new Promise((resolve) => {
        const [name = '', ...args] = command.split(' ');
        connection.bgapi(name, args.join(' '), (event) => resolve(event.getBody()));
      }),
    command: (line) =>
      new Promise((resolve) => {
        connection.sendRecv(line, (answer) => resolve(answer.getHeader('Reply-Text') ?? ''));
      }),
    event: () => {
      const event = events.shift();
      return event ? Promise.resolve(event) : new Promise((resolve) => waiting.push(resolve));
    },
    listen: (each) => {
      listener = each;
    },
    // It has no socket any more where the server closed first, and fails then.
    close: () => {
      if (connection.socket) connection.disconnect();
    },
  };
}

const plain = (event: PeerEvent): PlainEvent => ({
  headers: Object.fromEntries(
    event.headers.filter(({ name }) => name !== 'Content-Length').map(({ name, value }) => [name, value]),
  ),
  body: event.getBody(),
});
