import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import type { Call, Leg } from '../model/live/call.ts';
import type { FoundCall } from '../pipeline/live-calls.ts';
import type { CallingUser, Spying, SpyMode } from '../platforms/control-plane.ts';
import { callData } from '../report/calls.ts';
import type { Input, OptionSpec, Result, Run, VerbSpec } from './command.ts';
import { callingUser, tenantNamed } from './dialled-target.ts';
import {
  atCall,
  demandState,
  interruptedResult,
  legOf,
  legOption,
  partyText,
  refOf,
  scopeOptions,
} from './live-scope.ts';
import { secondsOption } from './test-flags.ts';

const spy =
  (mode: SpyMode): Run =>
  (app, input) =>
    atCall(app, input, async (found) => {
      const { call } = found;
      demandState(call, ['answered', 'held'], 'there is nothing to hear');
      const supervisor = await supervisorOf(app, input, call);
      const leg = await legOf(input, call, mode === 'whisper' ? 'user' : 'caller');
      return overseen(app, found, { supervisor, leg, mode });
    });

interface Request {
  supervisor: CallingUser;
  leg: Leg;
  mode: SpyMode;
}

/** The supervisor is a user of the call's tenant, and none of those who talk. */
async function supervisorOf(app: App, input: Input, call: Call): Promise<CallingUser> {
  const { user } = input.options;
  if (typeof user !== 'string') {
    throw new SipctlError('usage', {
      code: 'usage',
      message: 'somebody has to listen: --user is needed',
      field: 'user',
      hint: 'give the user whose phone is to ring: --user boss',
    });
  }
  const tenant = await tenantNamed(app, call.tenant ?? app.config.tenant);
  const supervisor = await callingUser(app, tenant, user, secondsOption(input, 'ring'));
  const isOn = ({ party }: Leg): boolean =>
    party?.kind === 'user' && party.tenant === tenant.name && party.name === supervisor.username;
  if (!call.legs.some(isOn)) return supervisor;
  throw new SipctlError('refused', {
    code: 'own_call',
    message: `${user} is on that call already`,
    field: 'user',
    hint: 'name somebody else',
  });
}

type Audit = (detail: object) => Promise<void>;

// A row before, so that there is one whatever becomes of this process; and one after, which says how long.
async function overseen(app: App, found: FoundCall, request: Request): Promise<Result> {
  const { call, node } = found;
  const { supervisor, leg, mode } = request;
  const { username } = supervisor;
  const store = await app.store();
  const about = { node, supervisor: username, leg: leg.id, from: call.from, to: call.to };
  const audit: Audit = (detail) =>
    store.audit({
      ...{ action: mode, noun: 'call', tenant: call.tenant, name: call.id },
      detail: { ...about, ...detail },
    });
  await audit({ state: 'asked' });
  say(app, `the phone of ${username} rings`);
  let spying: Spying;
  try {
    spying = await found.plane.spy({ supervisor, leg: refOf(leg), mode, signal: app.signal });
  } catch (error) {
    await audit({ state: 'failed', why: (error as Error).message });
    if (!app.signal.aborted) throw error;
    return interruptedResult(`interrupted: the phone of ${username} does not ring any more`);
  }
  const seconds = await audited(app, spying, audit, () => {
    app.endsAtInterrupt();
    say(app, `${username} ${during[mode](partyText(leg))}; Ctrl-C ends it`);
  });
  const data = { mode, user: username, leg: leg.id, seconds, call: callData(call, app.now().getTime()) };
  const said = `${username} ${past[mode]} for ${seconds} s`;
  if (app.signal.aborted) return { ...interruptedResult(`interrupted: ${said}`, data), changed: true };
  return { changed: true, data, text: () => `${said}\n` };
}

const say = (app: App, text: string): void => app.terminal.err(app.config.quiet ? '' : `${text}\n`);

/** Seconds that it took. */
async function audited(app: App, spying: Spying, audit: Audit, begun: () => void): Promise<number> {
  const from = app.now().getTime();
  let seconds: number;
  try {
    seconds = await untilOver(app, spying, begun);
  } catch (error) {
    // Who listened may still do so: what is known by now is kept all the same.
    const known = Math.round((app.now().getTime() - from) / 1000);
    await audit({ state: 'lost', seconds: known, why: (error as Error).message });
    throw error;
  }
  await audit({ state: 'ended', seconds });
  return seconds;
}

const during = {
  listen: () => 'hears both parties, and nobody hears who listens',
  whisper: (party: string) => `is heard by ${party} alone`,
  barge: () => 'is heard by both parties',
} as const;

const past = { listen: 'listened', whisper: 'whispered', barge: 'was on the call' } as const;

/** Seconds that it took, whoever ended it: Ctrl-C takes the supervisor off the call. */
async function untilOver({ signal }: App, spying: Spying, begun: () => void): Promise<number> {
  begun();
  const stop = (): void => void spying.stop().catch(() => undefined);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return Math.round(await spying.ended);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const options = (usual: string): OptionSpec[] => [
  ...scopeOptions,
  ['--user <supervisor>', 'the user of the tenant whose phone rings, and who is then on the call'],
  legOption(usual),
  ['--ring <s>', 'seconds that this phone may ring; the user’s own time where not given'],
];

export const callSpying: readonly VerbSpec[] = [
  {
    name: 'listen',
    summary: 'let a supervisor hear a call; leaves audit rows',
    args: '<call>',
    options: options('the caller; both are heard'),
    examples: ['sipctl call listen 1714.12 --tenant acme --user boss'],
    run: spy('listen'),
  },
  {
    name: 'whisper',
    summary: 'let a supervisor hear a call, and be heard by one party; leaves audit rows',
    args: '<call>',
    options: options('the user'),
    run: spy('whisper'),
  },
  {
    name: 'barge',
    summary: 'let a supervisor take part in a call; leaves audit rows',
    args: '<call>',
    options: options('the caller; both are heard'),
    run: spy('barge'),
  },
];
