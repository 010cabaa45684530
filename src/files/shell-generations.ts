import { dirname } from 'node:path';
import { SipctlError } from '../errors.ts';
import { farFailure, linkLeadsOut, notAFile, notReadable } from './far-failure.ts';
import { type FarState, stateIn, statIn } from './far-state.ts';
import { manifestFile } from './generation-folders.ts';
import { type Generations, generationFolder, type NewGeneration, type WriteCount } from './generations.ts';
import { lost } from './lock.ts';
import { below, checkedName, checkedStorePath, isStorePath, isTemporary } from './paths.ts';
import { storePathsIn } from './prune.ts';
import type { Answer } from './shell-answers.ts';
import { type FarLock, takeFarLock } from './shell-lock.ts';
import type { ShellSession } from './shell-session.ts';
import { quoted } from './ssh.ts';
import { archived } from './tar.ts';

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

export interface ShellGenerations extends Generations {
  /** Sees to it that there is a connection. */
  connected(): Promise<void>;
  close(): Promise<void>;
}

/** So many paths fit into one command line. */
const pathsAtOnce = 400;

/**
 * Generations on another machine, behind a POSIX shell: the layout, the locks and the leftovers of `local.ts`.
 * What is in force is asked once; what else was told with that answer is not asked again until something changes it. Under the
 * lock nobody else changes it. Each request may be made twice with the same effect, so that one whose connection was
 * lost is made again over a new one.
 */
export function shellGenerations({
  place,
  folder,
  open,
  now,
  renewEvery = 5000,
}: ShellPlace): ShellGenerations {
  let opened: Promise<ShellSession> | null = null;
  let state: FarState | null = null;
  /** Of generations whose folders are complete, and never change: by their paths. */
  const manifests = new Map<string, Buffer>();
  let held: Held | null = null;

  const connect = async (): Promise<ShellSession> => {
    const session = await opened?.catch(() => null);
    if (session && !session.ended) return session;
    opened = open(held === null);
    const fresh = await opened;
    if (held !== null) await lockAgain(fresh, held);
    return fresh;
  };
  const ask = async (doing: string, request: string, payload?: Buffer): Promise<Answer> => {
    const once = async (): Promise<Answer> => {
      const answer = await (await connect()).ask(request, payload);
      if (answer.code !== 0) throw farFailure(answer, { doing, place });
      return answer;
    };
    return once().catch(async (error: unknown) => {
      if (!isLost(error)) throw error;
      // One direction of it may still be open.
      await (await opened)?.close();
      return once();
    });
  };

  const learn = (answer: Answer): FarState => {
    state = stateIn(answer, place);
    if (state.manifest !== null) manifests.set(state.manifest.path, state.manifest.text);
    return state;
  };
  /** The generation whose manifest need not be sent. */
  const known = (): string => dirname([...manifests.keys()].at(-1) ?? '');
  const look = async (): Promise<FarState> => learn(await ask('read', `look ${quoted(known())}`));
  const seen = async (): Promise<FarState> => state ?? look();
  // Without the lock nothing is known for longer than until the next change.
  const change = (learned: (state: FarState) => void): void => {
    if (held === null) state = null;
    else if (state !== null) learned(state);
  };

  const hold = (holder: string, session: ShellSession, lock: FarLock, expected: Held['expected']): Held => {
    const timer = setInterval(() => session.renew(), renewEvery);
    timer.unref();
    return { holder, session, lock, timer, expected };
  };
  // The connection went, and the lock with it. Another run may have had it since.
  const lockAgain = async (session: ShellSession, before: Held): Promise<void> => {
    clearInterval(before.timer);
    const lock = await takeAgain(session, before);
    held = hold(before.holder, session, lock, before.expected);
    if (before.expected.includes(learn(lock.state).current)) return;
    held = null;
    throw lost(`${place}/sipctl`);
  };
  // The shell of the lost connection may still be at its last request.
  const takeAgain = async (session: ShellSession, before: Held): Promise<FarLock> => {
    for (let round = 0; ; round++) {
      try {
        return await takeFarLock(session, { place, holder: before.holder, now, known: known() });
      } catch (error) {
        if (!(error instanceof SipctlError) || error.outcome !== 'conflict' || round === 20) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  };

  const readAll = async (base: 'ours' | 'host', paths: readonly string[]): Promise<(Buffer | null)[]> => {
    const texts = new Map<string, Buffer | null>();
    const wanted = paths.filter((path) => {
      below('/', path);
      const manifest = base === 'ours' ? manifests.get(path) : undefined;
      if (manifest !== undefined) texts.set(path, manifest);
      return manifest === undefined;
    });
    for (const batch of inBatches([...new Set(wanted)], pathsAtOnce * 10)) {
      const requests = inBatches(batch, pathsAtOnce).map(
        (some) => `files ${base} ${some.map(quoted).join(' ')}`,
      );
      const answer = await ask('read', requests.join('\n'));
      for (const [path, text] of textsIn(answer, batch, place)) texts.set(path, text);
    }
    return paths.map((path) => texts.get(path) ?? null);
  };
  const one = async (base: 'ours' | 'host', path: string): Promise<Buffer | null> =>
    (await readAll(base, [path]))[0] ?? null;

  const generations: ShellGenerations = {
    place,
    folder,
    current: async () => (held === null || state === null ? await look() : state).current,
    list: async () => [...(await seen()).list],
    read: (path) => one('ours', path),
    readAll: (paths) => readAll('ours', paths),
    write: async (generation) => {
      const { number } = generation;
      const count = await write(generation, (request, payload) => ask('write', request, payload));
      change((now) => {
        now.list = [...new Set([...now.list, number])].sort((a, b) => a - b);
      });
      manifests.set(manifestPath(number), Buffer.from(generation.files.get(manifestFile) ?? ''));
      return count;
    },
    flip: async (generation) => {
      held?.expected.push(generation);
      await ask('flip', `flip ${generationFolder(generation)}`);
      if (held !== null) held.expected = [generation];
      change((now) => {
        now.current = generation;
      });
    },
    verified: async () => (await seen()).verified,
    markVerified: async (generation) => {
      await ask('mark verified', `mark ${generation ?? 'none'}`);
      change((now) => {
        now.verified = generation;
      });
    },
    prune: async (keep) => {
      const { current, verified, list } = held === null ? await look() : await seen();
      const wanted = new Set([...keep, current, verified].filter((number) => number !== null));
      const doomed = list.filter((number) => !wanted.has(number));
      const kept = list.filter((number) => wanted.has(number));
      await prune(kept, doomed, (request) => ask('prune', request));
      for (const number of doomed) manifests.delete(manifestPath(number));
      change((now) => {
        now.list = kept;
      });
      return doomed.length;
    },
    lock: async (holder) => {
      const session = await connect();
      const lock = await takeFarLock(session, { place, holder, now, known: known() });
      const mine = hold(holder, session, lock, []);
      held = mine;
      mine.expected = [learn(lock.state).current];
      if (lock.inherited) await sweepStore((request) => ask('lock', request)).catch(() => undefined);
      return async () => {
        const last = held ?? mine;
        held = null;
        state = null;
        clearInterval(last.timer);
        // A shell that has ended has given it back.
        if (last.session.ended) return;
        const answer = await last.session.ask('release');
        if (answer.code !== 0) throw farFailure(answer, { doing: 'unlock', place });
      };
    },
    readHost: (name) => one('host', name),
    writeHost: async (name, text) => {
      const data = Buffer.from(text as string);
      if ((await one('host', name))?.equals(data)) return;
      const stamp = now()
        .toISOString()
        .replace(/[-:]|\.[0-9]+/g, '');
      const archive = archived([
        ['new', data],
        ['end', Buffer.alloc(0)],
      ]);
      await ask('write', `host ${quoted(name)} ${stamp} ${archive.length}`, archive);
    },
    stat: async (path) => {
      if (path !== '.') below('/', path);
      return statIn((await ask('look', `stat_of ${quoted(path)}`)).lines);
    },
    connected: async () => void (await connect()),
    close: async () => {
      const session = await opened?.catch(() => null);
      await session?.close();
    },
  };
  return generations;
}

type Ask = (request: string, payload?: Buffer) => Promise<Answer>;

const manifestPath = (generation: number): string =>
  `generations/${generationFolder(generation)}/${manifestFile}`;

const isLost = (error: unknown): boolean =>
  error instanceof SipctlError && error.problems.some(({ code }) => code === 'ssh_lost');

function inBatches<T>(all: readonly T[], size: number): T[][] {
  const batches: T[][] = [];
  for (let at = 0; at < all.length; at += size) batches.push(all.slice(at, at + size));
  return batches;
}

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

/** One request, whatever it holds: all of it crosses the network as one archive. */
async function write({ number, store, files }: NewGeneration, ask: Ask): Promise<WriteCount> {
  if (!files.has(manifestFile)) throw new Error(`generation ${number} has no ${manifestFile}`);
  const folder = generationFolder(number);
  const inStore = [...store].map(([path, data]) => [checkedStorePath(path), data] as const);
  const own = [...files].map(
    ([name, text]) => [`${folder}/${checkedName(name)}`, Buffer.from(text)] as const,
  );
  // The last entry is the sign that all of it came.
  const archive = archived([...inStore, ...own, ['end', Buffer.alloc(0)] as const]);
  const { lines } = await ask(`put ${folder} ${archive.length}`, archive);
  const heldAlready = new Set(lines.filter((line) => line.startsWith('held ')).map((line) => line.slice(5)));
  const written = [
    ...inStore.filter(([path]) => !heldAlready.has(path)),
    ...(lines.includes('same') ? [] : own),
  ];
  return { files: written.length, bytes: written.reduce((sum, [, data]) => sum + data.length, 0) };
}

/** The order of `prune.ts`: generations first, then what none of the others names. */
async function prune(kept: readonly number[], doomed: readonly number[], ask: Ask): Promise<void> {
  const { lines, entries } = await ask(`stock ${kept.map(generationFolder).join(' ')}`);
  const told = (word: string): string[] =>
    lines.filter((line) => line.startsWith(word)).map((line) => line.slice(word.length));
  const halves = told('half ').filter((name) => /^[0-9]{6,15}$/.test(name));
  const gone = [...doomed.map(generationFolder), ...halves];
  if (gone.length > 0) await ask(`drop ${gone.join(' ')}`);
  const needed = new Set(entries.flatMap(({ data }) => storePathsIn(data.toString('utf8'))));
  const stored = told('stored ');
  const isUseless = (path: string): boolean => isTemporary(path) || (isStorePath(path) && !needed.has(path));
  const useless = stored.filter(isUseless);
  await discard(useless, ask);
  const left = new Set(stored.filter((path) => !isUseless(path)).map((path) => dirname(path)));
  const emptied = [...new Set(useless.map((path) => dirname(path)))].filter((folder) => !left.has(folder));
  if (emptied.length > 0) await ask(`vacate ${emptied.map(quoted).join(' ')}`);
}

async function discard(paths: readonly string[], ask: Ask): Promise<void> {
  const requests = inBatches(paths, pathsAtOnce).map((some) => `discard ${some.map(quoted).join(' ')}`);
  if (requests.length > 0) await ask(requests.join(' && '));
}

/** What a killed run on that machine left in the store. */
async function sweepStore(ask: Ask): Promise<void> {
  const { lines } = await ask('stock');
  const stored = lines.filter((line) => line.startsWith('stored ')).map((line) => line.slice(7));
  await discard(
    stored.filter((path) => isTemporary(path)),
    ask,
  );
}
