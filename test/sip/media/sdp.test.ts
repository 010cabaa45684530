import { describe, expect, it } from 'vitest';
import {
  audioOf,
  chosenCodec,
  type LocalMedia,
  makeAnswer,
  makeOffer,
  parseSdp,
} from '../../../src/sip/media/sdp.ts';

const key = { key: Buffer.alloc(16, 1), salt: Buffer.alloc(14, 2) };
const media: LocalMedia = {
  endpoint: { address: '192.0.2.7', port: 40_000 },
  codecs: ['PCMU', 'PCMA', 'G722', 'opus'],
  sessionId: 17,
  key: null,
};
const read = (...lines: string[]) => parseSdp(Buffer.from(['v=0', ...lines, ''].join('\r\n')));

describe('an offer', () => {
  it('names the codecs in order', () => {
    expect(makeOffer(media, 3).toString().split('\r\n')).toEqual([
      'v=0',
      'o=- 17 3 IN IP4 192.0.2.7',
      's=-',
      'c=IN IP4 192.0.2.7',
      't=0 0',
      'm=audio 40000 RTP/AVP 0 8 9 107 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:9 G722/8000',
      'a=rtpmap:107 opus/48000/2',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ]);
  });

  it('has an IPv6 address and a key where wanted, which are read back', () => {
    const [audio] = parseSdp(makeOffer({ ...media, endpoint: { address: '::1', port: 4 }, key }, 1)) ?? [];
    expect(audio).toMatchObject({
      address: '::1',
      port: 4,
      rtcpPort: 5,
      profile: 'RTP/SAVP',
      direction: 'sendrecv',
    });
    expect(audio?.crypto).toEqual([{ tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', key }]);
  });
});

describe('a description', () => {
  it('is read from its audio, and where that is silent, from the session', () => {
    const parts = read(
      'o=x 1 1 IN IP4 h',
      's= ',
      'c=IN IP4 198.51.100.1/127',
      'a=inactive',
      't=0 0',
      'm=video 0 RTP/AVP 31',
      'm=audio 5004/2 RTP/AVP 18 96 0 101 77',
      'a=rtpmap:96 opus/48000/2',
      'a=rtpmap:101 telephone-event/8000',
      'a=rtcp:6000 IN IP4 198.51.100.2',
      'a=unknown',
      'm=audio 7000 RTP/AVP 8',
      'c=IN IP6 2001:db8::1',
      'a=sendonly',
      'a=rtcp-mux',
    );
    expect(parts?.map(({ type, port }) => [type, port])).toEqual([
      ['video', 0],
      ['audio', 5004],
      ['audio', 7000],
    ]);
    expect(parts?.[1]).toMatchObject({ address: '198.51.100.1', direction: 'inactive', rtcpPort: 6000 });
    expect(parts?.[1]?.codecs.map(({ name, payloadType }) => `${payloadType} ${name}`)).toEqual([
      '18 G729',
      '96 opus',
      '0 PCMU',
      '101 telephone-event',
    ]);
    expect(parts?.[2]).toMatchObject({ address: '2001:db8::1', direction: 'sendonly', rtcpPort: 7000 });
    const audio = audioOf(parts ?? []);
    expect(audio?.port).toBe(5004);
    expect(audio && chosenCodec(audio, ['PCMU', 'opus'])).toMatchObject({ name: 'opus', payloadType: 96 });
    expect(audio && chosenCodec(audio, ['PCMA'])).toBeNull();
  });

  it.each([
    '',
    'm=audio 1 RTP/AVP 0',
    'v=1\r\nm=audio 1 RTP/AVP 0',
    'v=0\r\nm=audio x RTP/AVP 0',
    'v=0\r\nm=audio 70000 RTP/AVP 0',
  ])('is none: %j', (text) => {
    expect(parseSdp(Buffer.from(text))).toBeNull();
  });

  it('shows keys that are not ours as what they are', () => {
    const [audio] =
      read(
        'm=audio 1 RTP/SAVP 0',
        'a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:AAAA',
        'a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AAAA',
        `a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, 5).toString('base64')}|2^20|1:4`,
      ) ?? [];
    expect(audio?.crypto.map(({ tag, key }) => [tag, key?.key[0] ?? null])).toEqual([
      [1, null],
      [2, null],
      [3, 5],
    ]);
  });
});

describe('an answer', () => {
  const answer = (changes: Partial<LocalMedia>, ...lines: string[]) =>
    makeAnswer({ ...media, ...changes }, 2, read(...lines) ?? [])?.toString() ?? null;

  it("keeps the peer's numbers, mirrors the direction, and refuses the rest", () => {
    const text = answer(
      {},
      'm=video 6 RTP/AVP 31 32',
      'm=audio 5 RTP/AVP 18 96 8 110',
      'a=rtpmap:96 OPUS/48000/2',
      'a=rtpmap:110 telephone-event/8000',
      'a=sendonly',
    );
    expect(text?.split('\r\n').slice(4)).toEqual([
      't=0 0',
      'm=video 0 RTP/AVP 31 32',
      'm=audio 40000 RTP/AVP 96 8 110',
      'a=rtpmap:96 OPUS/48000/2',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:110 telephone-event/8000',
      'a=fmtp:110 0-16',
      'a=ptime:20',
      'a=recvonly',
      '',
    ]);
  });

  it('is none where nothing fits', () => {
    expect(answer({}, 'm=audio 5 RTP/AVP 18')).toBeNull();
    expect(answer({}, 'm=audio 0 RTP/AVP 0')).toBeNull();
    expect(answer({}, 'm=audio 5 RTP/SAVP 0')).toBeNull();
    expect(answer({ key }, 'm=audio 5 RTP/AVP 0')).toBeNull();
    expect(answer({ key }, 'm=audio 5 RTP/SAVP 0')).toBeNull();
  });

  it('answers the key that it can use', () => {
    const inline = Buffer.alloc(30, 5).toString('base64');
    const text = answer(
      { key },
      'm=audio 5 RTP/SAVP 0',
      'a=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA',
      `a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:${inline}`,
    );
    expect(text).toContain('a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:AQEB');
  });
});
