import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, onTestFinished } from 'vitest';
import { storePlace } from '../support/store-place.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The executable with what was built when these tests began: a build in the meantime does not disturb them. */
export const executable = copyOfBuild();

function copyOfBuild(): string {
  if (!existsSync(join(root, 'dist', 'main.cjs')))
    throw new Error('these tests run the built command: npm run build');
  const copy = mkdtempSync(join(tmpdir(), 'sipctl-built-'));
  afterAll(() => rmSync(copy, { recursive: true, force: true }));
  // Other users run it too.
  chmodSync(copy, 0o755);
  for (const part of ['bin', 'dist']) cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return join(copy, 'bin', 'sipctl.cjs');
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface StartOptions extends Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'> {
  /** Added to the environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** What stands on standard input; nothing at all (/dev/null) where it is not given. */
  input?: string;
}

/** A command at work. */
export interface Started {
  process: ChildProcess;
  ended: Promise<Ended>;
}

/** The built command in processes of its own, on a database of its own. */
export interface Cli {
  dir: string;
  db: string;
  env: Record<string, string | undefined>;
  start(argv: readonly string[], options?: StartOptions): Started;
  run(argv: string | readonly string[], options?: StartOptions): Promise<Ended>;
  /** @throws Error where the command does not succeed */
  ok(argv: string | readonly string[], options?: StartOptions): Promise<Ended>;
  /** A line of bash in which `sipctl` is the built command. */
  bash(line: string, options?: StartOptions): Promise<Ended>;
}

/** A command that has not ended after so many milliseconds hangs. */
const longestRun = 60_000;

/** A folder with the command's own home, and no database yet. It goes with the test. */
export function newCli(): Cli {
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-cli-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return cliIn(dir);
}

export function cliIn(dir: string): Cli {
  const db = storePlace(join(dir, 'site.db'));
  const bin = join(dir, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'sipctl'), `#!/bin/sh\nexec '${process.execPath}' '${executable}' "$@"\n`, {
    mode: 0o755,
  });
  const env = {
    PATH: `${bin}:${process.env.PATH ?? ''}`,
    HOME: dir,
    LANG: 'C.UTF-8',
    SIPCTL_DB: db,
    XDG_CONFIG_HOME: join(dir, 'config'),
    XDG_DATA_HOME: join(dir, 'data'),
  };
  const begin = (command: string, argv: readonly string[], options: StartOptions): Started => {
    const { env: more, input, ...rest } = options;
    const child = spawn(command, argv, {
      env: { ...env, ...more },
      cwd: dir,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...rest,
    });
    child.stdin?.on('error', () => undefined).end(input);
    return { process: child, ended: endOf(child) };
  };
  const start: Cli['start'] = (argv, options = {}) => begin(process.execPath, [executable, ...argv], options);
  const run: Cli['run'] = (argv, options) =>
    start(typeof argv === 'string' ? argv.split(' ') : argv, options).ended;
  const ok: Cli['ok'] = async (argv, options) => {
    const ended = await run(argv, options);
    if (ended.code !== 0) throw new Error(`sipctl ${argv} ended with ${JSON.stringify(ended)}`);
    return ended;
  };
  const bash: Cli['bash'] = (line, options = {}) => begin('bash', ['-c', line], options).ended;
  return { dir, db, env, start, run, ok, bash };
}

async function endOf(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const hangs = setTimeout(() => child.kill('SIGKILL'), longestRun);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(hangs);
  return { code, signal, stdout, stderr };
}

/** A database with one pending change: a user, and a folder node. Names the folder. */
export async function pendingSite(cli: Cli): Promise<string> {
  await cli.ok('init');
  return pendingChange(cli);
}

/** The same, in a database that is there. */
export async function pendingChange(cli: Cli): Promise<string> {
  const pbx = join(cli.dir, 'pbx');
  mkdirSync(pbx);
  await cli.ok(['node', 'add', 'pbx', '--kind', 'asterisk', '--dir', pbx]);
  await cli.ok('user add ann --extension 101 --generate-password');
  return pbx;
}
