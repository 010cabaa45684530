import type { App } from '../app.ts';
import type { FreePbxOptions, FreePbxRows } from '../csv/freepbx.ts';
import { SipctlError } from '../errors.ts';
import { type NumberingPlan, numberingPlan } from '../model/flow/numbering.ts';
import * as nouns from '../model/nouns.ts';
import { countryCode } from '../model/rules.ts';
import type { Input, Run, VerbSpec } from './command.ts';
import { tableFormat, tableOptions, takeTableIn } from './import-intake.ts';
import { readSourceFile } from './source-file.ts';

const run: Run = async (app, input) => {
  const { options } = input;
  const read: FreePbxRows[] = [];
  const lists: { file: string; kind: string; rows: number }[] = [];
  const around: FreePbxOptions = {
    tenant: app.config.tenant,
    plan: await planOf(app, options.country),
    trunk: typeof options.trunk === 'string' ? options.trunk : null,
    generatePasswords: options.generatePasswords === true,
  };
  for (const file of input.args.filter((one) => one !== undefined)) {
    const { kind, rows, found } = await readList(app, input, file, around);
    lists.push({ file, kind, rows });
    read.push(found);
  }
  const left = read.flatMap((one) => one.left);
  const isStrict = options.strict === true;
  const intake = {
    declared: read.flatMap(({ declared }) => declared),
    problems: [...read.flatMap(({ problems }) => problems), ...(isStrict ? left : [])],
    warnings: isStrict ? [] : left,
  };
  return takeTableIn(app, input, intake, { data: { lists, notTakenOver: left } });
};

async function readList(
  app: App,
  input: Input,
  file: string,
  around: FreePbxOptions,
): Promise<{ kind: string; rows: number; found: FreePbxRows }> {
  const { delimiter, encoding } = tableFormat(input);
  const { decodeText } = await import('../csv/decode.ts');
  const { readTable } = await import('../csv/table.ts');
  const { isExtensions, readExtensions } = await import('../csv/freepbx-extensions.ts');
  const { isDids, readDids } = await import('../csv/freepbx-dids.ts');
  const table = readTable(decodeText(await readSourceFile(app, file), encoding, file), file, delimiter);
  const rows = table.rows.length;
  if (isDids(table)) return { kind: 'dids', rows, found: readDids(table, around) };
  if (isExtensions(table)) return { kind: 'extensions', rows, found: readExtensions(table, around) };
  throw new SipctlError('invalid', {
    code: 'no_freepbx_list',
    message: `${file}: its columns are neither those of extensions nor those of DIDs`,
    field: 'file',
    hint: 'export it at Admin, Bulk Handler of FreePBX; any other table: sipctl import csv',
  });
}

async function planOf(app: App, country: unknown): Promise<NumberingPlan | null> {
  if (typeof country === 'string') {
    const parsed = countryCode(country);
    const plan = parsed.ok ? numberingPlan(parsed.value) : null;
    if (plan !== null) return plan;
    throw new SipctlError('invalid', {
      code: 'invalid_country',
      message: `country: there is no country '${country}'`,
      field: 'country',
      hint: 'use two letters of ISO 3166, for example US',
    });
  }
  const store = await app.store();
  const tenant = await store.records.get(nouns.tenant, { tenant: null, name: app.config.tenant });
  return numberingPlan(tenant.country);
}

export const importFreepbxCsv: VerbSpec = {
  name: 'freepbx-csv',
  summary: 'take in lists that the Bulk Handler of FreePBX exported: extensions, DIDs',
  args: '<files...>',
  options: [
    ['--trunk <name>', 'the trunk on which the DIDs arrive'],
    ['--country <country>', 'whose numbers stand there without a plus; the tenant’s when not given'],
    ['--strict', 'refuse where something of the lists has no place here'],
    ...tableOptions,
  ],
  examples: ['sipctl import freepbx-csv extensions.csv dids.csv --tenant acme --trunk telnyx_main --check'],
  run,
};
