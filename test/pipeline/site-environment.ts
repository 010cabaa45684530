import { join } from 'node:path';
import { storePlace } from '../support/store-place.ts';

/** Where a database, its key and its templates stand below one folder. */
export const environmentIn = (dir: string): Record<string, string> => ({
  SIPCTL_DB: storePlace(join(dir, 'site.db')),
  XDG_CONFIG_HOME: join(dir, 'config'),
  XDG_DATA_HOME: join(dir, 'data'),
});
