import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Style } from '../../src/report/style.ts';
import { displayWidth, listing, shown, table } from '../../src/report/table.ts';

interface Row {
  name: string;
  count: number;
}
const columns = [
  { title: 'NAME', value: ({ name }: Row) => name },
  { title: 'COUNT', value: ({ count }: Row) => String(count), align: 'right' as const },
];
const drawn = (...rows: Row[]): string[] => table(rows, columns).split('\n');

describe('a table', () => {
  it('is as wide as its content, numbers to the right, without blanks at the ends', () => {
    expect(drawn({ name: 'telnyx_main', count: 5 }, { name: 'x', count: 1000 })).toEqual([
      'NAME         COUNT',
      'telnyx_main      5',
      'x             1000',
      '',
    ]);
  });

  it('has its titles alone where there is no row', () => {
    expect(table([] as Row[], columns)).toBe('NAME  COUNT\n');
  });

  it('keeps columns straight with wide, combining and mixed characters', () => {
    const names = ['山田太郎', 'José', 'Jose\u0301', 'Ａｃｍｅ', '한국', '📞 desk', 'a\u200bb', ''];
    const lines = drawn(...names.map((name) => ({ name, count: 7 })));
    for (const [at, name] of names.entries()) {
      const line = lines[at + 1] as string;
      expect([name, displayWidth(line.slice(0, -1))]).toEqual([name, displayWidth(lines[0] as string) - 1]);
    }
  });

  it('paints without moving anything', () => {
    const style: Style = new Proxy({} as Style, { get: () => (text: string) => `<${text}>` });
    const painted = table(
      [{ name: 'ann', count: 1 }],
      columns.map((column) => ({ ...column, style: () => style.bold })),
      style,
    );
    expect(painted).toBe('<NAME>  <COUNT>\n<ann>       <1>\n');
    expect(painted.replace(/[<>]/g, '')).toBe(table([{ name: 'ann', count: 1 }], columns));
  });

  it('gives every row one line, whatever the words are', () => {
    const name = fc.string({ unit: fc.constantFrom('a', '字', '\u0301', '😀', ' ', 'é') });
    fc.assert(
      fc.property(fc.array(fc.record({ name, count: fc.nat() })), (rows) => {
        const lines = table(rows, columns).split('\n').slice(0, -1);
        expect(lines).toHaveLength(rows.length + 1);
        expect(new Set(lines.map(displayWidth)).size).toBe(1);
      }),
    );
  });
});

describe('the width of a text', () => {
  it.each([
    ['', 0],
    ['ascii', 5],
    ['é', 1],
    ['e\u0301', 1],
    ['字', 2],
    ['ｱ', 1],
    ['😀', 2],
    ['\u200d', 0],
  ])('%j takes %i columns', (text, width) => expect(displayWidth(text)).toBe(width));
});

describe('a listing', () => {
  it('lines values up, and is empty where there are none', () => {
    expect(
      listing([
        ['a', '1'],
        ['long name', '2'],
      ]),
    ).toBe('a:         1\nlong name: 2\n');
    expect(listing([])).toBe('');
  });
});

describe('a value for a person', () => {
  it.each([
    [null, '-'],
    [undefined, '-'],
    [true, 'yes'],
    [false, 'no'],
    [0, '0'],
    [[], '-'],
    [['ulaw', 'alaw'], 'ulaw,alaw'],
    ['text', 'text'],
  ])('%j is %s', (value, text) => expect(shown(value)).toBe(text));
});
