import { setTimeout as sleep } from 'node:timers/promises';
import { SipctlError } from '../errors.ts';
import { type NodeCall, type NodeCallRequest, viewInterrupted, type WrittenCall } from './node-view.ts';

/** How a call ended, as the engine tells it. */
export interface CallEnd {
  sipStatus: number | null;
  cause: number | null;
  causeText: string;
}

/** What a watch can do to its call. */
export interface CallHandle {
  /** Milliseconds to the answer, after which the call is hung up. */
  patienceMs: number;
  /** Does nothing where there is no channel, so far or any more. */
  hangUp(answered: boolean): Promise<void>;
}

/** Between two attempts to hang up. */
const againMs = 200;
/** Until a call that was hung up must be over. */
const endMs = 10_000;
/** Q.850. */
const noUserResponding = 18;

/**
 * One call that a PBX makes, from its first event to its last. The engine's events are told to it as they come; it hangs
 * up when the call stood for its time, when the time is over, and when the signal comes, and does so until the engine
 * says that the call is over.
 *
 * ```
 * run ─ sent ─ ringing ─ answered ─ talkMs ─ hang up ─ over
 *   │     └── early media ─┘                    │
 *   └─ not sent       interrupted, timed out ───┘
 * ```
 */
export class CallWatch {
  readonly #call: WrittenCall;
  readonly #request: NodeCallRequest;
  readonly #handle: CallHandle;
  readonly #started = performance.now();
  readonly #finished: Promise<NodeCall>;
  #resolve: (call: NodeCall) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #isOver = false;
  #isSent = false;
  #ringingMs: number | null = null;
  #answeredMs: number | null = null;
  #hasEarlyMedia = false;
  #endedBy: NodeCall['endedBy'] | null = null;
  #codec: Promise<string | null> = Promise.resolve(null);
  #late: NodeJS.Timeout | null = null;
  #talk: NodeJS.Timeout | null = null;
  #isEnding = false;

  constructor(call: WrittenCall, request: NodeCallRequest, handle: CallHandle) {
    this.#call = call;
    this.#request = request;
    this.#handle = handle;
    this.#finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may fail before anybody waits for it.
    this.#finished.catch(() => undefined);
  }

  /**
   * Makes the call with `originate`, and waits until it is over.
   * @throws SipctlError `interrupted` once the call is over, `unreachable` where the engine does not end it
   */
  async run(originate: () => Promise<void>, signal: AbortSignal | undefined): Promise<NodeCall> {
    const what = `the call to ${this.#call.number}`;
    if (signal?.aborted) throw viewInterrupted(what, signal.reason);
    const interrupt = (): void => this.end();
    signal?.addEventListener('abort', interrupt, { once: true });
    this.#late = setTimeout(() => this.end(), this.#handle.patienceMs);
    try {
      originate().catch((error: unknown) => this.fail(error));
      const call = await this.#finished;
      if (signal?.aborted) throw viewInterrupted(what, signal.reason);
      return call;
    } finally {
      if (this.#late !== null) clearTimeout(this.#late);
      if (this.#talk !== null) clearTimeout(this.#talk);
      signal?.removeEventListener('abort', interrupt);
    }
  }

  /** The engine has made a channel for it. */
  sent(): void {
    this.#isSent = true;
  }

  ringing(): void {
    this.#ringingMs ??= this.#elapsed();
  }

  earlyMedia(): void {
    this.#hasEarlyMedia = true;
  }

  /** It stands. The codec is asked for while it does. */
  answered(codec: Promise<string | null>): void {
    if (this.#answeredMs !== null) return;
    this.#answeredMs = this.#elapsed();
    this.#talk = setTimeout(() => this.end(), this.#request.talkMs);
    // Now it is we who hang up in time.
    if (this.#late !== null) clearTimeout(this.#late);
    this.#codec = codec.catch(() => null);
  }

  /** The other side hung up, or refused. */
  endedByCarrier(): void {
    this.#endedBy ??= 'carrier';
  }

  over(end: CallEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const totalMs = this.#elapsed();
    void this.#codec.then((codec) => this.#resolve(this.#result(end, codec, totalMs)));
  }

  /** The engine gave the call up; where a channel was made, its end is still to come. */
  notSent(causeText = ''): void {
    if (!this.#isSent) this.over({ sipStatus: null, cause: null, causeText });
  }

  /** Nothing more will be heard of it. */
  fail(error: unknown): void {
    this.#isOver = true;
    this.#reject(error);
  }

  /** Hangs up, until the engine says that the call is over. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#endedBy ??= 'pbx';
    this.#untilOver().catch((error: unknown) => this.fail(error));
  }

  async #untilOver(): Promise<void> {
    for (let waited = 0; !this.#isOver && waited < endMs; waited += againMs) {
      await this.#handle.hangUp(this.#answeredMs !== null);
      await sleep(againMs);
    }
    if (!this.#isOver) throw notEnded(this.#call);
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.#started);
  }

  #outcome({ sipStatus, cause }: CallEnd): NodeCall['outcome'] {
    if (this.#answeredMs !== null) return 'answered';
    if (!this.#isSent) return 'not-sent';
    // Where no answer comes to an INVITE at all, both engines tell it as one of the carrier.
    const isSilence = this.#ringingMs === null && (sipStatus === 408 || cause === noUserResponding);
    return this.#endedBy === 'carrier' && !isSilence ? 'refused' : 'unanswered';
  }

  #result(end: CallEnd, codec: string | null, totalMs: number): NodeCall {
    return {
      outcome: this.#outcome(end),
      number: this.#call.number,
      callerId: this.#call.callerId,
      ringing: this.#ringingMs !== null,
      earlyMedia: this.#hasEarlyMedia,
      answered: this.#answeredMs !== null,
      ringingMs: this.#ringingMs,
      answeredMs: this.#answeredMs,
      totalMs,
      endedBy: this.#endedBy ?? 'pbx',
      ...end,
      sipStatus: this.#answeredMs === null ? end.sipStatus : 200,
      codec,
    };
  }
}

const notEnded = ({ number, trunk }: WrittenCall): SipctlError =>
  new SipctlError('unreachable', {
    code: 'call_not_ended',
    message: `the PBX did not say that the call to ${number} over ${trunk} is over`,
    hint: 'see whether it still stands, and hang it up there; it ends by itself when its time is over',
  });
