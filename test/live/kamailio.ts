import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder, whyMissing } from './caches.ts';
import type { Certificate } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import { type KamailioSettings, type KamailioUser, kamailioConf, kamailioTls } from './kamailio-conf.ts';

export interface KamailioOptions<Tls extends string> {
  users: readonly KamailioUser[];
  realm?: string;
  algorithm?: KamailioSettings['algorithm'];
  /** An address of 127.0.0.0/8; left out: one drawn by chance. */
  host?: string;
  /** TLS listeners by name, each with the certificate that it shows. */
  tls?: Readonly<Record<Tls, Certificate>>;
}

/** A request as Kamailio saw it, retransmissions and answers to challenges too. */
export interface KamailioRequest {
  method: string;
  /** Of To. */
  user: string;
  /** Seconds of a REGISTER as they were written; 0 ends a registration. */
  expires: string;
  signed: boolean;
  transport: string;
}

export interface KamailioInstance<Tls extends string> {
  pid: number;
  host: string;
  /** UDP and TCP. */
  port: number;
  /** UDP and TCP on ::1; null where the machine has no IPv6. */
  ipv6Port: number | null;
  realm: string;
  tls: Readonly<Record<Tls, number>>;
  /** Requests so far, in their order. */
  requests(): KamailioRequest[];
  /** Ends it, by its process id, and removes its folder. */
  stop(): Promise<void>;
}

const missing = await whyMissing('kamailio');
const readyWithinMs = 30_000;
const lifetimeSeconds = 1800;

/** Whether this machine speaks IPv6 with itself. */
export const hasIpv6 = (): boolean =>
  Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

/** Null where Kamailio can be run here, else the reason why not. */
export const kamailioAvailable = (): string | null => missing;

/** A real registrar on an address of its own. @throws Error with what Kamailio said when it does not start */
export async function startKamailio<Tls extends string = never>({
  users,
  realm = 'carrier.example',
  algorithm = 'MD5',
  host = `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`,
  tls,
}: KamailioOptions<Tls>): Promise<KamailioInstance<Tls>> {
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-kamailio-'));
  const shown = Object.entries(tls ?? {}) as [Tls, Certificate][];
  const [port = 0, newPort = 0, ...tlsPorts] = await freePorts(host, 2 + shown.length);
  const ipv6Port = hasIpv6() ? ((await freePorts('::1', 1))[0] ?? null) : null;
  const settings: KamailioSettings = {
    ...{
      host,
      port,
      newPort,
      ipv6Port,
      realm,
      algorithm,
      users,
      modules: join(cacheFolder(), 'kamailio', 'root', privateLibraries(), 'modules'),
    },
    tls: shown.map(([, certificate], index) => ({ port: tlsPorts[index] ?? 0, certificate })),
    tlsFile: join(folder, 'tls.cfg'),
  };
  writeFileSync(join(folder, 'kamailio.cfg'), kamailioConf(settings));
  writeFileSync(settings.tlsFile, kamailioTls(settings));
  const child = launch(folder);
  const end = (): void => endGroup(child);
  process.once('exit', end);
  const said = (): string => readFileSync(join(folder, 'output'), 'utf8');
  const stop = async (): Promise<void> => {
    process.off('exit', end);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null) {
      end();
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await listening(child, host, [port, ...tlsPorts]);
  } catch (error) {
    const output = said().slice(-2000);
    await stop();
    throw new Error(`Kamailio does not start: ${output}`, { cause: error });
  }
  return {
    ...{ pid: child.pid ?? 0, host, port, ipv6Port, realm, stop },
    tls: Object.fromEntries(shown.map(([name], index) => [name, tlsPorts[index] ?? 0])) as Record<
      Tls,
      number
    >,
    requests: () => heard(said()),
  };
}

/** The libraries of its own, and below them its modules: `lib/<architecture>/kamailio`, from the root of the packages. */
function privateLibraries(): string {
  const libraries = join('usr', 'lib');
  const folders = readdirSync(join(cacheFolder(), 'kamailio', 'root', libraries));
  return join(libraries, folders.find((name) => name.endsWith('-linux-gnu')) ?? '', 'kamailio');
}

function launch(folder: string): ChildProcess {
  const output = openSync(join(folder, 'output'), 'w');
  const program = [join(cacheFolder(), 'kamailio', 'run'), '--also', privateLibraries(), 'usr/sbin/kamailio'];
  const memory = ['-m', '64', '-M', '8'];
  // Whatever becomes of the tests, it ends by itself. It leads a group, which its workers are in.
  const args = [`${lifetimeSeconds}`, ...program, '-DD', '-E', ...memory];
  const files = ['-f', join(folder, 'kamailio.cfg'), '-Y', folder, '-w', folder];
  return spawn('timeout', [...args, ...files], {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: folder,
  });
}

function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
}

/** TCP listeners are there last, after those of UDP. */
async function listening(child: ChildProcess, host: string, ports: readonly number[]): Promise<void> {
  const until = Date.now() + readyWithinMs;
  for (const port of ports) {
    while (!(await connects(host, port))) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      if (Date.now() > until) throw new Error(`nobody listens on ${host}:${port}`);
      await sleep(20);
    }
  }
}

const connects = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const settle = (outcome: boolean): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });

const heard = (output: string): KamailioRequest[] =>
  [...output.matchAll(/heard: (\S+) user=(\S*) expires=(\S*) signed=(\d*)\S* via=(\S+)/g)].map(
    ([, method = '', user = '', expires = '', signed = '', transport = '']) => ({
      ...{ method, user, expires, transport },
      signed: Number(signed) > 0,
    }),
  );
