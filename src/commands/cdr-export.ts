import { csvLine } from '../csv/line.ts';
import { snake } from '../model/field.ts';
import { recordColumns, type StoredCallRecord } from '../store/call-records.ts';
import { oneOf } from './call-list.ts';
import { recordFilter, recordFilterOptions } from './cdr-scope.ts';
import type { Run, VerbSpec } from './command.ts';
import { asDocument, asLines, type RowShape, streamRows } from './row-stream.ts';

const columns = ['id', ...recordColumns] as const;

const asCsv: RowShape<StoredCallRecord> = {
  head: `${csvLine(columns.map(snake))}\n`,
  line: (record) => `${csvLine(columns.map((name) => record[name]))}\n`,
  tail: () => '',
};

const exportCalls: Run = async (app, input) => {
  const filter = await recordFilter(app, input);
  const chosen = oneOf(input.options.format, ['csv', 'ndjson'], 'format');
  const records = (await app.store()).readCallRecords(filter, { oldestFirst: true });
  const unchosen = app.config.json ? asDocument('cdrs') : asCsv;
  return streamRows(app, records, chosen === null ? unchosen : chosen === 'csv' ? asCsv : asLines);
};

export const cdrExport: VerbSpec = {
  name: 'export',
  summary: 'write kept calls as CSV or as JSON, one a line, the oldest first',
  options: [...recordFilterOptions, ['--format <format>', 'csv or ndjson; csv where not given']],
  examples: ['sipctl cdr export --tenant acme --from 2026-05-01 --to 2026-05-31 > may.csv'],
  run: exportCalls,
};
