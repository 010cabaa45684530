import { describe, expect, it } from 'vitest';
import { SipctlError } from '../../../src/errors.ts';
import { type Answer, type Asked, askPatiently, type Patience } from '../../../src/platforms/twilio/http.ts';

const trunks = 'https://trunking.twilio.com/v1/Trunks';
const oneTrunk = `${trunks}/TK0123456789abcdef0123456789abcdef`;
const lists =
  'https://api.twilio.com/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/SIP/CredentialLists';
const get: Asked = { method: 'get', uri: trunks };
const make: Asked = { method: 'post', uri: trunks };
const set: Asked = { method: 'post', uri: oneTrunk };
const remove: Asked = { method: 'delete', uri: oneTrunk };

const answer = (statusCode: number, retryAfter?: string): Answer => ({
  statusCode,
  body: { sid: 'TK0123456789abcdef0123456789abcdef' },
  headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
});
const fails = (code: string): Error => Object.assign(new Error(`secret of the request: ${code}`), { code });

/** Answers what stands in `script`, one after the other; tells how often it was asked, and how long the waits were. */
async function run(asked: Asked, script: (Answer | Error)[], signal?: AbortSignal) {
  const waits: number[] = [];
  const patience: Patience = {
    timeoutMs: 15_000,
    attempts: 4,
    baseMs: 100,
    capMs: 250,
    longestWaitMs: 30_000,
    sleep: async (ms) => {
      waits.push(ms);
      if (signal?.aborted) throw signal.reason;
    },
    random: () => 1,
  };
  let asking = 0;
  const send = async (): Promise<Answer> => {
    const next = script[asking];
    asking += 1;
    if (next === undefined) throw new Error('it was asked too often');
    if (next instanceof Error) throw next;
    return next;
  };
  const result = await askPatiently(asked, send, patience, signal).catch((error: unknown) => error);
  return { result, asking, waits };
}

describe('a request to Twilio', () => {
  it.each([
    ['reads', get],
    ['sets', set],
    ['sets what is recorded', { method: 'post', uri: `${oneTrunk}/Recording` }],
    ['sets what ends in .json', { method: 'post', uri: `${lists}/CL0123456789abcdef0123456789abcdef.json` }],
    ['takes away', remove],
  ])('that %s is sent again after whatever happened to it', async (_, asked) => {
    const script = [fails('ECONNRESET'), answer(503), fails('ECONNABORTED'), answer(200)];
    const { result, waits } = await run(asked, script);
    expect(result).toEqual(answer(200));
    expect(waits).toEqual([100, 200, 250]);
  });

  it.each([
    ['makes', make],
    ['makes below an account', { method: 'post', uri: `${lists}.json` }],
    ['makes below a trunk', { method: 'post', uri: `${oneTrunk}/OriginationUrls` }],
  ])('that %s something is not repeated where nobody knows what became of it', async (_, asked) => {
    for (const lost of ['ECONNRESET', 'ECONNABORTED', 'EPIPE']) {
      const { result, asking } = await run(asked, [fails(lost)]);
      expect(asking).toBe(1);
      expect(result).toMatchObject({ outcome: 'unreachable', problems: [{ code: 'twilio_no_answer' }] });
    }
    expect(await run(asked, [answer(500)])).toMatchObject({ asking: 1, result: { statusCode: 500 } });
  });

  it('that makes something is repeated where it cannot have arrived, or was turned away at the door', async () => {
    const script = [fails('ECONNREFUSED'), fails('EAI_AGAIN'), answer(429), answer(201)];
    expect(await run(make, script)).toMatchObject({ asking: 4, result: { statusCode: 201 } });
  });

  it('waits as long as Twilio asks for, where that is not too long', async () => {
    expect((await run(make, [answer(429, '7'), answer(201)])).waits).toEqual([7000]);
    expect((await run(get, [answer(503, '2'), answer(200)])).waits).toEqual([2000]);
    expect((await run(get, [answer(429, 'Wed, 21 Oct 2026 07:28:00 GMT'), answer(200)])).waits).toEqual([
      100,
    ]);
    const tooLong = await run(get, [answer(429, '3600')]);
    expect(tooLong).toMatchObject({ asking: 1, waits: [], result: { statusCode: 429 } });
  });

  it('is given up in the end', async () => {
    expect(await run(get, Array(4).fill(answer(500)))).toMatchObject({
      asking: 4,
      result: { statusCode: 500 },
    });
    const { result, asking } = await run(get, Array(4).fill(fails('ECONNRESET')));
    expect(asking).toBe(4);
    expect(result).toBeInstanceOf(SipctlError);
    // The error of the client holds the headers of the request.
    expect((result as Error).cause).toBeUndefined();
    expect(`${result}`).not.toContain('secret of the request');
  });

  it('is not sent again where that would not help', async () => {
    for (const status of [400, 401, 403, 404, 409])
      expect(await run(get, [answer(status)])).toMatchObject({ asking: 1, result: { statusCode: status } });
  });

  it('says what stands in the way', async () => {
    const hintOf = async (code: string) => {
      const { result, asking } = await run(get, Array(4).fill(fails(code)));
      return `${asking}: ${(result as SipctlError).problems[0]?.hint}`;
    };
    expect(await hintOf('SELF_SIGNED_CERT_IN_CHAIN')).toMatch(/^1: .*NODE_EXTRA_CA_CERTS/);
    expect(await hintOf('ENOTFOUND')).toMatch(/^1: .*resolve names/);
    expect(await hintOf('ECONNREFUSED')).toMatch(/^4: .*reaches the internet/);
    const { result } = await run(get, Array(4).fill({ statusCode: 200, body: '<html>log in</html>' }));
    expect(result).toMatchObject({
      outcome: 'unreachable',
      problems: [{ hint: expect.stringContaining('proxy') }],
    });
  });

  it.each([
    ['no text', get, ''],
    ['an empty object', get, {}],
    ['null', get, null],
    ['a list', get, []],
    ['a page where something was removed', remove, '<html>log in</html>'],
    ['a page in the place of sound', { ...get, isSound: true }, {}, 'text/html; charset=utf-8'],
  ])('is not answered by %s', async (_, asked, body, type = 'application/json') => {
    const strange = { statusCode: 200, body, headers: { 'content-type': type } };
    const { result } = await run(asked as Asked, Array(4).fill(strange));
    expect(result).toMatchObject({ outcome: 'unreachable', problems: [{ code: 'twilio_no_answer' }] });
    const taken = { ...answer(204), body: '' };
    expect((await run(remove, [taken])).result).toEqual(taken);
    const sound = { statusCode: 200, body, headers: { 'content-type': 'audio/x-wav' } };
    expect((await run({ ...get, isSound: true }, [sound])).result).toEqual(sound);
  });

  it('ends where it is interrupted, also in a wait', async () => {
    const ending = new AbortController();
    ending.abort();
    const interrupted = { outcome: 'interrupted' };
    expect(await run(get, [], ending.signal)).toMatchObject({ asking: 0, result: interrupted });
    const later = new AbortController();
    const script = [answer(503)];
    const running = run(get, script, later.signal);
    later.abort();
    expect(await running).toMatchObject({ asking: 1, result: interrupted });
  });
});
