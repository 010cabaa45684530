import type { VerbGroup } from './command.ts';
import { importFreeswitch } from './import-freeswitch.ts';
import { importPjsip } from './import-pjsip.ts';

export const importCommand: VerbGroup = {
  name: 'import',
  summary: 'take over what another PBX or file describes',
  verbs: [importPjsip, importFreeswitch],
};
