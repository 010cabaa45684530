import { setImmediate } from 'node:timers/promises';
import type { App } from '../app.ts';
import { envelope } from '../report/envelope.ts';
import type { Result } from './command.ts';

/** How rows are written: what stands before them, each of them, and what follows. */
export interface RowShape<T> {
  head: string;
  /** `at` is 0 for the first one. */
  line(row: T, at: number): string;
  tail(count: number): string;
}

/** JSON, one row a line. */
export const asLines: RowShape<unknown> = {
  head: '',
  line: (row) => `${JSON.stringify(row)}\n`,
  tail: () => '',
};

/** The one document of every command, in pieces, its rows under `name`: those of years are longer than a text can be. */
export function asDocument(name: string): RowShape<unknown> {
  const empty = (count: number): string => envelope({ ok: true, data: { [name]: [], count } });
  const none = `"${name}":[`;
  return {
    head: empty(0).split(none)[0] + none,
    line: (row, at) => `${at === 0 ? '' : ','}${JSON.stringify(row)}`,
    tail: (count) => empty(count).split(none)[1] ?? '',
  };
}

/** Rows that are written at a time. */
const portion = 500;

/** Writes rows as they are read. Ends early where the reader has gone. @throws the reason of the signal at Ctrl-C */
export async function streamRows<T>(app: App, rows: AsyncIterable<T>, shape: RowShape<T>): Promise<Result> {
  let count = 0;
  let text = shape.head;
  for await (const row of rows) {
    text += shape.line(row, count);
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
  await app.terminal.out(text + shape.tail(count));
  return { data: { count }, text: () => '', streamed: true };
}
