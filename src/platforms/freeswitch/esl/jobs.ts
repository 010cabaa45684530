import { randomUUID } from 'node:crypto';
import type { EslEvent, EslMessage } from './codec.ts';
import type { EslFailures } from './failures.ts';

interface Job {
  name: string;
  timer: NodeJS.Timeout;
  resolve: (printed: string) => void;
  reject: (error: Error) => void;
}

/** What the jobs need of their connection. */
interface JobConnection {
  /** Sends a command of the socket itself, and rejects where it is refused. */
  command: (name: string, line: string, headers?: Record<string, string>) => Promise<EslMessage>;
  /** The answers no longer belong to their commands: the connection must end. */
  outOfStep: (name: string) => void;
  /** The number of running jobs is another one. */
  changed: () => void;
}

/**
 * The `bgapi` commands of one connection. Each gets a Job-UUID of ours; its output comes as an event BACKGROUND_JOB
 * with the same one, in whatever order the jobs end.
 */
export class BackgroundJobs {
  /** True where the consumers of events asked for BACKGROUND_JOB themselves, and so get those of other clients. */
  wanted = false;
  readonly #failures: EslFailures;
  readonly #connection: JobConnection;
  readonly #jobs = new Map<string, Job>();
  #subscribed: Promise<void> | null = null;

  constructor(failures: EslFailures, connection: JobConnection) {
    this.#failures = failures;
    this.#connection = connection;
  }

  get running(): number {
    return this.#jobs.size;
  }

  /** @throws EslError where it cannot be started, SipctlError `unreachable` where its output has not come in time */
  async run(name: string, command: string, timeoutMs: number): Promise<string> {
    const id = randomUUID();
    const printed = this.#await(id, name, timeoutMs);
    this.#start(id, name, command).catch((error: Error) => this.#settle(id)?.reject(error));
    return await printed;
  }

  async #start(id: string, name: string, command: string): Promise<void> {
    this.#subscribed ??= this.#subscribe();
    const [answer] = await Promise.all([
      this.#connection.command(name, `bgapi ${command}`, { 'Job-UUID': id }),
      this.#subscribed,
    ]);
    if (answer.headers.get('Job-UUID') !== id) this.#connection.outOfStep(name);
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#connection.command('event', 'event json BACKGROUND_JOB');
    } catch (error) {
      this.#subscribed = null;
      throw error;
    }
  }

  /** Takes an event that is the end of a job, unless it is of another client and the consumers want those too. */
  take(event: EslEvent): boolean {
    if (!event.mayBe('BACKGROUND_JOB') || event.name !== 'BACKGROUND_JOB') return false;
    const job = this.#settle(event.get('Job-UUID') ?? '');
    job?.resolve(event.body);
    return job !== undefined || !this.wanted;
  }

  /** The connection has ended, and with it every job. */
  end(errorOf: (name: string) => Error): void {
    for (const [id, { name }] of this.#jobs) this.#settle(id)?.reject(errorOf(name));
  }

  #await(id: string, name: string, timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(this.#failures.commandTimedOut(name, timeoutMs));
      }, timeoutMs);
      this.#jobs.set(id, { name, timer, resolve, reject });
      this.#connection.changed();
    });
  }

  #settle(id: string): Job | undefined {
    const job = this.#jobs.get(id);
    if (job === undefined) return undefined;
    clearTimeout(job.timer);
    this.#jobs.delete(id);
    this.#connection.changed();
    return job;
  }
}
