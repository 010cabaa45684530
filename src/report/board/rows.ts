import type { Call } from '../../model/live/call.ts';
import { fits } from '../../model/live/filter.ts';
import { callKey } from '../../model/live/picture.ts';
import { type BoardColumn, callColumns, trunkColumns, userColumns } from './columns.ts';
import type { Line, Look } from './line.ts';
import type { BoardFacts, BoardState, View } from './state.ts';
import { fitted } from './text.ts';

/** The rows of a view, in their order; what stands in them is made for those only that are looked at. */
export interface Rows {
  keys: readonly string[];
  /** Rows before the search took some away. */
  total: number;
  titles: (columns: number) => string;
  line: (row: number, columns: number) => Line;
}

/** The rows that a person has chosen to see. */
export function rowsOf(state: BoardState, facts: BoardFacts): Rows {
  const { picture, filter } = facts;
  const all = <T extends Call | Parameters<typeof fits>[1]>(things: Iterable<T>): T[] =>
    [...things].filter((thing) => fits(filter, thing));
  switch (state.view) {
    case 'calls':
      return arranged(all(picture.calls.values()), callColumns, callKey, state, facts);
    case 'trunks':
      return arranged(
        all(picture.trunks.values()),
        trunkColumns,
        ({ node, tenant, trunk }) => `${node} ${tenant} ${trunk}`,
        state,
        facts,
      );
    case 'users':
      return arranged(
        all(picture.users.values()),
        userColumns,
        ({ node, tenant, user }) => `${node} ${tenant} ${user}`,
        state,
        facts,
      );
  }
}

/** How many columns a view can be sorted by, and what they are called. */
export const sortTitles: Readonly<Record<View, readonly string[]>> = {
  calls: callColumns.map(({ title }) => title),
  trunks: trunkColumns.map(({ title }) => title),
  users: userColumns.map(({ title }) => title),
};

function arranged<T extends { node: string }>(
  things: readonly T[],
  columns: readonly BoardColumn<T>[],
  keyOf: (thing: T) => string,
  { sort, view, search }: BoardState,
  { picture, now }: BoardFacts,
): Rows {
  const { column: index, reversed } = sort[view];
  const sought = search.toLowerCase();
  const isFound = (thing: T): boolean =>
    sought === '' || columns.some(({ value }) => value(thing, now).toLowerCase().includes(sought));
  const rows = things
    .filter(isFound)
    .map((thing) => ({
      thing,
      key: keyOf(thing),
      rank: rankOf(columns[index] as BoardColumn<T>, thing, now),
    }))
    .sort((a, b) => compare(a.rank, b.rank) * (reversed ? -1 : 1) || compare(a.key, b.key));
  let arrangement: { width: number; chosen: ChosenColumn<T>[] } | null = null;
  const at = (width: number): ChosenColumn<T>[] => {
    if (arrangement?.width !== width) arrangement = { width, chosen: chosen(columns, width) };
    return arrangement.chosen;
  };
  return {
    keys: rows.map(({ key }) => key),
    total: things.length,
    titles: (width) =>
      at(width)
        .map(({ column, columns: wide }) => {
          const mark = column === columns[index] ? (reversed ? '↓' : '↑') : '';
          return fitted(`${column.title}${mark}`, wide, column.align);
        })
        .join(' '),
    line: (row, width) => {
      const { thing } = rows[row] as (typeof rows)[number];
      const isStale = !picture.isKnown(thing.node);
      return at(width).map(({ column, columns: wide }, place) => ({
        text: (place === 0 ? '' : ' ') + fitted(column.value(thing, now), wide, column.align),
        look: isStale ? ('dim' as Look) : column.look?.(thing),
      }));
    },
  };
}

const rankOf = <T>(column: BoardColumn<T>, thing: T, now: number): number | string =>
  column.rank?.(thing, now) ?? column.value(thing, now);

const compare = (a: number | string, b: number | string): number => (a < b ? -1 : a > b ? 1 : 0);

interface ChosenColumn<T> {
  column: BoardColumn<T>;
  /** Columns of the terminal. */
  columns: number;
}

/** The columns that fit, with what is left over given to those that can use it. */
function chosen<T>(columns: readonly BoardColumn<T>[], width: number): ChosenColumn<T>[] {
  let kept = [...columns];
  const least = (): number => kept.reduce((sum, { width: [lowest] }) => sum + lowest + 1, -1);
  while (least() > width) {
    const worst = Math.max(...kept.map(({ spare }) => spare));
    if (worst === 0) break;
    kept = kept.filter(({ spare }) => spare !== worst);
  }
  const widths = kept.map(({ width: [lowest] }) => lowest);
  let left = width - least();
  // Who talks to whom first; a column at a time to each that can use one, so that none is starved by those before it.
  for (const isFirst of [true, false]) {
    for (let isGiven = true; isGiven && left > 0; ) {
      isGiven = false;
      for (const [at, { width, spare }] of kept.entries()) {
        if (left === 0 || (spare === 0) !== isFirst || (widths[at] as number) >= width[1]) continue;
        widths[at] = (widths[at] as number) + 1;
        left -= 1;
        isGiven = true;
      }
    }
  }
  return kept.map((column, at) => ({ column, columns: widths[at] as number }));
}
