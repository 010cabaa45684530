import { isatty, type WriteStream } from 'node:tty';
import { SipctlError } from './errors.ts';

/** Standard input and output as a command sees them: data to stdout, everything else to stderr. */
export interface Terminal {
  /** True where a person can be asked: stdin and stderr are both terminals. */
  readonly interactive: boolean;
  readonly stdoutColor: boolean;
  readonly stderrColor: boolean;
  /** True where a spinner may turn on stderr. */
  readonly animated: boolean;
  /** Data. A reader that has gone away is no failure. @throws SipctlError `failed` when it cannot be written, as on a full disk */
  out(text: string): Promise<void>;
  /** Data that is no text. @throws like `out` */
  outBytes(bytes: Uint8Array): Promise<void>;
  err(text: string): void;
  /** Aborted where the reader of standard output has gone away, as `head` does: noticed when something is written. */
  readonly gone: AbortSignal;
  /** The whole terminal, to be painted on; null where standard input or output is none, or it cannot be painted on. */
  screen(): Screen | null;
  /** All of standard input, once, without its final line break. @throws SipctlError when it is a terminal, or too long */
  readInput(flag: string): Promise<string>;
  /** The same as bytes, for a document that is named `-`: at most 64 MiB. */
  readDocument(): Promise<Uint8Array>;
}

/** A terminal that a program has for itself. */
export interface Screen {
  /** Now; they change when the window is resized. */
  readonly size: { columns: number; rows: number };
  readonly color: boolean;
  write(text: string): void;
  /**
   * Takes the terminal: what was on it stands there again when it is given back, which happens at the latest when the
   * process ends, however it ends, and while it is stopped by `suspend`.
   */
  take(listeners: { keys: (text: string) => void; repaint: () => void }): TakenScreen;
}

export interface TakenScreen {
  giveBack(): void;
  /** Stops the process as Ctrl-Z does; the listener is told to repaint when it goes on. */
  suspend(): void;
}

const longestInput = 64 * 1024;
const longestDocument = 64 * 1024 * 1024;

export function systemTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  const { stdout, stderr } = process as unknown as { stdout: WriteStream; stderr: WriteStream };
  const plain = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  let taken: string | null = null;
  const gone = new AbortController();
  return {
    interactive: isatty(0) && isatty(2) && !isCi(env),
    stdoutColor: stdout.isTTY === true && !plain,
    stderrColor: stderr.isTTY === true && !plain,
    // A terminal that does not know its width, as some that a program opens, cannot be painted over.
    animated: stderr.isTTY === true && stderr.columns > 0 && !plain && !isCi(env),
    out: (text) => written(stdout, text, gone),
    outBytes: (bytes) => written(stdout, bytes, gone),
    err: (text) => void stderr.write(text),
    gone: gone.signal,
    screen: () => (isatty(0) && stdout.isTTY === true && env.TERM !== 'dumb' ? systemScreen(!plain) : null),
    readInput: async (flag) => {
      if (taken !== null) throw inputTwice(flag, taken);
      if (isatty(0)) throw noInput(flag);
      taken = flag;
      const hint = 'send the secret alone';
      const bytes = await readAll(process.stdin, { of: `--${flag}`, longest: longestInput, hint });
      return bytes.toString('utf8').replace(/\r?\n$/, '');
    },
    readDocument: async () => {
      if (taken !== null) throw inputTwice('-', taken);
      if (isatty(0)) throw noDocument();
      taken = '-';
      return readAll(process.stdin, { of: '-', longest: longestDocument, hint: 'split it into parts' });
    },
  };
}

const isCi = (env: Readonly<Record<string, string | undefined>>): boolean =>
  (env.CI ?? '') !== '' && env.CI !== 'false';

// Waits until the text has left the process, so that one that ends right after has lost nothing.
function written(
  stream: NodeJS.WritableStream,
  text: string | Uint8Array,
  gone: AbortController,
): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error?: NodeJS.ErrnoException | null) => {
      if (error?.code === 'EPIPE' || error?.code === 'ERR_STREAM_DESTROYED') gone.abort();
      else if (error !== undefined && error !== null) return reject(outputFailed(error));
      resolve();
    });
  });
}

// DEC private modes of xterm: 1049 is the alternate screen, 25 the cursor, 7 the wrapping of long lines.
const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const leave = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';

function systemScreen(color: boolean): Screen {
  const { stdin, stdout } = process;
  return {
    get size() {
      // A terminal that does not say how large it is counts as the smallest usual one.
      return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
    },
    color,
    write: (text) => void stdout.write(text),
    take: ({ keys, repaint }) => {
      const hold = (): void => {
        stdin.setRawMode(true);
        stdout.write(enter);
      };
      const release = (): void => {
        stdout.write(leave);
        stdin.setRawMode(false);
      };
      const goOn = (): void => {
        hold();
        repaint();
      };
      const type = (text: string): void => keys(text);
      hold();
      stdin.setEncoding('utf8').on('data', type).resume();
      stdout.on('resize', repaint);
      process.once('exit', release);
      return {
        giveBack: () => {
          process.off('exit', release).off('SIGCONT', goOn);
          stdout.off('resize', repaint);
          stdin.off('data', type).pause();
          release();
        },
        suspend: () => {
          release();
          process.once('SIGCONT', goOn);
          process.kill(0, 'SIGTSTP');
        },
      };
    },
  };
}

async function readAll(
  stdin: NodeJS.ReadableStream,
  { of, longest, hint }: { of: string; longest: number; hint: string },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > longest) {
      const message = `standard input for ${of} is longer than ${longest} bytes`;
      throw new SipctlError('invalid', { code: 'input_too_long', message, hint });
    }
  }
  return Buffer.concat(chunks);
}

const noDocument = (): SipctlError =>
  new SipctlError('usage', {
    code: 'no_input',
    message: '- is standard input, and that is the terminal',
    hint: 'name a file, or send one: sipctl … - < file',
  });

const outputFailed = (cause: NodeJS.ErrnoException): SipctlError =>
  new SipctlError(
    'failed',
    {
      code: 'output_failed',
      message: `standard output cannot be written: ${cause.code ?? cause.message}`,
      hint: 'the command itself has ended; is the disk full?',
    },
    { cause },
  );

const noInput = (flag: string): SipctlError =>
  new SipctlError('usage', {
    code: 'no_input',
    message: `--${flag} reads standard input, and that is a terminal`,
    hint: `pipe it in: printf %s "$SECRET" | sipctl … --${flag}`,
  });

const inputTwice = (flag: string, first: string): SipctlError =>
  new SipctlError('usage', {
    code: 'input_taken',
    message: `--${first} and --${flag} both read standard input`,
    hint: 'give one of them by file',
  });
