import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { assertReplaceable } from '../../files/replaceable.ts';

/**
 * Writes a file that others may read at any time, as the collector of node_exporter does: they never see half of it.
 * @throws SipctlError `invalid` where something else than a file stands there
 */
export function writeWhole(file: string, text: string): void {
  assertReplaceable(file, 'textfile');
  const whole = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(whole, text, { mode: 0o644, flag: 'wx' });
    renameSync(whole, file);
  } catch (error) {
    rmSync(whole, { force: true });
    throw error;
  }
}
