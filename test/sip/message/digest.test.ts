import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  answerChallenge,
  type Challenge,
  challengesOf,
  chooseChallenge,
} from '../../../src/sip/message/digest.ts';
import type { Header } from '../../../src/sip/message/message.ts';

function challengesIn(...values: string[]): Challenge[] {
  return challengesOf({ headers: values.map((value) => ({ name: 'WWW-Authenticate', value })) });
}

function challengeIn(value: string): Challenge {
  const [challenge] = challengesIn(value);
  if (!challenge) throw new Error(`No challenge: ${value}`);
  return challenge;
}

const paramOf = ({ value }: Header, name: string): string | undefined =>
  new RegExp(`[ ,]${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^,]*))`)
    .exec(value)
    ?.slice(1)
    .find((text) => text !== undefined);

const empty = Buffer.alloc(0);
const page = { method: 'GET', uri: '/dir/index.html', body: empty };
const hashed = (name: string, text: string | Buffer) => createHash(name).update(text).digest('hex');

describe('published vectors', () => {
  const rfc2617 = 'realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
  const mufasa = { username: 'Mufasa', password: 'Circle Of Life' };

  it('RFC 2617 §3.5: MD5 with qop', () => {
    const challenge = challengeIn(
      `Digest ${rfc2617}, qop="auth,auth-int", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
    );
    const answer = answerChallenge(challenge, mufasa, page, 1, '0a4f113b');
    expect(answer).toEqual({
      name: 'Authorization',
      value:
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
        'uri="/dir/index.html", response="6629fae49393a05397450978507c4ef1", algorithm=MD5, cnonce="0a4f113b", ' +
        'qop=auth, nc=00000001, opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    });
  });

  it('RFC 2069 §2.4 as corrected: no qop, no cnonce', () => {
    const answer = answerChallenge(challengeIn(`Digest ${rfc2617}`), mufasa, page, 1);
    expect(paramOf(answer, 'response')).toBe('670fd8c2df070c60b045671b8b24ff02');
    for (const name of ['cnonce', 'nc', 'qop', 'opaque']) expect(paramOf(answer, name)).toBeUndefined();
  });

  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('RFC 7616 §3.9.1: %s', (algorithm, response) => {
    const challenge = challengeIn(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    );
    const credentials = { username: 'Mufasa', password: 'Circle of Life' };
    const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
    expect(paramOf(answerChallenge(challenge, credentials, page, 1, cnonce), 'response')).toBe(response);
  });

  it('RFC 7616 §3.9.2 as corrected by erratum 4897: SHA-512-256, names in UTF-8', () => {
    const challenge = challengeIn(
      'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, charset=UTF-8, userhash=true, ' +
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS"',
    );
    const credentials = { username: 'Jäsøn Doe', password: 'Secret, or not?' };
    const request = { method: 'GET', uri: '/doe.json', body: empty };
    const answer = answerChallenge(
      challenge,
      credentials,
      request,
      1,
      'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    );
    expect(paramOf(answer, 'response')).toBe(
      '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5',
    );
  });
});

describe('what no vector was published for', () => {
  const credentials = { username: 'bob', password: 'zanzibar' };
  const invite = { method: 'INVITE', uri: 'sip:bob@biloxi.com', body: Buffer.from('v=0\r\n') };

  it.each([
    ['MD5', 'md5'],
    ['SHA-256', 'sha256'],
    ['SHA-512-256', 'sha512-256'],
  ])('%s-sess', (algorithm, name) => {
    const challenge = challengeIn(
      `Digest realm="biloxi.com", nonce="n", qop="auth", algorithm=${algorithm}-sess`,
    );
    const ha1 = hashed(name, `${hashed(name, 'bob:biloxi.com:zanzibar')}:n:c`);
    const response = hashed(name, `${ha1}:n:0000000a:c:auth:${hashed(name, 'INVITE:sip:bob@biloxi.com')}`);
    const answer = answerChallenge(challenge, credentials, invite, 10, 'c');
    expect(paramOf(answer, 'response')).toBe(response);
    expect(paramOf(answer, 'algorithm')).toBe(`${algorithm}-sess`);
  });

  it('auth-int: the body counts', () => {
    const challenge = challengeIn('Digest realm="biloxi.com", nonce="n", qop="auth-int", algorithm=SHA-256');
    const ha1 = hashed('sha256', 'bob:biloxi.com:zanzibar');
    const ha2 = hashed('sha256', `INVITE:sip:bob@biloxi.com:${hashed('sha256', 'v=0\r\n')}`);
    const answer = answerChallenge(challenge, credentials, invite, 1, 'c');
    expect(paramOf(answer, 'response')).toBe(hashed('sha256', `${ha1}:n:00000001:c:auth-int:${ha2}`));
    expect(paramOf(answer, 'qop')).toBe('auth-int');
  });

  it('quotes and backslashes: echoed as they came, escaped where they are ours', () => {
    const challenge = challengeIn('Digest realm="a \\"b\\", c", nonce="n\\\\m"');
    const answer = answerChallenge(challenge, { username: 'o"hara', password: 'x' }, invite, 1, 'c');
    expect(answer.value).toContain('username="o\\"hara", realm="a \\"b\\", c", nonce="n\\\\m"');
  });

  it('a proxy is answered in its own header, with a new cnonce each time', () => {
    const [challenge] = challengesOf({
      headers: [{ name: 'proxy-authenticate', value: 'DIGEST realm=x, nonce=y, qop=auth' }],
    });
    const answers = [1, 2].map((count) =>
      answerChallenge(challenge as Challenge, credentials, invite, count),
    );
    expect(answers[0]?.name).toBe('Proxy-Authorization');
    const cnonces = answers.map((answer) => paramOf(answer, 'cnonce'));
    expect(cnonces[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(cnonces[0]).not.toBe(cnonces[1]);
  });
});

describe('the challenges of an answer', () => {
  it('are read with all that they say', () => {
    expect(
      challengeIn(
        'Digest realm="r, s" ,NONCE = "n",opaque="",algorithm=md5,stale=TRUE,qop="Auth , auth-int"',
      ),
    ).toEqual({
      realm: 'r, s',
      nonce: 'n',
      opaque: '',
      algorithm: 'md5',
      qop: ['auth', 'auth-int'],
      stale: true,
      proxy: false,
    });
    expect(challengeIn('Digest realm="", nonce="n"')).toMatchObject({
      realm: '',
      algorithm: 'MD5',
      qop: [],
      stale: false,
    });
  });

  it('may share a line with other schemes', () => {
    const line =
      'Basic realm="x", Digest realm="a", nonce="1", Bearer, Digest nonce="2", realm="b", algorithm=SHA-256';
    expect(challengesIn(line).map(({ realm, nonce }) => realm + nonce)).toEqual(['a1', 'b2']);
  });

  it.each([
    'Digest realm="a"',
    'Digest nonce="n"',
    'Digest realm="a", nonce=""',
    'Digest realm="a, nonce="n"',
    'Digestrealm="a", nonce="n"',
    'NTLM abc==',
    '',
    ',,=,"',
  ])('are none where it is nonsense: %s', (value) => {
    expect(challengesIn(value)).toEqual([]);
  });

  it('are chosen from the top, by what can be done (RFC 8760 §2.4)', () => {
    const line = (algorithm: string, qop = 'auth') =>
      `Digest realm="r", nonce="n", qop="${qop}", algorithm=${algorithm}`;
    const chosen = (...lines: string[]) => chooseChallenge(challengesIn(...lines))?.algorithm ?? null;
    expect(chosen(line('SHA-512-256'), line('SHA-256'), line('MD5'))).toBe('SHA-512-256');
    expect(chosen(line('MD5'), line('SHA-256'))).toBe('MD5');
    expect(chosen(line('SHA3-512'), line('AKAv1-MD5'), line('sha-256-sess'))).toBe('sha-256-sess');
    expect(chosen(line('SHA-256', 'auth-conf'), line('MD5', 'auth-int'))).toBe('MD5');
    expect(chosen(line('SHA3-512'))).toBeNull();
    expect(chosen()).toBeNull();
  });

  it('that cannot be answered are not', () => {
    const challenge = challengeIn('Digest realm="r", nonce="n", algorithm=constructor');
    expect(() => answerChallenge(challenge, { username: 'a', password: 'secret' }, page, 1)).toThrow(
      RangeError,
    );
  });
});
