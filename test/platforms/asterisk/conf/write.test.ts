import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SipctlError } from '../../../../src/errors.ts';
import { parseConf } from '../../../../src/platforms/asterisk/conf/parse.ts';
import { escapeValue, valueGuard } from '../../../../src/platforms/asterisk/conf/write.ts';

function line(value: string): string {
  const escaped = escapeValue(value, 'user ann', 'password');
  return `password=${valueGuard(escaped)}${escaped}\n`;
}

const readBack = (line: string): string | undefined => {
  const [item] = parseConf(line).items;
  return item?.kind === 'entry' ? item.value : undefined;
};

// What Asterisk 16.28 and 22.10 were seen to read, through PJSIPShowAuths, of a file with these lines.
test.each([
  ['a;b', 'password=a\\;b\n'],
  ['a\\;b', 'password=a\\\\;b\n'],
  [';', 'password=\\;\n'],
  [';;', 'password=\\;\\;\n'],
  [';--', 'password=\\;--\n'],
  ['--;', 'password=--\\;\n'],
  ['x;--y--;z', 'password=x\\;--y--\\;z\n'],
  ['back\\', 'password=back\\\n'],
  ['\\', 'password=\\\n'],
  ['>gt', 'password= >gt\n'],
  ['=b', 'password==b\n'],
  ['+=b', 'password=+=b\n'],
  ['"q"', 'password="q"\n'],
  ['#include x', 'password=#include x\n'],
  ['[x]', 'password=[x]\n'],
  ['$'.concat('{X}%%{'), 'password=$'.concat('{X}%%{\n')],
  ['\u00a0x\u00a0', 'password=\u00a0x\u00a0\n'],
  ['é😀שלום', 'password=é😀שלום\n'],
])('%j is written so that Asterisk reads it back', (value, written) => {
  expect(line(value)).toBe(written);
  expect(readBack(written)).toBe(value);
});

test.each(
  ['\n', '\r', '\t', '\0', '\u007f', '\u0085', '\ud800']
    .map((bad) => `s3${bad}cret`)
    .concat(' s3cret', 's3cret '),
)('%j is refused, and not repeated in the complaint', (value) => {
  const refusal = complaint(() => line(value));
  expect(refusal.outcome).toBe('invalid');
  expect(refusal.problems[0]).toMatchObject({ code: 'unwritable_value', field: 'password' });
  expect(refusal.message).toContain('user ann');
  expect(refusal.message).not.toContain('s3cret');
});

const nasty = fc.constantFrom(
  ';',
  '--',
  ';--',
  '--;',
  '\\',
  '>',
  '=',
  '[',
  ']',
  '#include x',
  ' ',
  '"',
  '$'.concat('{'),
  'é',
  '😀',
  '\u202e',
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(nasty).map((parts) => parts.join('')),
);

test('whatever is written is read back exactly, and everything else is refused', () => {
  fc.assert(
    fc.property(text, (value) => {
      let written: string;
      try {
        written = line(value);
      } catch (error) {
        expect(error).toBeInstanceOf(SipctlError);
        expect(/\p{Cc}|\p{Surrogate}|^[\0- ]|[\0- ]$/u.test(value)).toBe(true);
        return;
      }
      const { items, comments } = parseConf(`[before]\n${written}[after]\nkey=value\n`);
      expect(comments).toEqual([]);
      expect(items).toMatchObject([
        { kind: 'section', name: 'before' },
        { kind: 'entry', key: 'password', value },
        { kind: 'section', name: 'after' },
        { kind: 'entry', key: 'key', value: 'value' },
      ]);
    }),
    { numRuns: 2000 },
  );
});

test('escaping is the same alone and beside other text', () => {
  const escaped = (value: string) => escapeValue(value, 'user ann', 'password');
  const word = text.filter((value) => !/\p{Cc}|\p{Surrogate}|^[\0- ]|[\0- ]$/u.test(value));
  fc.assert(
    fc.property(word, word, (one, other) => {
      const joined = `key=x${escaped(one)}${escaped(other)}x`;
      expect(readBack(joined)).toBe(`x${one}${other}x`);
    }),
  );
});

function complaint(act: () => unknown): SipctlError {
  try {
    act();
  } catch (error) {
    if (error instanceof SipctlError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
