import { type SpawnOptionsWithStdioTuple, type StdioNull, type StdioPipe, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { LiveLine } from '../../model/live/line.ts';
import { RepeatedComplaint } from './complaints.ts';
import type { Hook, HookSurroundings } from './hook.ts';
import { Lanes } from './lanes.ts';

/** What runs a command for each event. */
export interface ExecOptions extends HookSurroundings {
  /** A line for the shell. Nothing of an event is ever put into it: events come on standard input and in variables. */
  command: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds that one run may take; its whole process group is ended then. */
  timeoutMs: number;
}

/** Commands that run at one time, and events that may wait for one. */
const atOneTime = 4;
const mostWaiting = 1000;
/** Characters of what a failing command says that are repeated. */
const mostWords = 300;
const lastWordsMs = 100;

/** Runs the command for every event that it is given, several at a time; one that fails is complained of. */
export function execHook(options: ExecOptions): Hook {
  const failures = new RepeatedComplaint(options.complain, options.now);
  const drops = new RepeatedComplaint(options.complain, options.now);
  const lanes = new Lanes<LiveLine>({
    lanes: atOneTime,
    mostWaiting,
    work: async (line, signal) => {
      const failure = await runOnce(options, line, signal);
      if (failure !== null && !signal.aborted) failures.tell(`--exec: ${failure} (${line.event})`);
    },
    dropped: () => drops.tell(`--exec: ${mostWaiting} events wait already, one was dropped`),
  });
  return {
    take: (line) => lanes.take(line),
    finish: async (graceMs) => {
      const undone = await lanes.finish(graceMs);
      failures.finish('--exec: failed');
      drops.finish('--exec: dropped');
      if (undone > 0) options.complain(`--exec: left undone: ${undone}`);
    },
  };
}

function runOnce(
  { command, env, timeoutMs }: ExecOptions,
  line: LiveLine,
  signal: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = started(command, {
      env: { ...env, ...eventVariables(line) } as NodeJS.ProcessEnv,
      // Standard output belongs to the stream of events.
      stdio: ['pipe', 'ignore', 'pipe'],
      // A group of its own, so that whatever the shell started ends with it.
      detached: true,
    });
    if (typeof child === 'string') return resolve(`cannot be run: ${child}`);
    let words = '';
    let reason: string | null = null;
    const end = (why: string): void => {
      reason = why;
      endGroup(child.pid);
    };
    const timer = setTimeout(() => end(`took longer than ${timeoutMs / 1000} s, and was ended`), timeoutMs);
    const leave = (): void => end('was ended');
    signal.addEventListener('abort', leave, { once: true });
    const settle = (failure: string | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      resolve(failure);
    };
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      words = (words + chunk).slice(0, mostWords);
    });
    // A command that does not read its input is no failure.
    child.stdin.on('error', () => undefined).end(`${JSON.stringify(line)}\n`);
    child.on('error', (error) => settle(`cannot be run: ${error.message}`));
    child.on('exit', async (code, killedBy) => {
      // What it said last may still be on its way; something that it left running may hold the pipe for longer.
      await Promise.race([once(child.stderr, 'close').catch(() => undefined), pause(lastWordsMs)]);
      const said = words.trim() === '' ? '' : `: ${printable(words.trim())}`;
      if (reason !== null) settle(reason);
      else if (code !== 0) settle(`ended with ${code ?? killedBy}${said}`);
      else settle(null);
    });
  });
}

// Where the environment is too large for the system, it throws; one event must not end the monitor.
function started(command: string, options: SpawnOptionsWithStdioTuple<StdioPipe, StdioNull, StdioPipe>) {
  try {
    return spawn('/bin/sh', ['-c', command], options);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself in the same moment.
  }
}

/** The event for commands that read no JSON: `SIPCTL_EVENT`, `SIPCTL_EVENT_FROM`, …; what it does not have is empty. */
function eventVariables(line: LiveLine): Record<string, string> {
  const { at, node, tenant, call, trunk, user } = line;
  const subject = (call ?? trunk ?? user ?? {}) as Readonly<Record<string, unknown>>;
  const values = {
    AT: at,
    NODE: node,
    TENANT: tenant,
    STATE: subject.state ?? subject.registration,
    CALL: subject.id,
    DIRECTION: subject.direction,
    FROM: subject.from,
    FROM_NAME: subject.fromName,
    TO: subject.to,
    TRUNK: subject.trunk,
    USER: subject.user,
    DETAIL: subject.detail ?? line.detail,
  };
  const variables = Object.entries(values).map(([name, value]) => [
    `SIPCTL_EVENT_${name}`,
    printable(String(value ?? '')),
  ]);
  return { SIPCTL_EVENT: line.event, ...Object.fromEntries(variables) };
}

// Callers choose their names: a line break or an escape sequence in one would be read by logs and terminals.
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
