import { setTimeout as sleep } from 'node:timers/promises';
import { type Outcome, SipctlError } from '../../../errors.ts';
import type { ChannelRef } from '../../control-plane.ts';
import { dumpChannel } from '../esl/commands.ts';
import type { EslConnection } from '../esl/connection.ts';
import { EslError } from '../esl/failures.ts';
import { type Ask, quoted, run, word } from '../esl/replies.ts';
import { type ChannelText, textOf } from './channel.ts';

/** What the verbs work with. */
export interface Verbs {
  ask: Ask;
  /** For what takes its time: a call that rings. `seconds` to its end. */
  background(command: string, seconds: number): Promise<string>;
  /** Tells all who listen at this FreeSWITCH. */
  tell(subclass: string, headers: Readonly<Record<string, string>>): Promise<void>;
  /** A further connection, for events of one channel. */
  open(): Promise<EslConnection>;
}

/** So long FreeSWITCH is given to do what it said it did. */
const patienceMs = 3000;
const everyMs = 40;

/** The channel as it is now. @throws SipctlError `notFound` */
export async function channelOf(ask: Ask, { id, channel }: ChannelRef): Promise<ChannelText> {
  const found = await dumpOf(ask, id);
  if (found === null) throw gone(channel);
  return found;
}

/** The channel as it is now; null where it is not there. */
export async function dumpOf(ask: Ask, id: string): Promise<ChannelText | null> {
  try {
    return textOf(await dumpChannel(ask, id));
  } catch (error) {
    if (error instanceof EslError && /No such channel/i.test(error.reply)) return null;
    throw error;
  }
}

/** The channel at the other end; null where there is none. (`bridge_uuid` stays when that one is gone.) */
export const peerOf = (channel: ChannelText): string | null => channel.get('variable_signal_bond') ?? null;

export const isAnswered = (channel: ChannelText): boolean => channel.get('Answer-State') === 'answered';

/** Sets variables of a channel, in one go; values are words of sipctl's own. */
export async function setVariables(
  ask: Ask,
  id: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const list = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const reply = await run(ask, 'uuid_setvar_multi', word('uuid', id), quoted('values', list.join(';')));
  if (!/^\+OK\b/.test(reply)) throw new EslError('uuid_setvar_multi', reply);
}

/** Asks until it is so; false where it does not become so in time. */
export async function becomesTrue(isSo: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + patienceMs;
  for (;;) {
    if (await isSo()) return true;
    if (performance.now() > end) return false;
    await sleep(everyMs);
  }
}

/** @throws SipctlError `failed` where FreeSWITCH said yes, and it is not so */
export async function demand(what: string, isSo: () => Promise<boolean>): Promise<void> {
  if (await becomesTrue(isSo)) return;
  throw verbError(
    'failed',
    'not_done',
    `FreeSWITCH said that it would, but ${what}`,
    'freeswitch.log says more',
  );
}

export const gone = (channel: string): SipctlError =>
  verbError(
    'notFound',
    'no_channel',
    `${channel} is not there any more`,
    'see which calls there are: sipctl call list',
  );

export const verbError = (outcome: Outcome, code: string, message: string, hint: string): SipctlError =>
  new SipctlError(outcome, { code, message, hint });
