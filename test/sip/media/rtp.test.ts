import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { knownCodecs, telephoneEvent } from '../../../src/sip/media/codec.ts';
import { isRtcp, makeReport, reportAbout } from '../../../src/sip/media/rtcp.ts';
import { type MediaPlan, RtpSession } from '../../../src/sip/media/rtp.ts';
import { RtpReceiver } from '../../../src/sip/media/rtp-receiver.ts';

function packet(sequence: number, { ssrc = 7, timestamp = sequence * 160, payloadType = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(172);
  bytes.writeUInt8(0x80, 0);
  bytes.writeUInt8(payloadType, 1);
  bytes.writeUInt16BE(sequence & 0xffff, 2);
  bytes.writeUInt32BE(timestamp % 2 ** 32, 4);
  bytes.writeUInt32BE(ssrc, 8);
  return bytes;
}

const audioRate = (payloadType: number): number | null => (payloadType === 101 ? null : 8_000);

function receptionOf(sequences: readonly number[]) {
  const receiver = new RtpReceiver();
  for (const [at, sequence] of sequences.entries()) receiver.receive(packet(sequence), at * 20, audioRate);
  return receiver.reception;
}

describe('the packets that arrive', () => {
  it('are counted with what is lost, late and double', () => {
    expect(receptionOf([10, 11, 13, 12, 15, 15, 16])).toMatchObject({
      received: 7,
      lost: 1,
      outOfOrder: 1,
      duplicates: 1,
    });
    expect(receptionOf([])).toMatchObject({ received: 0, lost: 0, jitterMs: null });
    expect(receptionOf([65_534, 65_535, 0, 1])).toMatchObject({ received: 4, lost: 0, outOfOrder: 0 });
    expect(receptionOf([0, 65_535, 1])).toMatchObject({ received: 3, lost: 0, outOfOrder: 1 });
    const long = Array.from({ length: 140_000 }, (_, at) => at).filter((at) => at % 100 !== 50);
    expect(receptionOf(long)).toMatchObject({ received: 138_600, lost: 1_400, duplicates: 0 });
  });

  it('may begin anew, but not because of one stray packet', () => {
    expect(receptionOf([1, 2, 30_000, 3, 4])).toMatchObject({ received: 4, lost: 0 });
    expect(receptionOf([1, 2, 30_000, 30_001, 30_002])).toMatchObject({ received: 4, lost: 0 });
  });

  it('may be of several sources', () => {
    const receiver = new RtpReceiver();
    for (const at of [1, 2, 4]) receiver.receive(packet(at, { ssrc: 1 }), at * 20, audioRate);
    for (const at of [900, 901])
      receiver.receive(packet(at, { ssrc: 2, payloadType: 8 }), at * 20, audioRate);
    expect(receiver.reception).toMatchObject({ received: 5, lost: 1, payloadTypes: [0, 8] });
  });

  it('have the jitter of RFC 3550 §6.4.1', () => {
    const receiver = new RtpReceiver();
    const arrivals = [0, 20, 45, 60, 80];
    for (const [at, ms] of arrivals.entries())
      receiver.receive(packet(at, { timestamp: 2 ** 32 - 320 + at * 160 }), ms, audioRate);
    let jitter = 0;
    for (const change of [0, 5, 5, 0]) jitter += (change - jitter) / 16;
    expect(receiver.reception.jitterMs).toBeCloseTo(jitter, 9);
  });

  it('have no jitter in a telephone event, whose time stands still', () => {
    const receiver = new RtpReceiver();
    for (const at of [0, 1, 2, 3, 4])
      receiver.receive(packet(at, { timestamp: 5, payloadType: 101 }), at * 20, audioRate);
    expect(receiver.reception).toMatchObject({ received: 5, jitterMs: null });
  });

  it.each([
    ['short', Buffer.alloc(11)],
    ['of version 1', Buffer.alloc(20, 0x40)],
    ['cut in its sources', Buffer.alloc(13, 0x8f)],
    ['cut in its extension', Buffer.alloc(15, 0x90)],
  ])('are none where they are %s', (_, bytes) => {
    const receiver = new RtpReceiver();
    expect(receiver.receive(bytes, 0, audioRate)).toBe(false);
    expect(receiver.reception.received).toBe(0);
  });
});

describe('a report', () => {
  const sender = { ssrc: 0xdead_beef, timestamp: 1, packets: 2, octets: 3, cname: 'abc' };

  it('is a whole number of words, part by part', () => {
    for (const cname of ['', 'a', 'ab', 'abc', 'abcd', 'abcde']) {
      const bytes = makeReport({ ...sender, cname }, 1_700_000_000_500, true);
      const types: number[] = [];
      let at = 0;
      for (; at < bytes.length; at += 4 * (bytes.readUInt16BE(at + 2) + 1))
        types.push(bytes.readUInt8(at + 1));
      expect([at, types]).toEqual([bytes.length, [200, 202, 203]]);
      expect(isRtcp(bytes)).toBe(true);
      expect(bytes.readUInt32BE(8)).toBe(1_700_000_000 + 2_208_988_800);
      expect(bytes.readUInt32BE(12)).toBe(2 ** 31);
    }
  });

  it('about us is found behind other parts and among other blocks', () => {
    const block = (ssrc: number) => {
      const bytes = Buffer.alloc(24);
      bytes.writeUInt32BE(ssrc, 0);
      bytes.writeUInt8(64, 4);
      bytes.writeIntBE(-2, 5, 3);
      bytes.writeUInt32BE(80, 12);
      return bytes;
    };
    const head = Buffer.from('82c9000d00000001', 'hex');
    const report = Buffer.concat([makeReport(sender, 0, false), head, block(5), block(6)]);
    expect(reportAbout(report, 6, 8_000)).toEqual({ fractionLost: 0.25, lost: -2, jitterMs: 10 });
    expect(reportAbout(report, 7, 8_000)).toBeNull();
    expect(reportAbout(report.subarray(0, -1), 6, 8_000)).toBeNull();
  });
});

describe('a session', () => {
  const open: RtpSession[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((session) => session.close()));
  });

  async function session(address = '127.0.0.1'): Promise<RtpSession> {
    const made = await RtpSession.open(address);
    open.push(made);
    return made;
  }

  const planTo = (peer: RtpSession, changes: Partial<MediaPlan> = {}): MediaPlan => ({
    remote: peer.local,
    rtcpPort: peer.local.port + 1,
    codec: knownCodecs.PCMU,
    signal: 'tone',
    expected: [knownCodecs.PCMU, telephoneEvent],
    keys: null,
    ...changes,
  });

  const heard = (one: RtpSession, count: number) =>
    expect.poll(() => one.statistics.received, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);

  it.each(['127.0.0.1', '::1'])('sends and counts both ways on %s', async (address) => {
    const [one, two] = [await session(address), await session(address)];
    expect(one.local.port % 2).toBe(0);
    one.play(planTo(two));
    two.play(planTo(one));
    await heard(one, 10);
    await heard(two, 10);
    expect(one.statistics).toMatchObject({ lost: 0, outOfOrder: 0, refused: 0, payloadTypes: [0] });
    const { local } = two;
    expect(one.statistics.sources).toEqual([
      address === '::1' ? `[::1]:${local.port}` : `127.0.0.1:${local.port}`,
    ]);
    expect(one.statistics.jitterMs).not.toBeNull();
  });

  it('encrypts both ways, and counts nothing of a wrong key', async () => {
    const keys = [1, 2, 3].map((byte) => ({ key: Buffer.alloc(16, byte), salt: Buffer.alloc(14, byte) }));
    const [a, b, wrong] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
    const [one, two] = [await session(), await session()];
    one.play(planTo(two, { keys: { local: a, remote: b } }));
    two.play(planTo(one, { keys: { local: b, remote: wrong } }));
    await heard(one, 10);
    await expect.poll(() => two.statistics.refused, { timeout: 10_000 }).toBeGreaterThan(5);
    expect(two.statistics.received).toBe(0);
    expect(one.statistics.refused).toBe(0);
  });

  it('listens without sending, and says what the peer reports', async () => {
    const one = await session();
    const peer = createSocket('udp4').bind(0, '127.0.0.1');
    await once(peer, 'listening');
    const { port } = peer.address();
    one.play(planTo(one, { remote: { address: '127.0.0.1', port }, rtcpPort: port }));
    const [rtp] = (await once(peer, 'message')) as [Buffer];
    one.pause();
    const block = Buffer.alloc(24);
    rtp.copy(block, 0, 8, 12);
    block.writeUInt8(128, 4);
    block.writeIntBE(3, 5, 3);
    const report = Buffer.concat([Buffer.from('81c9000700000001', 'hex'), block]);
    for (const to of [one.local.port, one.local.port + 1]) peer.send(report, to, '127.0.0.1');
    await expect.poll(() => one.statistics.reported).toEqual({ fractionLost: 0.5, lost: 3, jitterMs: 0 });
    peer.send(Buffer.from('noise'), one.local.port, '127.0.0.1');
    await expect.poll(() => one.statistics.refused).toBe(1);
    const { sent } = one.statistics;
    await one.close();
    open.length = 0;
    expect(one.statistics.sent).toBe(sent);
    peer.close();
  });

  it('sends nothing to an address that is none', async () => {
    const one = await session();
    one.play(planTo(one, { remote: { address: 'media.example.com', port: 4 } }));
    one.play(planTo(one, { remote: null }));
    expect(one.statistics.sent).toBe(0);
  });

  it('cannot be opened on an address of another machine', async () => {
    await expect(RtpSession.open('192.0.2.1')).rejects.toThrow(/EADDRNOTAVAIL/);
  });
});
