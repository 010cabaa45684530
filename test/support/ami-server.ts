import { createHash } from 'node:crypto';
import { type Answer, type Listening, listen, type Peer, type ScriptedServer } from './scripted-server.ts';

/** One action as the server read it; its headers in their order. */
export interface ReceivedAction {
  name: string;
  id: string;
  headers: readonly (readonly [name: string, value: string])[];
  get(name: string): string | undefined;
}

export interface AmiScript extends Listening {
  /** What is sent first; empty: the server stays silent. */
  banner?: string;
  username?: string;
  secret?: string;
  /** False: the action Challenge is unknown, as behind some proxies. */
  challenge?: boolean;
  /** Asked first for every action. A text is sent; `null` leaves the action unanswered; undefined: the default answer. */
  answer?: (action: ReceivedAction, peer: Peer) => Answer | Promise<Answer>;
}

export interface AmiServer extends ScriptedServer {
  /** Every action received so far, of all clients. */
  readonly actions: ReceivedAction[];
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
  const server = await listen(script, (peer) => {
    void peer.send(script.banner ?? 'Asterisk Call Manager/11.0.0\r\n');
    serve(peer, script, actions);
  });
  return { ...server, actions };
}

function serve(peer: Peer, script: AmiScript, actions: ReceivedAction[]): void {
  const session = { challenge: '' };
  let text = '';
  let answered = Promise.resolve();
  peer.socket.setEncoding('utf8').on('data', (chunk: string) => {
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
  peer: Peer,
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
