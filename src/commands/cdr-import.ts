import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import type { CallImport, Imported } from '../pipeline/import-calls.ts';
import type { Input, Result, Run, VerbSpec } from './command.ts';

const importFiles: Run = async (app, input) => {
  const { importCalls } = await import('../pipeline/import-calls.ts');
  const around = await surroundings(app, input);
  const files: ({ file: string } & Imported)[] = [];
  for (const file of input.args.filter((one) => one !== undefined))
    files.push({ file, ...(await importCalls(file, around)) });
  return resultOf(files);
};

async function surroundings(app: App, input: Input): Promise<CallImport> {
  const { zonedTime } = await import('../pipeline/import-calls.ts');
  const store = await app.store();
  const { node, timeZone } = input.options;
  if (typeof node !== 'string') throw noNode();
  const [planned] = await app.targets([node]);
  const zone = typeof timeZone === 'string' ? timeZone : Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    return {
      node,
      reader: (await planned?.target.callList()) as CallImport['reader'],
      parties: await store.parties(),
      tenants: new Set((await store.tenantStates()).map(({ name }) => name)),
      time: zonedTime(zone),
      keep: (records) => store.keepCallRecords(records),
      signal: app.signal,
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw noZone(zone);
  }
}

function resultOf(files: readonly ({ file: string } & Imported)[]): Result {
  const total = (name: 'read' | 'added' | 'changed' | 'unchanged'): number =>
    files.reduce((sum, one) => sum + one[name], 0);
  const bad = files.filter(({ unreadable }) => unreadable.length > 0).map(unreadableLines);
  const failed = total('read') === 0 && bad.length > 0;
  const data = {
    files: files.map(({ unreadable, ...one }) => ({ ...one, unreadable: unreadable.length })),
    ...{
      read: total('read'),
      added: total('added'),
      changed: total('changed'),
      unchanged: total('unchanged'),
    },
  };
  const said = `${data.read} calls were read: ${data.added} are new, ${data.changed} tell more than before, ${data.unchanged} were known\n`;
  if (failed) return { data, text: () => '', outcome: 'invalid', errors: bad };
  return { data, changed: data.added + data.changed > 0, text: () => said, warnings: bad };
}

const unreadableLines = ({ file, unreadable }: { file: string; unreadable: readonly number[] }): Problem => ({
  code: 'lines_unreadable',
  message: `${file}: ${unreadable.length} records are no calls of this engine, the first at ${unreadable.slice(0, 3).join(', ')}`,
  field: 'file',
  hint: 'is --node the one that wrote it? Asterisk: cdr_csv. FreeSWITCH: mod_cdr_csv with the template example, or mod_json_cdr',
});

const noNode = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: 'whose list it is has to be said: --node is needed',
    field: 'node',
    hint: 'sipctl cdr import /var/log/asterisk/cdr-csv/Master.csv --node pbx1',
  });

const noZone = (zone: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_time_zone',
    message: `time-zone: there is no zone '${zone}'`,
    field: 'time-zone',
    hint: 'write it like Europe/Berlin, or UTC',
  });

export const cdrImport: VerbSpec = {
  name: 'import',
  summary: 'read the list of calls that the engine wrote itself; repeating it changes nothing',
  args: '<files...>',
  options: [
    ['--node <node>', 'the PBX that wrote it'],
    ['--time-zone <zone>', 'of the times in it: Europe/Berlin; this machine’s where not given'],
  ],
  examples: ['sipctl cdr import /var/log/asterisk/cdr-csv/Master.csv --node pbx1'],
  run: importFiles,
};
