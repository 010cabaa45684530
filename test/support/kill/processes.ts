import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { serverEnvironment } from '../store-place.ts';

/** Bundles `child.ts` into `folder`, because node by itself runs no TypeScript, and names the result. */
export async function bundleChild(folder: string): Promise<string> {
  const outfile = join(folder, 'child.mjs');
  const entry = fileURLToPath(new URL('./child.ts', import.meta.url));
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  return outfile;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A child at work: send it lines, wait for its words, wait for its end. */
export interface Child {
  process: ChildProcessWithoutNullStreams;
  ended: Promise<Ended>;
  /** The first line of stdout that is one of these. @throws Error when the child ends without it */
  said(...words: string[]): Promise<string>;
}

export interface ChildOptions {
  uid?: number;
  gid?: number;
}

export function startChild(script: string, args: readonly string[], options: ChildOptions = {}): Child {
  // No environment: nothing of the caller's may slow the start of a hundred processes.
  const child = spawn(process.execPath, [script, ...args], {
    env: serverEnvironment(),
    cwd: '/',
    ...options,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }) as Ended);
  const said = async (...words: string[]): Promise<string> => {
    for (;;) {
      const line = stdout.split('\n').find((candidate) => words.includes(candidate));
      if (line !== undefined) return line;
      const over = await Promise.race([once(child.stdout, 'data').then(() => null), ended]);
      if (over !== null && !words.some((word) => stdout.split('\n').includes(word))) {
        throw new Error(`the child ended without a word of ${words}: ${JSON.stringify(over)}`);
      }
    }
  };
  return { process: child, ended, said };
}

/** Runs a child to its end. */
export function runChild(script: string, args: readonly string[], options?: ChildOptions): Promise<Ended> {
  const child = startChild(script, args, options);
  child.process.stdin.end();
  return child.ended;
}
