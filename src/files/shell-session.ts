import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { SipctlError } from '../errors.ts';
import { lockFunctions, writingFunctions } from './far-changes.ts';
import { readingFunctions, requestLoop, stateFunctions } from './far-shell.ts';
import { lastLine } from './last-line.ts';
import type { ProcessIdentity } from './lock-record.ts';
import { type Answer, AnswerReader } from './shell-answers.ts';
import { lostConnection, noSsh, quoted } from './ssh.ts';

/** How a shell on another machine is started, and for which folder. */
export interface ShellStart {
  /** The program that runs a command there, and its arguments, given that command. */
  program: (command: string) => readonly [file: string, args: readonly string[]];
  /** As people know the place: `ops@pbx1:/etc/asterisk`. */
  place: string;
  dir: string;
  /** User and group of what is delivered; null: those of the folder, see `local.ts`. */
  owner: string | null;
  group: string | null;
  /** Why there is no connection, by what the program said. */
  failure: (said: string) => SipctlError;
  /** Ends the wait for a connection. */
  signal?: AbortSignal | undefined;
  /** Told of each request when it is sent. */
  trace?: ((request: string) => void) | undefined;
}

interface Waiting {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

/** Milliseconds in which a pending request may bring nothing at all: a shell that is stuck is given up. */
const longestSilence = 300_000;
/** Seconds for which the far side holds a lock without hearing anything, and what a request that works may take. */
const silence = { idle: 60, working: 600, bytesPerSecond: 20_000 };

/**
 * One POSIX shell on another machine, over one connection, that does what it is asked: see `far-shell.ts`. It ends with its
 * connection, and gives the lock away by that.
 */
export class ShellSession {
  /** The far side's own process: it is whom a lock belongs to. */
  readonly process: ProcessIdentity;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #line: Line;
  readonly #start: ShellStart;

  private constructor(
    child: ChildProcessWithoutNullStreams,
    line: Line,
    identity: ProcessIdentity,
    start: ShellStart,
  ) {
    this.#child = child;
    this.#line = line;
    this.process = identity;
    this.#start = start;
  }

  /** @throws SipctlError `unreachable`, `refused` for an unknown or changed host key, `interrupted` */
  static async open(start: ShellStart): Promise<ShellSession> {
    start.signal?.throwIfAborted();
    const nonce = randomBytes(6).toString('hex');
    const script = shellScript(start, nonce);
    // The login shell sees this line only, and nothing of it means another thing to csh or fish.
    const bootstrap = `exec sh -c 'eval "$(dd bs=1 count=${Buffer.byteLength(script)} 2>/dev/null)"'`;
    const [file, args] = start.program(bootstrap);
    // A group of its own: Ctrl-C at the terminal is sipctl's to answer, and what is at work there comes to its end.
    const child = spawn(file, args, { stdio: 'pipe', detached: true });
    const line = new Line(child, `sipctl-${nonce} ready\n`, start);
    const abort = (): void => void child.kill();
    start.signal?.addEventListener('abort', abort, { once: true });
    try {
      const answered = line.next();
      child.stdin.write(script);
      const { code, lines } = await answered;
      const [host = '', boot = '', namespace = '', pid = '', stat = ''] = lines;
      if (code !== 0) throw noTar(start.place);
      const machine = [host, boot, namespace].join(' ');
      const identity = { host, machine, pid: Number(pid), processStarted: startedIn(stat) };
      return new ShellSession(child, line, identity, start);
    } catch (error) {
      child.kill();
      line.end();
      start.signal?.throwIfAborted();
      throw error;
    } finally {
      start.signal?.removeEventListener('abort', abort);
    }
  }

  /** True where the connection is lost or was closed. */
  get ended(): boolean {
    return this.#line.ended;
  }

  /** Sends a request, with what it reads, and waits for its answer. Requests are answered in their order. */
  ask(request: string, payload: Buffer = Buffer.alloc(0)): Promise<Answer> {
    this.#start.trace?.(request.split(' ', 1)[0] ?? '');
    return this.#send(request, payload, silence.working + Math.ceil(payload.length / silence.bytesPerSecond));
  }

  /** A sign of life, for which nobody waits. */
  renew(): void {
    void this.#send('renew', Buffer.alloc(0), silence.idle).catch(() => undefined);
  }

  #send(request: string, payload: Buffer, patience: number): Promise<Answer> {
    const answered = this.#line.next();
    const text = Buffer.from(`${request} #end`);
    this.#child.stdin.write(`${text.length} ${patience}\n`);
    this.#child.stdin.write(text);
    if (payload.length > 0) this.#child.stdin.write(payload);
    return answered;
  }

  /** Ends it; what was asked before comes to its end. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#line.close();
  }
}

function shellScript({ dir, owner, group }: ShellStart, nonce: string): string {
  const settings = { dir, owner: owner ?? '', group: group ?? '', nonce };
  const assigned = Object.entries(settings).map(([name, value]) => `${name}=${quoted(value)}\n`);
  const functions = [stateFunctions, readingFunctions, lockFunctions, writingFunctions, requestLoop];
  return [...assigned, ...functions]
    .join('')
    .replace(/^#.*\n/gm, '')
    .replace(/^ +/gm, '');
}

/** The start time in a line of /proc/<pid>/stat; its name may hold blanks and brackets. */
export const startedIn = (stat: string): string | null =>
  stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;

/** What comes back from a shell, and who waits for it. */
class Line {
  ended = false;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #reader: AnswerReader;
  readonly #start: ShellStart;
  readonly #waiting: Waiting[] = [];
  readonly #exited: Promise<void>;
  #said = '';
  #answers = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcessWithoutNullStreams, opening: string, start: ShellStart) {
    this.#child = child;
    this.#reader = new AnswerReader(opening);
    this.#start = start;
    // Where the connection is refused, nobody reads what is sent.
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString('utf8')).slice(-4000);
    });
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#exited = new Promise((resolve) => {
      child.on('error', (cause) => {
        this.#fail(noSsh(cause, 'ssh'));
        resolve();
      });
      // A connection that ssh shares may keep the streams open when it has gone.
      child.on('exit', (code) => {
        const over = setTimeout(() => this.#lost(code), 200);
        child.on('close', () => {
          clearTimeout(over);
          this.#lost(code);
        });
        resolve();
      });
    });
  }

  next(): Promise<Answer> {
    if (this.ended) return Promise.reject(this.#lostError(null));
    this.#watch();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async close(): Promise<void> {
    const patience = setTimeout(() => this.#child.kill(), 3000);
    await this.#exited;
    clearTimeout(patience);
    this.end();
  }

  end(): void {
    this.#fail(this.#lostError(null));
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
  }

  #read(chunk: Buffer): void {
    this.#watch();
    try {
      for (const answer of this.#reader.push(chunk)) {
        this.#answers += 1;
        this.#waiting.shift()?.resolve(answer);
      }
    } catch (cause) {
      this.#child.kill();
      this.#fail(garbled(this.#start.place, cause as Error));
    }
    if (this.#waiting.length === 0) clearTimeout(this.#timer);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#child.kill('SIGKILL'), longestSilence).unref();
  }

  #lost(code: number | null): void {
    this.#fail(this.#lostError(code));
  }

  // Before the first answer there was no connection, by ssh's own words; after it, it was lost.
  #lostError(code: number | null): SipctlError {
    const { place, failure } = this.#start;
    if (this.#answers === 0 && (code === lostConnection || code === null)) return failure(this.#said);
    const last = lastLine(this.#said);
    return new SipctlError('unreachable', {
      code: this.#answers === 0 ? 'no_shell' : 'ssh_lost',
      message:
        this.#answers === 0
          ? `the shell at ${place} ended with ${code}${last === '' ? '' : `: ${last}`}`
          : `the connection to ${place} was lost${last === '' ? '' : `: ${last}`}`,
      field: 'ssh',
      hint:
        this.#answers === 0
          ? 'the account there needs a POSIX shell with its usual tools'
          : 'run the command again: what is in force there is one complete generation',
    });
  }

  #fail(error: SipctlError): void {
    this.ended = true;
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

const noTar = (place: string): SipctlError =>
  new SipctlError('failed', {
    code: 'no_tar',
    message: `there is no tar at ${place}`,
    field: 'ssh',
    hint: 'install it there, or have sipctl run on that machine',
  });

const garbled = (place: string, cause: Error): SipctlError =>
  new SipctlError(
    'unreachable',
    {
      code: 'ssh_answer',
      message: `the shell at ${place} answers something else than it was asked: ${lastLine(cause.message)}`,
      field: 'ssh',
      hint: 'nothing may write to the connection: look at the profile of the account',
    },
    { cause },
  );
