import { type Call, type Leg, talkSeconds } from '../../model/live/call.ts';
import { callKey } from '../../model/live/picture.ts';
import { clock } from '../calls.ts';
import { caller, runningTime } from './columns.ts';
import type { Line, Span } from './line.ts';
import type { BoardFacts, BoardState } from './state.ts';
import { fitted, neutral } from './text.ts';

/** The call that the cursor is on; null where it ended. */
export const callAt = ({ cursor }: BoardState, { picture }: BoardFacts): Call | null =>
  cursor.key === null ? null : (picture.calls.get(cursor.key) ?? null);

/** Everything that is known of the chosen call, and of each of its legs. */
export function callDetail(state: BoardState, facts: BoardFacts, columns: number): Line[] {
  const call = callAt(state, facts);
  if (call === null) return [[], [{ text: '  this call has ended', look: 'dim' }]];
  const { now, picture } = facts;
  const stale = picture.isKnown(call.node)
    ? []
    : [entry('node', `${call.node}: lost, this is what was known last`)];
  return [
    [],
    ...stale,
    entry('call', callKey(call).split(' ').reverse().join(' on ')),
    entry('state', `${call.state} ${clock(runningTime(call, now))}${call.recorded ? ', recorded' : ''}`),
    entry('from', caller(call)),
    entry('to', call.to ?? '-'),
    entry('tenant', call.tenant ?? '-'),
    entry('way', call.trunk === null ? call.direction : `${call.direction} over ${call.trunk}`),
    entry('started', timeOf(call.startedAt)),
    entry('answered', answerOf(call, now)),
    [],
    ...call.legs.flatMap((leg) => legLines(leg, now)),
  ].map((line) => line.map((span) => ({ ...span, text: span.text.slice(0, columns) })));
}

function legLines(leg: Leg, now: number): Line[] {
  const { way, party, channel, state, codec, answeredAt, startedAt, number, name } = leg;
  const who = party === null ? 'nobody known' : `${party.kind} ${party.name} of ${party.tenant}`;
  return [
    [{ text: `  ${way === 'in' ? '→' : '←'} ${neutral(channel)}`, look: 'bold' }],
    entry('  party', `${who}${number === null ? '' : `, ${number}`}${name === null ? '' : ` ${name}`}`),
    entry(
      '  state',
      `${state} ${clock(Math.max(0, Math.floor((now - (answeredAt ?? startedAt)) / 1000)))}, ${codec ?? 'no codec yet'}`,
    ),
  ];
}

const entry = (name: string, value: string): Line => {
  const label: Span = { text: `  ${fitted(name, 9)} `, look: 'dim' };
  return [label, { text: neutral(value) }];
};

const answerOf = (call: Call, now: number): string =>
  call.answeredAt === null
    ? 'not yet'
    : `${timeOf(call.answeredAt)}, stands for ${clock(talkSeconds(call, now))}`;

const timeOf = (at: number): string =>
  new Date(at).toISOString().replace('T', ' ').slice(0, 19).concat(' UTC');
