import { randomInt } from 'node:crypto';
import { SipctlError } from '../../../errors.ts';
import type { Originated } from '../../control-plane.ts';
import type { AmiFields, AmiMessage } from '../ami/codec.ts';
import { countIn } from './channel.ts';
import type { Hands } from './hands.ts';

/** One channel to be made. */
interface Attempt {
  id: string;
  /** Of the other half of a Local channel. */
  otherId?: string;
  channel: string;
}

export interface Ringing {
  /** What is rung, at the same time: `PJSIP/ann/sip:ann@192.0.2.1`. */
  channels: readonly string[];
  /** What the one that is picked up does then: Context and Exten, or Application and Data. */
  does: AmiFields;
  tenant: string;
  ringSeconds: number;
  signal?: AbortSignal | undefined;
}

/** Asterisk itself gives up in time; this much later we do. */
const lateMs = 5000;
/** Until a channel that OriginateResponse says nothing of has shown itself. */
const graceMs = 500;
const answeredElsewhere = 26;

/** An id that no other channel has, in the form in which Asterisk compares ids by their age. */
const newId = (): string => `sipctl-${Math.floor(Date.now() / 1000)}.${randomInt(1_000_000, 1_000_000_000)}`;

/**
 * Rings everything at once; the first that is picked up goes on, and the others are hung up.
 * @throws SipctlError `interrupted` once all of them are hung up
 */
export async function ring(hands: Hands, request: Ringing): Promise<Originated & { id: string | null }> {
  const { signal, ringSeconds } = request;
  const attempts = request.channels.map((channel): Attempt => {
    const isLocal = channel.startsWith('Local/');
    return { id: newId(), channel, ...(isLocal ? { otherId: newId() } : {}) };
  });
  const events = hands.ami.events();
  const watch = new Watch(attempts.map(({ id }) => id));
  const leave = (): void => watch.decide(null);
  const late = setTimeout(leave, ringSeconds * 1000 + lateMs);
  signal?.addEventListener('abort', leave, { once: true });
  watch.read(events);
  try {
    if (!signal?.aborted) await Promise.all(attempts.map((one) => originate(hands, one, request)));
    else watch.decide(null);
    const winner = await watch.decided;
    await hangUp(
      hands,
      attempts.filter(({ id }) => id !== winner),
      winner === null ? 16 : answeredElsewhere,
    );
    if (signal?.aborted) throw interrupted(signal.reason);
    if (winner === null) return { answered: false, callId: null, id: null, ...watch.end };
    return { answered: true, callId: winner, id: winner, q850: null, sip: null, text: '' };
  } finally {
    clearTimeout(late);
    signal?.removeEventListener('abort', leave);
    await events.return?.();
  }
}

const interrupted = (cause: unknown): SipctlError =>
  new SipctlError('interrupted', { code: 'interrupted', message: 'the call was interrupted' }, { cause });

async function originate(
  hands: Hands,
  { id, otherId, channel }: Attempt,
  { does, tenant, ringSeconds }: Ringing,
): Promise<void> {
  await hands.act('Originate', {
    Channel: channel,
    ...does,
    Account: tenant,
    Timeout: ringSeconds * 1000,
    Async: true,
    ChannelId: id,
    ...(otherId === undefined ? {} : { OtherChannelId: otherId }),
  });
}

async function hangUp(hands: Hands, attempts: readonly Attempt[], cause: number): Promise<void> {
  await Promise.all(
    attempts.map(({ id }) =>
      hands.act('Hangup', { Channel: id, Cause: cause }).catch((error: unknown) => {
        if (!(error instanceof SipctlError && error.outcome === 'notFound')) throw error;
      }),
    ),
  );
}

/** Waits for the first of several channels to be picked up, or for the end of all. */
class Watch {
  readonly decided: Promise<string | null>;
  /** How the last of them ended. */
  end: Pick<Originated, 'q850' | 'sip' | 'text'> = { q850: null, sip: null, text: 'not reachable' };
  readonly #open: Set<string>;
  readonly #sip = new Map<string, number>();
  #resolve: (winner: string | null) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(ids: readonly string[]) {
    this.#open = new Set(ids);
    this.decided = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.decided.catch(() => undefined);
    if (ids.length === 0) this.decide(null);
  }

  decide(winner: string | null): void {
    this.#resolve(winner);
  }

  read(events: AsyncIterableIterator<AmiMessage>): void {
    void (async () => {
      for await (const event of events) this.#take(event);
    })().catch((error: unknown) => this.#reject(error));
  }

  #take(event: AmiMessage): void {
    const id = event.get('Uniqueid') ?? '';
    if (!this.#open.has(id)) return;
    const name = event.get('Event');
    if (name === 'Newstate' && event.get('ChannelState') === '6') this.decide(id);
    else if (name === 'HangupRequest') this.#sip.set(id, countIn(event, 'TechCause') ?? 0);
    else if (name === 'Hangup') {
      const sip = this.#sip.get(id) || countIn(event, 'TechCause');
      this.#close(id, { q850: countIn(event, 'Cause'), sip, text: event.get('Cause-txt') ?? '' });
    } else if (name === 'OriginateResponse' && event.get('Response') === 'Failure') {
      // It may come before the last event of its channel, and there may be no channel.
      setTimeout(() => this.#close(id, this.end), graceMs).unref();
    }
  }

  #close(id: string, end: Watch['end']): void {
    if (!this.#open.delete(id)) return;
    this.end = end;
    if (this.#open.size === 0) this.decide(null);
  }
}
