import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallingUser, ChannelRef, DialledTarget, Originated } from '../../control-plane.ts';
import { viewInterrupted } from '../../node-view.ts';
import { q850Of } from '../causes.ts';
import { dumpChannel, killChannel, originate as originateCall, perform } from '../esl/commands.ts';
import { EslError } from '../esl/failures.ts';
import { type Ask, run, word } from '../esl/replies.ts';
import { heldVariable } from './channel.ts';
import { dialledBy, type Place, placeOf } from './targets.ts';
import {
  becomesTrue,
  channelOf,
  demand,
  dumpOf,
  gone,
  isAnswered,
  peerOf,
  setVariables,
  type Verbs,
  verbError,
} from './verbs.ts';

/** Seconds beyond the time that a call may ring, until its job has to be over. */
const graceSeconds = 15;
/** Of a key that is pressed, and between two of them. */
const toneMs = 100;
const gapMs = 100;

/** Ends a channel. @throws SipctlError `notFound` */
export async function hangup(ask: Ask, leg: ChannelRef, q850: number): Promise<void> {
  // FreeSWITCH takes the number of a cause for its name.
  if (!(await killChannel(ask, leg.id, String(q850)))) throw gone(leg.channel);
  await demand(`${leg.channel} is still there`, async () => (await dumpOf(ask, leg.id)) === null);
}

/** Rings a user's phones, and dials in the user's name once one is picked up. */
export async function originate(
  verbs: Verbs,
  { user, to, signal }: { user: CallingUser; to: string; signal?: AbortSignal | undefined },
): Promise<Originated> {
  const { extension, context } = await dialledBy(verbs.ask, user, to);
  return ring(verbs, phonesOf(user), `${extension} XML ${context}`, {
    ringSeconds: user.ringSeconds,
    shown: extension,
    signal,
    variables: { sipctl_dialled: extension },
  });
}

/** The dial string for a user's phones. */
export const phonesOf = ({ endpoint }: CallingUser): string => `user/${word('user', endpoint)}`;

interface Ringing {
  ringSeconds: number;
  /** The number that the phone shows. */
  shown: string;
  signal?: AbortSignal | undefined;
  variables?: Readonly<Record<string, string>>;
}

/** Calls somebody, and runs an application, or dials, once that one answers. What is interrupted is hung up. */
export async function ring(
  { ask, background }: Verbs,
  destination: string,
  application: string,
  { ringSeconds, shown, signal, variables = {} }: Ringing,
): Promise<Originated> {
  const request = randomUUID();
  const values = {
    originate_timeout: String(ringSeconds),
    ignore_early_media: 'true',
    origination_caller_id_number: shown,
    origination_caller_id_name: shown,
    // Several phones ring at once, so that no id of a channel is ours to choose.
    sipctl_request: request,
    ...variables,
  };
  const all = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const cancel = (): void =>
    void run(ask, 'hupall', 'ORIGINATOR_CANCEL', 'sipctl_request', request).catch(() => undefined);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const made = await originateCall(
      (command) => background(command, ringSeconds + graceSeconds),
      `{${all.join(',')}}${destination}`,
      application,
    );
    if (signal?.aborted) throw await interrupted(ask, made, signal.reason);
    if ('uuid' in made) return { answered: true, callId: made.uuid, q850: null, sip: null, text: 'answered' };
    return { answered: false, callId: null, q850: q850Of(made.cause), sip: null, text: made.cause };
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

async function interrupted(
  ask: Ask,
  made: { uuid: string } | { cause: string },
  cause: unknown,
): Promise<Error> {
  // It may have been picked up at the same moment.
  if ('uuid' in made) await killChannel(ask, made.uuid, 'ORIGINATOR_CANCEL');
  return viewInterrupted('the call', cause);
}

/** Sends the party at a channel elsewhere; whoever it talked to is hung up. */
export async function transfer(ask: Ask, leg: ChannelRef, to: DialledTarget): Promise<void> {
  const place = await placeOf(ask, to);
  const channel = await channelOf(ask, leg);
  const peer = peerOf(channel);
  await setVariables(ask, leg.id, { ...ofTenant(to.tenant), sipctl_held: 'false' });
  await send(ask, leg, place);
  if (peer === null) return;
  // A held one would hear music for ever, and not see that it is alone.
  if ((await dumpOf(ask, peer))?.get(heldVariable) === 'true') await perform(ask, 'uuid_break', peer, 'all');
  await leave(ask, peer, leg.id);
}

/** What a call carries that the dialplan of a tenant sends around; else it would go on behind the talk. */
export const ofTenant = (tenant: string): Readonly<Record<string, string>> => ({
  accountcode: tenant,
  hangup_after_bridge: 'true',
  continue_on_fail: 'true',
  limit_ignore_transfer: 'true',
});

// FreeSWITCH says +OK to any place, also to one that is not there.
async function send(ask: Ask, leg: ChannelRef, { extension, context }: Place): Promise<void> {
  const times = async (): Promise<number> => {
    const { variable_transfer_history: history = '' } = await dumpChannel(ask, leg.id);
    return JSON.stringify(history).split(`:bl_xfer:${extension}/${context}/XML`).length;
  };
  const before = await times();
  await perform(ask, 'uuid_transfer', leg.id, extension, 'XML', context);
  await demand(`${leg.channel} stayed where it was`, async () => {
    try {
      return (await times()) > before;
    } catch (error) {
      // Whom it was sent to may have refused by now.
      if (error instanceof EslError) return true;
      throw error;
    }
  });
}

// A callee's leg ends with the other by itself; a caller's would go on in the dialplan.
async function leave(ask: Ask, peer: string, leg: string): Promise<void> {
  const isOnOwn = async (): Promise<boolean> => {
    const other = await dumpOf(ask, peer);
    return other === null || peerOf(other) !== leg;
  };
  await becomesTrue(isOnOwn);
  const other = await dumpOf(ask, peer);
  if (other !== null && peerOf(other) === null) await killChannel(ask, peer, 'NORMAL_CLEARING');
}

/** Sends DTMF to the party at a channel. */
export async function dtmf(ask: Ask, leg: ChannelRef, digits: string): Promise<void> {
  if (!/^[0-9A-D*#]{1,64}$/i.test(digits))
    throw verbError(
      'invalid',
      'invalid_digits',
      'these are no digits of DTMF',
      'give 0 to 9, *, #, and A to D',
    );
  if (!isAnswered(await channelOf(ask, leg))) throw notAnswered(leg);
  // In one go, phones hear some of them twice.
  for (const digit of digits) {
    await perform(ask, 'uuid_send_dtmf', leg.id, `${digit}@${toneMs}`);
    await sleep(toneMs + gapMs);
  }
}

export const notAnswered = ({ channel }: ChannelRef) =>
  verbError('refused', 'not_answered', `${channel} does not talk: it rings`, 'wait until it is answered');
