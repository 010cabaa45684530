import type { Socket } from 'node:net';
import { EventQueue, type EventStream } from './event-queue.ts';

/** What a feed must know of the connection that it belongs to. */
export interface FeedOptions {
  /** True while somebody waits for an answer, which may stand behind the events. */
  awaitsAnswer: () => boolean;
  /** Asks the peer anything, so that its silence is noticed. */
  ping: () => void;
  pingIntervalMs: number;
  /** A consumer that leaves more events than this lying pauses the socket … */
  highWater: number;
  /** … until it is down to this. */
  lowWater: number;
}

/**
 * The events of one connection on their way to all of its consumers. One that does not keep up pauses the socket, so
 * that the events wait in the server; only while an answer is awaited is the socket read on.
 */
export class EventFeed<Event> {
  readonly #socket: Socket;
  readonly #options: FeedOptions;
  readonly #queues = new Set<EventQueue<Event>>();
  #ended: { error: Error | null } | null = null;
  #watch: NodeJS.Timeout | null = null;

  constructor(socket: Socket, options: FeedOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** A further consumer: it gets the events from now on, and the error where the connection is lost. */
  open(): EventStream<Event> {
    const queue = new EventQueue<Event>(
      () => this.regulate(),
      (done) => this.#drop(done),
    );
    if (this.#ended === null) {
      this.#queues.add(queue);
      this.#watchPeer();
    } else queue.end(this.#ended.error);
    return queue;
  }

  push(event: Event): void {
    for (const queue of this.#queues) queue.push(event);
  }

  /** Pauses or resumes the socket: to be called whenever what is read or awaited has changed. */
  regulate(): void {
    if (this.#ended !== null) return;
    const paused = this.#socket.isPaused();
    const awaited = this.#options.awaitsAnswer();
    let most = 0;
    for (const queue of this.#queues) most = Math.max(most, queue.size);
    if (!paused && most > this.#options.highWater && !awaited) this.#socket.pause();
    else if (paused && (most < this.#options.lowWater || awaited)) this.#socket.resume();
  }

  /** No more events will come; null where it was we who closed. */
  end(error: Error | null): void {
    if (this.#ended !== null) return;
    this.#ended = { error };
    this.#stopWatch();
    for (const queue of this.#queues) queue.end(error);
    this.#queues.clear();
  }

  #drop(queue: EventQueue<Event>): void {
    this.#queues.delete(queue);
    if (this.#queues.size === 0) this.#stopWatch();
    this.regulate();
  }

  // A peer that vanished sends nothing, not even an end: whoever only listens would wait for ever.
  #watchPeer(): void {
    if (this.#watch !== null) return;
    let seen = this.#socket.bytesRead;
    const look = (): void => {
      const silent = this.#socket.bytesRead === seen && !this.#socket.isPaused();
      seen = this.#socket.bytesRead;
      if (silent && !this.#options.awaitsAnswer()) this.#options.ping();
    };
    this.#watch = setInterval(look, this.#options.pingIntervalMs).unref();
  }

  #stopWatch(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
  }
}
