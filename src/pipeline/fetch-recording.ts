import { createHash, randomUUID } from 'node:crypto';
import { link, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SipctlError } from '../errors.ts';
import { assertReplaceable } from '../files/replaceable.ts';
import type { Recording } from './recordings.ts';

/** What was fetched. */
export interface Fetched {
  bytes: number;
  /** Hex. */
  sha256: string;
}

/** How often in a row nothing at all may come before it is given up. */
const attempts = 3;
const pauseMs = 1000;

/**
 * Hands a recording over, piece by piece. Where the connection is lost, it goes on where it stopped; in the end the
 * checksum is compared with that of the node, and with the one that was noted when it was sealed.
 * @throws SipctlError `unreachable`, `notFound`, `refused`, `failed` where it is not the recording that was sealed
 */
export async function fetchRecording(
  { folder, path, facts, id }: Recording,
  take: (chunk: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<Fetched> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (let failed = 0; ; ) {
    const before = bytes;
    try {
      for await (const chunk of folder.read(path, bytes, signal)) {
        if (signal.aborted) throw interrupted();
        await take(chunk);
        hash.update(chunk);
        bytes += chunk.length;
      }
      break;
    } catch (error) {
      const isLost = error instanceof SipctlError && error.outcome === 'unreachable';
      failed = bytes > before ? 1 : failed + 1;
      if (!isLost || failed === attempts) throw error;
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw interrupted();
      });
    }
  }
  const sha256 = hash.digest('hex');
  const [there = null] = await folder.digests([path]);
  if (there === null) throw gone(id);
  if (there !== sha256 || (facts?.sha256 ?? sha256) !== sha256) throw changed(id);
  return { bytes, sha256 };
}

/** Like `fetchRecording`, into a file. @throws SipctlError like `intoFile` */
export const fetchToFile = (
  recording: Recording,
  file: string,
  { replace, signal }: { replace: boolean; signal: AbortSignal },
): Promise<Fetched> => intoFile(file, replace, (take) => fetchRecording(recording, take, signal));

/**
 * Writes what `work` hands over into a file, which has its name only once it is whole.
 * @throws SipctlError `conflict` where it is there and is not to be replaced, `failed` where it cannot be written
 */
export async function intoFile<T>(
  file: string,
  replace: boolean,
  work: (take: (chunk: Buffer) => Promise<void>) => Promise<T>,
): Promise<T> {
  assertReplaceable(file, 'output');
  const draft = join(dirname(file), `.${basename(file)}.part-${randomUUID()}`);
  const handle = await open(draft, 'wx', 0o640).catch((error: NodeJS.ErrnoException) => {
    throw unwritable(file, error);
  });
  let fetched: T;
  try {
    // A single write may leave a part out, on a disk that is nearly full.
    fetched = await work((chunk) => handle.appendFile(chunk));
    await handle.sync();
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw isFull(error) ? unwritable(file, error as NodeJS.ErrnoException) : error;
  } finally {
    await handle.close();
  }
  await named(draft, file, replace);
  return fetched;
}

async function named(draft: string, file: string, replace: boolean): Promise<void> {
  try {
    // A second name, unlike a rename, takes the place of nothing.
    if (replace) return await rename(draft, file);
    await link(draft, file);
    await unlink(draft);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    const failure = error as NodeJS.ErrnoException;
    throw failure.code === 'EEXIST' ? taken(file) : unwritable(file, failure);
  }
}

const isFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '');

const interrupted = (): SipctlError =>
  new SipctlError('interrupted', {
    code: 'interrupted',
    message: 'interrupted: no half file was left',
    hint: 'run the command again',
  });

const gone = (id: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'recording_missing',
    message: `recording '${id}' was removed while it was fetched`,
    field: 'id',
    hint: 'sipctl recording list shows what there is',
  });

const changed = (id: string): SipctlError =>
  new SipctlError('failed', {
    code: 'recording_changed',
    message: `recording '${id}' is not what it was: its checksum is another one`,
    hint: 'sipctl recording verify looks at all of them',
  });

const taken = (file: string): SipctlError =>
  new SipctlError('conflict', {
    code: 'file_exists',
    message: `${file} is there already`,
    field: 'output',
    hint: 'give another name, or --force',
  });

const unwritable = (file: string, error: NodeJS.ErrnoException): SipctlError =>
  new SipctlError(
    'failed',
    {
      code: 'output_failed',
      message: `${file} cannot be written: ${error.code ?? error.message}`,
      field: 'output',
      hint: 'give another place with --output',
    },
    { cause: error },
  );
