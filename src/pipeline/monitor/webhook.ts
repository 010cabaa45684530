import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { LiveLine } from '../../model/live/line.ts';
import type { Secret } from '../../model/secret.ts';
import { RepeatedComplaint } from './complaints.ts';
import type { Hook, HookSurroundings } from './hook.ts';
import { Lanes } from './lanes.ts';

/** What sends every event somewhere. */
export interface WebhookOptions extends HookSurroundings {
  url: URL;
  /** Signs what is sent. */
  secret: Secret;
  /** Milliseconds that one request may take. */
  timeoutMs: number;
  /** Milliseconds before the first repetition; each further one waits twice as long. */
  firstPauseMs: number;
}

/** Requests at one time, and events that may wait for one. */
const atOneTime = 4;
const mostWaiting = 10_000;
const mostAttempts = 6;
const longestPauseMs = 60_000;

interface Letter {
  id: string;
  line: LiveLine;
}

/**
 * Sends every event that it is given as a POST of its JSON. A receiver that is away, busy or broken (no answer, 408, 425,
 * 429, 5xx) gets it again, later and later; one that refuses it does not. Redirects are not followed, as the signature
 * would go with them.
 *
 *   Sipctl-Timestamp: seconds since 1970
 *   Sipctl-Signature: v1=HMAC-SHA256(secret, timestamp + "." + body), in hexadecimal
 *   Sipctl-Delivery:  one event's own, the same when it is sent again
 */
export function webhook(options: WebhookOptions): Hook {
  const failures = new RepeatedComplaint(options.complain, options.now);
  const drops = new RepeatedComplaint(options.complain, options.now);
  const lanes = new Lanes<Letter>({
    lanes: atOneTime,
    mostWaiting,
    work: async (letter, signal) => {
      const failure = await deliver(options, letter, signal);
      if (failure !== null && !signal.aborted)
        failures.tell(`--webhook: ${options.url.origin}: ${failure} (${letter.line.event})`);
    },
    dropped: () => drops.tell(`--webhook: ${mostWaiting} events wait already, one was dropped`),
  });
  return {
    take: (line) => lanes.take({ id: randomUUID(), line }),
    finish: async (graceMs) => {
      const undone = await lanes.finish(graceMs);
      failures.finish('--webhook: not delivered');
      drops.finish('--webhook: dropped');
      if (undone > 0) options.complain(`--webhook: left undelivered: ${undone}`);
    },
  };
}

async function deliver(options: WebhookOptions, letter: Letter, signal: AbortSignal): Promise<string | null> {
  let failure = '';
  for (let attempt = 0; attempt < mostAttempts && !signal.aborted; attempt += 1) {
    if (attempt > 0) {
      const longest = Math.min(longestPauseMs, options.firstPauseMs * 2 ** (attempt - 1));
      await pause(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
    const answer = await post(options, letter, signal);
    if (answer === null) return null;
    failure = answer.failure;
    if (!answer.again) return failure;
  }
  return `${failure}, given up after ${mostAttempts} attempts`;
}

async function post(
  { url, secret, timeoutMs, now }: WebhookOptions,
  { id, line }: Letter,
  signal: AbortSignal,
): Promise<{ failure: string; again: boolean } | null> {
  const body = JSON.stringify(line);
  const timestamp = String(Math.floor(now() / 1000));
  const signature = createHmac('sha256', secret.reveal()).update(`${timestamp}.${body}`).digest('hex');
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'sipctl',
        'sipctl-timestamp': timestamp,
        'sipctl-signature': `v1=${signature}`,
        'sipctl-delivery': id,
      },
      body,
    });
    await response.body?.cancel();
    return response.ok ? null : { failure: statusWords(response.status), again: isPassing(response.status) };
  } catch (error) {
    return { failure: failureWords(error as Error, timeoutMs), again: true };
  }
}

const isPassing = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500;

const statusWords = (status: number): string =>
  status >= 300 && status < 400 ? `answers ${status}, and redirects are not followed` : `answers ${status}`;

// What is told of a failure must not repeat the address: its path or query may be a secret.
const failureWords = ({ name, cause }: Error, timeoutMs: number): string =>
  name === 'TimeoutError'
    ? `no answer within ${timeoutMs / 1000} s`
    : `no connection: ${(cause as NodeJS.ErrnoException | undefined)?.code ?? name}`;
