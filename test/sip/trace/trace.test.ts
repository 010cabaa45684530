import { afterEach, describe, expect, it } from 'vitest';
import { answerChallenge, challengesOf, chooseChallenge } from '../../../src/sip/message/digest.ts';
import { serializeMessage } from '../../../src/sip/message/message.ts';
import { maskSecrets, textTrace } from '../../../src/sip/trace/trace.ts';
import { exchange } from '../../../src/sip/transport/transaction.ts';
import { answer, endAll, never, open, request, target, udpServer } from '../../support/sip-server.ts';

afterEach(endAll);

const masked = (text: string) => maskSecrets(Buffer.from(text)).toString();
const local = { address: '192.0.2.1', port: 5060 };
const remote = { address: '2001:db8::1', port: 5061 };

describe('masking', () => {
  it.each([
    [
      'Authorization: Digest username="me", realm="r", nonce="n", response="0123ab", cnonce="abc", nc=00000001\r\n',
      'Authorization: Digest username="me", realm="r", nonce="n", response="xxxxxx", cnonce="xxx", nc=00000001\r\n',
    ],
    [
      'proxy-authorization:digest response = abc ,cnonce=d\r\n',
      'proxy-authorization:digest response = xxx ,cnonce=x\r\n',
    ],
    [
      'Authorization: Digest realm="response=1",\r\n response="secret"\r\nTo: a',
      'Authorization: Digest realm="response=x",\r\n response="xxxxxx"\r\nTo: a',
    ],
    ['Authorization: Digest response="a\\"b c"\r\n', 'Authorization: Digest response="xx"x x"\r\n'],
    ['Authorization: Digest response="never closed', 'Authorization: Digest response="xxxxx xxxxxx'],
    [
      'Authentication-Info: rspauth="abcd", cnonce="ef"\r\n',
      'Authentication-Info: rspauth="xxxx", cnonce="xx"\r\n',
    ],
    ['Authorization: Bearer abc.def\r\nX: Bearer\r\n', 'Authorization: Bearer xxxxxxx\r\nX: Bearer\r\n'],
    ['Authorization: Basic bWU6cHc=\r\n', 'Authorization: Basic xxxxxxxx\r\n'],
    [
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:a/b+c==|2^20\r\n',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxxxxxxxxxxx\r\n',
    ],
    [
      'a=ice-ufrag:u\r\na=ice-pwd:secret\r\nk=clear:key\r\n',
      'a=ice-ufrag:u\r\na=ice-pwd:xxxxxx\r\nk=xxxxxxxxx\r\n',
    ],
    ['Contact: <sip:me:pass@192.0.2.1:5060>\r\n', 'Contact: <sip:me:xxxx@192.0.2.1:5060>\r\n'],
    [
      'Contact: <sip:192.0.2.1:5060>, <sip:me@192.0.2.1:5060>\r\n',
      'Contact: <sip:192.0.2.1:5060>, <sip:me@192.0.2.1:5060>\r\n',
    ],
    [
      'WWW-Authenticate: Digest realm="r", nonce="n"\r\n',
      'WWW-Authenticate: Digest realm="r", nonce="n"\r\n',
    ],
  ])('of %j', (text, expected) => {
    expect(masked(text)).toBe(expected);
    expect(maskSecrets(Buffer.from(text))).toHaveLength(Buffer.byteLength(text));
  });

  it('keeps the bytes that are no text', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    expect(maskSecrets(bytes)).toEqual(bytes);
    expect(masked('To: "Zoë" <sip:a@b>')).toBe('To: "Zoë" <sip:a@b>');
  });

  it('costs no more for a long header than its length', () => {
    const long = `Authorization: Digest ${'response="'.repeat(6_000)}`;
    expect(maskSecrets(Buffer.from(long))).toHaveLength(long.length);
  });

  it('finds what our own answer to a challenge contains', () => {
    const headers = [
      { name: 'WWW-Authenticate', value: 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256' },
    ];
    const challenge = chooseChallenge(challengesOf({ headers }));
    if (challenge === null) throw new Error('no challenge');
    const asked = { method: 'REGISTER', uri: 'sip:a', body: Buffer.alloc(0) };
    const { name, value } = answerChallenge(
      challenge,
      { username: 'me', password: 'pw' },
      asked,
      1,
      'ourcnonce',
    );
    const response = /response="([\da-f]{64})"/.exec(value)?.[1] ?? 'none';
    const shown = masked(`${name}: ${value}\r\n`);
    expect(value).toContain('ourcnonce');
    expect(shown).not.toContain(response);
    expect(shown).not.toContain('ourcnonce');
    expect(shown).toContain('username="me"');
  });
});

describe('the text of a trace', () => {
  const clock = () => new Date('2026-01-02T03:04:05.678Z');

  it('has a line about each message, and the message', () => {
    let text = '';
    const trace = textTrace((part) => {
      text += part;
    }, clock);
    trace.sent(Buffer.from('OPTIONS sip:a SIP/2.0\r\nTo: b\r\n\r\n'), local, remote, 'tls');
    trace.received(Buffer.from('SIP/2.0 200 OK\r\n\r\nbody'), local, remote, 'udp');
    expect(text).toBe(
      '2026-01-02T03:04:05.678Z TLS 192.0.2.1:5060 -> [2001:db8::1]:5061, 32 bytes\nOPTIONS sip:a SIP/2.0\nTo: b\n\n' +
        '2026-01-02T03:04:05.678Z UDP [2001:db8::1]:5061 -> 192.0.2.1:5060, 22 bytes\nSIP/2.0 200 OK\n\nbody\n\n',
    );
  });

  it('cannot steer a terminal', () => {
    let text = '';
    const trace = textTrace((part) => {
      text += part;
    }, clock);
    trace.received(Buffer.from('SIP/2.0 200 \u001b[2J\u009b\r\0\u007f'), local, remote, 'udp');
    expect(text).toContain('SIP/2.0 200 \\x1b[2J\\x9b\\x0d\\x00\\x7f');
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

it('sees what is sent and what comes, strays as well, and no secret', async () => {
  const server = await udpServer((bytes, { port, address }, _, socket) => {
    socket.send(answer(bytes, 403, { Via: 'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKother' }), port, address);
    socket.send(answer(bytes, 200), port, address);
  });
  let text = '';
  const trace = textTrace((part) => {
    text += part;
  });
  const connection = await open(target(server.port, 'udp'), { trace });
  const secret = { name: 'Authorization', value: 'Digest username="me", response="0123456789abcdef"' };
  const asked = request('REGISTER', connection, [secret]);
  const done = await exchange(connection, asked, { signal: never, timeoutMs: 20_000 });
  expect(done).toMatchObject({ final: { status: 200 }, stray: 1 });
  expect(text.match(/^(REGISTER|SIP\/2\.0) \S+/gm)).toEqual([
    'REGISTER sip:example.com',
    'SIP/2.0 403',
    'SIP/2.0 200',
  ]);
  expect(text).toContain(`UDP 127.0.0.1:${connection.local.port} -> 127.0.0.1:${server.port}, `);
  expect(text).not.toContain('0123456789abcdef');
  // The secret went out all the same.
  expect(server.received[0]).toEqual(serializeMessage(asked));
});
