import { describe, expect, it } from 'vitest';
import type { Call } from '../../../src/model/live/call.ts';
import type { EventFilter } from '../../../src/model/live/filter.ts';
import { Picture } from '../../../src/model/live/picture.ts';
import { keysOf } from '../../../src/report/board/keys.ts';
import { type Line, paint } from '../../../src/report/board/line.ts';
import { type BoardAction, pressKey } from '../../../src/report/board/press.ts';
import { type BoardFacts, type BoardState, openBoard, type Size } from '../../../src/report/board/state.ts';
import { boardLines, placed } from '../../../src/report/board/view.ts';
import { displayWidth } from '../../../src/report/table.ts';

const now = Date.UTC(2026, 4, 4, 10, 0, 0);
const everything: EventFilter = { watched: null, tenant: null, trunk: null, states: null, events: null };

const call = (id: string, more: Partial<Call> = {}): Call => ({
  ...{
    id,
    node: 'pbx1',
    tenant: 'acme',
    trunk: 'main',
    direction: 'inbound',
    from: '+4930111',
    fromName: null,
  },
  ...{ to: '1001', state: 'answered', codec: 'alaw', startedAt: now - 70_000, answeredAt: now - 60_000 },
  ...{ endedAt: null, end: null, quality: null, recorded: false, legs: [] },
  ...more,
});

function factsOf(calls: readonly Call[], more: Partial<BoardFacts> = {}): BoardFacts {
  const picture = new Picture(['pbx1']);
  picture.apply({ event: 'node.connected', at: now, node: 'pbx1', detail: null });
  for (const one of calls)
    picture.apply({ event: 'call.present', at: now, node: one.node, previous: null, call: one });
  return { picture, filter: everything, limits: new Map([['acme', 2]]), now, ...more };
}

const usual: Size = { columns: 100, rows: 24 };
const textOf = (line: Line): string => line.map(({ text }) => text).join('');
const screen = (state: BoardState, facts: BoardFacts, size = usual): string[] =>
  boardLines(placed(state, facts, size), facts, size).map(textOf);

/** A person at the keys. */
function person(facts: BoardFacts, supervisor: string | null = null) {
  let state = placed(openBoard('calls'), facts, usual);
  const actions: BoardAction[] = [];
  return {
    actions,
    press: (...keys: string[]) => {
      for (const key of keys) {
        const pressed = pressKey(state, key, facts, usual, supervisor);
        state = pressed.state;
        if (pressed.action !== null) actions.push(pressed.action);
      }
    },
    get shown() {
      return screen(state, facts);
    },
    get chosen() {
      return screen(state, facts).find((line) => line.startsWith('>')) ?? null;
    },
  };
}

describe('the board', () => {
  it('fills the screen exactly, whatever its size', () => {
    const facts = factsOf(
      Array.from({ length: 60 }, (_, at) => call(`c${at}`, { fromName: '山田太郎 さん ☔' })),
    );
    for (const columns of [1, 2, 9, 20, 40, 79, 80, 81, 200]) {
      for (const rows of [1, 2, 4, 5, 6, 24, 100]) {
        const lines = screen(openBoard('calls'), facts, { columns, rows });
        expect([columns, rows, lines.length]).toEqual([columns, rows, rows]);
        for (const line of lines) expect([line, displayWidth(line) <= columns]).toEqual([line, true]);
      }
    }
  });

  it('shows calls, totals against limits, and how nodes stand', () => {
    const facts = factsOf([
      call('a'),
      call('b', { state: 'ringing', answeredAt: null, tenant: 'acme', from: '+4930222' }),
      call('c', { tenant: 'beta', recorded: true }),
    ]);
    const shown = screen(openBoard('calls'), facts);
    expect(shown[0]).toMatch(/^sipctl {2}\d\d:00:00 {2}pbx1 connected$/);
    expect(shown[1]).toBe('calls 3  ringing 1  acme 2/2  beta 1');
    expect(shown[2]).toContain(' 1 calls 3  2 trunks 0  3 users 0 ');
    expect(shown[3]).toMatch(/^ STATE +TIME↓ TENANT .*FROM .*TO .*TRUNK .*CODEC/);
    expect(shown.find((line) => line.includes('+4930222'))).toMatch(/^.ringing +1:10 acme/);
    expect(shown.find((line) => line.includes('beta  '))).toMatch(/rec/);
  });

  it('leaves columns out where there is no room, those that matter least first', () => {
    const facts = factsOf([call('a')]);
    const titles = (columns: number) => screen(openBoard('calls'), facts, { columns, rows: 24 })[3] as string;
    expect(titles(100)).toContain('CODEC');
    expect(titles(60)).not.toContain('CODEC');
    expect(titles(60)).toContain('TENANT');
    expect(titles(36)).not.toContain('TENANT');
    expect(titles(36)).toMatch(/STATE +TIME↓ FROM +TO/);
  });

  it('shows nothing that steers a terminal, whatever callers call themselves', () => {
    const name = 'x\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n\u202e\u2028y';
    const facts = factsOf([call('a', { fromName: name, legs: [leg(name)] })]);
    const someone = person(facts);
    const before = someone.shown.join('');
    someone.press('enter');
    const detail = someone.shown.join('');
    someone.press('h');
    for (const text of [before, detail, someone.shown.join('')])
      expect(text).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
  });

  const leg = (name: string): Call['legs'][number] => ({
    ...{ id: 'l', channel: `PJSIP/${name}`, way: 'in', party: null, number: '1', name, state: 'answered' },
    ...{ codec: 'alaw', startedAt: now, answeredAt: now },
  });

  it('dims what is known no more, and counts it no more', () => {
    const facts = factsOf([call('a')]);
    facts.picture.apply({ event: 'node.lost', at: now - 5000, node: 'pbx1', detail: 'gone' });
    const lines = boardLines(
      placed({ ...openBoard('calls'), cursor: { key: null, at: 9 } }, facts, usual),
      facts,
      usual,
    );
    expect(textOf(lines[0] as Line)).toContain('pbx1 lost 0:05');
    expect(textOf(lines[1] as Line)).toBe('calls 0  ringing 0');
    const unchosen = boardLines({ ...openBoard('calls') }, facts, usual)[4] as Line;
    expect(new Set(unchosen.slice(1).map(({ look }) => look))).toEqual(new Set(['dim']));
  });

  it('keeps to what the command line asked for', () => {
    const facts = factsOf([call('a'), call('b', { tenant: 'beta' })], {
      filter: { ...everything, tenant: 'beta' },
    });
    const shown = screen(openBoard('calls'), facts).join('\n');
    expect(shown).toContain('calls 1  ringing 0  beta 1');
    expect(shown).not.toContain('acme');
  });

  it('says only what differs from the frame before', () => {
    const first = paint([[{ text: 'a' }], [{ text: 'b', look: 'good' }]], null, true);
    expect(first.output).toBe('\u001b[2J\u001b[1;1Ha\u001b[K\u001b[2;1H\u001b[32mb\u001b[0m\u001b[K');
    const second = paint([[{ text: 'a' }], [{ text: 'c', look: 'chosen' }]], first.frame, true);
    expect(second.output).toBe('\u001b[2;1H\u001b[7mc\u001b[0m\u001b[K');
    expect(paint([[{ text: 'c', look: 'bad' }]], null, false).output).not.toContain('\u001b[31m');
  });
});

describe('keys', () => {
  it('are read from what a terminal sends', () => {
    expect(keysOf('j\u001b[A\u001bOB\u001b[5~\r\u007f\u0003\u001b')).toEqual([
      ...['j', 'up', 'down', 'pageup', 'enter', 'backspace', 'ctrl-c', 'escape'],
    ]);
    expect(keysOf('\u001b[200~é😀\u0001')).toEqual(['é', '😀']);
  });

  const many = Array.from({ length: 100 }, (_, at) =>
    call(`c${String(at).padStart(3, '0')}`, {
      from: `+49${String(at).padStart(3, '0')}`,
      answeredAt: now - at * 1000,
    }),
  );

  it('move the cursor, and the rows with it', () => {
    const someone = person(factsOf(many));
    expect(someone.chosen).toContain('+49099');
    someone.press('down', 'down');
    expect(someone.chosen).toContain('+49097');
    someone.press('end');
    expect(someone.chosen).toContain('+49000');
    expect(someone.shown.at(-2)).toContain('+49000');
    someone.press('pageup', 'up', 'home', 'up');
    expect(someone.chosen).toContain('+49099');
  });

  it('sort, backwards too, and the cursor stays on its call', () => {
    const someone = person(factsOf(many));
    someone.press('r');
    expect(someone.chosen).toContain('+49099');
    expect(someone.shown[3]).toContain('TIME↑');
    someone.press('s', 's', 's', 'home');
    expect(someone.shown[3]).toContain('FROM↑');
    expect(someone.chosen).toContain('+49000');
  });

  it('search as one types, and give it up', () => {
    const someone = person(factsOf(many));
    someone.press('/', '0', '4', '2');
    expect(someone.chosen).toContain('+49042');
    expect(someone.shown.at(-1)).toBe('search: 042_');
    expect(someone.shown[2]).toContain('/042: 1 of 100');
    someone.press('backspace', 'enter');
    expect(someone.shown[2]).toContain('/04: ');
    someone.press('escape');
    expect(someone.shown[2]).not.toContain('/04');
  });

  it('hang up only after a yes', () => {
    const someone = person(factsOf([call('a')]));
    someone.press('h');
    expect(someone.shown.at(-1)).toBe('Hang up the call of 1:00 from +4930111 to 1001? (y/n)');
    someone.press('n');
    someone.press('h', 'enter');
    someone.press('h', 'escape');
    expect(someone.actions).toEqual([]);
    someone.press('h', 'y');
    expect(someone.actions).toMatchObject([{ kind: 'hangup', call: { id: 'a' } }]);
  });

  it('hang up no other call where the one that was asked about is gone', () => {
    const facts = factsOf([call('a'), call('b')]);
    const someone = person(facts);
    someone.press('h');
    facts.picture.apply({
      ...{ event: 'call.ended', at: now, node: 'pbx1', previous: 'answered' },
      call: call('a', { state: 'ended' }),
    });
    someone.press('y');
    expect(someone.actions).toEqual([]);
    expect(someone.shown.at(-1)).toBe('that call has ended meanwhile');
  });

  it('ask who listens, where nobody said', () => {
    const someone = person(factsOf([call('a')]));
    someone.press('l', 'b', 'o', 's', 's', 'x', 'backspace', 'enter');
    const other = person(factsOf([call('a')]), 'ann');
    other.press('l');
    expect([...someone.actions, ...other.actions]).toMatchObject([
      { kind: 'listen', supervisor: 'boss', call: { id: 'a' } },
      { kind: 'listen', supervisor: 'ann', call: { id: 'a' } },
    ]);
  });

  it('do nothing to calls of a node that is lost, nor where there is no call', () => {
    const facts = factsOf([call('a')]);
    facts.picture.apply({ event: 'node.lost', at: now, node: 'pbx1', detail: 'gone' });
    const someone = person(facts, 'ann');
    someone.press('h', 'y', 'l', 'm');
    const nobody = person(factsOf([]), 'ann');
    nobody.press('h', 'y', 'l', 'm', 'enter', 'down', 'up', 'end');
    expect([someone.actions, nobody.actions]).toEqual([[], []]);
  });

  it('show a call in detail, and do not slip to another one when it ends', () => {
    const facts = factsOf([call('a'), call('b', { answeredAt: now - 90_000 })]);
    const someone = person(facts);
    someone.press('enter');
    expect(someone.shown.join('\n')).toContain('b on pbx1');
    facts.picture.apply({
      ...{ event: 'call.ended', at: now, node: 'pbx1', previous: 'answered' },
      call: call('b', { state: 'ended' }),
    });
    someone.press('h', 'y');
    expect(someone.actions).toEqual([]);
    expect(someone.shown.join('\n')).toContain('this call has ended');
    someone.press('q');
    expect(someone.chosen).toContain('+4930111');
    someone.press('q', 'ctrl-c', 'ctrl-z');
    expect(someone.actions.map(({ kind }) => kind)).toEqual(['quit', 'interrupt', 'suspend']);
  });
});
