import { join } from 'node:path';

/** Where a database, its key and its templates stand below one folder. */
export const environmentIn = (dir: string): Record<string, string> => ({
  SIPCTL_DB: join(dir, 'site.db'),
  XDG_CONFIG_HOME: join(dir, 'config'),
  XDG_DATA_HOME: join(dir, 'data'),
});
