import { join } from 'node:path';
import type { Generations } from '../../files/generations.ts';
import { parseConf } from './conf/parse.ts';

/** As Asterisk was built. */
const builtIn = '/var/spool/asterisk';

/** Asterisk's folder of recordings: `monitor` in the spool folder that asterisk.conf names. */
export async function recordingsFolder(files: Pick<Generations, 'readHost'>): Promise<string> {
  const text = (await files.readHost('asterisk.conf'))?.toString('utf8') ?? '';
  let section = '';
  let spool = builtIn;
  for (const item of parseConf(text).items) {
    if (item.kind === 'section') section = item.name;
    if (item.kind === 'entry' && section === 'directories' && item.key === 'astspooldir') spool = item.value;
  }
  return join(spool, 'monitor');
}
