import type { LiveEvent } from '../model/live/events.ts';
import { type BoardColumn, callColumns, trunkColumns, userColumns } from './board/columns.ts';
import { neutral } from './board/text.ts';
import { plain, type Style } from './style.ts';
import { table } from './table.ts';

/** What there is now, as `present` events tell it: a table for each kind, then the nodes that were not reached. */
export function snapshotText(events: readonly LiveEvent[], now: number, style: Style = plain): string {
  const lost = events.flatMap((event) =>
    event.event === 'node.lost'
      ? [`${style.bad(`${event.node}: not reached`)}: ${neutral(event.detail ?? '')}\n`]
      : [],
  );
  const tables = [
    ...tableOf(
      'calls',
      events.flatMap((event) => ('call' in event ? [event.call] : [])),
      callColumns,
    ),
    ...tableOf(
      'trunks',
      events.flatMap((event) => ('trunk' in event ? [event.trunk] : [])),
      trunkColumns,
    ),
    ...tableOf(
      'users',
      events.flatMap((event) => ('user' in event ? [event.user] : [])),
      userColumns,
    ),
  ];
  const text = [...tables, ...lost].join('\n');
  return text === '' ? 'nothing is going on\n' : text;

  function tableOf<T>(title: string, rows: readonly T[], columns: readonly BoardColumn<T>[]): string[] {
    if (rows.length === 0) return [];
    const shown = columns.map(({ title: head, value, align }) => ({
      title: head,
      value: (row: T) => value(row, now),
      ...(align === undefined ? {} : { align }),
    }));
    return [`${style.bold(`${rows.length} ${title}`)}\n${table(rows, shown, style)}`];
  }
}
