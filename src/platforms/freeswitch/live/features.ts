import type { Node } from '../../../model/nouns.ts';
import { attempt, type Check, watchingCheck } from '../../target.ts';
import { moduleExists, show } from '../esl/commands.ts';
import type { Ask } from '../esl/replies.ts';
import { openEsl } from '../running-system.ts';
import type { Timeouts } from '../timeouts.ts';
import { openControl } from './control.ts';

/** Things that can be done with running calls, and the modules that each takes; the event socket's password allows all. */
const features: Readonly<Record<string, readonly string[]>> = {
  'hang up, hold, mute, transfer, DTMF': ['mod_commands', 'mod_dptools', 'mod_dialplan_xml'],
  originate: ['mod_loopback'],
  'listen, whisper, barge': ['mod_dptools'],
  park: ['mod_hash'],
  'record calls': ['mod_sndfile'],
  conferences: ['mod_conference'],
};

/** What of live calls works on this node, and what mends it where it does not; nothing is called or changed. */
export async function examineFeatures(
  node: Node,
  timeouts: Timeouts,
  signal?: AbortSignal,
): Promise<Check[]> {
  const watching = await watchingCheck(() => openControl(node, timeouts, { events: true, signal }));
  const others = await attempt('verbs of calls', async () => {
    const esl = await openEsl(node, timeouts, signal);
    try {
      return await verbChecks((command) => esl.api(command));
    } finally {
      await esl.close();
    }
  });
  return [...watching, ...others];
}

async function verbChecks(ask: Ask): Promise<Check[]> {
  // Without its own database FreeSWITCH lists no channels.
  await show(ask, 'channels');
  const checks: Check[] = [];
  for (const [name, modules] of Object.entries(features)) {
    const absent: string[] = [];
    for (const module of modules) if (!(await moduleExists(ask, module))) absent.push(module);
    checks.push(
      absent.length === 0
        ? { name, status: 'ok', message: 'its modules are loaded' }
        : {
            name,
            status: 'warning',
            message: `not loaded: ${absent.join(', ')}`,
            hint: `fs_cli -x 'load ${absent[0]}', and in modules.conf.xml for the next start`,
          },
    );
  }
  return checks;
}
