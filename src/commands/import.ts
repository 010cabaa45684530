import type { VerbGroup } from './command.ts';
import { importCsv } from './import-csv.ts';
import { importFreepbxCsv } from './import-freepbx-csv.ts';
import { importFreeswitch } from './import-freeswitch.ts';
import { importPjsip } from './import-pjsip.ts';

export const importCommand: VerbGroup = {
  name: 'import',
  summary: 'take over what another PBX or a table describes',
  verbs: [importPjsip, importFreeswitch, importCsv, importFreepbxCsv],
};
