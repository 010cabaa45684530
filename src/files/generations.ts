/**
 * A directory of generations, somewhere: immutable store files, numbered generation folders, and `current`,
 * the only thing that ever changes.
 *
 * ```
 * sipctl/
 *   store/<tenant>/<name>.<hash>.conf   content-addressed, written once
 *   generations/000042/…                index files and manifest.json
 *   current -> generations/000042       flipped by one rename(2)
 *   verified                            number of the generation that the PBX was proved to run
 *   lock                                who is at work
 * ```
 */
export interface Generations {
  /** The configuration folder itself, for messages. */
  readonly place: string;
  /** Its absolute path on the machine of the PBX, as files and commands there name it. */
  readonly folder: string;
  /** The generation that `current` names; null where there is none yet. */
  current(): Promise<number | null>;
  /** Numbers of all complete generations, ascending. */
  list(): Promise<number[]>;
  /** A file, by its path below the `sipctl` folder, or null where it is missing. */
  read(path: string): Promise<Buffer | null>;
  /** Many files at once, each as `read` gives it: a place that is far away answers all of them together. */
  readAll(paths: readonly string[]): Promise<(Buffer | null)[]>;
  /** Writes the store files that are missing, then the generation's folder. The PBX sees nothing of it. */
  write(generation: NewGeneration): Promise<WriteCount>;
  /** Makes `current` name this generation. */
  flip(generation: number): Promise<void>;
  verified(): Promise<number | null>;
  /** null: what the PBX runs is not known until a generation is verified again. */
  markVerified(generation: number | null): Promise<void>;
  /** Removes the generations not in `keep`, and store files that none of the rest names. Returns how many generations went. */
  prune(keep: ReadonlySet<number>): Promise<number>;
  /** Takes the lock of the place; the answer gives it back. @throws SipctlError `conflict` naming the holder */
  lock(holder: string): Promise<() => Promise<void>>;
  /** A file of the configuration folder itself, not ours to change, or null where it is missing. */
  readHost(name: string): Promise<Buffer | null>;
  /** Adds or replaces a file of the configuration folder: for `node init --write` only. */
  writeHost(name: string, text: string | Buffer): Promise<void>;
  /** Owner, group and mode of a path below the configuration folder, or null where it is missing. */
  stat(path: string): Promise<HostStat | null>;
}

export interface NewGeneration {
  number: number;
  /** Path below the `sipctl` folder → content. What is there already is left alone. */
  store: ReadonlyMap<string, Buffer>;
  /** File name → text of the generation's own folder. */
  files: ReadonlyMap<string, string>;
}

export interface WriteCount {
  files: number;
  bytes: number;
}

export interface HostStat {
  kind: 'file' | 'directory' | 'other';
  owner: string;
  group: string;
  /** Permission bits, for example 0o640. */
  mode: number;
  writable: boolean;
}

/** `000042`: the folder of a generation. */
export const generationFolder = (generation: number): string => String(generation).padStart(6, '0');
