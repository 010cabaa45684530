import { SipctlError } from '../../errors.ts';
import type { Node } from '../../model/nouns.ts';
import { whileOpen } from '../node-view.ts';
import { globalVariable } from './esl/commands.ts';
import { openEsl } from './running-system.ts';
import type { Timeouts } from './timeouts.ts';

/** FreeSWITCH's folder of recordings, as it says itself. @throws SipctlError `unreachable`, `interrupted`, or `refused` */
export async function recordingsFolder(
  node: Node,
  timeouts: Timeouts,
  signal?: AbortSignal,
): Promise<string> {
  const esl = await openEsl(node, timeouts, signal);
  return whileOpen(esl, `asking ${node.name} for its folder of recordings`, signal, async () => {
    const folder = await globalVariable((command) => esl.api(command), 'recordings_dir');
    if (folder !== null) return folder;
    throw new SipctlError('refused', {
      code: 'no_recordings_dir',
      message: `${node.name} does not say where its recordings are`,
      field: 'recordings',
      hint: `sipctl node set ${node.name} --recordings <folder>`,
    });
  });
}
