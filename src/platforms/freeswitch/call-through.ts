import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Node } from '../../model/nouns.ts';
import { CallWatch } from '../call-watch.ts';
import { type NodeCall, type NodeCallRequest, type WrittenCall, writtenCall } from '../node-view.ts';
import type { EslEvent } from './esl/codec.ts';
import { killChannel, originate } from './esl/commands.ts';
import type { EslConnection } from './esl/connection.ts';
import { openEsl } from './running-system.ts';
import type { Timeouts } from './timeouts.ts';

/** Until the events of a call that failed are there. */
const graceMs = 1000;
const jobMs = 30_000;
const normal = 'NORMAL_CLEARING';

/**
 * Makes a real call over a gateway of a running FreeSWITCH, which parks it and hangs up; no dialplan takes part.
 *
 * ```
 * originate ─ CHANNEL_CREATE ─ PROGRESS ─ PROGRESS_MEDIA ─ ANSWER ─ … ─ HANGUP_COMPLETE (status, cause)
 *     └─ -ERR GATEWAY_DOWN and the like, and no channel: nothing was sent
 * ```
 * @throws SipctlError `unreachable`, `interrupted` once the call is over, or `refused`
 */
export async function callThrough(
  node: Node,
  timeouts: Timeouts,
  request: NodeCallRequest,
  signal?: AbortSignal,
): Promise<NodeCall> {
  const call = writtenCall(request);
  const esl = await openEsl(node, timeouts, signal);
  try {
    return await new FreeSwitchCall(esl, call, request).make(signal);
  } finally {
    await esl.close();
  }
}

class FreeSwitchCall {
  readonly #esl: EslConnection;
  readonly #call: WrittenCall;
  readonly #request: NodeCallRequest;
  readonly #id = randomUUID();
  readonly #watch: CallWatch;

  constructor(esl: EslConnection, call: WrittenCall, request: NodeCallRequest) {
    this.#esl = esl;
    this.#call = call;
    this.#request = request;
    this.#watch = new CallWatch(call, request, {
      patienceMs: request.ringMs,
      hangUp: async (answered) => {
        const cause = answered ? normal : 'NO_ANSWER';
        await killChannel((command) => esl.api(command), this.#id, cause);
      },
    });
  }

  async make(signal: AbortSignal | undefined): Promise<NodeCall> {
    await this.#esl.filter('Unique-ID', this.#id);
    await this.#esl.subscribe([...events]);
    const feed = this.#esl.events();
    this.#read(feed).catch((error: unknown) => this.#watch.fail(error));
    try {
      return await this.#watch.run(() => this.#originate(), signal);
    } finally {
      await feed.return?.();
    }
  }

  async #originate(): Promise<void> {
    const { trunk, number, callerId } = this.#call;
    const { ringMs, talkMs } = this.#request;
    const variables = [
      `origination_uuid=${this.#id}`,
      'ignore_early_media=true',
      // These end the call where nobody else does any more. The seconds of a clock are counted, which may be short ones.
      `originate_timeout=${Math.ceil(ringMs / 1000) + 2}`,
      `park_timeout=${Math.ceil(talkMs / 1000) + 5}:${normal}`,
      ...(callerId === null ? [] : [`origination_caller_id_number=${callerId}`]),
    ];
    const destination = `{${variables.join(',')}}sofia/gateway/${trunk}/${number}`;
    const background = (command: string) => this.#esl.background(command, { timeoutMs: ringMs + jobMs });
    const made = await originate(background, destination, '&park()');
    if ('uuid' in made) return;
    await sleep(graceMs);
    this.#watch.notSent(made.cause);
  }

  async #read(feed: AsyncIterableIterator<EslEvent>): Promise<void> {
    for await (const event of feed) if (event.get('Unique-ID') === this.#id) this.#take(event);
  }

  #take(event: EslEvent): void {
    const watch = this.#watch;
    const { name } = event;
    if (name === 'CHANNEL_CREATE') watch.sent();
    else if (name === 'CHANNEL_PROGRESS') watch.ringing();
    else if (name === 'CHANNEL_PROGRESS_MEDIA') watch.earlyMedia();
    else if (name === 'CHANNEL_ANSWER') watch.answered(Promise.resolve(codecOf(event)));
    else if (name === 'CHANNEL_HANGUP_COMPLETE') {
      // recv_bye, recv_refuse, send_bye, send_cancel, …
      const isOfCarrier = /^recv_/.test(event.get('variable_sip_hangup_disposition') ?? '');
      if (isOfCarrier) watch.endedByCarrier();
      const status = numberIn(event, 'variable_sip_term_status');
      const cause = numberIn(event, 'variable_hangup_cause_q850');
      watch.over({
        sipStatus: isOfCarrier ? status : null,
        cause,
        causeText: event.get('Hangup-Cause') ?? '',
      });
    }
  }
}

const events = [
  'CHANNEL_CREATE',
  'CHANNEL_PROGRESS',
  'CHANNEL_PROGRESS_MEDIA',
  'CHANNEL_ANSWER',
  'CHANNEL_HANGUP_COMPLETE',
] as const;

const codecOf = (event: EslEvent): string | null =>
  event.get('variable_rtp_use_codec_name') ?? event.get('Channel-Read-Codec-Name') ?? null;

function numberIn(event: EslEvent, header: string): number | null {
  const value = Number(event.get(header) ?? 0);
  return Number.isInteger(value) && value > 0 ? value : null;
}
