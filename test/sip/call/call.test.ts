import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { placeCall } from '../../../src/sip/call/call.ts';
import { MediaEnd } from '../../../src/sip/call/call-media.ts';
import type { CallSettings } from '../../../src/sip/call/call-settings.ts';
import { headerOf, headersOf, type SipRequest } from '../../../src/sip/message/message.ts';
import type { Connection } from '../../../src/sip/transport/connection.ts';
import { ScriptedUas } from './scripted-uas.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const quiet = new AbortController().signal;
const interrupted = new Error('interrupted');
const patience = { timeout: 10_000 };

/** The audio of the phone that is called. */
async function mediaOf(changes: Partial<CallSettings> = {}, address = '127.0.0.1'): Promise<MediaEnd> {
  const media = await MediaEnd.open(
    { codecs: ['PCMU', 'PCMA'], audio: 'tone', srtp: false, ...changes },
    address,
  );
  ends.push(() => media.close());
  return media;
}

async function uasOf(script: (uas: ScriptedUas, request: SipRequest, count: number) => void) {
  const uas = await ScriptedUas.start((one, request, count) => {
    if (request.method === 'BYE') one.reply(request, 200);
    script(one, request, count);
  });
  ends.push(() => uas.close());
  const connection = await uas.connect();
  ends.push(() => connection.close());
  return { uas, connection };
}

const settings: CallSettings = {
  uri: 'sip:+15550100@carrier.example.com',
  from: 'sip:alice@example.com',
  user: 'alice',
  credentials: { username: 'alice', password: 'zanzibar', realm: null },
  routes: [],
  headers: [],
  codecs: ['PCMU', 'PCMA'],
  audio: 'tone',
  srtp: false,
  ringMs: 20_000,
  talkMs: 300,
  graceMs: 5_000,
  userAgent: 'sipctl',
};

const call = (connection: Connection, changes: Partial<CallSettings> = {}, signal = quiet) =>
  placeCall({ ...settings, ...changes }, connection, signal);

/** Answers an INVITE at once, with audio. */
function answering(media: MediaEnd) {
  return (uas: ScriptedUas, request: SipRequest) => {
    if (request.method !== 'INVITE') return;
    const body = media.answer(request.body);
    uas.reply(request, body ? 200 : 488, body ? { body } : {});
  };
}

describe('a call that is answered', () => {
  it('has audio both ways, and is ended by a BYE on the way that the answer told', async () => {
    const media = await mediaOf();
    const hops = ['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>'];
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method !== 'INVITE') return;
      one.reply(request, 100);
      one.reply(request, 180);
      const headers = hops.map((value) => ({ name: 'Record-Route', value }));
      one.reply(request, 200, { headers, body: media.answer(request.body) as Buffer });
    });
    const result = await call(connection, {
      routes: ['<sip:edge.example.com;lr>'],
      headers: [{ name: 'P-Asserted-Identity', value: '<sip:+1555@example.com>' }],
    });
    expect(result).toMatchObject({
      final: { status: 200 },
      refusal: null,
      failure: null,
      cancelled: false,
      endedBy: 'us',
      byeStatus: 200,
      sent: 1,
    });
    expect(result.provisional.map(({ status }) => status)).toEqual([100, 180]);
    expect(result.answerMs).toBeGreaterThanOrEqual(result.ringMs as number);
    expect(result.media).toMatchObject({
      codec: 'PCMU',
      lost: 0,
      refused: 0,
      early: 0,
      fromDescribed: true,
      problem: null,
    });
    expect(result.media.received).toBeGreaterThan(5);
    expect(media.result.received).toBeGreaterThan(5);
    expect(result.media.sources).toEqual([result.media.described]);

    const [invite] = uas.of('INVITE') as [SipRequest];
    expect(invite.uri).toBe('sip:+15550100@carrier.example.com');
    expect(headersOf(invite, 'Route')).toEqual(['<sip:edge.example.com;lr>']);
    expect(headerOf(invite, 'P-Asserted-Identity')).toBe('<sip:+1555@example.com>');
    for (const method of ['ACK', 'BYE']) {
      const [request] = uas.of(method) as [SipRequest];
      expect(request.uri).toBe(`sip:uas@127.0.0.1:${uas.port}`);
      expect(headersOf(request, 'Route')).toEqual([...hops].reverse());
      expect(headerOf(request, 'To')).toBe('<sip:+15550100@carrier.example.com>;tag=uas');
      expect(headerOf(request, 'From')).toBe(headerOf(invite, 'From'));
    }
    expect(headerOf(uas.of('ACK')[0] as SipRequest, 'CSeq')).toBe('1 ACK');
    expect(headerOf(uas.of('BYE')[0] as SipRequest, 'CSeq')).toBe('2 BYE');
  });

  it('may give its request URI to a first hop that routes strictly', async () => {
    const media = await mediaOf();
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method !== 'INVITE') return;
      const headers = [{ name: 'Record-Route', value: '<sip:last.example.com>, <sip:strict.example.com>' }];
      one.reply(request, 200, { headers, body: media.answer(request.body) as Buffer });
    });
    await call(connection, { talkMs: 0 });
    const [bye] = uas.of('BYE') as [SipRequest];
    expect(bye.uri).toBe('sip:strict.example.com');
    expect(headersOf(bye, 'Route')).toEqual(['<sip:last.example.com>', `<sip:uas@127.0.0.1:${uas.port}>`]);
  });

  it('may have audio before the answer, and no description in the answer itself', async () => {
    const media = await mediaOf();
    const { connection } = await uasOf(async (one, request) => {
      if (request.method !== 'INVITE') return;
      one.reply(request, 183, { body: media.answer(request.body) as Buffer });
      await expect.poll(() => media.result.received, patience).toBeGreaterThan(3);
      one.reply(request, 200);
    });
    const { media: heard, ringMs } = await call(connection);
    expect(heard.early).toBeGreaterThan(2);
    expect(heard.received).toBeGreaterThan(heard.early);
    expect(heard.problem).toBeNull();
    expect(ringMs).not.toBeNull();
  });

  it('acknowledges each repetition of the answer', async () => {
    const media = await mediaOf();
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method !== 'INVITE') return;
      const body = media.answer(request.body) as Buffer;
      for (let at = 0; at < 3; at += 1) one.reply(request, 200, { body });
    });
    await call(connection);
    expect(uas.of('ACK')).toHaveLength(3);
    expect(new Set(uas.of('ACK').map((ack) => headersOf(ack, 'Via')[0])).size).toBe(1);
  });

  it('ends the second of two phones that answered', async () => {
    const media = await mediaOf();
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method !== 'INVITE') return;
      const body = media.answer(request.body) as Buffer;
      one.reply(request, 200, { body });
      one.reply(request, 200, { body, tag: 'other' });
    });
    await call(connection);
    const tags = (method: string) =>
      uas.of(method).map((one) => /tag=(.*)/.exec(headerOf(one, 'To') ?? '')?.[1]);
    expect(tags('ACK').sort()).toEqual(['other', 'uas']);
    expect(tags('BYE')).toEqual(['other', 'uas']);
  });

  it('is over when the peer hangs up', async () => {
    const media = await mediaOf();
    const { uas, connection } = await uasOf((one, request) => {
      answering(media)(one, request);
      if (request.method === 'ACK') one.ask(one.of('INVITE')[0] as SipRequest, 'BYE');
    });
    const result = await call(connection, { talkMs: 60_000 });
    expect(result).toMatchObject({ endedBy: 'peer', byeStatus: null });
    await expect.poll(() => uas.answersTo('BYE').map(({ status }) => status)).toEqual([200]);
    expect(uas.of('BYE')).toEqual([]);
  });

  it('sends its BYE again with credentials where it is asked for them', async () => {
    const media = await mediaOf();
    const uas = await ScriptedUas.start((one, request, count) => {
      answering(media)(one, request);
      const headers = [{ name: 'Proxy-Authenticate', value: 'Digest realm="r", nonce="n"' }];
      if (request.method === 'BYE') one.reply(request, count === 1 ? 407 : 200, { headers });
    });
    ends.push(() => uas.close());
    const connection = await uas.connect();
    ends.push(() => connection.close());
    expect(await call(connection, { talkMs: 0 })).toMatchObject({ byeStatus: 200 });
    expect(headerOf(uas.of('BYE')[1] as SipRequest, 'Proxy-Authorization')).toMatch(
      /^Digest username="alice"/,
    );
  });

  it('goes the way that it is given for the rest, and back where nobody answers there', async () => {
    const media = await mediaOf();
    const { uas, connection } = await uasOf(answering(media));
    const deaf = await ScriptedUas.start(() => {});
    ends.push(() => deaf.close());
    const asked: string[] = [];
    const reach = (uri: string) => {
      asked.push(uri);
      return deaf.connect();
    };
    expect(await call(connection, { talkMs: 0, graceMs: 300, reach })).toMatchObject({ byeStatus: 200 });
    expect(asked).toEqual([`sip:uas@127.0.0.1:${uas.port}`]);
    expect(deaf.requests.map(({ method }) => method).slice(0, 2)).toEqual(['ACK', 'BYE']);
    expect(uas.of('ACK')).toEqual([]);
  });
});

describe('the audio', () => {
  it('is missed where none comes', async () => {
    const { connection } = await uasOf((one, request) => {
      const body = Buffer.from('v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n');
      if (request.method === 'INVITE') one.reply(request, 200, { body });
    });
    const { media } = await call(connection);
    expect(media).toMatchObject({
      received: 0,
      lost: 0,
      jitterMs: null,
      fromDescribed: null,
      described: '127.0.0.1:9',
    });
    expect(media.sent).toBeGreaterThan(5);
  });

  it('is seen to come from elsewhere', async () => {
    const media = await mediaOf();
    const { connection } = await uasOf((one, request) => {
      if (request.method !== 'INVITE') return;
      const body =
        media
          .answer(request.body)
          ?.toString()
          .replace(/m=audio \d+/, 'm=audio 9') ?? '';
      one.reply(request, 200, { body: Buffer.from(body) });
    });
    expect((await call(connection)).media).toMatchObject({ fromDescribed: false, described: '127.0.0.1:9' });
    expect(media.result.received).toBe(0);
  });

  it.each([
    ['codec_mismatch', 'v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 18\r\n', {}],
    ['audio_refused', 'v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n', {}],
    ['description_missing', '', {}],
    ['srtp_refused', 'v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n', { srtp: true }],
  ])('%s: the call is ended at once', async (problem, body, changes) => {
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method === 'INVITE') one.reply(request, 200, { body: Buffer.from(body) });
    });
    const result = await call(connection, { talkMs: 60_000, ...changes });
    expect(result).toMatchObject({ endedBy: 'us', byeStatus: 200, media: { problem, sent: 0 } });
    expect(uas.of('ACK')).toHaveLength(1);
  });

  it('is encrypted both ways where that is asked for', async () => {
    const media = await mediaOf({ srtp: true });
    const { uas, connection } = await uasOf(answering(media));
    const result = await call(connection, { srtp: true });
    expect(result.media).toMatchObject({ srtp: true, refused: 0, lost: 0 });
    expect(result.media.received).toBeGreaterThan(5);
    expect(media.result.refused).toBe(0);
    expect(media.result.received).toBeGreaterThan(5);
    expect((uas.of('INVITE')[0] as SipRequest).body.toString()).toMatch(
      /RTP\/SAVP 0 8 101\r\n[\s\S]*a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:/,
    );
  });
});

describe('requests of the peer during a call', () => {
  async function during(act: (uas: ScriptedUas, invite: SipRequest) => Promise<void>) {
    const media = await mediaOf();
    let acted: Promise<void> | null = null;
    const { uas, connection } = await uasOf((one, request, count) => {
      if (one.of('INVITE').length === 1) answering(media)(one, request);
      if (request.method === 'ACK' && count === 1) {
        const invite = one.of('INVITE')[0] as SipRequest;
        acted = act(one, invite).finally(() => one.ask(invite, 'BYE', Buffer.alloc(0), 900));
      }
    });
    const result = await call(connection, { talkMs: 60_000, t1: 50 });
    await acted;
    return { uas, result };
  }

  const statuses = (uas: ScriptedUas, method: string) => uas.answersTo(method).map(({ status }) => status);

  it('are answered', async () => {
    await during(async (uas, invite) => {
      const wanted = { OPTIONS: 200, INFO: 200, NOTIFY: 200, UPDATE: 200, CANCEL: 481, MESSAGE: 405 };
      for (const [method, status] of Object.entries(wanted)) {
        uas.ask(invite, method);
        await expect.poll(() => statuses(uas, method), patience).toEqual([status]);
      }
      expect(headerOf(uas.answersTo('OPTIONS')[0] ?? { headers: [] }, 'Allow')).toContain('BYE');
    });
  });

  it('of another dialog are not', async () => {
    await during(async (uas, invite) => {
      const headers = invite.headers.map((one) =>
        one.name === 'From' ? { ...one, value: '<sip:x@y>;tag=wrong' } : one,
      );
      uas.ask({ ...invite, headers }, 'BYE');
      await expect.poll(() => statuses(uas, 'BYE'), patience).toEqual([481]);
    });
  });

  it('may put the call on hold, which is answered again until it is acknowledged', async () => {
    const { result } = await during(async (uas, invite) => {
      const hold = Buffer.from('v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 8\r\na=sendonly\r\n');
      const sequence = uas.ask(invite, 'INVITE', hold);
      await expect.poll(() => statuses(uas, 'INVITE').length, patience).toBeGreaterThan(2);
      uas.ask(invite, 'ACK', Buffer.alloc(0), sequence);
      const [answer] = uas.answersTo('INVITE');
      expect(answer).toMatchObject({ status: 200 });
      expect(answer?.body.toString()).toMatch(/m=audio \d+ RTP\/AVP 8\r\n[\s\S]*a=recvonly/);
    });
    expect(result.media).toMatchObject({ codec: 'PCMA', described: '127.0.0.1:9', problem: null });
  });

  it('may offer what we cannot do, and change nothing by it', async () => {
    const { result } = await during(async (uas, invite) => {
      uas.ask(invite, 'INVITE', Buffer.from('v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 18\r\n'));
      await expect.poll(() => statuses(uas, 'INVITE'), patience).toEqual([488]);
    });
    expect(result.media).toMatchObject({ codec: 'PCMU', problem: null });
  });

  it('may ask us to offer', async () => {
    const { result } = await during(async (uas, invite) => {
      const sequence = uas.ask(invite, 'INVITE');
      await expect.poll(() => statuses(uas, 'INVITE')[0], patience).toBe(200);
      expect(uas.answersTo('INVITE')[0]?.body.toString()).toContain('RTP/AVP 0 8 101');
      uas.ask(invite, 'ACK', Buffer.from('v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 7 RTP/AVP 8\r\n'), sequence);
      uas.ask(invite, 'OPTIONS', Buffer.alloc(0), 500);
      await expect.poll(() => statuses(uas, 'OPTIONS'), patience).toEqual([200]);
    });
    expect(result.media).toMatchObject({ codec: 'PCMA', described: '127.0.0.1:7' });
  });
});

describe('a call that is challenged', () => {
  const challenge = (more = '', status = 407) => ({
    status,
    headers: [
      {
        name: status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate',
        value: `Digest realm="example.com", nonce="n", qop="auth"${more}`,
      },
    ],
  });

  async function challenged(...challenges: ReturnType<typeof challenge>[]) {
    const media = await mediaOf();
    const { uas, connection } = await uasOf((one, request, count) => {
      if (request.method !== 'INVITE') return;
      const next = challenges[count - 1];
      if (next) one.reply(request, next.status, next);
      else answering(media)(one, request);
    });
    return { uas, connection };
  }

  it('answers once, in a new transaction of the same call', async () => {
    const { uas, connection } = await challenged(challenge());
    expect(await call(connection, { talkMs: 0 })).toMatchObject({
      final: { status: 200 },
      refusal: null,
      sent: 2,
    });
    const [first, second] = uas.of('INVITE') as [SipRequest, SipRequest];
    expect(headerOf(second, 'Call-ID')).toBe(headerOf(first, 'Call-ID'));
    expect(headerOf(second, 'From')).toBe(headerOf(first, 'From'));
    expect(headerOf(second, 'CSeq')).toBe('2 INVITE');
    const proof = headerOf(second, 'Proxy-Authorization') ?? '';
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const cnonce = /cnonce="(.*?)"/.exec(proof)?.[1];
    const [ha1, ha2] = [md5('alice:example.com:zanzibar'), md5('INVITE:sip:+15550100@carrier.example.com')];
    expect(proof).toContain(`response="${md5(`${ha1}:n:00000001:${cnonce}:auth:${ha2}`)}"`);
    const acks = uas.of('ACK');
    expect(acks.map((ack) => headerOf(ack, 'CSeq'))).toEqual(['1 ACK', '2 ACK']);
    expect(headerOf(acks[1] as SipRequest, 'Proxy-Authorization')).toBe(proof);
  });

  it('does not try a password twice', async () => {
    const { uas, connection } = await challenged(challenge('', 401), challenge('', 401));
    expect(await call(connection)).toMatchObject({
      final: { status: 401 },
      refusal: 'credentials_rejected',
      endedBy: null,
      answerMs: null,
    });
    expect(uas.of('INVITE')).toHaveLength(2);
  });

  it('tries once more where only the nonce was too old, and not for ever', async () => {
    const stale = challenge(', stale=true');
    const good = await challenged(challenge(), stale);
    expect(await call(good.connection, { talkMs: 0 })).toMatchObject({
      final: { status: 200 },
      refusal: null,
    });
    const bad = await challenged(challenge(), stale, stale, stale);
    expect(await call(bad.connection)).toMatchObject({
      final: { status: 407 },
      refusal: 'challenge_loop',
    });
    expect(bad.uas.of('INVITE')).toHaveLength(3);
  });

  it.each([
    ['unsupported_challenge', ', algorithm=SHA3-512', {}],
    ['credentials_missing', '', { credentials: null }],
  ])('says why it does not answer: %s', async (refusal, more, changes) => {
    const { uas, connection } = await challenged(challenge(more));
    expect(await call(connection, changes)).toMatchObject({ refusal, final: { status: 407 } });
    expect(uas.of('INVITE')).toHaveLength(1);
  });
});

describe('a call that is not answered', () => {
  it.each([302, 404, 486, 503, 603])('ends with %i', async (status) => {
    const { uas, connection } = await uasOf((one, request) => {
      const headers = [{ name: 'Retry-After', value: '7' }];
      if (request.method === 'INVITE') one.reply(request, status, { headers });
    });
    const result = await call(connection);
    expect(result).toMatchObject({ final: { status }, endedBy: null, cancelled: false, talkMs: null });
    expect(headerOf(result.final ?? { headers: [] }, 'Retry-After')).toBe('7');
    await expect.poll(() => uas.of('ACK')).toHaveLength(1);
  });

  it('is taken back when its time is up', async () => {
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method === 'INVITE') one.reply(request, 180);
      if (request.method !== 'CANCEL') return;
      one.reply(request, 200);
      one.reply(one.of('INVITE')[0] as SipRequest, 487);
    });
    const result = await call(connection, { ringMs: 300, routes: ['<sip:edge.example.com;lr>'] });
    expect(result).toMatchObject({ final: { status: 487 }, cancelled: true, endedBy: null });
    const [invite, cancel] = [uas.of('INVITE')[0], uas.of('CANCEL')[0]] as [SipRequest, SipRequest];
    for (const name of ['Via', 'From', 'To', 'Call-ID', 'Route'])
      expect(headersOf(cancel, name)).toEqual(headersOf(invite, name));
    expect([cancel.uri, headerOf(cancel, 'CSeq')]).toEqual([invite.uri, '1 CANCEL']);
    await expect.poll(() => uas.of('ACK')).toHaveLength(1);
    expect(uas.of('BYE')).toEqual([]);
  });

  it('is ended where the answer crosses the CANCEL', async () => {
    const media = await mediaOf();
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method === 'INVITE') one.reply(request, 180);
      if (request.method !== 'CANCEL') return;
      answering(media)(one, one.of('INVITE')[0] as SipRequest);
      one.reply(request, 200);
    });
    const result = await call(connection, { ringMs: 200, talkMs: 60_000 });
    expect(result).toMatchObject({ final: { status: 200 }, cancelled: true, endedBy: 'us', byeStatus: 200 });
    expect(uas.requests.map(({ method }) => method)).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE']);
  });

  it('waits with the CANCEL until the peer has said something', async () => {
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method === 'INVITE') setTimeout(() => one.reply(request, 100), 400);
      if (request.method !== 'CANCEL') return;
      one.reply(request, 200);
      one.reply(one.of('INVITE')[0] as SipRequest, 487);
    });
    const result = await call(connection, { ringMs: 100 });
    expect(result).toMatchObject({ final: { status: 487 }, cancelled: true });
    expect(uas.of('CANCEL')).toHaveLength(1);
  });

  it('is given up where even the CANCEL changes nothing, and ended where the answer comes then', async () => {
    const media = await mediaOf();
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method === 'INVITE') one.reply(request, 180);
      if (request.method !== 'CANCEL') return;
      setTimeout(() => answering(media)(one, one.of('INVITE')[0] as SipRequest), 250);
    });
    const result = await call(connection, { ringMs: 100, graceMs: 300 });
    expect(result.cancelled).toBe(true);
    expect(uas.of('BYE')).toHaveLength(1);
  });

  it('ends in silence', async () => {
    const { uas, connection } = await uasOf(() => {});
    const result = await call(connection, { t1: 5, ringMs: 20_000 });
    expect(result).toMatchObject({ final: null, failure: null, cancelled: false, endedBy: null });
    // Timers A and B leave room for seven; a busy machine may miss some.
    expect(result.sent).toBeGreaterThan(3);
    expect(result.sent).toBeLessThanOrEqual(7);
    expect(uas.of('CANCEL')).toEqual([]);
  });

  it('fails at a closed port', async () => {
    const { uas, connection } = await uasOf(() => {});
    ends.splice(ends.length - 2, 1);
    uas.close();
    const result = await call(connection);
    expect(result).toMatchObject({ final: null, failure: { reason: 'connection_refused' } });
  });
});

describe('an interrupted call', () => {
  it('is taken back while it rings', async () => {
    const interrupt = new AbortController();
    const { uas, connection } = await uasOf((one, request) => {
      if (request.method === 'INVITE') {
        one.reply(request, 180);
        setTimeout(() => interrupt.abort(interrupted), 50);
      }
      if (request.method !== 'CANCEL') return;
      one.reply(request, 200);
      one.reply(one.of('INVITE')[0] as SipRequest, 487);
    });
    await expect(call(connection, {}, interrupt.signal)).rejects.toBe(interrupted);
    expect(uas.of('CANCEL')).toHaveLength(1);
  });

  it('is hung up while both talk', async () => {
    const media = await mediaOf();
    const interrupt = new AbortController();
    const { uas, connection } = await uasOf((one, request) => {
      answering(media)(one, request);
      if (request.method === 'ACK') setTimeout(() => interrupt.abort(interrupted), 50);
    });
    await expect(call(connection, { talkMs: 60_000 }, interrupt.signal)).rejects.toBe(interrupted);
    expect(uas.of('BYE')).toHaveLength(1);
  });

  it('is not begun where it was interrupted before', async () => {
    const { uas, connection } = await uasOf(() => {});
    await expect(call(connection, {}, AbortSignal.abort())).rejects.toThrow();
    expect(uas.requests).toEqual([]);
  });

  it('cannot have audio on an address of another machine', async () => {
    const { connection } = await uasOf(() => {});
    await expect(call(connection, { mediaAddress: '192.0.2.1' })).rejects.toMatchObject({
      name: 'TransportFailure',
    });
  });
});
