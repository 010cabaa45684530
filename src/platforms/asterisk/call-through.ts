import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SipctlError } from '../../errors.ts';
import type { Node } from '../../model/nouns.ts';
import { CallWatch } from '../call-watch.ts';
import { type NodeCall, type NodeCallRequest, type WrittenCall, writtenCall } from '../node-view.ts';
import type { AmiMessage } from './ami/codec.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';
import { leastWrite, rightsOf } from './rights.ts';
import { openAmi } from './running-system.ts';
import type { Timeouts } from './timeouts.ts';

/** Until a manager user that gets the events of calls has got the first one. */
const eventMs = 3000;
/** Until a channel that OriginateResponse says nothing of has shown itself. */
const graceMs = 1000;
/** Asterisk itself gives a call up to the millisecond; this much later we do. */
const lateMs = 5000;
/** Q.850: normal call clearing. */
const normal = '16';

/**
 * Makes a real call over a trunk of a running Asterisk, which waits on it and hangs up: `Wait` is built into Asterisk,
 * so that no module and no dialplan takes part.
 *
 * ```
 * Originate ─ Newchannel ─ DialState ─ Newstate Up ─ … ─ Hangup (Cause, TechCause)
 *     └─ OriginateResponse: Failure, and no channel: nothing was sent
 * ```
 * @throws SipctlError `unreachable`, `interrupted` once the call is over, or `refused` where the manager user may not call
 */
export async function callThrough(
  node: Node,
  timeouts: Timeouts,
  request: NodeCallRequest,
  signal?: AbortSignal,
): Promise<NodeCall> {
  const call = writtenCall(request);
  const ami = await openAmi(node, timeouts, signal, 'call');
  try {
    await requireCalls(ami, node.amiUser ?? '');
    return await new AsteriskCall(ami, call, request).make(signal);
  } finally {
    await ami.close();
  }
}

/** What a call is to be known by, among all that runs on the PBX. */
const newId = (): string => `sipctl-${randomUUID()}`;

// A call whose end nobody sees is not made. Which events a manager user gets is told nowhere, so the smallest there is
// is provoked: a call to an extension of a context that does not exist.
async function requireCalls(ami: AmiConnection, user: string): Promise<void> {
  if (!(await rightsOf(ami)).has('Originate')) throw noRight(user, 'Originate needs write=originate');
  const id = newId();
  const events = ami.events();
  const seen = (async () => {
    for await (const event of events) if (event.get('Uniqueid') === id) return true;
    return false;
  })();
  // Where the connection is lost, the action says so.
  seen.catch(() => undefined);
  try {
    await ami.action('Originate', {
      ...{ Channel: 'Local/s@sipctl-nowhere/n', Application: 'Wait', Data: '1', Async: true },
      ...{ Timeout: 1000, ChannelId: id, OtherChannelId: `${id}-2` },
    });
    const late = sleep(eventMs, false, { ref: false });
    if (!(await Promise.race([seen, late]))) throw noRight(user, 'the events of calls need read=call');
  } finally {
    await events.return?.();
  }
}

const noRight = (user: string, what: string): SipctlError =>
  new SipctlError('refused', {
    code: 'ami_rights',
    message: `the manager user '${user}' may not make a call and watch it: ${what}`,
    hint: `in manager.conf, section [${user}]: write = ${leastWrite},originate and read = call; then: asterisk -rx 'manager reload'`,
  });

class AsteriskCall {
  readonly #ami: AmiConnection;
  readonly #call: WrittenCall;
  readonly #request: NodeCallRequest;
  readonly #id = newId();
  readonly #watch: CallWatch;
  /** The status that came with the hang-up of the carrier; Asterisk makes one up for its own. */
  #sipStatus: number | null = null;

  constructor(ami: AmiConnection, call: WrittenCall, request: NodeCallRequest) {
    this.#ami = ami;
    this.#call = call;
    this.#request = request;
    this.#watch = new CallWatch(call, request, {
      patienceMs: request.ringMs + lateMs,
      hangUp: () => this.#hangUp(),
    });
  }

  async make(signal: AbortSignal | undefined): Promise<NodeCall> {
    const events = this.#ami.events();
    const reading = this.#read(events);
    reading.catch((error: unknown) => this.#watch.fail(error));
    try {
      return await this.#watch.run(() => this.#originate(), signal);
    } finally {
      await events.return?.();
    }
  }

  async #originate(): Promise<void> {
    const { trunk, number, callerId } = this.#call;
    const { ringMs, talkMs } = this.#request;
    await this.#ami.action('Originate', {
      Channel: `PJSIP/${number}@${trunk}`,
      Application: 'Wait',
      // Ends the call where nobody else does any more.
      Data: String(Math.ceil(talkMs / 1000) + 5),
      Async: true,
      Timeout: ringMs,
      ChannelId: this.#id,
      ...(callerId === null ? {} : { CallerID: `<${callerId}>` }),
    });
  }

  async #read(events: AsyncIterableIterator<AmiMessage>): Promise<void> {
    for await (const event of events) {
      // DialState tells of the channel as of the one that is dialled.
      const id = event.get('Uniqueid') ?? event.get('DestUniqueid');
      if (id === this.#id) this.#take(event);
    }
  }

  #take(event: AmiMessage): void {
    const watch = this.#watch;
    const name = event.get('Event');
    if (name === 'Newchannel') watch.sent();
    else if (name === 'DialState') this.#progress(event.get('DialStatus'));
    else if (name === 'Newstate') this.#progress(event.get('ChannelStateDesc'));
    else if (name === 'HangupRequest') {
      this.#sipStatus = numberIn(event, 'TechCause');
      watch.endedByCarrier();
    } else if (name === 'Hangup') {
      const end = { cause: numberIn(event, 'Cause'), causeText: event.get('Cause-txt') ?? '' };
      watch.over({ sipStatus: this.#sipStatus, ...end });
    } else if (name === 'OriginateResponse' && event.get('Response') === 'Failure') {
      // It may come before the first event of its channel.
      setTimeout(() => watch.notSent(), graceMs).unref();
    }
  }

  #progress(state: string | undefined): void {
    if (/^ringing$/i.test(state ?? '')) this.#watch.ringing();
    else if (state === 'PROGRESS') this.#watch.earlyMedia();
    else if (state === 'Up') this.#watch.answered(this.#codec());
  }

  /** What was agreed on, while the call stands. */
  async #codec(): Promise<string | null> {
    const [status] = await this.#ami.list('Status', { Channel: this.#id });
    return /^\(?([^()|]+)/.exec(status?.get('Nativeformats') ?? '')?.[1] ?? null;
  }

  // Until the channel is there, there is nothing to hang up.
  async #hangUp(): Promise<void> {
    try {
      await this.#ami.action('Hangup', { Channel: this.#id, Cause: normal });
    } catch (error) {
      if (!(error instanceof AmiError) || !/no such channel/i.test(error.reply)) throw error;
    }
  }
}

function numberIn(event: AmiMessage, header: string): number | null {
  const value = Number(event.get(header) ?? 0);
  return Number.isInteger(value) && value > 0 ? value : null;
}
