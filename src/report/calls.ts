import { type Call, talkSeconds } from '../model/live/call.ts';
import { shownCall } from '../model/live/line.ts';
import type { Style } from './style.ts';
import { type Column, listing, table } from './table.ts';

/** A call as JSON tells it: as in the stream of events, and the seconds it has stood. */
export const callData = (call: Call, now: number): Record<string, unknown> => ({
  ...shownCall(call),
  talkSeconds: talkSeconds(call, now),
});

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** Calls, one a line; with the tenant, and with the node, where there are several. */
export function callsText(
  calls: readonly Call[],
  { now, style, withTenant }: { now: number; style: Style; withTenant: boolean },
): string {
  const nodes = new Set(calls.map(({ node }) => node));
  const columns: Column<Call>[] = [
    { title: 'CALL', value: ({ id }) => id },
    ...(nodes.size > 1 ? [{ title: 'NODE', value: ({ node }: Call) => node }] : []),
    ...(withTenant ? [{ title: 'TENANT', value: ({ tenant }: Call) => tenant ?? '-' }] : []),
    { title: 'STATE', value: ({ state }) => state, style: ({ state }) => style[tones[state]] },
    { title: 'DIRECTION', value: ({ direction }) => direction },
    { title: 'FROM', value: ({ from, fromName }) => said(from, fromName) },
    { title: 'TO', value: ({ to }) => visible(to ?? '-') },
    { title: 'TRUNK', value: ({ trunk }) => trunk ?? '-' },
    { title: 'CODEC', value: ({ codec }) => codec ?? '-' },
    { title: 'TALK', value: (call) => clock(talkSeconds(call, now)), align: 'right' },
    { title: 'REC', value: ({ recorded }) => (recorded ? 'yes' : '') },
  ];
  return table(calls, columns, style);
}

const tones = { ringing: 'warn', answered: 'good', held: 'warn', ended: 'dim' } as const;

/** One call with everything that is known of it. */
export function callText(call: Call, now: number, style: Style): string {
  const { end, quality } = call;
  const head = listing(
    [
      ['call', `${call.id} on ${call.node}`],
      ['tenant', call.tenant ?? '-'],
      ['direction', call.direction + (call.trunk === null ? '' : ` over ${call.trunk}`)],
      ['from', said(call.from, call.fromName)],
      ['to', visible(call.to ?? '-')],
      ['state', call.state],
      ['started', iso(call.startedAt) ?? '-'],
      ['answered', iso(call.answeredAt) ?? '-'],
      ['talk', clock(talkSeconds(call, now))],
      ['codec', call.codec ?? '-'],
      ['recorded', call.recorded ? 'yes' : 'no'],
      ...(end === null ? [] : [['end', end.text] as const]),
      ...(quality === null || quality.mos === null ? [] : [['MOS', quality.mos.toFixed(1)] as const]),
    ],
    style,
  );
  const legs = table(
    call.legs,
    [
      { title: 'LEG', value: ({ id }) => id },
      { title: 'WAY', value: ({ way }) => way },
      { title: 'PARTY', value: ({ party }) => (party === null ? '-' : `${party.kind} ${party.name}`) },
      { title: 'NUMBER', value: ({ number, name }) => said(number, name) },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'CODEC', value: ({ codec }) => codec ?? '-' },
      { title: 'CHANNEL', value: ({ channel }) => visible(channel) },
    ],
    style,
  );
  return call.legs.length === 0 ? head : `${head}\n${legs}`;
}

const said = (number: string | null, name: string | null): string =>
  visible(name === null || name === '' || name === number ? (number ?? '-') : `${number ?? '-'} (${name})`);

/** `1:02:03`, `0:07` */
export function clock(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = String(seconds % 60).padStart(2, '0');
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes).padStart(2, '0')}:${rest}`;
}

// C0, DEL and C1 controls, line and paragraph separators, and the marks that reorder what a reader sees.
const disturbing = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** A text of callers and engines, without what would steer a terminal. */
export const visible = (text: string): string =>
  text.replace(disturbing, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
