import { SipctlError } from '../errors.ts';
import { localRecordings } from '../files/local-recordings.ts';
import type { FolderEntry, RecordingFolder } from '../files/recording-folder.ts';
import { parseRecordingPath, type RecordingName, recordingsFolder } from '../model/recording.ts';
import type { RecordingsPlace, Target } from '../platforms/target.ts';
import type { RecordedCall, RecordingFacts } from '../store/recordings.ts';
import type { Store } from '../store/store.ts';

/** A recording, as it stands on a node. */
export interface Recording extends RecordingName {
  node: string;
  /** Below the folder of sipctl. */
  path: string;
  /** Bytes. */
  size: number;
  /** When something was last written, in milliseconds since 1970. */
  endedAt: number;
  /** The engine may still write to it. */
  writing: boolean;
  /** A header without sound: nobody answered. */
  empty: boolean;
  idleMs: number;
  folder: RecordingFolder;
  /** null: nothing was noted of it. */
  facts: RecordingFacts | null;
  /** null: its call was not kept. */
  call: RecordedCall | null;
}

export interface RecordingFilter {
  /** null: of every tenant. */
  tenant: string | null;
  /** Days of UTC, both counted in. */
  from?: string;
  to?: string;
  /** Digits that the caller's or the called number ends with. */
  number?: string;
}

export interface FoundRecordings {
  /** The newest first. */
  recordings: Recording[];
  /** What stands there and is no recording of sipctl. */
  strange: { node: string; path: string }[];
  /** Nodes that were looked at, by name. */
  folders: Map<string, RecordingFolder>;
  /** Of nodes that could not be looked at. */
  errors: SipctlError[];
}

export interface Looking {
  signal: AbortSignal;
  /** A file of settings for ssh, instead of the user's own. */
  sshConfig: string | null;
}

/** Engines write several times a second while there is a bridge. */
const quietMs = 15_000;
/** Of a WAV header. */
const headerBytes = 44;

/** Recordings on these nodes. A node that cannot be looked at does not hide the others. */
export async function findRecordings(
  targets: readonly Target[],
  store: Store,
  filter: RecordingFilter,
  looking: Looking,
): Promise<FoundRecordings> {
  const found: FoundRecordings = { recordings: [], strange: [], folders: new Map(), errors: [] };
  const facts = new Map((await store.recordings.list()).map((one) => [keyOf(one.node, one.path), one]));
  const calls = new Map((await store.recordings.calls()).map((one) => [keyOf(one.node, one.call), one]));
  await Promise.all(
    targets.map(async ({ node, ...target }) => {
      try {
        const folder = await openRecordings(await target.recordings(looking.signal), looking);
        const entries = await folder.list(filter.tenant ?? '');
        found.folders.set(node, folder);
        for (const entry of entries) {
          const name = entry.kind === 'file' ? parseRecordingPath(entry.path) : null;
          if (name === null) found.strange.push({ node, path: entry.path });
          else {
            const call = calls.get(keyOf(node, name.callId)) ?? null;
            const known = facts.get(keyOf(node, entry.path)) ?? null;
            found.recordings.push({ ...name, ...standing(entry), node, folder, facts: known, call });
          }
        }
      } catch (error) {
        if (!(error instanceof SipctlError) || error.outcome === 'interrupted') throw error;
        found.errors.push(error);
      }
    }),
  );
  found.recordings = found.recordings
    .filter((one) => isAsked(one, filter))
    .sort((one, other) => other.endedAt - one.endedAt || (one.path < other.path ? -1 : 1));
  return found;
}

const keyOf = (node: string, rest: string): string => `${node} ${rest}`;

const standing = ({ path, size, modifiedAt, idleMs }: FolderEntry) => ({
  ...{ path, size, idleMs, endedAt: modifiedAt },
  writing: idleMs < quietMs,
  empty: size <= headerBytes,
});

function isAsked({ tenant, day, call }: Recording, filter: RecordingFilter): boolean {
  const { number } = filter;
  return (
    (filter.tenant === null || tenant === filter.tenant) &&
    (filter.from === undefined || day >= filter.from) &&
    (filter.to === undefined || day <= filter.to) &&
    (number === undefined || [call?.from, call?.to].some((one) => one?.endsWith(number) === true))
  );
}

/** The folder of sipctl among a PBX's recordings. */
async function openRecordings(
  { folder, ssh, sshConfig }: RecordingsPlace,
  looking: Looking,
): Promise<RecordingFolder> {
  const path = `${folder}/${recordingsFolder}`;
  if (ssh === null) return localRecordings(path);
  const { sshRecordings } = await import('../files/ssh-recordings.ts');
  return sshRecordings(ssh, path, { ...looking, sshConfig: sshConfig ?? looking.sshConfig });
}

const shortest = 4;

/**
 * The one recording that is meant: by its id, its path, or the beginning or end of its id, of four characters at least.
 * @throws SipctlError `notFound`, or `conflict` where several are meant
 */
export function oneRecording(recordings: readonly Recording[], text: string): Recording {
  const exact = recordings.filter(({ id, path }) => id === text || path === text);
  const partly = recordings.filter(
    ({ id, callId }) =>
      text.length >= shortest && (id.startsWith(text) || [id, callId].some((one) => one.endsWith(text))),
  );
  const [first, ...more] = exact.length > 0 ? exact : partly;
  if (first === undefined) {
    throw new SipctlError('notFound', {
      code: 'recording_not_found',
      message: `there is no recording '${text}'`,
      field: 'id',
      hint: 'sipctl recording list shows what there is; --tenant and --node say where',
    });
  }
  if (more.length === 0) return first;
  throw new SipctlError('conflict', {
    code: 'recording_ambiguous',
    message: `'${text}' can be ${[first, ...more].map(({ node, path }) => `${node}: ${path}`).join(', ')}`,
    field: 'id',
    hint: 'give the whole id, the path, or --node',
  });
}

/** @throws SipctlError `conflict` where the engine may still write to it */
export function assertEnded({ writing, id }: Recording): void {
  if (!writing) return;
  throw new SipctlError('conflict', {
    code: 'recording_open',
    message: `recording '${id}' is still written`,
    field: 'id',
    hint: 'wait until the call has ended, and a quarter of a minute longer',
  });
}
