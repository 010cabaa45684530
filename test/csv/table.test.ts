import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText } from '../../src/csv/decode.ts';
import { csvLine, withoutGuard } from '../../src/csv/line.ts';
import { cellPlace, readTable } from '../../src/csv/table.ts';
import { SipctlError } from '../../src/errors.ts';

const bytes = (text: string, encoding: BufferEncoding): Uint8Array => Buffer.from(text, encoding);
const thrown = (work: () => unknown): SipctlError => {
  try {
    work();
  } catch (error) {
    if (error instanceof SipctlError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('text of a file', () => {
  const text = 'username,displayName\r\nann,Änne Öz\r\n';

  it.each([
    ['UTF-8', bytes(text, 'utf8')],
    ['UTF-8 with its mark', bytes(`\ufeff${text}`, 'utf8')],
    ['UTF-16 with its mark', bytes(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 without one', bytes(text, 'utf16le')],
    ['big-endian UTF-16', Buffer.from(bytes(`\ufeff${text}`, 'utf16le')).swap16()],
    ['big-endian UTF-16 without a mark', Buffer.from(bytes(text, 'utf16le')).swap16()],
  ])('is found in %s', (_, file) => {
    expect(decodeText(file, null, 'users.csv')).toBe(text);
  });

  it('is Latin-1 only where that is said, and the complaint names the line', () => {
    const file = bytes(text, 'latin1');
    expect(decodeText(file, 'latin1', 'users.csv')).toBe(text);
    const error = thrown(() => decodeText(file, null, 'users.csv'));
    expect(error.outcome).toBe('invalid');
    expect(error.problems[0]).toMatchObject({
      code: 'invalid_encoding',
      place: { source: 'users.csv', line: 2, column: 1 },
    });
  });
});

describe('a table', () => {
  it.each([
    [',', 'a,b;c\n1,"2,3"\n'],
    [';', 'a;b,c\r\n1;"2;3"'],
    ['\t', 'a\tb,c\n1\t"2\t3"\n'],
    ['|', '"a, or, so"|b;c\n1|"2|3"\n'],
  ])('is taken apart at %j', (delimiter, text) => {
    const { header, rows } = readTable(text, 't.csv');
    expect(header.cells).toHaveLength(2);
    expect(rows.map(({ cells }) => cells)).toEqual([['1', `2${delimiter}3`]]);
  });

  it('understands the line with which spreadsheets announce a delimiter', () => {
    expect(readTable('sep=;\r\na;b\r\n1;2\r\n', 't.csv')).toMatchObject({
      header: { line: 2, cells: ['a', 'b'] },
      rows: [{ line: 3, cells: ['1', '2'] }],
    });
  });

  it('knows the line of every cell, with line ends in cells, empty rows, and any line ends', () => {
    const table = readTable('a,b,c\r\n"1\r\n2",x,"y\nz"\n\n,,\r3,"4\r\n",5', 't.csv');
    expect(table.rows.map(({ line }) => line)).toEqual([2, 7]);
    const [first, last] = table.rows;
    if (first === undefined || last === undefined) throw new Error('a row is missing');
    expect([0, 1, 2].map((at) => cellPlace('t.csv', first, at).line)).toEqual([2, 3, 3]);
    expect(cellPlace('t.csv', last, 2)).toEqual({ source: 't.csv', line: 8, column: 3 });
  });

  it.each([
    ['a quote inside a cell', 'a,b\n1,2\n3,x"y\n', 3],
    ['text after a quoted cell', 'a,b\n1,"2"x\n', 2],
    ['a quote that is never closed', 'a,b\n1,"2\n3,4\n', 2],
    ['nothing at all', '\n\n', 1],
  ])('is refused for %s', (_, text, line) => {
    expect(thrown(() => readTable(text, 't.csv')).problems[0]?.place?.line).toBe(line);
  });
});

describe('a line', () => {
  it('computes nothing in a spreadsheet, and says which numbers are numbers', () => {
    expect(csvLine(['=1+1', '+4930123', '-x', '@cmd', "'=1", 'a"b', null, true, 7])).toBe(
      `'=1+1,+4930123,'-x,'@cmd,''=1,"a""b",,true,7`,
    );
  });

  it('is read back as it was', () => {
    const cell = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'=+-@\'",;|\r\n\tab1 '), maxLength: 12 }),
      fc.string({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), (pairs) => {
        const records = pairs.map((pair) => ['k', ...pair]);
        const text = ['x,y,z', ...records.map((record) => csvLine(record))].join('\r\n');
        const { rows } = readTable(text, 't.csv', ',');
        expect(rows.map(({ cells }) => cells.map(withoutGuard))).toEqual(records);
      }),
    );
  });
});
