import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestMessage, OversizedMessage, StreamFramer } from '../../../src/sip/message/framer.ts';
import { MalformedMessage, type SipMessage } from '../../../src/sip/message/message.ts';

function bytesOf(
  body: string,
  length: string | null = String(Buffer.byteLength(body)),
  callId = 'a@b',
): Buffer {
  const head = [
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1',
    'f: <sip:a@example.com>;tag=1',
    't: <sip:b@example.com>;tag=2',
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    ...(length === null ? [] : [`Content-Length: ${length}`]),
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

type Arrival = SipMessage | MalformedMessage;

function drain(framer: StreamFramer): Arrival[] {
  const all: Arrival[] = [];
  for (let next = framer.next(); next; next = framer.next()) all.push(next);
  return all;
}

function arrivals(framer: StreamFramer, chunks: Iterable<Buffer>): Arrival[] {
  return [...chunks].flatMap((chunk) => {
    framer.push(chunk);
    return drain(framer);
  });
}

const bodyOf = (arrival: Arrival | undefined): string =>
  arrival instanceof Error || !arrival ? `not a message: ${arrival?.message}` : arrival.body.toString();
const bytewise = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

describe('a stream of messages', () => {
  it('is cut by length, however it arrives', () => {
    const bodies = ['', 'hello\r\n\r\nworld', 'x'.repeat(20_000), 'end'];
    const stream = Buffer.concat(bodies.flatMap((body) => [Buffer.from('\r\n\r\n'), bytesOf(body)]));
    for (const chunks of [[stream], bytewise(stream), [stream.subarray(0, 5), stream.subarray(5)]]) {
      expect(arrivals(new StreamFramer(), chunks).map(bodyOf)).toEqual(bodies);
    }
    const cuts = fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, (places) => {
        const edges = [0, ...places.sort((a, b) => a - b), stream.length];
        const chunks = edges.slice(1).map((edge, at) => stream.subarray(edges[at], edge));
        expect(arrivals(new StreamFramer(), chunks).map(bodyOf)).toEqual(bodies);
      }),
      { numRuns: 50 },
    );
  });

  it('may wait for its messages to be taken', () => {
    const framer = new StreamFramer();
    for (let at = 0; at < 200; at += 1) framer.push(bytesOf(`body ${at}`));
    expect(drain(framer).map(bodyOf)).toEqual(Array.from({ length: 200 }, (_, at) => `body ${at}`));
  });

  it('gives bodies that later bytes leave alone', () => {
    const framer = new StreamFramer();
    const [first] = arrivals(framer, [bytesOf('first')]);
    arrivals(framer, [bytesOf('other'), bytesOf('x'.repeat(50_000))]);
    expect(bodyOf(first)).toBe('first');
  });

  it('takes a whole message of the greatest length', () => {
    const length = longestMessage - bytesOf('', '65000').length;
    const [message] = arrivals(new StreamFramer(), [bytesOf('x'.repeat(length))]);
    expect(bodyOf(message)).toHaveLength(length);
  });

  it('goes on behind a message that is wrong within its length', () => {
    const framer = new StreamFramer();
    const [wrong, right] = arrivals(framer, [bytesOf('x', '1', 'two words'), bytesOf('right')]);
    expect(wrong).toMatchObject({ name: 'MalformedMessage', field: 'Call-ID' });
    expect(bodyOf(right)).toBe('right');
    expect(framer.broken).toBe(false);
  });

  it('knows another protocol by its first line', () => {
    const framer = new StreamFramer();
    framer.push(Buffer.from('SSH-2.0-OpenSSH_9.2\r'));
    expect(framer.next()).toBeNull();
    framer.push(Buffer.from('\n'));
    expect(framer.next()).toBeInstanceOf(MalformedMessage);
    expect(framer.broken).toBe(true);
  });

  it('waits for ever for a body that is shorter than its length says', () => {
    const framer = new StreamFramer();
    expect(arrivals(framer, [bytesOf('short', '500')])).toEqual([]);
    expect(framer.broken).toBe(false);
  });
});

describe('a stream that cannot be cut', () => {
  it.each([
    ['no length', bytesOf('x', null), /Content-Length is missing/],
    ['a negative length', bytesOf('x', '-1'), /not a length: "-1"/],
    ['a length in words', bytesOf('x', 'one'), /not a length/],
    ['two lengths', bytesOf('x', '1\r\nl: 2'), /more than once/],
    [
      'garbage that ends like a head',
      Buffer.from('\x16\x03\x01 garbage\r\n\r\n'),
      /control character|Content-Length/,
    ],
  ])('says so once, and takes no more: %s', (_, bytes, says) => {
    const framer = new StreamFramer();
    const [complaint, ...more] = arrivals(framer, [bytes, bytesOf('later')]);
    expect(complaint).toBeInstanceOf(MalformedMessage);
    expect((complaint as MalformedMessage).message).toMatch(says);
    expect(more).toEqual([]);
    expect(framer.broken).toBe(true);
  });

  it.each([
    ['a length beyond the limit', [bytesOf('', String(longestMessage))]],
    ['a length beyond all numbers', [bytesOf('', '9999999999')]],
    ['a head without an end', Array.from({ length: 70 }, () => Buffer.alloc(1_000, 'a'))],
    ['a head without an end, at once', [Buffer.alloc(70_000, 'a')]],
  ])('tells what is too long from what is wrong: %s', (_, chunks) => {
    const framer = new StreamFramer();
    expect(arrivals(framer, chunks)).toEqual([expect.any(OversizedMessage)]);
    expect(framer.broken).toBe(true);
  });

  it('throws nothing, whatever comes', () => {
    const parts = fc.oneof(
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(bytesOf('abc'), Buffer.from('\r\n'), Buffer.from('\r'), Buffer.from('\r\n\r\n')),
    );
    fc.assert(
      fc.property(fc.array(parts), (chunks) => {
        for (const arrival of arrivals(new StreamFramer(), chunks))
          if (arrival instanceof Error) expect(arrival).toBeInstanceOf(MalformedMessage);
      }),
    );
  });
});
