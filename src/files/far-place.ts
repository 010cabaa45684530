import { dirname } from 'node:path';
import { SipctlError } from '../errors.ts';
import { farFailure, linkLeadsOut, notAFile, notReadable } from './far-failure.ts';
import { type FarState, stateIn } from './far-state.ts';
import { lost } from './lock.ts';
import { below } from './paths.ts';
import type { Answer } from './shell-answers.ts';
import { type FarLock, takeFarLock } from './shell-lock.ts';
import type { ShellSession } from './shell-session.ts';
import { quoted } from './ssh.ts';

/** Settings of a place behind a shell; everything outside it comes in here. */
export interface ShellPlace {
  /** As people know it: `ops@pbx1:/etc/asterisk`. */
  place: string;
  /** Its path on that machine. */
  folder: string;
  /**
   * Opens a connection: for the first request, and once more for one whose connection was lost.
   * @param interruptible false where something is at work that has to come to its end
   */
  open: (interruptible: boolean) => Promise<ShellSession>;
  now: () => Date;
  /** Milliseconds between two signs of life of a held lock. */
  renewEvery?: number;
}

interface Held {
  holder: string;
  lock: FarLock;
  session: ShellSession;
  timer: NodeJS.Timeout;
  /** What may be in force, as far as we know: of a flip whose answer was lost either the old or the new one. */
  expected: (number | null)[];
}

/** So many paths fit into one command line. */
const pathsAtOnce = 400;

/**
 * A folder on another machine, as far as it is known here: what is in force is asked once, and what else was told with that
 * answer is not asked again until something changes it. Under the lock nobody else changes it. Each request may be made
 * twice with the same effect, so that one whose connection was lost is made again over a new one.
 */
export class FarPlace {
  /** Of generations whose folders are complete, and never change: by their paths. */
  readonly manifests = new Map<string, Buffer>();
  readonly #place: ShellPlace;
  #opened: Promise<ShellSession> | null = null;
  #state: FarState | null = null;
  #held: Held | null = null;

  constructor(place: ShellPlace) {
    this.#place = place;
  }

  get isLocked(): boolean {
    return this.#held !== null;
  }

  async connect(): Promise<ShellSession> {
    const session = await this.#opened?.catch(() => null);
    if (session && !session.ended) return session;
    this.#opened = this.#place.open(this.#held === null);
    const fresh = await this.#opened;
    if (this.#held !== null) await this.#lockAgain(fresh, this.#held);
    return fresh;
  }

  async close(): Promise<void> {
    const session = await this.#opened?.catch(() => null);
    await session?.close();
  }

  async ask(doing: string, request: string, payload?: Buffer): Promise<Answer> {
    const once = async (): Promise<Answer> => {
      const answer = await (await this.connect()).ask(request, payload);
      if (answer.code !== 0) throw farFailure(answer, { doing, place: this.#place.place });
      return answer;
    };
    return once().catch(async (error: unknown) => {
      if (!isLost(error)) throw error;
      // One direction of it may still be open.
      await (await this.#opened)?.close();
      return once();
    });
  }

  async look(): Promise<FarState> {
    return this.#learn(await this.ask('read', `look ${quoted(this.#known())}`));
  }

  async seen(): Promise<FarState> {
    return this.#state ?? this.look();
  }

  /** What a request changed there. Without the lock nothing is known for longer than until the next change. */
  change(learned: (state: FarState) => void): void {
    if (this.#held === null) this.#state = null;
    else if (this.#state !== null) learned(this.#state);
  }

  /** Makes a generation the one in force; an answer that is lost leaves both of them possible. */
  async flip(generation: number, request: string): Promise<void> {
    this.#held?.expected.push(generation);
    await this.ask('flip', request);
    if (this.#held !== null) this.#held.expected = [generation];
    this.change((now) => {
      now.current = generation;
    });
  }

  /** Takes the lock there; true where its last owner did not give it back. */
  async lock(holder: string): Promise<{ inherited: boolean; release: () => Promise<void> }> {
    const session = await this.connect();
    const lock = await this.#takeLock(session, holder);
    const mine = this.#hold(holder, session, lock, []);
    this.#held = mine;
    mine.expected = [this.#learn(lock.state).current];
    return { inherited: lock.inherited, release: () => this.#release(mine) };
  }

  /** The texts of files, in the order of their paths; null where one is missing. */
  async readAll(base: 'ours' | 'host', paths: readonly string[]): Promise<(Buffer | null)[]> {
    const texts = new Map<string, Buffer | null>();
    const wanted = paths.filter((path) => {
      below('/', path);
      const manifest = base === 'ours' ? this.manifests.get(path) : undefined;
      if (manifest !== undefined) texts.set(path, manifest);
      return manifest === undefined;
    });
    for (const batch of inBatches([...new Set(wanted)], pathsAtOnce * 10)) {
      const answer = await this.ask('read', inRequests(`files ${base}`, batch).join('\n'));
      for (const [path, text] of textsIn(answer, batch, this.#place.place)) texts.set(path, text);
    }
    return paths.map((path) => texts.get(path) ?? null);
  }

  #learn(answer: Answer): FarState {
    this.#state = stateIn(answer, this.#place.place);
    const { manifest } = this.#state;
    if (manifest !== null) this.manifests.set(manifest.path, manifest.text);
    return this.#state;
  }

  /** The generation whose manifest need not be sent. */
  #known(): string {
    return dirname([...this.manifests.keys()].at(-1) ?? '');
  }

  #takeLock(session: ShellSession, holder: string): Promise<FarLock> {
    const { place, now } = this.#place;
    return takeFarLock(session, { place, holder, now, known: this.#known() });
  }

  #hold(holder: string, session: ShellSession, lock: FarLock, expected: Held['expected']): Held {
    const timer = setInterval(() => session.renew(), this.#place.renewEvery ?? 5000);
    timer.unref();
    return { holder, session, lock, timer, expected };
  }

  async #release(mine: Held): Promise<void> {
    const last = this.#held ?? mine;
    this.#held = null;
    this.#state = null;
    clearInterval(last.timer);
    // A shell that has ended has given it back.
    if (last.session.ended) return;
    const answer = await last.session.ask('release');
    if (answer.code !== 0) throw farFailure(answer, { doing: 'unlock', place: this.#place.place });
  }

  // The connection went, and the lock with it. Another run may have had it since.
  async #lockAgain(session: ShellSession, before: Held): Promise<void> {
    clearInterval(before.timer);
    const lock = await this.#takeAgain(session, before);
    this.#held = this.#hold(before.holder, session, lock, before.expected);
    if (before.expected.includes(this.#learn(lock.state).current)) return;
    this.#held = null;
    throw lost(`${this.#place.place}/sipctl`);
  }

  // The shell of the lost connection may still be at its last request.
  async #takeAgain(session: ShellSession, before: Held): Promise<FarLock> {
    for (let round = 0; ; round++) {
      try {
        return await this.#takeLock(session, before.holder);
      } catch (error) {
        if (!(error instanceof SipctlError) || error.outcome !== 'conflict' || round === 20) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }
}

const isLost = (error: unknown): boolean =>
  error instanceof SipctlError && error.problems.some(({ code }) => code === 'ssh_lost');

function inBatches<T>(all: readonly T[], size: number): T[][] {
  const batches: T[][] = [];
  for (let at = 0; at < all.length; at += size) batches.push(all.slice(at, at + size));
  return batches;
}

/** One request for as many paths as fit into one. */
export const inRequests = (words: string, paths: readonly string[]): string[] =>
  inBatches(paths, pathsAtOnce).map((some) => `${words} ${some.map(quoted).join(' ')}`);

/** Each path with its text, or null where it is missing. @throws SipctlError for the first that may not be read */
function textsIn(
  { lines, entries }: Answer,
  paths: readonly string[],
  place: string,
): [string, Buffer | null][] {
  const files = new Map(entries.map((entry) => [entry.path, entry]));
  return paths.map((path, at) => {
    const told = lines[at] ?? 'm';
    const there = told.slice(1);
    if (told.startsWith('o')) throw linkLeadsOut(path, there, place);
    if (told.startsWith('n')) throw notAFile(there);
    if (told.startsWith('d')) throw notReadable(there, place);
    const file = told.startsWith('f') ? files.get(there) : undefined;
    return [path, file?.kind === 'file' ? file.data : null];
  });
}
