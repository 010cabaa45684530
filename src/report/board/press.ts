import { type Call, talkSeconds } from '../../model/live/call.ts';
import { callKey } from '../../model/live/picture.ts';
import { clock } from '../calls.ts';
import { caller } from './columns.ts';
import { callAt } from './detail.ts';
import { rowsOf, sortTitles } from './rows.ts';
import { type BoardFacts, type BoardState, bodyRows, type Prompt, type Size, type View } from './state.ts';
import { neutral } from './text.ts';
import { placed } from './view.ts';

/** What is to be done at a PBX, or with the board itself. */
export type BoardAction =
  | { kind: 'quit' | 'interrupt' | 'suspend' | 'repaint' }
  | { kind: 'hangup' | 'record'; call: Call }
  | { kind: 'listen'; call: Call; supervisor: string };

export interface Pressed {
  state: BoardState;
  action: BoardAction | null;
}

/** Longer names than this nobody has. */
const longestText = 64;

/**
 * What a key does.
 * @param supervisor whose phone rings to listen, where the command line said so; else it is asked for
 */
export function pressKey(
  before: BoardState,
  key: string,
  facts: BoardFacts,
  size: Size,
  supervisor: string | null,
): Pressed {
  const state = { ...before, notice: null };
  if (key === 'ctrl-c') return acting(state, { kind: 'interrupt' });
  if (key === 'ctrl-z') return acting(state, { kind: 'suspend' });
  if (key === 'ctrl-l') return acting(state, { kind: 'repaint' });
  if (state.prompt !== null) return answered(state, state.prompt, key, facts, size);
  if (state.isDetailed && ['q', 'escape', 'enter'].includes(key))
    return resting(placed({ ...state, isDetailed: false }, facts, size));
  if (state.view === 'calls' && ['h', 'l', 'm'].includes(key)) return onCall(state, key, facts, supervisor);
  const next = plainKeys[key]?.(state, facts, size);
  if (next === undefined) return key === 'q' ? acting(state, { kind: 'quit' }) : resting(state);
  return resting(placed(next, facts, size));
}

const resting = (state: BoardState): Pressed => ({ state, action: null });
const acting = (state: BoardState, action: BoardAction): Pressed => ({ state, action });

type PlainKey = (state: BoardState, facts: BoardFacts, size: Size) => BoardState;

const moved =
  (by: (size: Size) => number): PlainKey =>
  (state, facts, size) => {
    const { keys } = rowsOf(state, facts);
    const at = Math.max(0, Math.min(keys.length - 1, state.cursor.at + by(size)));
    return { ...state, cursor: { key: keys[at] ?? null, at } };
  };

const shows =
  (view: View): PlainKey =>
  (state) => ({ ...state, view, cursor: { key: null, at: 0 }, top: 0, isDetailed: false });

const views: readonly View[] = ['calls', 'trunks', 'users'];

const turned =
  (by: number): PlainKey =>
  (state, facts, size) =>
    shows(views[(views.indexOf(state.view) + by + views.length) % views.length] as View)(state, facts, size);

const plainKeys: Readonly<Record<string, PlainKey>> = {
  up: moved(() => -1),
  k: moved(() => -1),
  down: moved(() => 1),
  j: moved(() => 1),
  pageup: moved((size) => -bodyRows(size)),
  pagedown: moved(bodyRows),
  home: moved(() => Number.NEGATIVE_INFINITY),
  g: moved(() => Number.NEGATIVE_INFINITY),
  end: moved(() => Number.POSITIVE_INFINITY),
  G: moved(() => Number.POSITIVE_INFINITY),
  1: shows('calls'),
  2: shows('trunks'),
  3: shows('users'),
  tab: turned(1),
  backtab: turned(-1),
  s: (state) => sorted(state, ({ column }) => ({ column: column + 1, reversed: false })),
  S: (state) => sorted(state, ({ column }) => ({ column: column - 1, reversed: false })),
  r: (state) => sorted(state, ({ column, reversed }) => ({ column, reversed: !reversed })),
  '/': (state) => ({ ...state, prompt: { kind: 'search', before: state.search } }),
  escape: (state) => ({ ...state, search: '' }),
  enter: (state) => ({ ...state, isDetailed: state.view === 'calls' && state.cursor.key !== null }),
};

type Sort = BoardState['sort'][View];

function sorted(state: BoardState, change: (sort: Sort) => Sort): BoardState {
  const { column, reversed } = change(state.sort[state.view]);
  const columns = sortTitles[state.view].length;
  const sort = { column: (column + columns) % columns, reversed };
  return { ...state, sort: { ...state.sort, [state.view]: sort } };
}

function onCall(state: BoardState, key: string, facts: BoardFacts, supervisor: string | null): Pressed {
  const call = callAt(state, facts);
  if (call === null) return resting(noted(state, 'no call is chosen'));
  if (!facts.picture.isKnown(call.node)) return resting(noted(state, `${call.node} is not connected`));
  if (key === 'm') return acting(state, { kind: 'record', call });
  if (key === 'h') return resting({ ...state, prompt: hangupPrompt(call, facts.now) });
  if (call.tenant === null)
    return resting(noted(state, 'a call of no tenant has nobody who may listen to it'));
  if (supervisor !== null) return acting(state, { kind: 'listen', call, supervisor });
  return resting({ ...state, prompt: { kind: 'supervisor', call: callKey(call), text: '' } });
}

const noted = (state: BoardState, text: string): BoardState => ({ ...state, notice: { text, look: 'warn' } });

function hangupPrompt(call: Call, now: number): Prompt {
  const stands = call.answeredAt === null ? 'that rings' : `of ${clock(talkSeconds(call, now))}`;
  const question = `Hang up the call ${stands} from ${caller(call)} to ${neutral(call.to ?? '-')}? (y/n)`;
  return { kind: 'hangup', call: callKey(call), question };
}

function answered(state: BoardState, prompt: Prompt, key: string, facts: BoardFacts, size: Size): Pressed {
  const closed = { ...state, prompt: null };
  if (prompt.kind === 'search') {
    if (key === 'escape') return resting(placed({ ...closed, search: prompt.before }, facts, size));
    if (key === 'enter') return resting(closed);
    return resting(placed({ ...state, search: typed(state.search, key) }, facts, size));
  }
  const call = facts.picture.calls.get(prompt.call);
  if (call === undefined) return resting(noted(closed, 'that call has ended meanwhile'));
  if (prompt.kind === 'hangup')
    return key === 'y' || key === 'Y' ? acting(closed, { kind: 'hangup', call }) : resting(closed);
  if (key === 'escape') return resting(closed);
  if (key !== 'enter') return resting({ ...state, prompt: { ...prompt, text: typed(prompt.text, key) } });
  return prompt.text === ''
    ? resting(closed)
    : acting(closed, { kind: 'listen', call, supervisor: prompt.text });
}

function typed(text: string, key: string): string {
  if (key === 'backspace') return [...text].slice(0, -1).join('');
  // Keys with names are longer than one character.
  return [...key].length === 1 && text.length < longestText ? text + key : text;
}
