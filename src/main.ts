import { homedir, userInfo } from 'node:os';
import type { App } from './app.ts';
import type { Result } from './commands/command.ts';
import { parse } from './commands/parse.ts';
import { compose, type OpenControl } from './compose.ts';
import { type Environment, type GlobalFlags, readConfig } from './config.ts';
import { exitCodes, type Problem, SipctlError } from './errors.ts';
import type { FileOperations } from './files/operations.ts';
import { envelope } from './report/envelope.ts';
import { plain, type Style } from './report/style.ts';
import { databaseFailure } from './store/failure.ts';
import { systemFailure } from './system-failure.ts';
import { systemTerminal, type Terminal } from './terminal.ts';

/** What a run sees of the machine; tests put their own in. */
export interface Surroundings {
  terminal: Terminal;
  env: Environment;
  home: string;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** See `App`. */
  endsAtInterrupt?: () => void;
  now?: () => Date;
  fileOperations?: FileOperations;
  control?: OpenControl;
}

/** Runs one command line of this process and says its exit code. */
export async function main(argv: readonly string[], version: string): Promise<number> {
  const terminal = systemTerminal(process.env);
  const interrupt = new Interrupt(terminal);
  leaveErrorsToWriters();
  try {
    return await run(argv, version, {
      terminal,
      env: process.env,
      home: ownHome(),
      signal: interrupt.signal,
      endsAtInterrupt: () => interrupt.isUsualEnd(),
    });
  } finally {
    interrupt.stopListening();
  }
}

/** One command line, from words to exit code. The only place where an error ends a command. */
export async function run(
  argv: readonly string[],
  version: string,
  surroundings: Surroundings,
): Promise<number> {
  const { terminal, env, home, signal } = surroundings;
  let app: App | null = null;
  let flags: GlobalFlags = { json: argv.includes('--json'), debug: argv.includes('--debug') };
  try {
    const parsed = await parse(argv, version);
    if (parsed.help !== null) {
      await terminal.out(parsed.help);
      return exitCodes.done.code;
    }
    flags = parsed.flags;
    app = compose({ ...surroundings, config: readConfig(flags, env, home), version });
    return await print(await parsed.run(app, parsed.input), app);
  } catch (error) {
    const thrown = signal.aborted && !isInterruption(error) ? interrupted() : error;
    return await explain(understood(thrown, app?.config.db ?? ''), terminal, flags);
  } finally {
    await app?.close();
  }
}

async function print(result: Result, { terminal, config }: App): Promise<number> {
  const { errors = [], warnings = [] } = result;
  const outcome = exitCodes[result.outcome ?? 'done'];
  const ok = outcome.code === exitCodes.done.code || outcome.code === exitCodes.pending.code;
  const code = result.exitCode ?? outcome.code;
  if (config.json && result.streamed !== true) {
    await terminal.out(
      envelope({ ok, changed: result.changed === true, data: result.data, warnings, errors }),
    );
    return code;
  }
  if (result.streamed !== true) await terminal.out(result.text(await styleFor(terminal.stdoutColor)));
  const style = await styleFor(terminal.stderrColor);
  if (!config.quiet)
    for (const warning of warnings) terminal.err(problemText(style.warn('warning'), warning, style));
  if (result.tellsErrors !== true)
    for (const error of errors) terminal.err(problemText(style.bad('error'), error, style));
  return code;
}

async function explain(error: unknown, terminal: Terminal, flags: GlobalFlags): Promise<number> {
  const known = error instanceof SipctlError;
  const problems: readonly Problem[] = known ? error.problems : [bug(error)];
  const told = flags.json === true && (await tell(terminal, envelope({ ok: false, errors: problems })));
  if (!told) {
    const style = await styleFor(terminal.stderrColor);
    for (const problem of problems) terminal.err(problemText(style.bad('error'), problem, style));
  }
  if (!known || flags.debug === true)
    terminal.err(`${error instanceof Error ? error.stack : String(error)}\n`);
  return exitCodes[known ? error.outcome : 'failed'].code;
}

// Who was interrupted may know better than we do what was left.
const isInterruption = (error: unknown): boolean =>
  error instanceof SipctlError && error.outcome === 'interrupted';

// Where standard output itself is what failed, there is still standard error.
const tell = (terminal: Terminal, text: string): Promise<boolean> =>
  terminal.out(text).then(
    () => true,
    () => false,
  );

// The one place that sees errors of the database and of the system that nobody on the way knew a better word for.
const understood = (error: unknown, db: string): unknown =>
  error instanceof SipctlError ? error : (databaseFailure(error, db) ?? systemFailure(error) ?? error);

const problemText = (kind: string, { message, hint, place }: Problem, style: Style): string =>
  `${kind}: ${place === undefined ? '' : `${place.source}:${place.line}:${place.column}: `}${message}\n${hint === undefined ? '' : `${style.dim('  hint:')} ${hint}\n`}`;

const bug = (error: unknown): Problem => ({
  code: 'bug',
  message: `sipctl has a bug here: ${error instanceof Error ? error.message : String(error)}`,
  hint: 'please report it with the stack below',
});

const interrupted = (): SipctlError =>
  new SipctlError('interrupted', {
    code: 'interrupted',
    message: 'interrupted before anything was put in force',
    hint: 'sipctl plan shows what is left to do',
  });

// A container may run under a number that no user has, and without HOME.
function ownHome(): string {
  try {
    return homedir() || userInfo().homedir;
  } catch {
    return '/';
  }
}

/** The first Ctrl-C lets the current step end or undoes it; the second one ends the process. */
class Interrupt {
  readonly #controller = new AbortController();
  readonly #terminal: Terminal;
  #hasSteps = true;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    process.on('SIGINT', this.#handle).on('SIGTERM', this.#handle);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  isUsualEnd(): void {
    this.#hasSteps = false;
  }

  stopListening(): void {
    process.off('SIGINT', this.#handle).off('SIGTERM', this.#handle);
  }

  readonly #handle = (): void => {
    if (this.signal.aborted) process.exit(exitCodes.interrupted.code);
    if (this.#hasSteps) this.#terminal.err('interrupted: the current step is being finished or undone\n');
    this.#controller.abort();
  };
}

// `sipctl … | head` closes the pipe early: that is no failure worth a word, and must not end an apply half-way.
// Whoever writes data learns of any other failure from the write itself.
function leaveErrorsToWriters(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

async function styleFor(color: boolean): Promise<Style> {
  if (!color) return plain;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return { good: chalk.green, bad: chalk.red, warn: chalk.yellow, dim: chalk.dim, bold: chalk.bold };
}
