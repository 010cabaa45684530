import { fits } from '../../model/live/filter.ts';
import type { NodeStanding } from '../../model/live/picture.ts';
import { clock } from '../calls.ts';
import { displayWidth } from '../table.ts';
import { callDetail } from './detail.ts';
import type { Line, Look, Span } from './line.ts';
import { type Rows, rowsOf } from './rows.ts';
import { type BoardFacts, type BoardState, bodyRows, type Size, type View } from './state.ts';
import { fitted, neutral } from './text.ts';

/** The whole screen: exactly as many lines as it has, none wider than it. */
export function boardLines(state: BoardState, facts: BoardFacts, size: Size): Line[] {
  const { columns, rows } = size;
  const table = rowsOf(state, facts);
  const body = state.isDetailed ? callDetail(state, facts, columns) : tableBody(state, table, size);
  const head = [headLine(facts), totalsLine(facts), viewsLine(state, facts, table)];
  const shown = [...head, ...body.slice(0, Math.max(0, rows - head.length - 1))];
  while (shown.length < rows - 1) shown.push([]);
  return [...shown.slice(0, rows - 1), footLine(state)].map((line) => clipped(line, columns));
}

/** Where the cursor is, and which rows are on the screen, after rows came, went or were moved. */
export function placed(state: BoardState, facts: BoardFacts, size: Size): BoardState {
  const { keys } = rowsOf(state, facts);
  const found = state.cursor.key === null ? -1 : keys.indexOf(state.cursor.key);
  // In the detail of a call that ended, no other call may slip under the keys.
  if (found < 0 && state.isDetailed) return state;
  const at = found >= 0 ? found : Math.max(0, Math.min(state.cursor.at, keys.length - 1));
  const visible = bodyRows(size);
  const top = Math.max(0, Math.min(state.top, at, keys.length - visible), at - visible + 1);
  return { ...state, cursor: { key: keys[at] ?? null, at }, top };
}

function tableBody(state: BoardState, table: Rows, size: Size): Line[] {
  const { columns } = size;
  // One column for the mark of the chosen row, which is seen where reverse video is not.
  const inner = columns - 1;
  const titles: Line = [{ text: ` ${table.titles(inner)}`, look: 'dim' }];
  const visible = table.keys.slice(state.top, state.top + bodyRows(size));
  if (visible.length === 0)
    return [titles, [{ text: state.search === '' ? '  nothing' : '  nothing is found', look: 'dim' }]];
  return [
    titles,
    ...visible.map((key, offset): Line => {
      const line = table.line(state.top + offset, inner);
      if (key !== state.cursor.key) return [{ text: ' ' }, ...line];
      return [{ text: fitted(`>${line.map(({ text }) => text).join('')}`, columns), look: 'chosen' }];
    }),
  ];
}

const nodeLooks: Readonly<Record<NodeStanding['state'], Look>> = {
  ...{ opening: 'warn', connected: 'good', lost: 'bad', refused: 'bad' },
};

function headLine({ picture, now }: BoardFacts): Line {
  const time = new Date(now);
  const digits = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  );
  const nodes = [...picture.nodes.values()].flatMap(({ node, state, since }): Span[] => {
    const age = state === 'lost' && since !== null ? ` ${clock(Math.floor((now - since) / 1000))}` : '';
    return [{ text: `  ${node} ` }, { text: `${state}${age}`, look: nodeLooks[state] }];
  });
  return [{ text: 'sipctl', look: 'bold' }, { text: `  ${digits.join(':')}` }, ...nodes];
}

/** Calls of each tenant against what it may have, the fullest first. */
function totalsLine({ picture, limits, filter }: BoardFacts): Line {
  const counts = new Map<string, number>();
  let ringing = 0;
  let total = 0;
  for (const call of picture.calls.values()) {
    if (!picture.isKnown(call.node) || (filter.tenant !== null && call.tenant !== filter.tenant)) continue;
    total += 1;
    if (call.state === 'ringing') ringing += 1;
    counts.set(call.tenant ?? '-', (counts.get(call.tenant ?? '-') ?? 0) + 1);
  }
  const tenants = [...counts].map(([tenant, calls]) => ({
    tenant,
    calls,
    limit: limits.get(tenant) ?? null,
  }));
  const load = ({ calls, limit }: (typeof tenants)[number]): number => (limit === null ? 0 : calls / limit);
  tenants.sort((a, b) => load(b) - load(a) || b.calls - a.calls);
  const spans = tenants.flatMap((one): Span[] => {
    const look = load(one) >= 1 ? 'bad' : load(one) >= 0.8 ? 'warn' : undefined;
    const limit = one.limit === null ? '' : `/${one.limit}`;
    return [{ text: `  ${neutral(one.tenant)} ` }, { text: `${one.calls}${limit}`, look }];
  });
  return [{ text: `calls ${total}`, look: 'bold' }, { text: `  ringing ${ringing}` }, ...spans];
}

function viewsLine(state: BoardState, { picture, filter }: BoardFacts, table: Rows): Line {
  const count = (things: Iterable<Parameters<typeof fits>[1]>): number =>
    [...things].reduce((sum, thing) => sum + Number(fits(filter, thing)), 0);
  const views: readonly (readonly [View, number])[] = [
    ['calls', count(picture.calls.values())],
    ['trunks', count(picture.trunks.values())],
    ['users', count(picture.users.values())],
  ];
  const spans = views.map(([view, things], at): Span => {
    const isShown = view === state.view;
    return { text: ` ${at + 1} ${view} ${things} `, look: isShown ? 'chosen' : undefined };
  });
  const found =
    state.search === '' ? '' : `  /${neutral(state.search)}: ${table.keys.length} of ${table.total}`;
  const last = Math.min(table.keys.length, state.top + 1);
  const place = table.keys.length === 0 ? '' : `  from ${last} of ${table.keys.length}`;
  return [...spans, { text: found, look: 'info' }, { text: state.isDetailed ? '' : place, look: 'dim' }];
}

const keyWords: Readonly<Record<View, string>> = {
  calls: 'q quit  ↑↓ choose  ⏎ detail  / search  s sort  r reverse  h hang up  l listen  m record  1-3 views',
  trunks: 'q quit  ↑↓ choose  / search  s sort  r reverse  1-3 views',
  users: 'q quit  ↑↓ choose  / search  s sort  r reverse  1-3 views',
};

function footLine({ prompt, notice, isDetailed, view, search }: BoardState): Line {
  if (prompt?.kind === 'search') return [{ text: `search: ${search}_`, look: 'bold' }];
  if (prompt?.kind === 'supervisor')
    return [{ text: `ring which user of the tenant to listen? ${prompt.text}_`, look: 'bold' }];
  if (prompt?.kind === 'hangup') return [{ text: prompt.question, look: 'bold' }];
  if (notice !== null) return [{ text: neutral(notice.text), look: notice.look }];
  return [{ text: isDetailed ? 'q back  h hang up  l listen  m record' : keyWords[view], look: 'dim' }];
}

function clipped(line: Line, columns: number): Line {
  const spans: Span[] = [];
  let left = columns;
  for (const span of line) {
    const width = displayWidth(span.text);
    spans.push(width <= left ? span : { ...span, text: fitted(span.text, left) });
    left -= width;
    if (left <= 0) break;
  }
  return spans;
}
