/** One entry of a folder of recordings. */
export interface FolderEntry {
  /** Below the folder: `acme/2026-11-21/1763755659.12.wav`. */
  path: string;
  kind: 'file' | 'other';
  /** Bytes. */
  size: number;
  /** Milliseconds since 1970, by the clock of its machine. */
  modifiedAt: number;
  /** Milliseconds in which nothing was written to it. */
  idleMs: number;
  /** Permission bits. */
  mode: number;
}

/**
 * The folder in which a PBX keeps recordings, on this machine or another one. Paths are below it, with slashes; none may
 * climb out of it, and no link that leads out is followed.
 *
 * All throw SipctlError: `invalid` for a path that climbs, `notFound` where the file is not there, `refused` where a right
 * is missing or a link leads out, `unreachable` where the connection is lost.
 */
export interface RecordingFolder {
  /** As people know it: `/var/spool/asterisk/monitor/sipctl`, `ops@pbx:/var/…`. */
  readonly place: string;
  /** Path of a file that other programs of this machine can open; null where the folder is on another one. */
  localPath(path: string): string | null;
  /** Every entry below `under` that is no folder; nothing where it is missing. */
  list(under: string): Promise<FolderEntry[]>;
  /** The bytes from `from` on. */
  read(path: string, from: number, signal?: AbortSignal): AsyncIterable<Buffer>;
  /** Its first bytes, as many as there are. */
  head(path: string, bytes: number): Promise<Buffer>;
  /** SHA-256 of each, in hex, as the far side computes it; null for one that is not there. */
  digests(paths: readonly string[]): Promise<(string | null)[]>;
  /** Takes the rights of others away: 0640 for these files, 0750 for their folders and the folder itself. */
  protect(paths: readonly string[]): Promise<void>;
  /** Removes files; true for each that was there. */
  remove(paths: readonly string[]): Promise<boolean[]>;
}
