import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import type { Call } from '../model/live/call.ts';
import { plain } from '../report/style.ts';
import type { Input, VerbSpec } from './command.ts';

/** What a key of the board does to a call. */
export type LiveVerb =
  | { verb: 'hangup' | 'record' | 'stop-recording'; call: Call }
  | { verb: 'listen'; call: Call; supervisor: string };

/**
 * Runs the command that does it, as if it were typed: with its checks, and its audit rows. Gives what it says.
 * @param signal ends it, as Ctrl-C does
 * @param tell hears what it says meanwhile
 * @throws SipctlError
 */
export async function runVerb(
  app: App,
  asked: LiveVerb,
  signal: AbortSignal,
  tell: (text: string) => void,
): Promise<string> {
  const { call } = asked;
  const spec = await specOf(asked.verb);
  const input: Input = {
    args: [call.id],
    options: {
      node: call.node,
      ...(call.tenant === null ? { allTenants: true } : {}),
      ...(asked.verb === 'listen' ? { user: asked.supervisor } : {}),
    },
  };
  const { text, errors = [], outcome } = await spec.run(typedBy(app, call, signal, tell), input);
  if (outcome === undefined) return oneLine(text(plain));
  const said = errors.map(({ message }) => message).join('; ');
  // Taken off the call by the same key: that is how it ends.
  if (outcome === 'interrupted') return said.replace(/^interrupted: /, '');
  throw new SipctlError(outcome, errors);
}

async function specOf(verb: LiveVerb['verb']): Promise<VerbSpec> {
  const [specs, name] = await verbsWith(verb);
  const spec = specs.find((one) => one.name === name);
  if (spec === undefined) throw new TypeError(`there is no command for ${verb}`);
  return spec;
}

async function verbsWith(verb: LiveVerb['verb']): Promise<[specs: readonly VerbSpec[], name: string]> {
  if (verb === 'hangup') return [(await import('./call-verbs.ts')).callVerbs, 'hangup'];
  if (verb === 'listen') return [(await import('./call-spy.ts')).callSpying, 'listen'];
  const { liveRecordingVerbs } = await import('./recording-live.ts');
  return [liveRecordingVerbs, verb === 'record' ? 'start' : 'stop'];
}

/** The application as the command sees it: the call's tenant is named, nobody is asked, and what it says comes to us. */
function typedBy(app: App, { tenant }: Call, signal: AbortSignal, tell: (text: string) => void): App {
  return {
    ...app,
    signal,
    config: { ...app.config, json: false, quiet: false, tenant: tenant ?? app.config.tenant },
    terminal: {
      ...app.terminal,
      interactive: false,
      animated: false,
      out: async (text) => tell(oneLine(String(text))),
      err: (text) => tell(oneLine(text)),
    },
  };
}

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, '; ');
