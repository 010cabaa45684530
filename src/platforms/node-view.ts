import { SipctlError } from '../errors.ts';
import { numberingPlan } from '../model/flow/numbering.ts';
import { toWire, wireFormat } from '../model/flow/wire-format.ts';
import type { ResolvedTrunk, ResolvedUser } from '../model/site.ts';

/** How a trunk, a user and a call over a trunk look from the PBX itself, in words that all engines have in common. */

/** How a trunk is to be looked at. */
export interface TrunkLook {
  signal?: AbortSignal | undefined;
  /**
   * Lets a FreeSWITCH whose registration failed try it once more, now: it tells the carrier's answer only when it comes.
   * Each look so costs the carrier one REGISTER. Asterisk tells no answer, and is not made to register.
   */
  registerOnce?: boolean | undefined;
}

/** A trunk as the running PBX has it. */
export interface TrunkState {
  /** The name of its objects on the PBX. */
  id: string;
  registration: RegistrationState;
  qualify: QualifyState;
  /** Addresses and networks by which the PBX knows the trunk's calls in; null where the engine keeps none with the trunk. */
  networks: readonly string[] | null;
  /** False where the PBX gives up a call over it at once, without a word to the carrier. */
  callable: boolean;
}

export interface RegistrationState {
  /**
   * `rejected`: the carrier answers, and refuses the registration; `failed`: it did not come about, and nothing shows
   * that the carrier answers; `none`: the trunk does not register.
   */
  state: 'registered' | 'trying' | 'unregistered' | 'failed' | 'rejected' | 'none';
  /** Of the carrier’s answer, where the engine tells it: see `TrunkLook`. */
  statusCode: number | null;
  /** Seconds to the next attempt, where the engine tells it. */
  nextInSeconds: number | null;
  /** The engine's own word, and the carrier's where it is known: `Rejected`, `FAIL_WAIT: 403 Forbidden`. */
  detail: string;
}

export interface QualifyState {
  /** `off`: nobody asks the carrier whether it is there; `unknown`: it was not asked so far. */
  state: 'reachable' | 'unreachable' | 'unknown' | 'off';
  /** Milliseconds from OPTIONS to the answer. */
  rttMs: number | null;
  /** True where the carrier was asked just now; else the state is as old as the engine's own last question. */
  fresh: boolean;
}

/** Where a user is registered: one phone. */
export interface UserContact {
  uri: string;
  userAgent: string | null;
  /** Seconds until the registration ends; null where the engine does not tell. */
  expiresInSeconds: number | null;
  state: QualifyState['state'];
  rttMs: number | null;
}

/** A user as the running PBX has it. */
export interface UserState {
  id: string;
  contacts: readonly UserContact[];
}

/** What names a user on a PBX. */
export type NamedUser = Pick<ResolvedUser, 'id' | 'username' | 'domain'>;

/** A call that a PBX is to make over a trunk, to nobody but the carrier: it is bridged to no phone. */
export interface NodeCallRequest {
  trunk: Pick<ResolvedTrunk, 'id' | 'numberFormat' | 'techPrefix' | 'did'>;
  /** ISO 3166 code of the tenant, for trunks that take national numbers. */
  country: string;
  /** E.164, or what else is to be dialled: then it is sent as it is, behind the tech prefix. */
  number: string;
  /** E.164; null: the trunk's main number, and the engine's default where it has none. */
  callerId: string | null;
  /** Milliseconds to the answer, at most. */
  ringMs: number;
  /** Milliseconds that an answered call stands. */
  talkMs: number;
}

/** What became of such a call. It is over, whatever is said here. */
export interface NodeCall {
  /** `unanswered`: it was given up after `ringMs`; `not-sent`: the PBX had no way to send it. */
  outcome: 'answered' | 'refused' | 'unanswered' | 'not-sent';
  /** As they were sent to the carrier. */
  number: string;
  callerId: string | null;
  ringing: boolean;
  /** The carrier sent audio before the answer, or said that it would. */
  earlyMedia: boolean;
  answered: boolean;
  /** Milliseconds after the call was asked for; null where it did not come so far. */
  ringingMs: number | null;
  answeredMs: number | null;
  totalMs: number;
  endedBy: 'pbx' | 'carrier';
  /** Final status of the carrier; null where there was none or the engine does not tell it (Asterisk 16). */
  sipStatus: number | null;
  /** ITU-T Q.850. */
  cause: number | null;
  /** The engine's word for the cause. */
  causeText: string;
  /** As the engine calls it: `alaw` on Asterisk, `PCMA` on FreeSWITCH. */
  codec: string | null;
}

/** A call as it is written to the carrier. */
export interface WrittenCall {
  /** The trunk's name on the PBX. */
  trunk: string;
  number: string;
  callerId: string | null;
}

/**
 * Writes the numbers of a call as the trunk's carrier wants them, which is what the dialplan does too.
 * @throws SipctlError `invalid` for a number that would mean something else in a dial string
 */
export function writtenCall({ trunk, country, number, callerId }: NodeCallRequest): WrittenCall {
  const format = wireFormat(trunk.numberFormat, numberingPlan(country));
  const shown = callerId ?? trunk.did;
  return {
    trunk: trunk.id,
    number: dialable('number', `${trunk.techPrefix ?? ''}${toWire(number, format)}`),
    callerId: shown === null ? null : dialable('callerId', toWire(shown, format)),
  };
}

function dialable(field: string, text: string): string {
  if (/^\+?[0-9A-Za-z*#._-]{1,64}$/.test(text)) return text;
  throw new SipctlError('invalid', {
    code: 'invalid_number',
    message: `${JSON.stringify(text)} cannot be dialled`,
    field,
    hint: 'write it as +15551234567, or as digits',
  });
}

/** The end of a look or a call that somebody interrupted. */
export const viewInterrupted = (what: string, cause: unknown): SipctlError =>
  new SipctlError('interrupted', { code: 'interrupted', message: `${what} was interrupted` }, { cause });

/**
 * Works with an open connection, and closes it; what is under way when the signal comes ends with the connection.
 * @throws SipctlError `interrupted`, and whatever `work` throws
 */
export async function whileOpen<C extends { close(): Promise<void> }, T>(
  connection: C,
  what: string,
  signal: AbortSignal | undefined,
  work: (connection: C) => Promise<T>,
): Promise<T> {
  const leave = (): void => void connection.close();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    if (signal?.aborted) throw viewInterrupted(what, signal.reason);
    return await work(connection);
  } catch (error) {
    if (signal?.aborted) throw viewInterrupted(what, error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', leave);
    await connection.close();
  }
}
