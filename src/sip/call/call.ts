import type { Challenge } from '../message/digest.ts';
import { parseCSeq } from '../message/fields.ts';
import { type Header, headerOf, headersOf, type SipRequest, type SipResponse } from '../message/message.ts';
import { contactUri, newToken, newVia } from '../message/requests.ts';
import { type ChallengeRefusal, DigestAnswers, isChallenge } from '../transport/authenticate.ts';
import type { Arrival, Connection } from '../transport/connection.ts';
import { type Exchange, exchange } from '../transport/transaction.ts';
import { systemFailure, TransportFailure } from '../transport/transport-failure.ts';
import { type CallMedia, MediaEnd, type MediaParty } from './call-media.ts';
import { PeerAnswers } from './call-peer.ts';
import type { CallSettings, DialSettings } from './call-settings.ts';
import { allow, Dialog, sequenceOf, tagIn } from './dialog.ts';

/** What became of a call. All times in milliseconds from the first INVITE. */
export interface CallOutcome {
  /** Null: there was none, because of `failure`, or because of silence. */
  final: SipResponse | null;
  provisional: { status: number; ms: number }[];
  /** The last challenge that was seen; it holds no secret. */
  challenge: Challenge | null;
  /** Why it was not answered, or not with success. */
  refusal: ChallengeRefusal | null;
  failure: TransportFailure | null;
  /** Until a 180 or 183 came. */
  ringMs: number | null;
  answerMs: number | null;
  /** How long the call lasted from the answer on. */
  talkMs: number | null;
  /** Nobody answered in time, and the call was taken back; the answer may still have crossed that. */
  cancelled: boolean;
  /** Who hung up; null where there was no call. */
  endedBy: 'us' | 'peer' | null;
  /** The answer to our BYE; null where there was no BYE, or no answer to it. */
  byeStatus: number | null;
  /** How often an INVITE went out, repetitions included. */
  sent: number;
}

/** A call with sound. */
export interface CallResult extends CallOutcome {
  media: CallMedia;
}

/**
 * Places one call, sends and counts audio, and hangs up.
 * @throws the reason of the signal, when everything is ended; TransportFailure where no port for audio can be opened
 */
export async function placeCall(
  settings: CallSettings,
  connection: Connection,
  signal: AbortSignal,
): Promise<CallResult> {
  signal.throwIfAborted();
  const media = await MediaEnd.open(settings, settings.mediaAddress ?? connection.local.address).catch(
    (error) => {
      throw systemFailure(error, connection.remote);
    },
  );
  try {
    const outcome = await conductCall(settings, connection, media, signal);
    signal.throwIfAborted();
    return { ...outcome, media: media.result };
  } finally {
    await media.close();
  }
}

/**
 * One call, whatever its media are. Whatever happens, what was begun is ended: by a CANCEL while it rings, by a BYE
 * once it is answered, also where the answer crosses the CANCEL.
 *
 *   INVITE ─┬─ 401, 407 ── INVITE with digest, once
 *           ├─ 180, 183 ── time is up, or interrupted ── CANCEL ─┬─ 487
 *           ├─ 300 to 699                                        └─ 200 ── ACK ── BYE
 *           └─ 200 ── ACK ── audio ─┬─ time is up, or interrupted ── BYE
 *                                   └─ BYE of the peer ── 200
 *
 * The signal ends it; that is no error here.
 */
export async function conductCall(
  settings: DialSettings,
  connection: Connection,
  media: MediaParty,
  signal: AbortSignal,
): Promise<CallOutcome> {
  const call = new Call(settings, connection, media, signal);
  try {
    await call.run();
  } finally {
    await call.close();
  }
  return call.outcome;
}

class Call {
  readonly #settings: DialSettings;
  readonly #connection: Connection;
  readonly #media: MediaParty;
  readonly #signal: AbortSignal;
  readonly #startedAt = performance.now();
  readonly #callId = newToken();
  readonly #tag = newToken();
  readonly #answers: PeerAnswers;
  readonly #deafen: () => void;
  /** By the tag of the peer: a proxy may fork an INVITE to several. */
  readonly #dialogs = new Map<string, { dialog: Dialog; ack: SipRequest; way: Connection }>();
  readonly #opened: Connection[] = [];
  /** Everything that has to come to its end before we leave. */
  readonly #endings: Promise<unknown>[] = [];
  #invite: SipRequest | null = null;
  #sequence = 0;
  /** The INVITE has its final response, or is given up. */
  #isAsked = false;
  #hungUp: () => void = () => {};
  #outcome: CallOutcome = {
    final: null,
    provisional: [],
    challenge: null,
    refusal: null,
    failure: null,
    ringMs: null,
    answerMs: null,
    talkMs: null,
    cancelled: false,
    endedBy: null,
    byeStatus: null,
    sent: 0,
  };

  constructor(settings: DialSettings, connection: Connection, media: MediaParty, signal: AbortSignal) {
    this.#settings = settings;
    this.#connection = connection;
    this.#media = media;
    this.#signal = signal;
    this.#answers = new PeerAnswers(connection, {
      callId: this.#callId,
      tag: this.#tag,
      user: settings.user,
      t1: settings.t1,
      media,
      dialog: (remoteTag) => this.#dialogs.get(remoteTag)?.dialog ?? null,
      onBye: (remoteTag) => this.#takeBye(remoteTag),
    });
    this.#deafen = connection.listen((arrival) => this.#take(arrival));
  }

  get outcome(): CallOutcome {
    return this.#outcome;
  }

  async run(): Promise<void> {
    const final = await this.#ask();
    this.#outcome.final = final;
    this.#isAsked = true;
    if (final && final.status < 300) await this.#talk(final);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#endings);
    this.#deafen();
    this.#answers.close();
    await Promise.all(this.#opened.map((connection) => connection.close()));
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  /** Sends the INVITE until it is answered for good. */
  async #ask(): Promise<SipResponse | null> {
    const digest = new DigestAnswers(this.#settings.credentials);
    let answers: Header[] = [];
    for (;;) {
      const invite = this.#makeInvite(answers);
      const final = await this.#ring(invite);
      const isOver = this.#outcome.cancelled || this.#signal.aborted;
      if (!final || !isChallenge(final) || isOver) return final;
      const next = digest.to(final, invite);
      this.#outcome.challenge = digest.challenge;
      if (typeof next === 'string') {
        this.#outcome.refusal = next;
        return final;
      }
      answers = next;
    }
  }

  #makeInvite(credentials: readonly Header[]): SipRequest {
    const { uri, from, user, routes, headers, userAgent } = this.#settings;
    this.#sequence += 1;
    return {
      kind: 'request',
      method: 'INVITE',
      uri,
      headers: [
        newVia(this.#connection),
        { name: 'Max-Forwards', value: '70' },
        ...routes.map((value) => ({ name: 'Route', value })),
        { name: 'From', value: `<${from}>;tag=${this.#tag}` },
        { name: 'To', value: `<${uri}>` },
        { name: 'Call-ID', value: this.#callId },
        { name: 'CSeq', value: `${this.#sequence} INVITE` },
        { name: 'Contact', value: `<${contactUri(this.#connection, user)}>` },
        allow,
        { name: 'User-Agent', value: userAgent },
        ...headers,
        ...credentials,
        { name: 'Content-Type', value: 'application/sdp' },
      ],
      body: this.#media.offer(),
    };
  }

  /** One INVITE from its sending to its final response; null where none came. */
  async #ring(invite: SipRequest): Promise<SipResponse | null> {
    const { ringMs, graceMs, t1 } = this.#settings;
    this.#invite = invite;
    const leave = new AbortController();
    let isHeard = false;
    let giveUp: NodeJS.Timeout | undefined;
    const cancel = (): void => {
      // A peer that has said nothing yet must not be sent a CANCEL (RFC 3261 §9.1), but it may still speak.
      if (isHeard && giveUp === undefined) this.#endings.push(this.#exchange(cancellation(invite)));
      giveUp ??= setTimeout(() => leave.abort(), graceMs);
    };
    const take = (response: SipResponse): void => {
      this.#progress(response);
      if (giveUp !== undefined && !isHeard) this.#endings.push(this.#exchange(cancellation(invite)));
      isHeard = true;
    };
    const limit = setTimeout(
      () => {
        this.#outcome.cancelled = true;
        cancel();
      },
      Math.max(ringMs - this.#elapsed(), 0),
    );
    this.#signal.addEventListener('abort', cancel, { once: true });
    const options = { signal: leave.signal, timeoutMs: ringMs + 2 * graceMs, onProvisional: take };
    try {
      const done = await exchange(this.#connection, invite, t1 === undefined ? options : { ...options, t1 });
      this.#outcome.sent += done.sent;
      this.#outcome.failure = done.failure;
      return done.final;
    } catch (error) {
      if (!leave.signal.aborted) throw error;
      return null;
    } finally {
      clearTimeout(limit);
      clearTimeout(giveUp);
      this.#signal.removeEventListener('abort', cancel);
    }
  }

  #progress(response: SipResponse): void {
    const { status } = response;
    const ms = this.#elapsed();
    if (this.#outcome.provisional.length < mostProvisional) this.#outcome.provisional.push({ status, ms });
    if (status === 180 || status === 183) this.#outcome.ringMs ??= ms;
    if (response.body.length > 0) this.#media.accept(response.body);
  }

  /** From the answer to the end. */
  async #talk(answer: SipResponse): Promise<void> {
    this.#outcome.answerMs = this.#elapsed();
    this.#media.markAnswered();
    const over = new Promise<void>((resolve) => {
      this.#hungUp = resolve;
    });
    const { dialog } = await this.#acknowledge(answer);
    const isEarly = this.#media.agreed && answer.body.length === 0;
    const problem = isEarly ? null : this.#media.accept(answer.body);
    const isWanted = !this.#outcome.cancelled && !this.#signal.aborted && problem === null;
    if (isWanted) await this.#wait(over);
    this.#outcome.talkMs = this.#elapsed() - this.#outcome.answerMs;
    if (this.#outcome.endedBy === 'peer') return;
    this.#outcome.endedBy = 'us';
    this.#outcome.byeStatus = await this.#hangUp(dialog.remoteTag);
  }

  async #wait(over: Promise<void>): Promise<void> {
    const limit = setTimeout(this.#hungUp, this.#settings.talkMs);
    this.#signal.addEventListener('abort', this.#hungUp, { once: true });
    await over;
    clearTimeout(limit);
    this.#signal.removeEventListener('abort', this.#hungUp);
  }

  /** Begins the dialog of a 2xx and acknowledges it. */
  async #acknowledge(answer: SipResponse): Promise<{ dialog: Dialog; way: Connection }> {
    const dialog = new Dialog(this.#invite as SipRequest, answer);
    const begun = { dialog, ack: dialog.acknowledgement(this.#connection), way: this.#connection };
    this.#dialogs.set(dialog.remoteTag, begun);
    const other = (await this.#settings.reach?.(dialog.nextHop).catch(() => null)) ?? null;
    if (other) {
      this.#opened.push(other);
      begun.way = other;
      begun.ack = dialog.acknowledgement(other);
    }
    begun.way.send(begun.ack);
    return begun;
  }

  /** The status of the answer to our BYE; null where none came on any way. */
  async #hangUp(remoteTag: string): Promise<number | null> {
    const begun = this.#dialogs.get(remoteTag);
    if (!begun) return null;
    const { dialog, way } = begun;
    for (const connection of new Set([way, this.#connection])) {
      const bye = dialog.request('BYE', connection);
      let { final } = await this.#exchange(bye, connection);
      const proofs =
        final && isChallenge(final) ? new DigestAnswers(this.#settings.credentials).to(final, bye) : [];
      if (proofs.length > 0 && typeof proofs !== 'string') {
        ({ final } = await this.#exchange(dialog.request('BYE', connection, proofs), connection));
      }
      if (final) return final.status;
    }
    return null;
  }

  /** A request that has to be sent also when nobody waits any more. */
  async #exchange(request: SipRequest, connection = this.#connection): Promise<Exchange> {
    const { graceMs, t1 } = this.#settings;
    const options = { signal: new AbortController().signal, timeoutMs: graceMs };
    return exchange(connection, request, t1 === undefined ? options : { ...options, t1 });
  }

  #take(arrival: Arrival): void {
    if (arrival instanceof TransportFailure) this.#takeFailure(arrival);
    else if (arrival.kind === 'request') this.#answers.take(arrival);
    else this.#takeAnswer(arrival);
  }

  /** A stream that ended takes the call with it; a datagram that is noise does not. */
  #takeFailure(failure: TransportFailure): void {
    if (!this.#connection.reliable || failure.reason === 'malformed_answer') return;
    this.#outcome.failure = failure;
    this.#hungUp();
  }

  #takeBye(remoteTag: string): void {
    if (remoteTag !== tagIn(headerOf(this.#outcome.final ?? { headers: [] }, 'To'))) return;
    this.#outcome.endedBy ??= 'peer';
    this.#hungUp();
  }

  /** A 2xx that comes again is acknowledged again; one of another phone, or too late, is ended at once. */
  #takeAnswer(response: SipResponse): void {
    const isAnswer = response.status >= 200 && response.status < 300 && this.#isForInvite(response);
    if (!isAnswer) return;
    const known = this.#dialogs.get(tagIn(headerOf(response, 'To')));
    if (known) known.way.send(known.ack);
    else if (this.#isAsked) this.#endings.push(this.#refuse(response));
  }

  #isForInvite(response: SipResponse): boolean {
    const isOurs = headerOf(response, 'Call-ID') === this.#callId && this.#invite !== null;
    const sequence = parseCSeq(headerOf(response, 'CSeq') ?? '');
    return isOurs && sequence?.method === 'INVITE' && sequence.number === this.#sequence;
  }

  async #refuse(response: SipResponse): Promise<void> {
    const { dialog } = await this.#acknowledge(response);
    await this.#hangUp(dialog.remoteTag);
  }
}

/** A server that never stops promising must not fill the memory. */
const mostProvisional = 100;

/** RFC 3261 §9.1: the branch, number and way of the INVITE. */
function cancellation(invite: SipRequest): SipRequest {
  const kept = ['Via', 'Max-Forwards', 'Route', 'From', 'To', 'Call-ID'].flatMap((name) =>
    headersOf(invite, name).map((value) => ({ name, value })),
  );
  const headers = [...kept, { name: 'CSeq', value: `${sequenceOf(invite)} CANCEL` }];
  return { kind: 'request', method: 'CANCEL', uri: invite.uri, headers, body: Buffer.alloc(0) };
}
