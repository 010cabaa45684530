import { kindNamed, kindNames } from '../csv/kinds.ts';
import type { Run, VerbSpec } from './command.ts';
import { tableFormat, tableOptions, takeTableIn } from './import-intake.ts';
import { readSourceFile } from './source-file.ts';

const run: Run = async (app, input) => {
  const { options } = input;
  const [file = '-'] = input.args;
  const noun = kindNamed(options.kind);
  const { delimiter, encoding } = tableFormat(input);
  const { decodeText } = await import('../csv/decode.ts');
  const { readTable } = await import('../csv/table.ts');
  const { declareRows } = await import('../csv/declare-rows.ts');
  const { readMapping } = await import('../csv/columns.ts');
  const map = readMapping(typeof options.map === 'string' ? options.map : null);
  const table = readTable(decodeText(await readSourceFile(app, file), encoding, file), file, delimiter);
  const intake = declareRows(table, {
    ...{ noun, map, tenant: app.config.tenant },
    onlyKnown: options.onlyKnown === true,
    clearEmpty: options.clearEmpty === true,
    generatePasswords: options.generatePasswords === true,
  });
  const data = { kind: noun.table, rows: table.rows.length };
  return takeTableIn(app, input, { ...intake, warnings: [] }, { data });
};

export const importCsv: VerbSpec = {
  name: 'csv',
  summary: 'take a table in: a header, then one object per row; all of it or nothing',
  args: '<file>',
  options: [
    ['--kind <kind>', `what the rows are: ${kindNames}`],
    ['--map <column=field>', 'what a column gives, or - to pass it over; may be repeated', 'joined'],
    ['--only-known', 'pass over columns that no field is named like'],
    ['--clear-empty', 'an empty cell sets its field back; it stays as it is otherwise'],
    ...tableOptions,
  ],
  examples: [
    'sipctl import csv users.csv --kind users --tenant acme --generate-passwords --passwords-out new.csv',
    'sipctl import csv list.csv --kind users --map "Ext=extension" --map "Comment=-" --check',
    'sipctl export csv --kind numbers | sed s/old_trunk/new_trunk/ | sipctl import csv - --kind numbers --yes',
  ],
  run,
};
