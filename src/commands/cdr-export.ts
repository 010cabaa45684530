import { setImmediate } from 'node:timers/promises';
import { csvLine } from '../csv/line.ts';
import { snake } from '../model/field.ts';
import { envelope } from '../report/envelope.ts';
import { recordColumns, type StoredCallRecord } from '../store/call-records.ts';
import { oneOf } from './call-list.ts';
import { recordFilter, recordFilterOptions } from './cdr-scope.ts';
import type { Run, VerbSpec } from './command.ts';

/** Calls that are written at a time. */
const portion = 500;

const exportCalls: Run = async (app, input) => {
  const filter = await recordFilter(app, input);
  const chosen = oneOf(input.options.format, ['csv', 'ndjson'], 'format');
  const store = await app.store();
  const { head, line, tail } = shapes[chosen ?? (app.config.json ? 'document' : 'csv')];
  let count = 0;
  let text = head();
  for await (const record of store.readCallRecords(filter, { oldestFirst: true })) {
    text += line(record, count);
    count++;
    if (count % portion > 0) continue;
    // The reader may be slow: a portion is written before the next one is read; or it may have read enough.
    await app.terminal.out(text);
    text = '';
    // A file takes all at once, and nobody would hear of Ctrl-C meanwhile.
    await setImmediate();
    app.signal.throwIfAborted();
    if (app.terminal.gone.aborted) break;
  }
  await app.terminal.out(text + tail(count));
  return { data: { count }, text: () => '', streamed: true };
};

interface Shape {
  head(): string;
  /** `at` is 0 for the first one. */
  line(record: StoredCallRecord, at: number): string;
  tail(count: number): string;
}

const columns = ['id', ...recordColumns] as const;
const none = '"cdrs":[';
const emptyDocument = (count: number): string => envelope({ ok: true, data: { cdrs: [], count } });

const shapes: Readonly<Record<'csv' | 'ndjson' | 'document', Shape>> = {
  csv: {
    head: () => `${csvLine(columns.map(snake))}\n`,
    line: (record) => `${csvLine(columns.map((name) => record[name]))}\n`,
    tail: () => '',
  },
  ndjson: { head: () => '', line: (record) => `${JSON.stringify(record)}\n`, tail: () => '' },
  // The one document of every command, in pieces: all calls of a year are longer than a text can be.
  document: {
    head: () => emptyDocument(0).split(none)[0] + none,
    line: (record, at) => `${at === 0 ? '' : ','}${JSON.stringify(record)}`,
    tail: (count) => emptyDocument(count).split(none)[1] ?? '',
  },
};

export const cdrExport: VerbSpec = {
  name: 'export',
  summary: 'write kept calls as CSV or as JSON, one a line, the oldest first',
  options: [...recordFilterOptions, ['--format <format>', 'csv or ndjson; csv where not given']],
  examples: ['sipctl cdr export --tenant acme --from 2026-05-01 --to 2026-05-31 > may.csv'],
  run: exportCalls,
};
