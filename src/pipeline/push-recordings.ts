import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SipctlError } from '../errors.ts';
import { lastLine } from '../files/last-line.ts';
import type { Store } from '../store/store.ts';
import { fetchToFile } from './fetch-recording.ts';
import type { Recording } from './recordings.ts';

/** A command of the customer's own: a program and its arguments, which no shell ever sees. */
export type CommandLine = readonly [program: string, ...words: string[]];

/**
 * Takes a command line apart at blanks; quotes keep them, and nothing else is special: no variables, no wildcards.
 * @throws SipctlError `invalid`
 */
export function commandLine(text: string, flag: string): CommandLine {
  const words = [...text.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
  );
  const [program, ...more] = words;
  const isWhole = text.replace(/"[^"]*"|'[^']*'/g, '').search(/["']/) < 0;
  if (program !== undefined && isWhole) return [program, ...more];
  throw new SipctlError('invalid', {
    code: 'invalid_command',
    message: program === undefined ? `--${flag} names no program` : `a quote of --${flag} is not closed`,
    field: flag,
    hint: `for example --${flag} 'aws s3 cp {file} {to}'`,
  });
}

export interface Pushing {
  /** Where they go: `s3://bucket/folder`. */
  to: string;
  /** `{file}` and `{to}` in its words stand for the file and its place. */
  copy: CommandLine;
  /** Prints what is there, so that it can be compared; null: its exit code is all there is to go by. */
  readBack: CommandLine | null;
  /** Milliseconds that one command may take. */
  timeoutMs: number;
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  now: () => Date;
}

export interface Pushed {
  recording: Recording;
  to: string;
  sha256: string;
}

/** Copies one recording with the customer's own client, reads it back, and notes that. @throws SipctlError */
export async function pushRecording(one: Recording, store: Store, pushing: Pushing): Promise<Pushed> {
  const { node, tenant, id, path } = one;
  const to = `${pushing.to.replace(/\/+$/, '')}/${path}`;
  const detail = { node, path, size: one.size, to };
  await store.audit({ action: 'fetch', noun: 'recording', tenant, name: id, detail });
  const folder = await mkdtemp(join(tmpdir(), 'sipctl-push-'));
  try {
    // A copy of its own: nobody's change of the file can come between the checksum and the client.
    const file = join(folder, `${randomUUID()}.wav`);
    const { sha256 } = await fetchToFile(one, file, { replace: false, signal: pushing.signal });
    await runClient(pushing.copy, { file, to }, pushing);
    if (pushing.readBack !== null) {
      const there = await runClient(pushing.readBack, { file, to }, pushing);
      if (there !== sha256) throw notTheSame(id, to);
    }
    const facts = { pushedTo: to, pushedAt: pushing.now().toISOString() };
    await store.recordings.note([{ of: one, facts }]);
    return { recording: one, to, sha256 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a client to its end; answers the SHA-256 of what it printed. */
async function runClient(
  [program, ...words]: CommandLine,
  values: { file: string; to: string },
  { env, signal, timeoutMs }: Pushing,
): Promise<string> {
  const filled = words.map((word) =>
    word.replace(/\{(file|to)\}/g, (_, name: 'file' | 'to') => values[name]),
  );
  const child = spawn(program, filled, {
    ...{ env, shell: false, stdio: ['ignore', 'pipe', 'pipe'] },
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  const hash = createHash('sha256');
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => hash.update(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-1000);
  });
  const ended = await new Promise<number | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', (code) => resolve(code ?? 1));
  });
  if (ended === 0) return hash.digest('hex');
  if (signal.aborted) throw interrupted();
  throw clientFailed(program, ended, said);
}

const interrupted = (): SipctlError =>
  new SipctlError('interrupted', {
    code: 'interrupted',
    message: 'interrupted: the recording that was copied is not marked as pushed',
    hint: 'run the command again: it copies what is not marked',
  });

function clientFailed(program: string, ended: number | Error, said: string): SipctlError {
  const last = lastLine(said);
  const how = ended instanceof Error ? ended.message : `exit code ${ended}${last === '' ? '' : `, ${last}`}`;
  return new SipctlError('failed', {
    code: 'client_failed',
    message: `${program}: ${how}`,
    field: 'with',
    hint: 'try the same command by hand; it runs without a shell, and asks nobody',
  });
}

const notTheSame = (id: string, to: string): SipctlError =>
  new SipctlError('failed', {
    code: 'push_differs',
    message: `what ${to} holds is not recording '${id}'`,
    field: 'readBack',
    hint: 'the command of --read-back has to print the file, and nothing else, to its standard output',
  });
