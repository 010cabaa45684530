import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SipctlError } from '../errors.ts';
import type { SourceText } from '../model/reading.ts';
import type { OptionSpec, VerbSpec } from './command.ts';
import { importConfiguration, importOptions } from './import-configuration.ts';
import { filesAt, finderOnDisk } from './source-files.ts';

const variable: OptionSpec = [
  '--variable <list>',
  'what the files do not say of $${name}: name=value,…',
  'joined',
];

export const importFreeswitch: VerbSpec = {
  name: 'freeswitch',
  summary: 'gateways and directory of a configuration folder of FreeSWITCH',
  args: '<dir>',
  options: [...importOptions, variable],
  examples: [
    'sipctl import freeswitch /etc/freeswitch --check',
    'sipctl import freeswitch /etc/freeswitch --tenant acme --variable local_ip_v4=192.0.2.1 --yes',
  ],
  run: async (app, input) => {
    const files = configurationIn(input.args[0] as string);
    return importConfiguration(app, input, { kind: 'freeswitch', files, finder: finderOnDisk });
  },
};

/** The whole configuration where there is one; else the files that gateways and accounts stand in. */
function configurationIn(dir: string): SourceText[] {
  const whole = join(dir, 'freeswitch.xml');
  if (existsSync(whole)) return filesAt([whole]);
  const found = [
    ...[join(dir, 'vars.xml')].filter((path) => existsSync(path)),
    ...['sip_profiles', 'directory'].flatMap((part) => xmlBelow(join(dir, part))),
  ];
  if (found.length > 0) return filesAt(found);
  throw new SipctlError('notFound', {
    code: 'no_configuration',
    message: `${dir} has no freeswitch.xml, no sip_profiles and no directory`,
    hint: 'name the folder that these stand in, usually /etc/freeswitch',
  });
}

function xmlBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.xml'))
    .sort()
    .map((name) => join(folder, name));
}
