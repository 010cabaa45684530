import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** An OpenSSH server of this machine, for the user who runs the tests. */
export interface SshServer {
  /** `user@host:port` */
  login: string;
  /** Settings for the client: its key, and the server's. */
  config: string;
  /** The same with a key that the server does not know. */
  strangerConfig: string;
  /** The same for somebody who knows the server by another key. */
  changedConfig: string;
  /** The same for somebody who does not know the server. */
  unknownConfig: string;
  /** A way to it that can be cut. */
  line: BreakableTcp;
  stop(): Promise<void>;
}

export interface BreakableTcp {
  login: string;
  /** Cuts the next connection that has so many bytes for the client, those after it after `then` bytes; null: none. */
  cutAfter(bytes: number | null, then?: number | null): void;
  /** Cuts every connection that has sent so many bytes to the server; null: none. */
  cutAfterSent(bytes: number | null): void;
  /** Bytes that the last connection has sent. */
  sent(): number;
  /** Connections that were begun. */
  begun(): number;
  /** Connections that were cut. */
  cuts(): number;
}

const sshd = '/usr/sbin/sshd';

/** Null where an SSH server can be had, else why not. */
export const sshMissing = existsSync(sshd) && existsSync('/usr/bin/ssh') ? null : 'OpenSSH is not installed';

export async function startSshd(): Promise<SshServer> {
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-sshd-'));
  const file = (name: string): string => join(dir, name);
  for (const key of ['host', 'client', 'stranger'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)]);
  const host = `127.${[1, 2, 3].map(() => 1 + Math.floor(Math.random() * 253)).join('.')}`;
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  writeFileSync(file('authorized'), execFileSync('cat', [file('client.pub')]), { mode: 0o600 });
  writeFileSync(
    file('sshd_config'),
    [
      ...[`ListenAddress ${host}:${port}`, `HostKey ${file('host')}`, `PidFile ${file('pid')}`],
      ...[`AuthorizedKeysFile ${file('authorized')}`, 'StrictModes no', 'UsePAM no'],
      ...[
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'PermitRootLogin prohibit-password',
      ],
    ].join('\n'),
  );
  // Where OpenSSH of Debian separates its privileges; only root can make it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const server = spawn(sshd, ['-D', '-e', '-f', file('sshd_config')], { stdio: 'ignore' });
  for (let round = 0; ; round++) {
    const failure = await reachable(host, port).then(
      () => null,
      (error: Error) => error,
    );
    if (failure === null) break;
    if (round === 200) throw failure;
    await sleep(50);
  }
  const [kind = '', key = ''] = execFileSync('cat', [file('host.pub')], { encoding: 'utf8' }).split(' ');
  const line = await breakableTcp(host, port);
  writeFileSync(
    file('known'),
    [`[${host}]:${port}`, `[${host}]:${line.port}`].map((name) => `${name} ${kind} ${key}\n`).join(''),
  );
  const other = execFileSync('cat', [file('stranger.pub')], { encoding: 'utf8' }).split(' ')[1] ?? '';
  writeFileSync(file('changed'), `[${host}]:${port} ${kind} ${other}\n`);
  writeFileSync(file('unknown'), '');
  const configOf = (identity: string, known = 'known'): string => {
    const config = file(`config-${identity}-${known}`);
    const hosts = `UserKnownHostsFile ${file(known)}\nGlobalKnownHostsFile /dev/null`;
    writeFileSync(config, [`IdentityFile ${file(identity)}`, 'IdentitiesOnly yes', hosts, ''].join('\n'));
    return config;
  };
  const user = userInfo().username;
  return {
    login: `${user}@${host}:${port}`,
    config: configOf('client'),
    strangerConfig: configOf('stranger'),
    changedConfig: configOf('client', 'changed'),
    unknownConfig: configOf('client', 'unknown'),
    line: { ...line, login: `${user}@${host}:${line.port}` },
    stop: async () => {
      line.close();
      server.kill();
      await new Promise((resolve) => (server.exitCode === null ? server.on('exit', resolve) : resolve(0)));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function reachable(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}

async function breakableTcp(
  host: string,
  port: number,
): Promise<Omit<BreakableTcp, 'login'> & { port: number; close(): void }> {
  let most: number | null = null;
  let later: number | null = null;
  let cuts = 0;
  let mostSent: number | null = null;
  let sent = 0;
  let begun = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(port, host);
    let passed = 0;
    let given = 0;
    begun += 1;
    sockets.add(near).add(far);
    near.on('data', (chunk: Buffer) => {
      const room = mostSent === null ? chunk.length : Math.max(0, mostSent - given);
      far.write(chunk.subarray(0, room));
      given += chunk.length;
      sent = given;
      if (room >= chunk.length) return;
      cuts += 1;
      near.destroy();
      far.end();
    });
    near.on('end', () => far.end());
    far.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      near.write(chunk);
      if (most === null || passed < most) return;
      cuts += 1;
      most = later;
      near.destroy();
      far.destroy();
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cutAfter: (bytes, then = bytes) => {
      most = bytes;
      later = then;
    },
    cutAfterSent: (bytes) => {
      mostSent = bytes;
    },
    sent: () => sent,
    begun: () => begun,
    cuts: () => cuts,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
