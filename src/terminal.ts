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
  out(text: string | Uint8Array): Promise<void>;
  err(text: string): void;
  /** All of standard input, once, without its final line break. @throws SipctlError when it is a terminal, or too long */
  readInput(flag: string): Promise<string>;
}

const longestInput = 64 * 1024;

export function systemTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  const { stdout, stderr } = process as unknown as { stdout: WriteStream; stderr: WriteStream };
  const plain = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  let taken: string | null = null;
  return {
    interactive: isatty(0) && isatty(2) && !isCi(env),
    stdoutColor: stdout.isTTY === true && !plain,
    stderrColor: stderr.isTTY === true && !plain,
    // A terminal that does not know its width, as some that a program opens, cannot be painted over.
    animated: stderr.isTTY === true && stderr.columns > 0 && !plain && !isCi(env),
    out: (text) => written(stdout, text),
    err: (text) => void stderr.write(text),
    readInput: async (flag) => {
      if (taken !== null) throw inputTwice(flag, taken);
      if (isatty(0)) throw noInput(flag);
      taken = flag;
      return readAll(process.stdin, flag);
    },
  };
}

const isCi = (env: Readonly<Record<string, string | undefined>>): boolean =>
  (env.CI ?? '') !== '' && env.CI !== 'false';

// Waits until the text has left the process, so that one that ends right after has lost nothing.
function written(stream: NodeJS.WritableStream, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error?: NodeJS.ErrnoException | null) => {
      if (error === undefined || error === null || error.code === 'EPIPE') resolve();
      else reject(outputFailed(error));
    });
  });
}

async function readAll(stdin: NodeJS.ReadableStream, flag: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > longestInput) {
      throw new SipctlError('invalid', {
        code: 'input_too_long',
        message: `standard input for --${flag} is longer than ${longestInput} bytes`,
        hint: 'send the secret alone',
      });
    }
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

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
