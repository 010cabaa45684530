interface Waiting<Event> {
  resolve: (step: IteratorResult<Event, undefined>) => void;
  reject: (error: unknown) => void;
}

/** Events as they come, for one consumer. */
export interface EventStream<Event> extends AsyncIterableIterator<Event> {
  /** Takes what is there already, without a promise for each: thousands come in a second. */
  takeAll(): Event[];
}

/** Events on their way to one consumer, in order. The connection looks at `size` and pauses the socket. */
export class EventQueue<Event> implements EventStream<Event> {
  readonly #onTake: () => void;
  readonly #onReturn: (queue: EventQueue<Event>) => void;
  readonly #waiting: Waiting<Event>[] = [];
  #events: Event[] = [];
  #head = 0;
  #end: { error: Error | null } | null = null;

  constructor(onTake: () => void, onReturn: (queue: EventQueue<Event>) => void) {
    this.#onTake = onTake;
    this.#onReturn = onReturn;
  }

  /** Events that nobody has taken yet. */
  get size(): number {
    return this.#events.length - this.#head;
  }

  push(event: Event): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#events.push(event);
    else waiting.resolve({ done: false, value: event });
  }

  /** No more events will come; an error is thrown to the consumer once it has taken what is there. */
  end(error: Error | null): void {
    this.#end ??= { error };
    for (const waiting of this.#waiting.splice(0)) this.#finish(waiting);
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    if (this.size > 0) {
      const value = this.#events[this.#head] as Event;
      this.#head += 1;
      if (this.#head === this.#events.length) {
        this.#events = [];
        this.#head = 0;
      } else if (this.#head === 4096) {
        this.#events = this.#events.slice(this.#head);
        this.#head = 0;
      }
      this.#onTake();
      return Promise.resolve({ done: false, value });
    }
    return new Promise((resolve, reject) => {
      if (this.#end === null) this.#waiting.push({ resolve, reject });
      else this.#finish({ resolve, reject });
    });
  }

  takeAll(): Event[] {
    const events = this.#head === 0 ? this.#events : this.#events.slice(this.#head);
    this.#events = [];
    this.#head = 0;
    if (events.length > 0) this.#onTake();
    return events;
  }

  /** The consumer has had enough: what is queued is dropped, and the socket is read again. */
  return(): Promise<IteratorResult<Event, undefined>> {
    this.#events = [];
    this.#head = 0;
    this.end(null);
    this.#onReturn(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(waiting: Waiting<Event>): void {
    const error = this.#end?.error ?? null;
    if (error === null) waiting.resolve({ done: true, value: undefined });
    else {
      // Thrown once; whoever asks again is told that it is over.
      this.#end = { error: null };
      waiting.reject(error);
    }
  }
}
