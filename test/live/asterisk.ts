import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe } from 'vitest';
import { tool, whyMissing } from './caches.ts';

const run = promisify(execFile);

export const asteriskVersions = ['22', '16'] as const;
export type AsteriskVersion = (typeof asteriskVersions)[number];

export interface AsteriskOptions {
  version: AsteriskVersion;
  /**
   * What stands in `pjsip.conf` after the transports, for example sipctl's include lines or a hand-made endpoint. Left
   * out: nothing, so that `sipctl node init --write` has its work to do.
   */
  pjsip?: string;
  /** Further files of the configuration folder, by path below it. They stand in place of those made here. */
  etc?: Readonly<Record<string, string>>;
}

/** Users of `manager.conf`: who may do all, who may do what provisioning takes, and who may only look at states. */
export type AmiUser = 'test' | 'deploy' | 'weak';

export interface AsteriskInstance {
  /** As Asterisk says it, for example `22.10.1~dfsg…`. */
  version: string;
  major: AsteriskVersion;
  pid: number;
  /** An address of 127.0.0.0/8 that no other instance has. */
  host: string;
  /** The configuration folder: what sipctl is given as the node's folder. */
  etc: string;
  spool: string;
  /** All users have the same secret. */
  ami: { host: string; port: number; user: AmiUser; secret: string };
  /** `tls` is null where openssl is missing. Its certificate is `etc/tls.crt`. */
  sip: { udp: number; tcp: number; tls: number | null };
  /** Where browsers come in; `https` is null where openssl is missing. Its certificate is `etc/tls.crt`, too. */
  http: { http: number; https: number | null; wsPath: string };
  /** Output of one command of the console. @throws Error when Asterisk does not answer within 30 s */
  cli(command: string): Promise<string>;
  /** A place in the log, for `logSince`. */
  mark(): number;
  /** What was logged after the mark. Asterisk logs from a thread of its own: poll where a line is awaited. */
  logSince(mark: number): string;
  /** Ends it whatever calls there are, and starts it again with the same files, address and ports. */
  restart(): Promise<void>;
  /** Ends Asterisk, by its process id, and removes its folder. */
  stop(): Promise<void>;
}

const missing = new Map(
  await Promise.all(
    asteriskVersions.map(async (version) => [version, await whyMissing(`asterisk-${version}`)] as const),
  ),
);

/** Null where this Asterisk can be started here, else the reason why not, to name in a skipped test. */
export const asteriskAvailable = (version: AsteriskVersion): string | null => missing.get(version) ?? null;

/**
 * Starts a real Asterisk with its own folder, address and ports, as the calling user; it ends with this process at the
 * latest. @throws Error with the end of Asterisk's console when it does not start
 */
export async function startAsterisk({
  version,
  pjsip = '',
  etc = {},
}: AsteriskOptions): Promise<AsteriskInstance> {
  const folder = mkdtempSync(join(tmpdir(), `sipctl-asterisk-${version}-`));
  for (const [path, text] of Object.entries(etc)) {
    mkdirSync(dirname(join(folder, 'etc', path)), { recursive: true });
    writeFileSync(join(folder, 'etc', path), text);
  }
  writeFileSync(join(folder, 'pjsip.tail'), pjsip);
  const options = ['-v', version, '-p', join(folder, 'pjsip.tail'), '-w', String(process.pid), '-t', '1800'];
  const launch = async (): Promise<Started> =>
    JSON.parse((await run(tool('asterisk-up'), [...options, folder], { timeout: 90_000 })).stdout);
  try {
    const made = instance(folder, version, await launch());
    const restart = async (): Promise<void> => {
      await run(tool('asterisk-down'), [folder]);
      made.pid = (await launch()).pid;
    };
    return Object.assign(made, { restart });
  } catch (error) {
    await stop(folder);
    throw error;
  }
}

/** What `asterisk-up` prints, as far as it is of use here. */
interface Started
  extends Pick<AsteriskInstance, 'version' | 'pid' | 'host' | 'etc' | 'spool' | 'sip' | 'http'> {
  log: string;
  cli: string;
  ami: { port: number; secret: string };
}

function instance(
  folder: string,
  major: AsteriskVersion,
  started: Started,
): Omit<AsteriskInstance, 'restart'> {
  const { version, pid, host, etc, spool, sip, http } = started;
  return {
    ...{ version, major, pid, host, etc, spool, sip, http },
    ami: { host, port: started.ami.port, user: 'test', secret: started.ami.secret },
    cli: async (command) =>
      (await run(started.cli, [command], { timeout: 30_000, maxBuffer: 64 << 20 })).stdout,
    mark: () => statSync(started.log).size,
    logSince: (mark) => readFileSync(started.log).subarray(mark).toString(),
    stop: () => stop(folder),
  };
}

/** A second stop finds no folder, and a start that failed early may have left none to end anything in. */
async function stop(folder: string): Promise<void> {
  if (existsSync(join(folder, 'etc'))) await run(tool('asterisk-down'), ['-r', folder]);
  rmSync(folder, { recursive: true, force: true });
}

/** What a suite of `describeAsterisk` starts its instances with. */
export interface AsteriskSuite {
  version: AsteriskVersion;
  /** Like `startAsterisk`; stopped when the suite is over. */
  start(options?: Omit<AsteriskOptions, 'version'>): Promise<AsteriskInstance>;
}

/**
 * One suite, run against every version; where a version cannot be had, or what else the suite needs is missing, it is
 * skipped by a name that says why.
 */
export function describeAsterisk(
  name: string,
  suite: (asterisk: AsteriskSuite) => void,
  alsoMissing: string | null = null,
): void {
  for (const version of asteriskVersions) {
    const reason = asteriskAvailable(version) ?? alsoMissing;
    const title = `${name}, on Asterisk ${version}`;
    describe.skipIf(reason !== null)(reason === null ? title : `${title} (skipped: ${reason})`, () => {
      const running: AsteriskInstance[] = [];
      suite({
        version,
        start: async (options) => {
          const started = await startAsterisk({ ...options, version });
          running.push(started);
          return started;
        },
      });
      afterAll(async () => {
        await Promise.all(running.map((asterisk) => asterisk.stop()));
      });
    });
  }
}
