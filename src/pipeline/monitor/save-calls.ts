import { setTimeout as pause } from 'node:timers/promises';
import type { Call } from '../../model/live/call.ts';
import type { LiveEvent } from '../../model/live/events.ts';
import { RepeatedComplaint } from './complaints.ts';
import type { HookSurroundings } from './hook.ts';

/** What keeps the calls that end. */
export interface SaveOptions extends HookSurroundings {
  /** Keeps them all, or none of them. */
  save: (calls: readonly Call[]) => Promise<unknown>;
  /** Milliseconds that calls are collected for one transaction. */
  everyMs: number;
}

/** Calls that may wait for a database that is busy or full. */
const mostWaiting = 100_000;

/** Keeps every call that ends, many in one transaction; those that cannot be written are tried again. */
export class CallSaver {
  readonly #options: SaveOptions;
  readonly #failures: RepeatedComplaint;
  #waiting: Call[] = [];
  #writing: Promise<void> | null = null;
  readonly #ending = new AbortController();

  constructor(options: SaveOptions) {
    this.#options = options;
    this.#failures = new RepeatedComplaint(options.complain, options.now);
  }

  take(events: readonly LiveEvent[]): void {
    for (const event of events) {
      if (event.event !== 'call.ended') continue;
      if (this.#waiting.length < mostWaiting) this.#waiting.push(event.call);
      else this.#failures.tell(`--save: ${mostWaiting} calls wait already, one was not kept`);
    }
    if (this.#waiting.length > 0) this.#writing ??= this.#writeAll();
  }

  /** Writes what waits, and says what could not be written. */
  async finish(): Promise<void> {
    this.#ending.abort();
    await this.#writing;
    if (this.#waiting.length > 0) await this.#write();
    if (this.#waiting.length > 0)
      this.#options.complain(`--save: ${this.#waiting.length} calls were not kept`);
  }

  async #writeAll(): Promise<void> {
    const { signal } = this.#ending;
    while (this.#waiting.length > 0 && !signal.aborted) {
      await pause(this.#options.everyMs, undefined, { signal }).catch(() => undefined);
      await this.#write();
    }
    this.#writing = null;
  }

  async #write(): Promise<void> {
    const calls = this.#waiting;
    this.#waiting = [];
    try {
      await this.#options.save(calls);
    } catch (error) {
      this.#waiting = [...calls, ...this.#waiting].slice(0, mostWaiting);
      this.#failures.tell(`--save: calls cannot be kept now: ${(error as Error).message}`);
    }
  }
}
