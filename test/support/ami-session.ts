import { readFileSync } from 'node:fs';
import type { ReceivedAction } from './ami-server.ts';

/** One action of a recorded session, and all bytes that came until the next one. */
export interface Exchange {
  name: string;
  fields: Record<string, string>;
  /** The answer with the recorded ActionID. */
  received: string;
  actionId: string;
}

/** A session recorded at a real Asterisk of this major version, without its login. */
export function recordedSession(version: 16 | 22): Exchange[] {
  const text = readFileSync(new URL(`fixtures/ami-session-${version}.txt`, import.meta.url), 'utf8');
  const exchanges = text.split(/^>>>>> sent\n/m).slice(1);
  return exchanges.map(readExchange).filter(({ name }) => name !== 'Login');
}

function readExchange(text: string): Exchange {
  const [sent = '', received = ''] = text.split('<<<<< received\n');
  const pairs = sent
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/: (.*)/s, 2) as [string, string]);
  const { Action: name = '', ActionID: actionId = '', ...fields } = Object.fromEntries(pairs);
  return { name, fields, actionId, received: wire(received) };
}

// Asterisk ends some texts with a bare LF before the line's own end.
function wire(text: string): string {
  return text.replace(/\n\n\n|\n/g, (lines) => (lines.length === 3 ? '\n\r\n\r\n' : '\r\n'));
}

/** The recorded answer, addressed to the action that was really sent. */
export function replayed(exchange: Exchange, action: ReceivedAction): string {
  return exchange.received.replaceAll(
    `\r\nActionID: ${exchange.actionId}\r\n`,
    `\r\nActionID: ${action.id}\r\n`,
  );
}
