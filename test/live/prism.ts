import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './caches.ts';
import { freePorts } from './free-ports.ts';

const run = promisify(execFile);
const source = '@stoplight/prism-cli@5.14.2';
/** 185 packages with 90 MB, also over a slow line. */
const installTimeout = 5 * 60_000;
/** Reading a specification of 2 MB on a busy machine. */
const startTimeout = 60_000;

/** A server that answers whatever a specification allows, and refuses the rest. */
export interface Prism {
  url: string;
  end(): Promise<void>;
}

/** The path of the program, installed once; or why it is not used. It is wanted with CI or SIPCTL_PRISM=1 only. */
export async function prismProgram(): Promise<{ program: string } | { missing: string }> {
  const { CI, SIPCTL_PRISM } = process.env;
  if (!CI && SIPCTL_PRISM !== '1') return { missing: 'Prism is asked with CI or SIPCTL_PRISM=1' };
  const folder = join(cacheFolder(), `prism-${source.split('@').at(-1)}`);
  const program = join(folder, 'node_modules', '@stoplight', 'prism-cli', 'dist', 'index.js');
  if (existsSync(program)) return { program };
  mkdirSync(cacheFolder(), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  try {
    const flags = [
      '--no-audit',
      '--no-fund',
      '--no-save',
      '--ignore-scripts',
      '--fetch-retries=0',
      '--loglevel',
      'error',
    ];
    await run('npm', ['install', '--prefix', scratch, ...flags, source], { timeout: installTimeout });
    renameSync(scratch, folder);
  } catch (error) {
    if (!existsSync(program))
      return { missing: `npm install ${source} failed: ${String((error as Error).message).split('\n')[0]}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return { program };
}

/** Starts Prism on one specification, a file. @throws Error where it does not come up */
export async function startPrism(program: string, specification: string): Promise<Prism> {
  const [port] = await freePorts('127.0.0.1', 1);
  const flags = ['mock', '-h', '127.0.0.1', '-p', String(port), specification];
  const child = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  await listening(child);
  return { url: `http://127.0.0.1:${port}`, end: () => ended(child) };
}

function listening(child: ChildProcess): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    const give = (up: string): void => reject(new Error(`Prism ${up}:\n${said}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      give('does not come up');
    }, startTimeout);
    const hear = (text: Buffer): void => {
      said += text;
      if (!said.includes('Prism is listening')) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', () => {
      clearTimeout(timer);
      give('ended');
    });
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.removeAllListeners('exit');
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
