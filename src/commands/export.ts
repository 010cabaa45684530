import type { VerbGroup } from './command.ts';
import { exportCsv } from './export-csv.ts';

export const exportCommand: VerbGroup = {
  name: 'export',
  summary: 'write what the database holds, without secrets',
  verbs: [exportCsv],
};
