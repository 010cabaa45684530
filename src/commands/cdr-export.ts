import { csvLine } from '../model/csv.ts';
import { snake } from '../model/field.ts';
import { recordColumns, type StoredCallRecord } from '../store/call-records.ts';
import { oneOf } from './call-list.ts';
import { recordFilter, recordFilterOptions } from './cdr-scope.ts';
import type { Run, VerbSpec } from './command.ts';

/** Lines that are written at a time. */
const portion = 500;

const exportCalls: Run = async (app, input) => {
  const filter = await recordFilter(app, input);
  const chosen = oneOf(input.options.format, ['csv', 'ndjson'], 'format');
  const store = await app.store();
  // One document, as of every command; only a format that is asked for comes line by line.
  if (app.config.json && chosen === null) {
    const cdrs = [...store.readCallRecords(filter, { oldestFirst: true })];
    return { data: { cdrs, count: cdrs.length }, text: () => '' };
  }
  const format = chosen ?? 'csv';
  const columns = ['id', ...recordColumns] as const;
  const lineOf = (record: StoredCallRecord): string =>
    format === 'csv' ? csvLine(columns.map((name) => record[name])) : JSON.stringify(record);
  let count = 0;
  let lines = format === 'csv' ? [csvLine(columns.map(snake))] : [];
  // The reader may be slow: a portion is written before the next one is read.
  const write = async (): Promise<void> => {
    if (lines.length > 0) await app.terminal.out(`${lines.join('\n')}\n`);
    lines = [];
  };
  for (const record of store.readCallRecords(filter, { oldestFirst: true })) {
    lines.push(lineOf(record));
    count++;
    if (lines.length >= portion) await write();
    app.signal.throwIfAborted();
  }
  await write();
  return { data: { count }, text: () => '', streamed: true };
};

export const cdrExport: VerbSpec = {
  name: 'export',
  summary: 'write kept calls as CSV or as JSON, one a line, the oldest first',
  options: [...recordFilterOptions, ['--format <format>', 'csv or ndjson; csv where not given']],
  examples: ['sipctl cdr export --tenant acme --from 2026-05-01 --to 2026-05-31 > may.csv'],
  run: exportCalls,
};
