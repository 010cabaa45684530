import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import { Secret } from '../../src/model/secret.ts';
import { connectEsl, type EslConnection } from '../../src/platforms/freeswitch/esl/connection.ts';
import { cacheFolder } from './caches.ts';
import { minimalConfiguration, sampleTenant } from './freeswitch-conf.ts';

export interface FreeswitchInstance {
  pid: number;
  /** An address of 127.0.0.0/8 that no other instance has. */
  host: string;
  /** The configuration folder, for `$${conf_dir}`. */
  conf: string;
  esl: { host: string; port: number; password: string };
  /** Writes a file of the configuration folder; FreeSWITCH reads it at the next reload. */
  write(path: string, text: string): void;
  /** Takes a file of the configuration folder away. */
  remove(path: string): void;
  /** What was logged so far. */
  log(): string;
  /** Ends FreeSWITCH, by its process id, and leaves its folder as it is. */
  halt(): Promise<void>;
  /** Starts it again after `halt`, with the same folder and address. */
  resume(): Promise<void>;
  /** Ends FreeSWITCH, and removes its folder. */
  stop(): Promise<void>;
}

/** By path below the configuration folder; as a function of the address that the instance gets. */
export type Files = Readonly<Record<string, string>> | ((host: string) => Readonly<Record<string, string>>);

const readyWithinMs = 60_000;
const lifetimeSeconds = 1800;

const executable = process.env.FREESWITCH_BIN || 'freeswitch';

/** Null where a FreeSWITCH can be started here, else the reason why not, to name in a skipped test. */
export const whyNoFreeswitch: string | null = (() => {
  try {
    execFileSync(executable, ['-version'], { stdio: 'pipe', timeout: 30_000 });
    return null;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return missing ? 'no freeswitch on PATH, nor in FREESWITCH_BIN' : `${executable} does not start`;
  }
})();

/**
 * Starts a real FreeSWITCH with its own folder and address, as the calling user; `files` stand in its configuration
 * folder beside or in place of those made here. @throws Error with the end of its output when it does not start
 */
export async function startFreeswitch(files: Files = sampleTenant): Promise<FreeswitchInstance> {
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-freeswitch-'));
  const host = `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
  const esl = { host, port: 8021, password: randomBytes(9).toString('hex') };
  const write = (path: string, text: string): void => {
    const file = join(folder, 'conf', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const own = typeof files === 'function' ? files(host) : files;
  for (const [path, text] of Object.entries({ ...minimalConfiguration(esl), ...own })) write(path, text);

  let child = launch(folder);
  // With the whole of its group: `timeout` leads it. Nothing of the folder is needed any more.
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL');
  };
  const halt = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode !== null || child.signalCode !== null) return;
    end();
    await ended;
    // `timeout` is gone before FreeSWITCH, which holds its process file up to the end.
    for (let tries = 0; tries < 100 && isThere(child.pid ?? 0); tries += 1) await sleep(50);
  };
  process.once('exit', end);
  const instance: FreeswitchInstance = {
    ...{ pid: child.pid ?? 0, host, conf: join(folder, 'conf'), esl, write, halt },
    remove: (path) => rmSync(join(folder, 'conf', path)),
    log: () => readFileSync(join(folder, 'log', 'freeswitch.log'), 'utf8'),
    resume: async () => {
      child = launch(folder);
      instance.pid = child.pid ?? 0;
      await ready(instance, child);
    },
    stop: async () => {
      process.off('exit', end);
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await ready(instance, child);
    return instance;
  } catch (error) {
    const console = readFileSync(join(folder, 'console'), 'utf8').slice(-2000);
    await instance.stop();
    throw new Error(`FreeSWITCH does not start: ${console}`, { cause: error });
  }
}

const isThere = (group: number): boolean => {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
};

function launch(folder: string): ChildProcess {
  const flags = ['-nf', '-nc', '-nonat', '-np'];
  for (const name of 'conf log db run scripts recordings storage cache grammar htdocs sounds temp'.split(
    ' ',
  )) {
    mkdirSync(join(folder, name), { recursive: true });
    flags.push(`-${name}`, join(folder, name));
  }
  // The keys that FreeSWITCH makes at its first start cost it many seconds: all instances have the same.
  const certs = join(cacheFolder(), 'freeswitch-certs');
  mkdirSync(certs, { recursive: true });
  const output = openSync(join(folder, 'console'), 'w');
  // Whatever becomes of the tests, it ends by itself.
  return spawn('timeout', [`${lifetimeSeconds}`, executable, ...flags, '-certs', certs], {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: folder,
    env: { ...process.env, HOME: folder },
  });
}

/** A session at the instance, which the caller closes. */
export const connectTo = ({ esl }: FreeswitchInstance): Promise<EslConnection> =>
  connectEsl({
    host: esl.host,
    port: esl.port,
    password: new Secret(esl.password),
    connectTimeoutMs: 5000,
    commandTimeoutMs: 20_000,
  });

async function ready(instance: FreeswitchInstance, child: ChildProcess): Promise<void> {
  const until = Date.now() + readyWithinMs;
  for (;;) {
    try {
      const connection = await connectTo(instance);
      const status = await connection.api('status');
      await connection.close();
      if (status.includes(' is ready')) return;
    } catch (error) {
      if (!(error instanceof SipctlError) || error.outcome !== 'unreachable') throw error;
      if (Date.now() > until) throw error;
    }
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    await sleep(50);
  }
}

/** A suite that runs where there is a FreeSWITCH, and what else it needs; elsewhere it is skipped by a name that says why. */
export function describeFreeswitch(
  name: string,
  suite: (start: (files?: Files) => Promise<FreeswitchInstance>) => void,
  alsoMissing: string | null = null,
): void {
  const title = `${name}, on FreeSWITCH`;
  const reason = whyNoFreeswitch ?? alsoMissing;
  describe.skipIf(reason !== null)(reason === null ? title : `${title} (skipped: ${reason})`, () => {
    const running: FreeswitchInstance[] = [];
    suite(async (files) => {
      const started = await startFreeswitch(files);
      running.push(started);
      return started;
    });
    afterAll(async () => {
      await Promise.all(running.map((freeswitch) => freeswitch.stop()));
    });
  });
}
