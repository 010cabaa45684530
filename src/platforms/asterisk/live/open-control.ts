import { setImmediate as turn } from 'node:timers/promises';
import { SipctlError } from '../../../errors.ts';
import type { Node } from '../../../model/nouns.ts';
import type { ControlPlane } from '../../control-plane.ts';
import type { AmiMessage } from '../ami/codec.ts';
import type { AmiConnection } from '../ami/connection.ts';
import { leastWrite, rightsOf } from '../rights.ts';
import { asteriskVersion, openAmi } from '../running-system.ts';
import type { Timeouts } from '../timeouts.ts';
import { AsteriskControl } from './control.ts';

/** Classes of events: registrations and contacts, and calls. */
const classes = ['system', 'call'] as const;

/** What observing takes; the verbs' own are looked at when they are used. */
const needed = [
  'Status',
  'CoreStatus',
  'CoreSettings',
  'PJSIPShowRegistrationsOutbound',
  'PJSIPShowAors',
  'PJSIPShowEndpoints',
  'PJSIPShowContacts',
];

/**
 * Opens a session at a running Asterisk, for what goes on there and for the verbs of calls.
 * @throws SipctlError `unreachable`, `interrupted`, or `refused` naming the right that is missing
 */
export async function openControl(
  node: Node,
  timeouts: Timeouts,
  { events, signal }: { events: boolean; signal?: AbortSignal | undefined },
): Promise<ControlPlane> {
  // The verbs see by the events of calls what became of them.
  const ami = await openAmi(node, timeouts, signal, events ? classes.join(',') : 'call', events);
  const leave = (): void => void ami.close();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    const user = node.amiUser ?? '';
    const stream = events ? ami.events() : null;
    await requireActions(ami, user);
    const early = stream === null ? [] : await requireEvents(ami, user, stream);
    const engine = { kind: 'asterisk', version: await asteriskVersion(ami) };
    return new AsteriskControl({ ami, user, engine, boot: await startOf(ami), stream, early });
  } catch (error) {
    await ami.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}

/** When the core was started: another word is another Asterisk. */
async function startOf(ami: AmiConnection): Promise<string> {
  const status = await ami.action('CoreStatus');
  return `${status.get('CoreStartupDate')} ${status.get('CoreStartupTime')}`;
}

async function requireActions(ami: AmiConnection, user: string): Promise<void> {
  const rights = await rightsOf(ami);
  const missing = needed.filter((action) => !rights.has(action));
  if (missing.length === 0) return;
  // Asterisk lets managers in before it loads the modules that bring the actions; this one it has from the beginning.
  if (rights.has('ModuleLoad')) throw isStarting(`it does not have ${missing.join(', ')}`);
  throw new SipctlError('refused', {
    code: 'ami_rights',
    message: `the manager user '${user}' may not watch calls: ${missing.join(', ')} needs write=system`,
    hint: `in manager.conf, section [${user}]: write = ${leastWrite}; then: asterisk -rx 'manager reload'`,
  });
}

/**
 * Which events a manager user gets is told nowhere. The class `system` shows itself: `FullyBooted` follows the login. Of the
 * class `call` manager.conf is asked, where the user may read it.
 */
async function requireEvents(
  ami: AmiConnection,
  user: string,
  stream: AsyncIterator<AmiMessage>,
): Promise<Promise<IteratorResult<AmiMessage>>[]> {
  const early: Promise<IteratorResult<AmiMessage>>[] = [];
  // What comes with the login is there before the answer to the first action.
  const answered = ami.action('Ping').then(() => turn(null));
  const seen = new Set<string>();
  for (;;) {
    const next = stream.next();
    early.push(next);
    const first = await Promise.race([next, answered]);
    if (first === null || first.done === true) break;
    for (const one of (first.value.get('Privilege') ?? '').split(',')) seen.add(one);
    if (seen.has('system')) break;
  }
  const written = await writtenRead(ami, user);
  const has = (one: string): boolean => seen.has(one) || (written?.has(one) ?? one === 'call');
  const missing = classes.filter((one) => !has(one));
  if (missing.length === 0) {
    if (!seen.has('system')) throw isStarting('it has not said that it is fully booted');
    return early;
  }
  throw new SipctlError('refused', {
    code: 'ami_rights',
    message: `the manager user '${user}' does not get the events of calls and registrations: they need read=${missing.join(',')}`,
    hint: `in manager.conf, section [${user}]: read = ${classes.join(',')}; then: asterisk -rx 'manager reload'`,
  });
}

/** Whoever watches comes again, as where nobody answers. */
const isStarting = (sign: string): SipctlError =>
  new SipctlError('unreachable', {
    code: 'ami_starting',
    message: `Asterisk is starting: ${sign} yet`,
    hint: `try again; where it stays so: asterisk -rx 'module show like res_pjsip'`,
  });

/** The classes of `read=` in manager.conf; null where it cannot be read, or the user stands elsewhere. */
async function writtenRead(ami: AmiConnection, user: string): Promise<Set<string> | null> {
  const answer = await ami
    .action('GetConfig', { Filename: 'manager.conf', Category: user })
    .catch((error: unknown) => {
      if (error instanceof SipctlError && error.outcome !== 'unreachable') return null;
      throw error;
    });
  const line = answer?.entries.find(([name, value]) => name.startsWith('Line-') && /^read ?=/.test(value));
  if (line === undefined) return null;
  const words = line[1]
    .slice(line[1].indexOf('=') + 1)
    .split(',')
    .map((one) => one.trim());
  return new Set(words.includes('all') ? classes : words);
}
