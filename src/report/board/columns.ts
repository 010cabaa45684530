import type { Call } from '../../model/live/call.ts';
import type { TrunkStanding, UserStanding } from '../../model/live/events.ts';
import { clock } from '../calls.ts';
import type { Look } from './line.ts';
import { neutral } from './text.ts';

/** One column of a table of the board. */
export interface BoardColumn<T> {
  title: string;
  value: (row: T, now: number) => string;
  /** What it is sorted by, where that is not the value. */
  rank?: (row: T, now: number) => number;
  look?: (row: T) => Look | undefined;
  align?: 'right';
  /** Columns of the terminal that it takes at least and at most. */
  width: readonly [least: number, most: number];
  /** Where the terminal is too narrow, those with the highest number go first; 0 stays. */
  spare: number;
}

const stateLooks: Readonly<Record<Call['state'], Look>> = {
  ...{ ringing: 'warn', answered: 'good', held: 'info', ended: 'dim' },
};
const stateOrder: readonly string[] = ['ringing', 'answered', 'held', 'ended'];
const arrows = { inbound: '→ in', outbound: '← out', internal: '↔ int' };

/** Seconds that a call rings, or has stood since it was answered. */
export const runningTime = ({ answeredAt, startedAt }: Call, now: number): number =>
  Math.max(0, Math.floor((now - (answeredAt ?? startedAt)) / 1000));

/** A number with the name that comes with it. */
export const caller = ({ from, fromName }: Call): string =>
  neutral(
    fromName === null || fromName === '' || fromName === from ? (from ?? '-') : `${from ?? '-'} ${fromName}`,
  );

export const callColumns: readonly BoardColumn<Call>[] = [
  {
    title: 'STATE',
    value: ({ state }) => state,
    rank: ({ state }) => stateOrder.indexOf(state),
    look: ({ state }) => stateLooks[state],
    width: [8, 8],
    spare: 0,
  },
  {
    title: 'TIME',
    value: (call, now) => clock(runningTime(call, now)),
    rank: runningTime,
    align: 'right',
    width: [7, 8],
    spare: 0,
  },
  { title: 'TENANT', value: ({ tenant }) => tenant ?? '-', width: [6, 16], spare: 3 },
  { title: 'WAY', value: ({ direction }) => arrows[direction], width: [5, 5], spare: 4 },
  { title: 'FROM', value: caller, width: [8, 28], spare: 0 },
  { title: 'TO', value: ({ to }) => neutral(to ?? '-'), width: [8, 16], spare: 0 },
  { title: 'TRUNK', value: ({ trunk }) => trunk ?? '-', width: [6, 16], spare: 5 },
  { title: 'CODEC', value: ({ codec }) => neutral(codec ?? '-'), width: [5, 6], spare: 8 },
  {
    title: 'REC',
    value: ({ recorded }) => (recorded ? 'rec' : ''),
    look: () => 'bad',
    width: [3, 3],
    spare: 6,
  },
  { title: 'NODE', value: ({ node }) => node, width: [4, 12], spare: 7 },
];

const trunkLooks: Readonly<Record<TrunkStanding['registration'], Look>> = {
  registered: 'good',
  none: 'dim',
  trying: 'warn',
  unregistered: 'warn',
  ...{ rejected: 'bad', failed: 'bad', 'gave-up': 'bad' },
};

export const trunkColumns: readonly BoardColumn<TrunkStanding>[] = [
  { title: 'TRUNK', value: ({ trunk }) => trunk, width: [8, 24], spare: 0 },
  { title: 'TENANT', value: ({ tenant }) => tenant, width: [6, 16], spare: 1 },
  {
    title: 'REGISTERED',
    value: ({ registration }) => registration,
    look: ({ registration }) => trunkLooks[registration],
    width: [12, 12],
    spare: 0,
  },
  {
    title: 'ANSWERS',
    value: ({ reachable }) => (reachable === null ? '-' : reachable ? 'yes' : 'no'),
    look: ({ reachable }) => (reachable === false ? 'bad' : undefined),
    width: [7, 7],
    spare: 2,
  },
  {
    title: 'RTT',
    value: ({ rttMs }) => (rttMs === null ? '-' : `${Math.round(rttMs)} ms`),
    rank: ({ rttMs }) => rttMs ?? -1,
    align: 'right',
    width: [7, 7],
    spare: 3,
  },
  { title: 'NODE', value: ({ node }) => node, width: [4, 12], spare: 4 },
  { title: 'DETAIL', value: ({ detail }) => neutral(detail), width: [8, 40], spare: 5 },
];

export const userColumns: readonly BoardColumn<UserStanding>[] = [
  { title: 'USER', value: ({ user }) => user, width: [8, 32], spare: 0 },
  { title: 'TENANT', value: ({ tenant }) => tenant, width: [6, 16], spare: 1 },
  {
    title: 'PHONES',
    value: ({ contacts }) => String(contacts),
    rank: ({ contacts }) => contacts,
    align: 'right',
    width: [6, 6],
    spare: 0,
  },
  { title: 'NODE', value: ({ node }) => node, width: [4, 12], spare: 2 },
];
