import { statSync } from 'node:fs';
import { SipctlError } from '../errors.ts';

/**
 * A file that is written beside its place and then renamed takes the place of whatever stands there, for root also that of
 * a device.
 * @throws SipctlError `invalid` naming the flag, where something else than a regular file stands there
 */
export function assertReplaceable(file: string, field: string): void {
  // A link counts as what it leads to.
  const there = statSync(file, { throwIfNoEntry: false });
  if (there === undefined || there.isFile()) return;
  throw new SipctlError('invalid', {
    code: 'not_a_file',
    message: `${file} is no regular file`,
    field,
    hint: 'name a file that can be replaced as a whole; leave devices and pipes to the shell',
  });
}
