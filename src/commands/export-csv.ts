import { writeFileSync } from 'node:fs';
import { kindNamed, kindNames } from '../csv/kinds.ts';
import { writeRows } from '../csv/write-rows.ts';
import { SipctlError } from '../errors.ts';
import type { Value } from '../model/field.ts';
import { isLabelled } from '../model/labelled.ts';
import type { Run, VerbSpec } from './command.ts';

const run: Run = async (app, { options }) => {
  const noun = kindNamed(options.kind);
  const store = await app.store();
  const everywhere = options.allTenants === true;
  const found = await store.records.list(noun, { tenant: everywhere ? null : app.config.tenant });
  const all = found as unknown as Readonly<Record<string, Value>>[];
  const objects = all.filter(({ labels }) => isLabelled(labels, options.label));
  const text = writeRows(noun, objects, { withTenant: everywhere });
  const { out } = options;
  if (typeof out === 'string') save(out, text);
  return {
    data: {
      kind: noun.table,
      count: objects.length,
      ...(typeof out === 'string' ? { file: out } : { csv: text }),
    },
    text: () => (typeof out === 'string' ? `${objects.length} ${noun.table} written to ${out}\n` : text),
  };
};

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error';
    const message = `${file} cannot be written: ${code}`;
    const problem = {
      code: 'file_unwritable',
      message,
      field: 'out',
      hint: 'name a file in a folder of yours',
    };
    throw new SipctlError('failed', problem, { cause });
  }
}

export const exportCsv: VerbSpec = {
  name: 'csv',
  summary: 'write objects of one kind as a table that import csv takes back',
  options: [
    ['--kind <kind>', `which: ${kindNames}`],
    ['--all-tenants', 'of every tenant, with a column that names it'],
    ['--label <label>', 'only those with this label'],
    ['-o, --out <file>', 'write to a file'],
  ],
  examples: [
    'sipctl export csv --kind users --tenant acme > users.csv',
    'sipctl export csv --kind numbers --all-tenants -o numbers.csv',
  ],
  run,
};
