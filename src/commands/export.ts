import type { VerbGroup } from './command.ts';
import { exportSite } from './export-site.ts';

export const exportCommand: VerbGroup = {
  name: 'export',
  summary: 'write what the database holds as files',
  verbs: [exportSite],
  alone: exportSite.name,
};
