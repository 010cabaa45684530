import type { Check } from '../target.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';

/** What the rendered dialplan calls, by the module that has it. */
const callModules = [
  'pbx_config.so',
  'app_dial.so',
  'app_stack.so',
  'app_exec.so',
  'app_voicemail.so',
  'app_confbridge.so',
  'app_mixmonitor.so',
  'app_read.so',
  'app_playback.so',
  'func_groupcount.so',
  'func_callerid.so',
  'func_channel.so',
  'func_config.so',
  'func_dialplan.so',
  'func_logic.so',
  'func_strings.so',
  'func_timeout.so',
  'func_global.so',
];

/** Whether all of them are there: without one a call ends in the middle, and only the log says why. */
export async function modulesCheck(ami: AmiConnection): Promise<Check> {
  const name = 'modules for calls';
  const missing: string[] = [];
  for (const module of callModules) if (!(await isLoaded(ami, module))) missing.push(module);
  if (missing.length === 0) return { name, status: 'ok', message: 'all that calls need are loaded' };
  return {
    name,
    status: 'warning',
    message: `not loaded: ${missing.join(', ')}; calls that need them fail`,
    hint: `asterisk -rx 'module load ${missing[0]}'; some distributions pack voicemail apart (asterisk-voicemail)`,
  };
}

/** @throws AmiError where the manager user may not ask */
export async function isLoaded(ami: AmiConnection, module: string): Promise<boolean> {
  try {
    await ami.action('ModuleCheck', { Module: module });
    return true;
  } catch (error) {
    if (error instanceof AmiError && error.outcome !== 'refused') return false;
    throw error;
  }
}
