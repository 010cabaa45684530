import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SipctlError } from '../../../../src/errors.ts';
import {
  EslEvent,
  type EslMessage,
  EslParser,
  encodeCommand,
  NotEventSocket,
  wantedHeaders,
} from '../../../../src/platforms/freeswitch/esl/codec.ts';
import { event, goodbye, printed, rejection, reply } from '../../../support/esl-server.ts';

/** Parses the bytes in pieces of `size`. */
function parse(text: string | Buffer, size = Number.POSITIVE_INFINITY): EslMessage[] {
  const bytes = Buffer.from(text);
  const parser = new EslParser();
  const messages: EslMessage[] = [];
  for (let at = 0; at < bytes.length; at += size)
    messages.push(...parser.push(bytes.subarray(at, at + size)));
  return messages;
}

describe('the parser', () => {
  const stream = Buffer.concat([
    Buffer.from('Content-Type: auth/request\n\n'),
    Buffer.from(reply('+OK accepted')),
    printed('+OK [Success]\n'),
    printed('no final newline'),
    printed(''),
    printed('blank\n\nContent-Type: auth/request\n\nlines ✓ 🎉'),
    Buffer.from('\n'),
    event('CUSTOM', { 'Event-Subclass': 'sofia::register', name: 'Ünïcode \u{1f600}', _body: 'a\n\nb' }),
    Buffer.from(reply('+OK Job-UUID: 1', 'Job-UUID: 1')),
    Buffer.from(reply('-ERR only 50% of it: x')),
    rejection,
    goodbye,
  ]);

  it('gives type, headers and body of each message', () => {
    const messages = parse(stream);
    expect(messages.map(({ type }) => type)).toEqual([
      'auth/request',
      'command/reply',
      'api/response',
      'api/response',
      'api/response',
      'api/response',
      'text/event-json',
      'command/reply',
      'command/reply',
      'text/rude-rejection',
      'text/disconnect-notice',
    ]);
    expect(messages[2]?.body).toBe('+OK [Success]\n');
    expect(messages[3]?.body).toBe('no final newline');
    expect(messages[4]?.body).toBe('');
    expect(messages[5]?.body).toContain('lines ✓ 🎉');
    expect([...(messages[7]?.headers ?? [])]).toEqual([
      ['Reply-Text', '+OK Job-UUID: 1'],
      ['Job-UUID', '1'],
    ]);
    expect(messages[8]?.headers.get('Reply-Text')).toBe('-ERR only 50% of it: x');
  });

  it('gives the same messages however the bytes are cut', () => {
    const whole = parse(stream);
    for (let size = 1; size <= stream.length; size += 1)
      expect(parse(stream, size), `pieces of ${size} bytes`).toEqual(whole);
  });

  it('gives the same messages for any random cutting', () => {
    const whole = parse(stream);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const parser = new EslParser();
        const borders = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const messages = borders
          .slice(1)
          .flatMap((end, index) => parser.push(stream.subarray(borders[index], end)));
        expect(messages).toEqual(whole);
      }),
    );
  });

  it('reads any sequence of texts back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' })),
        fc.integer({ min: 1, max: 99 }),
        (bodies, size) => {
          const bytes = Buffer.concat(bodies.map((body) => printed(body)));
          // A lone surrogate has no bytes of its own.
          const expected = bodies.map((body) => Buffer.from(body).toString());
          expect(parse(bytes, size).map(({ body }) => body)).toEqual(expected);
        },
      ),
    );
  });

  it('reads a body of 30 MB that comes in the packets of an Ethernet', () => {
    const body = 'ü'.repeat(15 * 1024 * 1024);
    const messages = parse(Buffer.concat([printed(body), printed('after')]), 1460);
    expect(messages).toHaveLength(2);
    expect(messages[0]?.body === body).toBe(true);
    expect(messages[1]?.body).toBe('after');
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a single byte of another protocol', '\x15'],
    ['a length that is none', 'Content-Type: api/response\nContent-Length: 1e9\n\n'],
    ['a negative length', 'Content-Type: api/response\nContent-Length: -1\n\n'],
    ['a length that no message has', 'Content-Type: api/response\nContent-Length: 9999999999\n\n'],
    ['headers without end', `Content-Type: ${'x'.repeat(20_000)}`],
    ['a body that is longer than its length', Buffer.concat([printed('ok'), Buffer.from('trailing')])],
  ])('gives up on %s', (_what, bytes) => {
    expect(() => parse(bytes)).toThrow(NotEventSocket);
    expect(() => parse(bytes, 3)).toThrow(NotEventSocket);
  });
});

describe('an event', () => {
  it('gives its name, subclass, headers and body', () => {
    const one = new EslEvent(
      JSON.stringify({ 'Event-Name': 'CUSTOM', 'Event-Subclass': 'a::b', List: ['1', '2'], _body: 'text' }),
    );
    expect([one.name, one.subclass, one.body]).toEqual(['CUSTOM', 'a::b', 'text']);
    expect(one.get('List')).toBe('1');
    expect(one.all('List')).toEqual(['1', '2']);
    expect(one.get('Nothing')).toBeUndefined();
    expect(one.all('Nothing')).toEqual([]);
    expect(one.names).toEqual(['Event-Name', 'Event-Subclass', 'List']);
  });

  it('gives for each header what JSON.parse gives, whatever stands around it', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '\\', '":"', '"Unique-ID":"x"', 'Unique-ID', ',', '{', '}', '\n'),
    );
    const text = fc.array(piece).map((pieces) => pieces.join(''));
    const names = fc.constantFrom('Unique-ID', 'Event-Name', '_body', 'a', '"a"', 'constructor');
    const headers = fc.dictionary(fc.oneof(names, text), fc.oneof(text, fc.array(text, { minLength: 1 })));
    const wanted = wantedHeaders(['Unique-ID', 'Event-Name', '_body', 'a', 'constructor', 'nothing']);
    fc.assert(
      fc.property(headers, fc.constantFrom(undefined, 1), (all, blanks) => {
        const json = JSON.stringify({ 'Event-Name': 'X', ...all }, null, blanks);
        const parsed = JSON.parse(json) as Record<string, string | string[]>;
        for (const name of [...Object.keys(parsed), 'Unique-ID', 'nothing']) {
          const expected = Object.hasOwn(parsed, name) ? [parsed[name]].flat()[0] : undefined;
          expect(new EslEvent(json).get(name)).toBe(expected);
          expect(new EslEvent(json).pick(wanted).get(name)).toBe(expected);
        }
      }),
    );
    const twice = new EslEvent('{"Event-Name":"X","Hangup-Cause":"A","Hangup-Cause":"B"}');
    expect(twice.get('Hangup-Cause')).toBe('B');
    for (let turn = 0; turn < 20; turn += 1) expect(twice.get('Hangup-Cause')).toBe('B');
    expect(twice.pick(wantedHeaders(['Hangup-Cause'])).get('Hangup-Cause')).toBe('B');
  });

  it('treats header names of JavaScript objects as any other', () => {
    const one = new EslEvent('{"Event-Name":"X","__proto__":"a","constructor":"b"}');
    expect([one.get('__proto__'), one.get('constructor')]).toEqual(['a', 'b']);
    expect([one.get('toString'), one.get('hasOwnProperty')]).toEqual([undefined, undefined]);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });

  it.each([
    '{"Password":"hunter2"',
    'null',
    '',
    '"hunter2"',
  ])('that is no JSON object says so and no more: %s', (text) => {
    const one = new EslEvent(text);
    try {
      one.get('x');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SipctlError);
      expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
    }
  });

  it('shows nothing of what it holds where it is inspected', () => {
    const one = new EslEvent('{"Event-Name":"X","variable_sip_auth_password":"hunter2"}');
    one.get('Event-Name');
    expect(inspect(one) + JSON.stringify(one)).not.toContain('hunter2');
  });
});

describe('an encoded command', () => {
  it('is its line, its headers and an empty line', () => {
    expect(encodeCommand('echo', 'api echo ü')).toBe('api echo ü\n\n');
    expect(encodeCommand('status', 'bgapi status', { 'Job-UUID': '7' })).toBe(
      'bgapi status\nJob-UUID: 7\n\n',
    );
  });

  it.each([
    'api reloadxml\n\napi shutdown',
    'api x\r',
    'api x\n',
    'api x\0',
    'x'.repeat(1024 * 1024 + 1),
  ])('refuses what would be another command', (line) => {
    expect(() => encodeCommand('x', line)).toThrow(SipctlError);
    expect(() => encodeCommand('x', 'bgapi x', { 'Job-UUID': line })).toThrow(SipctlError);
  });

  it('names the field in its refusal and never the value', () => {
    try {
      encodeCommand('password', 'auth hunter2\n');
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error)).toContain('password');
      expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
    }
  });
});
