import { dirname } from 'node:path';
import { FarPlace, inRequests, type ShellPlace } from './far-place.ts';
import { statIn } from './far-state.ts';
import { manifestFile } from './generation-folders.ts';
import {
  type Generations,
  generationFolder,
  type HostStat,
  type NewGeneration,
  type WriteCount,
} from './generations.ts';
import { below, checkedName, checkedStorePath, isStorePath, isTemporary } from './paths.ts';
import { storePathsIn } from './prune.ts';
import type { Answer } from './shell-answers.ts';
import { quoted } from './ssh.ts';
import { archived } from './tar.ts';

/** Generations on another machine, behind a POSIX shell: the layout, the locks and the leftovers of `local.ts`. */
export class ShellGenerations implements Generations {
  readonly place: string;
  readonly folder: string;
  readonly #far: FarPlace;
  readonly #now: () => Date;

  constructor(place: ShellPlace) {
    this.place = place.place;
    this.folder = place.folder;
    this.#far = new FarPlace(place);
    this.#now = place.now;
  }

  /** Sees to it that there is a connection. */
  async connected(): Promise<void> {
    await this.#far.connect();
  }

  close(): Promise<void> {
    return this.#far.close();
  }

  async current(): Promise<number | null> {
    return (await (this.#far.isLocked ? this.#far.seen() : this.#far.look())).current;
  }

  async list(): Promise<number[]> {
    return [...(await this.#far.seen()).list];
  }

  read(path: string): Promise<Buffer | null> {
    return this.#one('ours', path);
  }

  readAll(paths: readonly string[]): Promise<(Buffer | null)[]> {
    return this.#far.readAll('ours', paths);
  }

  async write(generation: NewGeneration): Promise<WriteCount> {
    const { number } = generation;
    const count = await write(generation, (request, payload) => this.#far.ask('write', request, payload));
    this.#far.change((now) => {
      now.list = [...new Set([...now.list, number])].sort((a, b) => a - b);
    });
    const manifest = Buffer.from(generation.files.get(manifestFile) ?? '');
    this.#far.manifests.set(manifestPath(number), manifest);
    return count;
  }

  flip(generation: number): Promise<void> {
    return this.#far.flip(generation, `flip ${generationFolder(generation)}`);
  }

  async verified(): Promise<number | null> {
    return (await this.#far.seen()).verified;
  }

  async markVerified(generation: number | null): Promise<void> {
    await this.#far.ask('mark verified', `mark ${generation ?? 'none'}`);
    this.#far.change((now) => {
      now.verified = generation;
    });
  }

  async prune(keep: ReadonlySet<number>): Promise<number> {
    const { current, verified, list } = await (this.#far.isLocked ? this.#far.seen() : this.#far.look());
    const wanted = new Set([...keep, current, verified].filter((number) => number !== null));
    const doomed = list.filter((number) => !wanted.has(number));
    const kept = list.filter((number) => wanted.has(number));
    await prune(kept, doomed, (request) => this.#far.ask('prune', request));
    for (const number of doomed) this.#far.manifests.delete(manifestPath(number));
    this.#far.change((now) => {
      now.list = kept;
    });
    return doomed.length;
  }

  async lock(holder: string): Promise<() => Promise<void>> {
    const { inherited, release } = await this.#far.lock(holder);
    if (inherited) await sweepStore((request) => this.#far.ask('lock', request)).catch(() => undefined);
    return release;
  }

  readHost(name: string): Promise<Buffer | null> {
    return this.#one('host', name);
  }

  async writeHost(name: string, text: string | Buffer): Promise<void> {
    const data = Buffer.from(text as string);
    if ((await this.#one('host', name))?.equals(data)) return;
    const stamp = this.#now()
      .toISOString()
      .replace(/[-:]|\.[0-9]+/g, '');
    const archive = archived([
      ['new', data],
      ['end', Buffer.alloc(0)],
    ]);
    await this.#far.ask('write', `host ${quoted(name)} ${stamp} ${archive.length}`, archive);
  }

  async stat(path: string): Promise<HostStat | null> {
    if (path !== '.') below('/', path);
    return statIn((await this.#far.ask('look', `stat_of ${quoted(path)}`)).lines);
  }

  async #one(base: 'ours' | 'host', path: string): Promise<Buffer | null> {
    return (await this.#far.readAll(base, [path]))[0] ?? null;
  }
}

type Ask = (request: string, payload?: Buffer) => Promise<Answer>;

const manifestPath = (generation: number): string =>
  `generations/${generationFolder(generation)}/${manifestFile}`;

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
  const requests = inRequests('discard', paths);
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
