import { describe, expect, test } from 'vitest';
import { parseConf } from '../../../../src/platforms/asterisk/conf/parse.ts';

const items = (text: string) => parseConf(text).items;
const values = (text: string) =>
  items(text).flatMap((item) => (item.kind === 'entry' ? [`${item.key}=${item.value}`] : []));

test('sections, entries and directives come with their lines', () => {
  expect(
    items('; top\n[a](!,b)\nk = v ; rest\n\n[a](+)\nk => >v\nk += w\n#include "x y.conf"\n#tryinclude <z>\n'),
  ).toEqual([
    { kind: 'section', line: 2, name: 'a', template: true, append: false, filter: '', inherits: ['b'] },
    { kind: 'entry', line: 3, key: 'k', value: 'v', append: false },
    { kind: 'section', line: 5, name: 'a', template: false, append: true, filter: '', inherits: [] },
    { kind: 'entry', line: 6, key: 'k', value: '>v', append: false },
    { kind: 'entry', line: 7, key: 'k', value: 'w', append: true },
    { kind: 'directive', line: 8, name: 'include', argument: 'x y.conf' },
    { kind: 'directive', line: 9, name: 'tryinclude', argument: 'z' },
  ]);
});

test('a byte order mark, CRLF and a last line without end change nothing', () => {
  expect(values('\ufeff[a]\r\nk=v\r\nl=w')).toEqual(['k=v', 'l=w']);
  expect(items('\ufeff[a]\r\n')[0]).toMatchObject({ kind: 'section', name: 'a' });
});

test('a backslash makes the first character of a name an ordinary one', () => {
  expect(values('\\[a=1\n\\#b=2\n\\==3\nc\\d=4\n')).toEqual(['[a=1', '#b=2', '==3', 'c\\d=4']);
  expect(items('\\\n')).toMatchObject([{ kind: 'fault', fatal: true }]);
});

test('only blanks of ASCII are cut off', () => {
  expect(values('k =\t\u00a0v\u2003 \n')).toEqual(['k=\u00a0v\u2003']);
});

describe('comments', () => {
  test('an escaped semicolon is text, any other one ends the line', () => {
    expect(values('k=a\\;b\\\\;c;d\\;e\n')).toEqual(['k=a;b\\;c']);
    expect(parseConf('k=v ; why\n;\n').comments).toEqual([
      { line: 1, text: 'why' },
      { line: 2, text: '' },
    ]);
  });

  test('a block runs over lines, nests, and leaves what stands around it', () => {
    expect(values('a=1\n;-- x\nb=2\n;-- y --;\nc=3\n--; d=4\ne=5 ;-- z --;6\n')).toEqual([
      'a=1',
      'd=4',
      'e=5 6',
    ]);
  });

  test('a line of dashes is not a block', () => {
    expect(values(';---\na=1\n')).toEqual(['a=1']);
  });

  test('an end without a beginning keeps its line and swallows the rest, as in Asterisk', () => {
    expect(items('a=1\nb=2--;3;4\nc=3\n')).toMatchObject([
      { key: 'a' },
      { key: 'b', value: '2--;3;4' },
      { kind: 'fault', line: 2, fatal: true },
    ]);
  });

  test('a block that is not closed swallows the rest and says where it began', () => {
    expect(items('a=1\nb=2 ;-- x\nc=3\n')).toEqual([
      { kind: 'entry', line: 1, key: 'a', value: '1', append: false },
      { kind: 'entry', line: 2, key: 'b', value: '2', append: false },
      { kind: 'fault', line: 2, message: 'a block comment is not closed', fatal: true },
    ]);
  });
});

test.each([
  ['[a\n', true],
  ['[a](b\n', true],
  ['word\n', false],
  ['= v\n', false],
  ['#frob x\n', false],
  ['#include\n', false],
  [`k=${'x'.repeat(8189)}\n`, false],
])('%# is a fault', (text, fatal) => {
  expect(items(text)).toMatchObject([{ kind: 'fault', line: 1, fatal }]);
});

test('long lines of semicolons and brackets are read in one pass', () => {
  const line = `k=${';--x--;'.repeat(50)}${'\\;'.repeat(200)}`;
  expect(items(`${line}\n`.repeat(2000))).toHaveLength(2000);
  expect(items('['.repeat(8000).concat('\n').repeat(500))).toHaveLength(500);
});
