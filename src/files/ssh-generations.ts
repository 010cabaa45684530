import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SipctlError } from '../errors.ts';
import { ShellGenerations } from './shell-generations.ts';
import { ShellSession } from './shell-session.ts';
import { connectionFailure, type SshPlace, sshArguments } from './ssh.ts';

/** A configuration folder on another machine. */
export interface SshFolder extends SshPlace {
  dir: string;
  owner: string | null;
  group: string | null;
  /** `host:port` as seen from that machine, to be reached through the same connection; null: nothing. */
  forward: string | null;
  now: () => Date;
  /** Ends the wait for a connection. */
  signal: AbortSignal;
  /** Told of each request. */
  trace?: (request: string) => void;
}

/** What the system takes for the name of a socket, with room for what ssh adds. */
const longestSocket = 100;

/** Generations over the system's own ssh: one connection for files and control together, opened when it is needed. */
export class SshGenerations extends ShellGenerations {
  readonly #socket: PrivateSocket;

  constructor(folder: SshFolder) {
    const socket = new PrivateSocket();
    const place = `${folder.login}:${folder.dir}`;
    super({
      ...{ place, folder: folder.dir, now: folder.now },
      open: async (interruptible) =>
        openShell(folder, interruptible, folder.forward === null ? null : await socket.path()),
    });
    this.#socket = socket;
  }

  /**
   * A socket of this machine that leads to `forward`.
   * @throws SipctlError as every call does that needs the connection
   */
  async tunnel(): Promise<string> {
    await this.connected();
    return this.#socket.path();
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#socket.remove();
  }
}

/** Nobody else of this machine gets at it: its folder is ours alone. */
class PrivateSocket {
  #room: Promise<string> | null = null;

  async path(): Promise<string> {
    this.#room ??= mkdtemp(join(tmpdir(), 'sipctl-'));
    const path = join(await this.#room, 'control');
    if (path.length > longestSocket) throw longFolder(path);
    return path;
  }

  async remove(): Promise<void> {
    if (this.#room !== null) await rm(await this.#room, { recursive: true, force: true });
  }
}

function openShell(folder: SshFolder, interruptible: boolean, socket: string | null): Promise<ShellSession> {
  const { login, dir, owner, group, trace, forward } = folder;
  const options = ['StreamLocalBindUnlink=yes', 'ExitOnForwardFailure=yes'].flatMap((one) => ['-o', one]);
  const more = socket === null ? [] : [...options, '-L', `${socket}:${forward}`];
  return ShellSession.open({
    ...{ place: `${login}:${dir}`, dir, owner, group, trace },
    program: (command) => ['ssh', sshArguments(folder, command, more)],
    failure: (said) => connectionFailure(folder, said, 'ssh'),
    signal: interruptible ? folder.signal : undefined,
  });
}

const longFolder = (path: string): SipctlError =>
  new SipctlError('failed', {
    code: 'long_temporary_folder',
    message: `${path} is too long for the name of a socket`,
    field: 'tunnel',
    hint: 'set TMPDIR to a folder with a short name',
  });
