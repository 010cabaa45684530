import { SipctlError } from '../../errors.ts';

/** How often, and how patiently, an unreachable server is tried again. Time and chance come from outside. */
export interface Backoff {
  /** Attempts in all, the first one included. */
  attempts: number;
  /** Longest wait before the second attempt, in milliseconds; it doubles with every further one. */
  baseMs: number;
  /** No wait is longer than this, in milliseconds. */
  capMs: number;
  /** Rejects when its signal ends the wait. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** A number from 0 up to 1. */
  random: () => number;
  signal?: AbortSignal | undefined;
}

/**
 * Calls `attempt` until it succeeds, with exponential waits and full jitter, so that many clients of one restarted
 * server do not return in step. Only `unreachable` is tried again: a refused login stays refused, and repeating it
 * gets an address banned. @throws the last attempt's error
 */
export async function withRetry<T>(attempt: () => Promise<T>, backoff: Backoff): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      const again =
        error instanceof SipctlError && error.outcome === 'unreachable' && tried < backoff.attempts;
      if (!again) throw error;
      const longest = Math.min(backoff.capMs, backoff.baseMs * 2 ** (tried - 1));
      await backoff.sleep(Math.round(backoff.random() * longest), backoff.signal);
    }
  }
}
