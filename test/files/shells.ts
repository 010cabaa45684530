import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import { ShellGenerations } from '../../src/files/shell-generations.ts';
import { ShellSession } from '../../src/files/shell-session.ts';

/** A POSIX shell of this machine, and how it is given a command. */
export interface Shell {
  name: string;
  file: string;
  /** What stands before a command. */
  args: string[];
  env: Record<string, string>;
}

const works = (file: string, ...args: string[]): boolean => spawnSync(file, args).status === 0;

const candidates = ['dash', 'bash'].filter((file) => works(file, '-c', ':'));

/** Those that this machine has; BusyBox with its own tools and no others. */
export const shells: Shell[] = [
  ...candidates.map((file) => ({ name: file, file, args: ['-c'], env: {} })),
  ...busyboxes(),
];

function busyboxes(): Shell[] {
  const file = process.env.BUSYBOX ?? 'busybox';
  if (!works(file, 'sh', '-c', ':')) return [];
  const tools = mkdtempSync(join(tmpdir(), 'sipctl-busybox-'));
  process.on('exit', () => rmSync(tools, { recursive: true, force: true }));
  const list = spawnSync(file, ['--list'], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);
  for (const tool of list)
    symlinkSync(spawnSync('which', [file], { encoding: 'utf8' }).stdout.trim(), join(tools, tool));
  return [{ name: 'busybox', file: join(tools, 'sh'), args: ['-c'], env: { PATH: tools } }];
}

/** What a connection to that shell is like. */
export interface Connection {
  /** Stands before the command: limits, for example. */
  before?: string;
  /** Told of each request. */
  trace?: (request: string) => void;
  owner?: string;
  group?: string;
}

/** Generations behind a shell of this machine, by which a far one is spoken to in the same way. */
export function generationsBehind(
  shell: Shell,
  dir: string,
  connection: Connection | (() => Connection) = {},
): ShellGenerations {
  const place = new ShellGenerations({
    place: `test@${shell.name}:${dir}`,
    folder: dir,
    now: () => new Date('2025-03-04T05:06:07.890Z'),
    open: () => {
      const {
        before = '',
        trace,
        owner = null,
        group = null,
      } = typeof connection === 'function' ? connection() : connection;
      return ShellSession.open({
        ...{ place: `test@${shell.name}:${dir}`, dir, owner, group, trace },
        program: (command) => [
          '/usr/bin/env',
          [
            ...Object.entries(shell.env).map(([name, value]) => `${name}=${value}`),
            shell.file,
            ...shell.args,
            `${before}${command}`,
          ],
        ],
        failure: (said) => new SipctlError('unreachable', { code: 'ssh_failed', message: said }),
      });
    },
  });
  onTestFinished(() => place.close());
  return place;
}
