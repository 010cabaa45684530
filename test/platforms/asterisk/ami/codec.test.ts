import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SipctlError } from '../../../../src/errors.ts';
import { type AmiMessage, AmiParser, encodeAction } from '../../../../src/platforms/asterisk/ami/codec.ts';
import { recordedSession } from '../../../support/ami-session.ts';

const banner = 'Asterisk Call Manager/11.0.0\r\n';

interface Plain {
  entries: readonly (readonly [string, string])[];
  output: readonly string[];
}

const plain = ({ entries, output }: AmiMessage): Plain => ({ entries, output });

/** Parses the text in pieces of `size` bytes, each in memory of its own that is spoiled afterwards. */
function parse(text: string | Buffer, size = Number.POSITIVE_INFINITY): AmiMessage[] {
  const bytes = Buffer.from(text);
  const parser = new AmiParser();
  const messages = parser.push(Buffer.from(banner));
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.from(bytes.subarray(at, at + size));
    messages.push(...parser.push(piece));
    piece.fill('!');
  }
  return messages;
}

const one = (text: string): AmiMessage => {
  const messages = parse(text);
  expect(messages).toHaveLength(1);
  return messages[0] as AmiMessage;
};

describe('a message', () => {
  it('gives headers by name, whatever their case, the first one first', () => {
    const message = one('Event: Newchannel\r\nUniqueid: 1.2\r\nVariable: A=1\r\nvariable: B=2\r\n\r\n');
    expect(message.get('uniqueID')).toBe('1.2');
    expect(message.get('Variable')).toBe('A=1');
    expect(message.all('VARIABLE')).toEqual(['A=1', 'B=2']);
    expect(message.get('Channel')).toBeUndefined();
    expect(message.all('Channel')).toEqual([]);
  });

  it('keeps values as they are: blanks, colons, nothing at all', () => {
    const { entries } = one('A:  b \r\nB:c\r\nC: \r\nD:\r\nE: x: y\r\n\r\n');
    expect(entries).toEqual([
      ['A', ' b '],
      ['B', 'c'],
      ['C', ''],
      ['D', ''],
      ['E', 'x: y'],
    ]);
  });

  it('takes a bare LF for text: dropped at the end of a value, kept within, never a line end', () => {
    expect(one('Response: Error\r\nMessage: No endpoints found\n\r\n\r\n').get('Message')).toBe(
      'No endpoints found',
    );
    const forged = one(
      'Event: Newchannel\r\nCallerIDName: Ann\nUniqueid: forged\n\nx\r\nUniqueid: real\r\n\r\n',
    );
    expect(forged.get('CallerIDName')).toBe('Ann\nUniqueid: forged\n\nx');
    expect(forged.all('Uniqueid')).toEqual(['real']);
  });

  it('passes over lines that are no headers', () => {
    expect(one('Event: A\r\nnothing here\r\nB: c\r\nnor here\r\n\r\n').entries).toEqual([
      ['Event', 'A'],
      ['B', 'c'],
    ]);
    expect(one('nothing\r\n\r\n').entries).toEqual([]);
  });

  it('treats header names of JavaScript objects as any other', () => {
    const text = 'Event: X\r\nconstructor: a\r\n__proto__: b\r\ntoString: c\r\nconstructor: d\r\n\r\n';
    const message = one(text);
    expect(message.all('constructor')).toEqual(['a', 'd']);
    expect(message.get('__proto__')).toBe('b');
    expect(message.get('hasOwnProperty')).toBeUndefined();
    expect(({} as Record<string, unknown>).b).toBeUndefined();
  });

  it('gives the output of a command: none, one line, empty and indented lines', () => {
    const head = 'Response: Success\r\nActionID: 1\r\nMessage: Command output follows\r\n';
    expect(one(`${head}\r\n`).output).toEqual([]);
    expect(one(`${head}Output: one\r\n\r\n`).output).toEqual(['one']);
    const message = one(`${head}Output: \r\nOutput:   two: 2\r\nOutput:\r\n\r\n`);
    expect(message.output).toEqual(['', '  two: 2', '']);
    expect(message.entries).toHaveLength(3);
  });

  it('gives the output of the form before Asterisk 14', () => {
    const head = 'Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\n';
    const message = one(`${head}Name: x\n\n  Message: y\n--END COMMAND--\r\n\r\n`);
    expect(message.output).toEqual(['Name: x', '', '  Message: y']);
    expect(message.entries).toEqual([
      ['Response', 'Follows'],
      ['Privilege', 'Command'],
      ['ActionID', '7'],
    ]);
    expect(one(`${head}--END COMMAND--\r\n\r\n`).output).toEqual([]);
    const blank = one(`${head}a\r\n\r\nb\r\n--END COMMAND--\r\n\r\n`);
    expect(blank.output).toEqual(['a', '', 'b']);
  });

  it('shows nothing of what it holds where it is inspected', async () => {
    const { inspect } = await import('node:util');
    const message = one('Event: AuthDetail\r\nPassword: hunter2\r\n\r\n');
    message.get('Password');
    expect(inspect(message) + JSON.stringify(message)).not.toContain('hunter2');
  });
});

describe('the parser', () => {
  const stream = [
    'Response: Success\r\nActionID: 1\r\nMessage: Ünïcode ✓ 🎉\r\n\r\n',
    '\r\n',
    'Response: Error\r\nMessage: No endpoints found\n\r\n\r\n',
    'Response: Follows\r\nPrivilege: Command\r\nActionID: 2\r\nline ✓\n\nlast\n--END COMMAND--\r\n\r\n',
    'Response: Fine\r\n\r\n',
    'Event: X\r\n\r\n\r\n\r\nEvent: Y\r\nChannel: PJSIP/\u{1f600}\r\n\r\n',
    'Response: Success\r\nOutput: a\r\nOutput: \r\n\r\n',
  ].join('');

  it('gives the same messages however the bytes are cut', () => {
    const whole = parse(stream).map(plain);
    expect(whole).toHaveLength(7);
    for (let size = 1; size <= Buffer.byteLength(stream); size += 1) {
      expect(parse(stream, size).map(plain), `pieces of ${size} bytes`).toEqual(whole);
    }
  });

  it('gives the same messages for any random cutting', () => {
    const whole = parse(stream).map(plain);
    const bytes = Buffer.from(banner + stream);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
        const parser = new AmiParser();
        const borders = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const messages = borders
          .slice(1)
          .flatMap((end, index) => parser.push(bytes.subarray(borders[index], end)));
        expect(messages.map(plain)).toEqual(whole);
        expect(parser.banner).toBe(banner.trimEnd());
      }),
    );
  });

  it.each([16, 22] as const)('reads a session recorded at Asterisk %i at every size of packet', (version) => {
    const text = recordedSession(version)
      .map(({ received }) => received)
      .join('');
    const blocks = text.split('\r\n\r\n').filter((block) => block !== '');
    const whole = parse(text).map(plain);
    expect(whole).toHaveLength(blocks.length);
    const lines = blocks.flatMap((block) => block.split('\r\n'));
    expect(whole.flatMap(({ entries, output }) => [...entries, ...output])).toHaveLength(lines.length);
    for (const size of [1, 2, 3, 5, 7, 64, 1460]) expect(parse(text, size).map(plain)).toEqual(whole);
  });

  it('reads an answer of a megabyte, and of 20,000 lines', () => {
    const value = 'ü'.repeat(512 * 1024);
    expect(parse(`Response: Success\r\nX: ${value}\r\n\r\n`, 1460)[0]?.get('X')).toBe(value);
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ✓`);
    const [command] = parse(
      `Response: Success\r\n${lines.map((l) => `Output: ${l}\r\n`).join('')}\r\n`,
      1460,
    );
    expect(command?.output).toEqual(lines);
  });

  it('gives up on a server whose first line has no end', () => {
    const parser = new AmiParser();
    expect(() => parser.push(Buffer.alloc(2000, 'x'))).toThrow(SipctlError);
  });
});

describe('an encoded action', () => {
  it('keeps the order of its fields and repeats those that are lists', () => {
    expect(
      encodeAction('Originate', '1', { Channel: 'PJSIP/a', Variable: ['B=2', 'A=ü'], Priority: 1 }),
    ).toBe(
      'Action: Originate\r\nActionID: 1\r\nChannel: PJSIP/a\r\nVariable: B=2\r\nVariable: A=ü\r\nPriority: 1\r\n\r\n',
    );
  });

  const refused: [what: string, action: string, fields: Record<string, string | string[]>][] = [
    ['CRLF in a value', 'Ping', { Foo: 'x\r\n\r\nAction: Command\r\nCommand: core stop now' }],
    ['CR in a value', 'Ping', { Foo: 'x\r' }],
    ['LF in a value', 'Ping', { Foo: 'x\ny' }],
    ['NUL in a value', 'Ping', { Foo: 'x\0' }],
    ['LF in one of several values', 'Ping', { Variable: ['A=1', 'B=2\nC'] }],
    ['CRLF in a name', 'Ping', { 'Foo: 1\r\nBar': 'x' }],
    ['a colon in a name', 'Ping', { 'Foo: 1': 'x' }],
    ['an empty name', 'Ping', { '': 'x' }],
    ['CRLF in the action', 'Ping\r\nFoo: 1', {}],
    ['an ActionID of its own', 'Ping', { actionid: '7' }],
    ['a second action', 'Ping', { Action: 'Command' }],
    ['a line longer than Asterisk reads', 'Ping', { Foo: 'ü'.repeat(510) }],
    ['more lines than Asterisk reads', 'Ping', { Variable: Array.from({ length: 127 }, () => 'A=1') }],
  ];
  it.each(refused)('refuses %s', (_what, action, fields) => {
    expect(() => encodeAction(action, '1', fields)).toThrow(SipctlError);
  });

  it('sends the longest line and the most lines that Asterisk reads', () => {
    expect(encodeAction('Ping', '1', { Foo: 'x'.repeat(1017) })).toContain('x'.repeat(1017));
    const lines = Array.from({ length: 126 }, () => 'A=1');
    expect(encodeAction('Ping', '1', { Variable: lines }).split('\r\n')).toHaveLength(130);
  });

  it('names the field in its refusal and never the value', () => {
    try {
      encodeAction('Login', '1', { Secret: 'hunter2\n' });
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error)).toContain('Secret');
      expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    }
  });

  it('is one action with exactly its fields, or refused, whatever the values', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('\r', '\n', '\r\n', '\r\n\r\n', ':', ': ', '\0', '\u2028', '\x85', 'Action: Command'),
    );
    const text = fc.array(piece).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 3 }), (name, value, variables) => {
        const fields = { [name]: value, Variable: variables };
        let bytes: string;
        try {
          bytes = encodeAction('Setvar', '9', fields);
        } catch (error) {
          expect(error).toBeInstanceOf(SipctlError);
          return;
        }
        const expected = Object.entries(fields).flatMap(([header, values]) =>
          [values].flat().map((v) => `${header}: ${v}`),
        );
        expect(bytes.split(/[\r\n]+/)).toEqual(['Action: Setvar', 'ActionID: 9', ...expected, '']);
        expect(bytes.endsWith('\r\n\r\n')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
