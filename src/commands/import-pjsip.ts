import type { VerbSpec } from './command.ts';
import { importConfiguration, importOptions } from './import-configuration.ts';
import { filesAt, finderOnDisk } from './source-files.ts';

export const importPjsip: VerbSpec = {
  name: 'pjsip',
  summary: 'trunks and users of pjsip.conf, pjsip_wizard.conf and what they include',
  args: '<files...>',
  options: importOptions,
  examples: [
    'sipctl import pjsip /etc/asterisk/pjsip.conf --check',
    'sipctl import pjsip pjsip_trunks.conf pjsip_users.conf --tenant acme --context-tenant from-internal=acme --yes',
  ],
  run: async (app, input) => {
    const files = filesAt(input.args.flatMap((path) => path ?? []));
    return importConfiguration(app, input, { kind: 'asterisk', files, finder: finderOnDisk });
  },
};
