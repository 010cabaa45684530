import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { OpenControl } from '../../src/compose.ts';
import type { Place } from '../../src/errors.ts';
import type { FileOperations } from '../../src/files/operations.ts';
import { run } from '../../src/main.ts';
import type { Terminal } from '../../src/terminal.ts';
import { storePlace } from './store-place.ts';

/** How one command line ended: what a script would see of it. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  /** The document of a run with `--json`. */
  json: () => {
    ok: boolean;
    changed: boolean;
    data: never;
    warnings: never[];
    errors: { code: string; message: string; field?: string; hint?: string; place?: Place }[];
  };
}

export interface RunOptions {
  input?: string;
  env?: Record<string, string>;
  now?: () => Date;
  fileOperations?: FileOperations;
  /** `ScriptedPbx.open`: all nodes are that PBX. */
  control?: OpenControl;
  signal?: AbortSignal;
  /** Hears of everything that is written to standard output. */
  onOut?: (text: string) => void;
}

/** sipctl on a database of its own, in this process: real files, a terminal that records. */
export interface Sandbox {
  dir: string;
  db: string;
  env: Record<string, string>;
  sipctl(command: string | readonly string[], options?: RunOptions): Promise<Ended>;
  /** The same, for a command that has to succeed. */
  ok(command: string | readonly string[], options?: RunOptions): Promise<Ended>;
  /** Applies, then demands that a second plan finds nothing to do. */
  apply(options?: RunOptions): Promise<Ended>;
}

/** A sandbox whose database was made by `init`; it goes with the test. */
export async function sandbox(): Promise<Sandbox> {
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const made = sandboxIn(dir);
  await made.ok('init');
  return made;
}

export function sandboxIn(dir: string): Sandbox {
  const db = storePlace(join(dir, 'site.db'));
  const env = { SIPCTL_DB: db, XDG_CONFIG_HOME: join(dir, 'config'), XDG_DATA_HOME: join(dir, 'data') };
  const sipctl: Sandbox['sipctl'] = async (command, options = {}) => {
    const argv = typeof command === 'string' ? words(command) : command;
    const { terminal, written } = recordingTerminal(options.input, options.onOut);
    const { input: _, onOut: __, env: more, signal = new AbortController().signal, ...rest } = options;
    const code = await run(argv, '0.0.0-test', {
      terminal,
      env: { ...env, ...more },
      home: dir,
      signal,
      ...rest,
    });
    return { code, ...written(), json: () => JSON.parse(written().stdout) };
  };
  const ok: Sandbox['ok'] = async (command, options) => {
    const ended = await sipctl(command, options);
    if (ended.code !== 0)
      throw new Error(`sipctl ${command} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`);
    return ended;
  };
  const apply: Sandbox['apply'] = async (options) => {
    const ended = await sipctl('apply --yes --json', options);
    if (ended.code !== 0) return ended;
    const again = await sipctl('plan --detailed-exitcode --json');
    if (again.code !== 0) throw new Error(`a second plan is not empty:\n${again.stdout}`);
    return ended;
  };
  return { dir, db, env, sipctl, ok, apply };
}

/** Splits a command line at blanks; double quotes keep them. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

function recordingTerminal(
  input: string | undefined,
  onOut: RunOptions['onOut'],
): {
  terminal: Terminal;
  written: () => { stdout: string; stderr: string };
} {
  let stdout = '';
  let stderr = '';
  const terminal: Terminal = {
    interactive: false,
    stdoutColor: false,
    stderrColor: false,
    animated: false,
    out: async (output) => {
      // Bytes come back as they are by the same encoding.
      const text = typeof output === 'string' ? output : Buffer.from(output).toString('latin1');
      stdout += text;
      onOut?.(text);
    },
    outBytes: async (bytes) => {
      stdout += Buffer.from(bytes).toString('latin1');
    },
    err: (text) => {
      stderr += text;
    },
    gone: new AbortController().signal,
    screen: () => null,
    readInput: async (flag) => {
      if (input === undefined) throw new Error(`--${flag} was read without input`);
      return input.replace(/\r?\n$/, '');
    },
    readDocument: async () => {
      if (input === undefined) throw new Error('- was read without input');
      return Buffer.from(input);
    },
  };
  return { terminal, written: () => ({ stdout, stderr }) };
}
