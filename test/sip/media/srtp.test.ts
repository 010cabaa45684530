import { describe, expect, it } from 'vitest';
import { deriveKeys, SrtpStream } from '../../../src/sip/media/srtp.ts';

const key = {
  key: Buffer.from('E1F97A0D3E018BE0D64FA32C06DE4139', 'hex'),
  salt: Buffer.from('0EC675AD498AFEEBB6960B3AABE6', 'hex'),
};

function packet(sequence: number, payload = 'audio'): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt16BE(sequence, 2);
  header.writeUInt32BE(0xcafe_babe, 8);
  return Buffer.concat([header, Buffer.from(payload)]);
}

describe('SRTP', () => {
  it('derives the keys of RFC 3711 §B.3', () => {
    const { cipher, auth, salt } = deriveKeys(key, 'rtp');
    expect(cipher.toString('hex')).toBe('c61e7a93744f39ee10734afe3ff7a087');
    expect(salt.toString('hex')).toBe('30cbbc08863d8c85d49db34a9ae1');
    expect(auth.toString('hex')).toBe('cebe321f6ff7716b6fd4ab49af256a156d38baa4');
  });

  it('brings back what it hid, over the end of the sequence numbers and out of order', () => {
    const [there, back] = [new SrtpStream(key), new SrtpStream(key)];
    const order = Array.from({ length: 40 }, (_, at) => (0xfff0 + at) & 0xffff);
    const hidden = order.map((sequence) => there.protect(packet(sequence)));
    expect(hidden[0]).toHaveLength(packet(0).length + 10);
    expect(hidden.every((bytes) => !bytes.includes('audio'))).toBe(true);
    [hidden[15], hidden[16]] = [hidden[16] as Buffer, hidden[15] as Buffer];
    expect(hidden.map((bytes) => back.unprotect(bytes)?.subarray(12).toString())).toEqual(
      order.map(() => 'audio'),
    );
  });

  it('refuses what was changed, cut short, or hidden with another key', () => {
    const hidden = new SrtpStream(key).protect(packet(1));
    const changed = Buffer.from(hidden);
    changed.writeUInt8(changed.readUInt8(13) ^ 1, 13);
    for (const bytes of [changed, hidden.subarray(0, -1), hidden.subarray(0, 5), Buffer.alloc(0)])
      expect(new SrtpStream(key).unprotect(bytes)).toBeNull();
    expect(new SrtpStream({ ...key, key: Buffer.alloc(16) }).unprotect(hidden)).toBeNull();
  });

  it('hides RTCP, each packet differently', () => {
    const [there, back] = [new SrtpStream(key), new SrtpStream(key)];
    const report = Buffer.from('80c90001cafebabe0102030405060708', 'hex');
    const hidden = [there.protectRtcp(report), there.protectRtcp(report)];
    expect(hidden[0]?.equals(hidden[1] as Buffer)).toBe(false);
    expect(hidden.map((bytes) => back.unprotectRtcp(bytes))).toEqual([report, report]);
    hidden[0]?.writeUInt8(0, 9);
    expect(back.unprotectRtcp(hidden[0] as Buffer)).toBeNull();
  });
});
