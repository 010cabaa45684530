import { type Answer, type Listening, listen, type Peer, type ScriptedServer } from './scripted-server.ts';

/** One command as the server read it. */
export interface ReceivedCommand {
  /** Its first line. */
  line: string;
  /** Its further lines, by name. */
  headers: Readonly<Record<string, string>>;
}

export interface EslScript extends Listening {
  /** What is sent first; empty: the server stays silent. */
  greeting?: string;
  password?: string;
  /** Asked first for every command. A text is sent; `null` leaves it unanswered; undefined: the default answer. */
  answer?: (command: ReceivedCommand, peer: Peer) => Answer | Promise<Answer>;
}

export interface EslServer extends ScriptedServer {
  /** The first lines of all commands received so far, of all clients. */
  readonly lines: string[];
}

/** The answer to a command of the socket itself. */
export const reply = (text: string, ...headers: string[]): string =>
  ['Content-Type: command/reply', `Reply-Text: ${text}`, ...headers, '', ''].join('\n');

const withBody = (headers: string[], body: string | Buffer): Buffer => {
  const bytes = Buffer.from(body);
  const [first, ...rest] = headers;
  return Buffer.concat([
    Buffer.from(`${[first, `Content-Length: ${bytes.length}`, ...rest].join('\n')}\n\n`),
    bytes,
  ]);
};

/** What an API command printed. */
export const printed = (body: string | Buffer): Buffer => withBody(['Content-Type: api/response'], body);

/** An event in the order of headers that FreeSWITCH has: the length first. */
export function event(name: string, headers: Readonly<Record<string, unknown>> = {}): Buffer {
  const body = Buffer.from(JSON.stringify({ 'Event-Name': name, ...headers }));
  return Buffer.concat([
    Buffer.from(`Content-Length: ${body.length}\nContent-Type: text/event-json\n\n`),
    body,
  ]);
}

/** The end of a background job. */
export const jobEnd = (id: string | undefined, body: string): Buffer =>
  event('BACKGROUND_JOB', { 'Job-UUID': id, 'Content-Length': String(Buffer.byteLength(body)), _body: body });

export const goodbye = withBody(
  ['Content-Type: text/disconnect-notice'],
  'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n',
);

export const rejection = withBody(['Content-Type: text/rude-rejection'], 'Access Denied, go away.\n');

/**
 * An event socket that does what a script says: for faults that a real FreeSWITCH will not produce on demand. Its
 * reading of commands is deliberately its own, so that an error of the client's codec cannot cancel out.
 */
export async function startEslServer(script: EslScript = {}): Promise<EslServer> {
  const lines: string[] = [];
  const server = await listen(script, (peer) => {
    void peer.send(script.greeting ?? 'Content-Type: auth/request\n\n');
    serve(peer, script, lines);
  });
  return { ...server, lines };
}

function serve(peer: Peer, script: EslScript, lines: string[]): void {
  const session = { signedIn: false };
  let text = '';
  let answered = Promise.resolve();
  peer.socket.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const [line = '', ...rest] = part.split('\n');
      lines.push(line);
      const headers = Object.fromEntries(rest.map((header) => header.split(/: (.*)/s, 2)));
      // One after the other, as FreeSWITCH does within a session.
      answered = answered.then(() => respond({ line, headers }, peer, script, session));
    }
  });
}

async function respond(
  command: ReceivedCommand,
  peer: Peer,
  script: EslScript,
  session: { signedIn: boolean },
): Promise<void> {
  const scripted = await script.answer?.(command, peer);
  if (scripted === null) return;
  if (scripted !== undefined) return await peer.send(scripted);
  const [verb, ...rest] = command.line.split(' ');
  if (verb === 'exit') return await hangUp(peer, '+OK bye');
  if (verb === 'auth') {
    if (rest.join(' ') !== (script.password ?? 's3cret')) return await hangUp(peer, '-ERR invalid');
    session.signedIn = true;
    return await peer.send(reply('+OK accepted'));
  }
  await peer.send(session.signedIn ? defaultAnswer(command) : reply('-ERR command not found'));
}

async function hangUp(peer: Peer, last: string): Promise<void> {
  await peer.send(reply(last));
  await peer.send(goodbye);
  peer.socket.end();
}

function defaultAnswer({ line, headers }: ReceivedCommand): string | Buffer {
  const [verb = '', ...rest] = line.split(' ');
  switch (verb) {
    case 'api':
      return printed(rest[0] === 'echo' ? rest.slice(1).join(' ') : `-ERR ${rest[0]} Command not found!\n`);
    case 'bgapi': {
      const id = headers['Job-UUID'];
      return Buffer.concat([
        Buffer.from(reply(`+OK Job-UUID: ${id}`, `Job-UUID: ${id}`)),
        jobEnd(id, rest[0] === 'echo' ? rest.slice(1).join(' ') : `-ERR ${rest[0]} Command not found!\n`),
      ]);
    }
    case 'event':
      return reply('+OK event listener enabled json');
    case 'nixevent':
      return reply('+OK events nixed');
    case 'filter':
      return reply(`+OK filter added. [${rest[0]}]=[${rest.slice(1).join(' ')}]`);
    case 'nolog':
      return reply('-ERR not loging');
  }
  return reply('-ERR command not found');
}
