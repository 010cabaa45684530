import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNameAddress, parseUri, parseVia } from '../../../src/sip/message/fields.ts';
import {
  type Header,
  headerOf,
  headersOf,
  MalformedMessage,
  parseMessage,
  type SipMessage,
  type SipRequest,
  serializeMessage,
} from '../../../src/sip/message/message.ts';
import { forgiven, invalid, type Torture, valid } from './torture.ts';

const byName = (name: string): SipMessage => {
  const found = [...valid, ...forgiven].find((torture) => torture.name === name) as Torture;
  return parseMessage(found.message);
};

function complaint(bytes: Buffer): MalformedMessage {
  try {
    parseMessage(bytes);
  } catch (error) {
    if (error instanceof MalformedMessage) return error;
    throw error;
  }
  throw new Error('It was readable');
}

describe('the torture messages of RFC 4475', () => {
  it.each(valid)('$name ($section) is read', ({ message }) => {
    expect(() => parseMessage(message)).not.toThrow();
  });

  it.each(forgiven)('$name ($section) is forgiven', ({ message }) => {
    expect(() => parseMessage(message)).not.toThrow();
  });

  it.each(invalid)('$name ($section) is refused with the reason', ({ message, malformed }) => {
    const { field, message: text } = complaint(message);
    expect(field).toBe(malformed?.field);
    expect(text).toMatch(malformed?.says as RegExp);
  });

  it.each([...valid, ...forgiven])('$name ($section) comes back the same after writing', ({ message }) => {
    const read = parseMessage(message);
    expect(essence(parseMessage(serializeMessage(read)))).toEqual(essence(read));
  });

  it('wsinv: folded lines, blanks everywhere, compact forms', () => {
    const message = byName('wsinv') as SipRequest;
    expect(message).toMatchObject({
      method: 'INVITE',
      uri: 'sip:vivekg@chair-dnrc.example.com;unknownparam',
    });
    expect(parseNameAddress(headerOf(message, 'to') ?? '')).toEqual({
      displayName: null,
      uri: 'sip:vivekg@chair-dnrc.example.com',
      params: { tag: '1918181833n' },
    });
    expect(parseNameAddress(headerOf(message, 'f') ?? '')).toEqual({
      displayName: 'J Rosenberg \\"',
      uri: 'sip:jdrosen@example.com',
      params: { tag: '98asjd8' },
    });
    expect(headersOf(message, 'Via').map((via) => parseVia(via))).toMatchObject([
      { transport: 'UDP', host: '192.0.2.2', branch: '390skdjuw' },
      { transport: 'TCP', host: 'spindle.example.com', branch: 'z9hG4bK9ikj8' },
      { transport: 'UDP', host: '192.168.255.111', branch: 'z9hG4bK30239' },
    ]);
    expect(parseNameAddress(headersOf(message, 'Contact')[0] ?? '')).toEqual({
      displayName: 'Quoted string ""',
      uri: 'sip:jdrosen@example.com',
      params: { newparam: 'newvalue', secondparam: null, q: '0.33' },
    });
    expect(headerOf(message, 'Subject')).toBe('');
    expect(headerOf(message, 'NewFangledHeader')).toBe('newfangled value continued newfangled value');
    expect(parseNameAddress(headerOf(message, 'Route') ?? '')?.uri).toBe(
      'sip:services.example.com;lr;unknownwith=value;unknown-no-value',
    );
    expect(message.body.toString()).toMatch(/^v=0\r\n[\s\S]*LPC\r\n$/);
  });

  it('intmeth: every character that is allowed', () => {
    const message = byName('intmeth') as SipRequest;
    expect(message.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
    expect(parseUri(message.uri)).toMatchObject({
      user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
      host: 'example.com',
    });
    expect(parseNameAddress(headerOf(message, 'To') ?? '')?.displayName).toBe('BEL:\x07 NUL:\x00 DEL:\x7f');
    expect(parseNameAddress(headerOf(message, 'From') ?? '')?.params).toEqual({
      "fromparam''~+*_!.-%": 'работающий',
      tag: "_token~1'+`*%!-.",
    });
  });

  it('esc01 and semiuri: percent signs and semicolons in the user', () => {
    expect(parseUri((byName('esc01') as SipRequest).uri)).toMatchObject({
      user: 'sips:user@example.com',
      host: 'example.net',
    });
    const [contact] = headersOf(byName('esc01'), 'm');
    expect(parseUri(parseNameAddress(contact ?? '')?.uri ?? '')).toEqual({
      scheme: 'sip',
      user: 'caller',
      host: 'host5.example.net',
      port: null,
      params: { lr: null, name: 'value%41' },
    });
    expect(parseUri((byName('semiuri') as SipRequest).uri)).toMatchObject({
      user: 'user;par=u@example.net',
      params: {},
    });
    const nulls = headersOf(byName('escnull'), 'Contact').map((value) => parseNameAddress(value)?.uri ?? '');
    expect(nulls.map((uri) => parseUri(uri)?.user)).toEqual(['\0', '\0\0']);
  });

  it('esc02: a percent sign means nothing in a method or in the name of a header', () => {
    const message = byName('esc02') as SipRequest;
    expect(message.method).toBe('RE%47IST%45R');
    expect(headersOf(message, 'Contact')).toEqual([
      '<sip:alias1@host1.example.com>',
      '<sip:alias3@host3.example.com>',
    ]);
    expect(parseNameAddress(headerOf(message, 'To') ?? '')?.displayName).toBe('%Z%45');
  });

  it('dblreq: what stands behind the length is not read', () => {
    expect(byName('dblreq')).toMatchObject({ method: 'REGISTER', body: Buffer.alloc(0) });
  });

  it('longreq and transports: many hops, known and unknown', () => {
    expect(headersOf(byName('longreq'), 'Via')).toHaveLength(33);
    expect(headersOf(byName('transports'), 'Via').map((via) => parseVia(via)?.transport)).toEqual(
      'UDP SCTP TLS UNKNOWN TCP'.split(' '),
    );
  });

  it('mpart01: a body is bytes', () => {
    const { body } = byName('mpart01');
    expect(body.toString('latin1')).toMatch(/^--7a9cbec02ceef655\r\n[\s\S]*--\r\n$/);
    expect(body.includes(Buffer.from([0, 13, 10, 13, 10, 255]))).toBe(true);
  });

  it('unreason and noreason: any reason, and none', () => {
    expect(byName('unreason')).toMatchObject({
      status: 200,
      reason: '= 2**3 * 5**2 но сто девяносто девять - простое',
    });
    expect(byName('noreason')).toMatchObject({ status: 100, reason: '' });
  });

  it('cparam01 and cparam02: a parameter of the header or of the URI', () => {
    const [first, second] = ['cparam01', 'cparam02'].map((name) =>
      parseNameAddress(headersOf(byName(name), 'Contact')[0] ?? ''),
    );
    expect(first).toMatchObject({ uri: 'sip:+19725552222@gw1.example.net', params: { unknownparam: null } });
    expect(second).toMatchObject({ uri: 'sip:+19725552222@gw1.example.net;unknownparam', params: {} });
  });

  it('regbadct: whose parameters they are cannot be told, so the Contact is none', () => {
    expect(parseNameAddress(headersOf(byName('regbadct'), 'Contact')[0] ?? '')).toBeNull();
    expect(parseNameAddress(headersOf(byName('regescrt'), 'Contact')[0] ?? '')?.uri).toContain('?Route=');
  });

  it('badaspec and baddn: read as they were meant', () => {
    expect(parseNameAddress(headerOf(byName('badaspec'), 'To') ?? '')).toMatchObject({
      displayName: 'Watson, Thomas',
      uri: 'sip:t.watson@example.org',
    });
    expect(parseNameAddress(headerOf(byName('baddn'), 'From') ?? '')).toMatchObject({
      displayName: 'Bell, Alexander',
      params: { tag: '43' },
    });
  });
});

/** What must survive: everything but the place and the spelling of Content-Length. */
function essence(message: SipMessage) {
  const headers = message.headers.filter(({ name }) => !/^(content-length|l)$/i.test(name));
  return { ...message, headers, body: message.body.toString('hex') };
}

const necessary: Header[] = [
  { name: 'Via', value: 'SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1' },
  { name: 'From', value: '<sip:a@example.com>;tag=1' },
  { name: 'To', value: '<sip:b@example.com>' },
  { name: 'Call-ID', value: '1' },
];

const tokens = fc.stringMatching(/^[A-Za-z0-9.!%*+`'~-]{1,20}$/);
const names = tokens.filter(
  (name) => !/^(via|v|from|f|to|t|call-id|i|cseq|content-length|l|max-forwards)$/i.test(name),
);
/** Text as it may stand in a line: no line ends, no control characters, no blanks at the ends. */
const texts = fc
  .string({ unit: 'grapheme' })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to leave out
  .map((text) => text.replace(/[\x00-\x1f\x7f]/g, '').trim());
const others = fc.array(fc.record({ name: names, value: texts }));
const bodies = fc.uint8Array().map((bytes) => Buffer.from(bytes));
const messages: fc.Arbitrary<SipMessage> = fc.oneof(
  fc.record({ method: tokens, headers: others, body: bodies }).map(({ method, headers, body }) => ({
    kind: 'request' as const,
    method,
    uri: 'sip:b@example.com',
    headers: [...necessary, { name: 'CSeq', value: `1 ${method}` }, ...headers],
    body,
  })),
  fc
    .record({ status: fc.integer({ min: 100, max: 699 }), reason: texts, headers: others, body: bodies })
    .map(({ headers, ...rest }) => ({
      kind: 'response' as const,
      ...rest,
      headers: [...headers, { name: 'CSeq', value: '1 INVITE' }, ...necessary],
    })),
);

describe('any message', () => {
  it('is the same after writing and reading', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(essence(parseMessage(serializeMessage(message)))).toEqual(essence(message));
      }),
    );
  });

  it('made of noise is read or refused, and nothing else happens', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .array(
          fc.constantFrom(
            'SIP/2.0',
            ' ',
            '200',
            '\r\n',
            ':',
            'Via',
            '<',
            '"',
            '\\',
            'l: 3',
            ';',
            '=',
            ',',
            '\0',
          ),
        )
        .map((parts) => Buffer.from(`${parts.join('')}\r\n\r\n`)),
    );
    fc.assert(
      fc.property(noise, (bytes) => {
        expect(outcome(bytes)).toMatch(/request|response|malformed/);
      }),
    );
  });

  it('with a few bytes damaged is read or refused, and nothing else happens', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 5,
    });
    const damaged = fc.tuple(fc.constantFrom(...valid), damage).map(([{ message }, changes]) => {
      const bytes = Buffer.from(message);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(damaged, (bytes) => {
        expect(outcome(bytes)).toMatch(/request|response|malformed/);
      }),
      {
        numRuns: 500,
      },
    );
  });
});

function outcome(bytes: Buffer): string {
  try {
    return parseMessage(bytes).kind;
  } catch (error) {
    if (error instanceof MalformedMessage) return 'malformed';
    throw error;
  }
}

describe('a message that is written', () => {
  const plain = (changes: Partial<SipRequest>): SipRequest => ({
    kind: 'request',
    method: 'OPTIONS',
    uri: 'sip:b@example.com',
    headers: [...necessary, { name: 'CSeq', value: '1 OPTIONS' }],
    body: Buffer.alloc(0),
    ...changes,
  });

  it('has the length of its body, whatever its headers say', () => {
    const headers = [...plain({}).headers, { name: 'l', value: '7' }];
    const text = serializeMessage(plain({ headers, body: Buffer.from('grüße') })).toString();
    expect(text.match(/^(l|Content-Length):.*$/gim)).toEqual(['Content-Length: 7']);
    expect(text.endsWith('\r\n\r\ngrüße')).toBe(true);
  });

  it.each([
    ['a value', plain({ headers: [{ name: 'X', value: 'a\r\nRoute: <sip:evil>' }] })],
    ['a bare LF', plain({ headers: [{ name: 'X', value: 'a\nb' }] })],
    ['a NUL', plain({ headers: [{ name: 'X', value: 'a\0b' }] })],
    ['a name', plain({ headers: [{ name: 'X: a\r\nRoute', value: 'b' }] })],
    ['a method', plain({ method: 'OPTIONS sip:x SIP/2.0\r\nX:' })],
    ['a URI', plain({ uri: 'sip:x SIP/2.0\r\nX: ' })],
    [
      'a reason',
      {
        kind: 'response' as const,
        status: 200,
        reason: 'OK\r\nX: y',
        headers: necessary,
        body: Buffer.alloc(0),
      },
    ],
  ])('cannot be made longer by line ends in %s', (_, message) => {
    expect(() => serializeMessage(message)).toThrow(MalformedMessage);
  });

  it('does not tell what a refused value was', () => {
    const headers = [{ name: 'Authorization', value: 'hunter2\n' }];
    expect(() => serializeMessage(plain({ headers }))).toThrow(/^Authorization would contain/);
  });
});

describe('a message that is read', () => {
  const text = (...headers: string[]) =>
    Buffer.from(
      ['SIP/2.0 200', ...necessary.map(({ name, value }) => `${name}: ${value}`), ...headers, '', ''].join(
        '\r\n',
      ),
    );

  it('needs no reason and no length in a datagram, and may follow keep-alives', () => {
    const bytes = Buffer.concat([Buffer.from('\r\n\r\n'), text('CSeq: 1 OPTIONS'), Buffer.from('abc')]);
    expect(parseMessage(bytes)).toMatchObject({ status: 200, reason: '', body: Buffer.from('abc') });
  });

  it('is refused for line ends that another reader would take for the end of a line', () => {
    expect(complaint(text('CSeq: 1 OPTIONS', 'X: a\nRoute: b')).field).toBe('X');
    expect(complaint(text('CSeq: 1 OPTIONS', 'X: a\rb')).message).toMatch(/bare CR or LF/);
    expect(complaint(text('CSeq: 1 OPTIONS', 'X: a\0b')).message).toMatch(/control character/);
  });

  it.each([
    ['nothing', Buffer.alloc(0), /empty/],
    ['a keep-alive', Buffer.from('\r\n\r\n'), /empty/],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /first line/],
    ['an SSH greeting', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), /no empty line/],
    ['a header without a colon', text('CSeq 1 OPTIONS'), /Not a header/],
    ['no CSeq', text(), /CSeq is missing/],
    ['two Call-IDs', text('CSeq: 1 OPTIONS', 'i: 2'), /Call-ID stands there more than once/],
    [
      'a Call-ID of two words',
      Buffer.from(text('CSeq: 1 A').toString().replace('ID: 1', 'ID: 1 2')),
      /Call-ID/,
    ],
  ])('is refused when it is %s', (_, bytes, says) => {
    expect(complaint(bytes).message).toMatch(says);
  });

  it('gives lists value by value, and other headers line by line', () => {
    const message = parseMessage(
      text(
        'CSeq: 1 A',
        'm: "a, b" <sip:c,d@e>;x="1,2", <sip:f>',
        'Allow: INVITE,ACK ,',
        'WWW-Authenticate: Digest a="b", c="d"',
      ),
    );
    expect(headersOf(message, 'Contact')).toEqual(['"a, b" <sip:c,d@e>;x="1,2"', '<sip:f>']);
    expect(headersOf(message, 'ALLOW')).toEqual(['INVITE', 'ACK']);
    expect(headersOf(message, 'www-authenticate')).toEqual(['Digest a="b", c="d"']);
    expect(headerOf(message, 'Supported')).toBeNull();
  });

  it('is read in time, whatever it is made of', () => {
    const long = 60_000;
    for (const part of [' ', '\t', ';', ',', '"', '\\', '<', '=', 'a ', '%00', '\r\n ', ':', 'a:\r\n'])
      expect(outcome(text('CSeq: 1 A', `m: ${part.repeat(long / part.length)}`, 'X: y'))).toMatch(
        /response|malformed/,
      );
  });
});
