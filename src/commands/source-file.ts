import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { readBounded, unreadBecause } from './bounded-read.ts';

/** A file that is larger was not meant, and would not fit into memory as text. */
const largest = 64 * 1024 * 1024;

/**
 * The bytes of a source that was named on the command line; `-` is standard input.
 * @throws SipctlError `notFound`, or `invalid` where it is no file that can be read
 */
export async function readSourceFile(app: App, file: string): Promise<Uint8Array> {
  if (file === '-') return app.terminal.readDocument();
  try {
    return readBounded(file, largest);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw code === 'EFBIG' ? tooLarge(file) : unreadable(file, error, code);
  }
}

const tooLarge = (file: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'file_too_large',
    message: `${file} is larger than ${largest} bytes`,
    field: 'file',
    hint: 'split it into parts',
  });

const unreadable = (file: string, error: unknown, code: string): SipctlError =>
  new SipctlError(code === 'ENOENT' ? 'notFound' : 'invalid', {
    code: 'file_unreadable',
    message:
      code === 'ENOENT'
        ? `there is no file ${file}`
        : code === 'EISDIR'
          ? `${file} is a folder`
          : `${file} cannot be read: ${unreadBecause(error)}`,
    field: 'file',
    hint: 'name a file, or - for standard input',
  });
