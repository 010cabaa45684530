import type { EventFilter } from '../../model/live/filter.ts';
import type { Picture } from '../../model/live/picture.ts';
import type { Look } from './line.ts';

export type View = 'calls' | 'trunks' | 'users';

/** What is known of the world when a frame is made. */
export interface BoardFacts {
  picture: Picture;
  /** What was asked for on the command line; more is not shown. */
  filter: EventFilter;
  /** Tenant → calls that it may have at one time, where that is limited. */
  limits: ReadonlyMap<string, number>;
  /** Milliseconds since 1970. */
  now: number;
}

export interface Size {
  columns: number;
  rows: number;
}

/** Something that is being typed, or a question that waits for its answer. */
export type Prompt =
  | { kind: 'search'; before: string }
  /** `call`: what it is found by. */
  | { kind: 'hangup'; call: string; question: string }
  | { kind: 'supervisor'; call: string; text: string };

/** What a person at the board has chosen. */
export interface BoardState {
  view: View;
  /** The column that a view is sorted by, and whether backwards. */
  sort: Readonly<Record<View, { column: number; reversed: boolean }>>;
  /** The chosen row: by name, as rows move; and by place, for when it is gone. */
  cursor: { key: string | null; at: number };
  /** The first row that is on the screen. */
  top: number;
  search: string;
  prompt: Prompt | null;
  isDetailed: boolean;
  notice: { text: string; look: Look } | null;
}

/** The board as it opens. */
export const openBoard = (view: View): BoardState => ({
  view,
  // Calls that stand longest come first: what is stuck is seen.
  sort: {
    calls: { column: 1, reversed: true },
    trunks: { column: 0, reversed: false },
    users: { column: 0, reversed: false },
  },
  cursor: { key: null, at: 0 },
  top: 0,
  search: '',
  prompt: null,
  isDetailed: false,
  notice: null,
});

/** Lines above the rows: nodes, totals, views, titles. */
const above = 4;

/** Rows that fit between titles and the line of keys. */
export const bodyRows = ({ rows }: Size): number => Math.max(1, rows - above - 1);
