import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SipctlError } from '../errors.ts';
import type { Generations } from './generations.ts';
import { shellGenerations } from './shell-generations.ts';
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

/** Generations over the system's own ssh: one connection for files and control together, opened when it is needed. */
export interface SshGenerations extends Generations {
  /**
   * A socket of this machine that leads to `forward`.
   * @throws SipctlError as every call does that needs the connection
   */
  tunnel(): Promise<string>;
  close(): Promise<void>;
}

/** What the system takes for the name of a socket, with room for what ssh adds. */
const longestSocket = 100;

export function sshGenerations(folder: SshFolder): SshGenerations {
  const { login, dir, forward } = folder;
  const place = `${login}:${dir}`;
  // Nobody else of this machine gets at the socket: its folder is ours alone.
  let room: Promise<string> | null = null;
  const socket = async (): Promise<string> => {
    room ??= mkdtemp(join(tmpdir(), 'sipctl-'));
    const path = join(await room, 'control');
    if (path.length > longestSocket) throw longFolder(path);
    return path;
  };
  const open = async (interruptible: boolean): Promise<ShellSession> => {
    const more =
      forward === null
        ? []
        : [
            '-o',
            'StreamLocalBindUnlink=yes',
            '-o',
            'ExitOnForwardFailure=yes',
            '-L',
            `${await socket()}:${forward}`,
          ];
    return ShellSession.open({
      ...{ place, dir, owner: folder.owner, group: folder.group, trace: folder.trace },
      program: (command) => ['ssh', sshArguments(folder, command, more)],
      failure: (said) => connectionFailure(folder, said, 'ssh'),
      signal: interruptible ? folder.signal : undefined,
    });
  };
  const generations = shellGenerations({ place, folder: dir, open, now: folder.now });
  return {
    ...generations,
    tunnel: async () => {
      await generations.connected();
      return socket();
    },
    close: async () => {
      await generations.close();
      if (room !== null) await rm(await room, { recursive: true, force: true });
    },
  };
}

const longFolder = (path: string): SipctlError =>
  new SipctlError('failed', {
    code: 'long_temporary_folder',
    message: `${path} is too long for the name of a socket`,
    field: 'tunnel',
    hint: 'set TMPDIR to a folder with a short name',
  });
