import type { VerbGroup } from './command.ts';
import { importCsv } from './import-csv.ts';
import { importFreepbxCsv } from './import-freepbx-csv.ts';

export const importCommand: VerbGroup = {
  name: 'import',
  summary: 'take over users, numbers and trunks from elsewhere',
  verbs: [importCsv, importFreepbxCsv],
};
