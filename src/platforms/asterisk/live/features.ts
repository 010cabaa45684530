import type { Node } from '../../../model/nouns.ts';
import { attempt, type Check, watchingCheck } from '../../target.ts';
import type { AmiConnection } from '../ami/connection.ts';
import { isLoaded } from '../modules.ts';
import { leastWrite, rightsOf } from '../rights.ts';
import { openAmi } from '../running-system.ts';
import type { Timeouts } from '../timeouts.ts';
import { openControl } from './open-control.ts';

/** One thing that can be done with running calls: what it takes of the manager user, and of Asterisk. */
interface Feature {
  name: string;
  /** Action → the class of `write=` that allows it. */
  actions: Readonly<Record<string, string>>;
  modules: readonly string[];
}

const features: readonly Feature[] = [
  {
    name: 'hang up, hold, mute, transfer, DTMF',
    actions: {
      ...{ Hangup: 'call', Redirect: 'call', Bridge: 'call', PlayDTMF: 'call' },
      MuteAudio: 'system',
    },
    modules: ['res_musiconhold.so', 'res_mutestream.so'],
  },
  { name: 'originate', actions: { Originate: 'originate' }, modules: [] },
  { name: 'listen, whisper, barge', actions: { Originate: 'originate' }, modules: ['app_chanspy.so'] },
  {
    name: 'record calls',
    actions: { MixMonitor: 'system', StopMixMonitor: 'call', MixMonitorMute: 'call' },
    modules: ['app_mixmonitor.so', 'format_wav.so'],
  },
  {
    name: 'conferences',
    actions: { ConfbridgeList: 'reporting', ConfbridgeMute: 'call', ConfbridgeStartRecord: 'system' },
    modules: ['app_confbridge.so'],
  },
];

/** What of live calls works on this node, and what mends it where it does not; nothing is called or changed. */
export async function examineFeatures(
  node: Node,
  timeouts: Timeouts,
  signal?: AbortSignal,
): Promise<Check[]> {
  const watching = await watchingCheck(() => openControl(node, timeouts, { events: true, signal }));
  const others = await attempt('verbs of calls', async () => {
    const ami = await openAmi(node, timeouts, signal);
    try {
      return await verbChecks(ami, node.amiUser ?? '');
    } finally {
      await ami.close();
    }
  });
  return [...watching, ...others];
}

async function verbChecks(ami: AmiConnection, user: string): Promise<Check[]> {
  const rights = await rightsOf(ami);
  const checks: Check[] = [];
  for (const { name, actions, modules } of features) {
    const refused = Object.entries(actions).filter(([action]) => !rights.has(action));
    const absent: string[] = [];
    if (rights.has('ModuleCheck'))
      for (const module of modules) if (!(await isLoaded(ami, module))) absent.push(module);
    checks.push(checkOf(name, user, refused, absent));
  }
  return checks;
}

function checkOf(
  name: string,
  user: string,
  refused: readonly (readonly [action: string, right: string])[],
  absent: readonly string[],
): Check {
  // The actions of a module that is not there are not there either.
  if (absent.length > 0) {
    return {
      name,
      status: 'warning',
      message: `not loaded: ${absent.join(', ')}`,
      hint: `asterisk -rx 'module load ${absent[0]}'`,
    };
  }
  if (refused.length > 0) {
    const classes = [...new Set(refused.map(([, right]) => right))];
    return {
      name,
      status: 'warning',
      message: `the manager user '${user}' may not: ${refused.map(([action]) => action).join(', ')} needs write=${classes.join(',')}`,
      hint: `in manager.conf, section [${user}]: write = ${leastWrite},reporting,call,originate; then: asterisk -rx 'manager reload'`,
    };
  }
  return { name, status: 'ok', message: 'allowed, and its modules are loaded' };
}
