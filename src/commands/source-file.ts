import { readFileSync, statSync } from 'node:fs';
import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';

/** A file that is larger was not meant, and would not fit into memory as text. */
const largest = 64 * 1024 * 1024;

/**
 * The bytes of a source that was named on the command line; `-` is standard input.
 * @throws SipctlError `notFound`, or `invalid` where it is no file that can be read
 */
export async function readSourceFile(app: App, file: string): Promise<Uint8Array> {
  if (file === '-') return app.terminal.readDocument();
  try {
    const { size } = statSync(file);
    if (size > largest) throw tooLarge(file);
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof SipctlError || code === undefined) throw error;
    throw unreadable(file, code);
  }
}

const tooLarge = (file: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'file_too_large',
    message: `${file} is larger than ${largest} bytes`,
    field: 'file',
    hint: 'split it into parts',
  });

const unreadable = (file: string, code: string): SipctlError =>
  new SipctlError(code === 'ENOENT' ? 'notFound' : 'invalid', {
    code: 'file_unreadable',
    message:
      code === 'ENOENT'
        ? `there is no file ${file}`
        : code === 'EISDIR'
          ? `${file} is a folder`
          : `${file} cannot be read: ${code}`,
    field: 'file',
    hint: 'name a file, or - for standard input',
  });
