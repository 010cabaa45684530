import type { VerbGroup } from './command.ts';
import { exportCsv } from './export-csv.ts';
import { exportSite } from './export-site.ts';

export const exportCommand: VerbGroup = {
  name: 'export',
  summary: 'write what the database holds, without secrets',
  verbs: [exportSite, exportCsv],
  alone: exportSite.name,
};
