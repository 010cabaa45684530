/** What a peer says about the packets that it got from us (RFC 3550 §6.4.1). */
export interface ReceiverReport {
  /** Of all that we sent, as the peer reckons. */
  lost: number;
  /** Since its last report, 0 to 1. */
  fractionLost: number;
  jitterMs: number;
}

const [senderReport, receiverReport, sourceDescription, goodbye] = [200, 201, 202, 203];
const blockBytes = 24;
/** Seconds from 1900 to 1970. */
const ntpOffset = 2_208_988_800;

/** Whether bytes on a shared port are RTCP rather than RTP (RFC 5761 §4). */
export function isRtcp(packet: Buffer): boolean {
  return packet.length >= 8 && packet.readUInt8(1) >= 192 && packet.readUInt8(1) <= 223;
}

/** What a sender tells about itself. */
export interface Sender {
  ssrc: number;
  /** Of the last packet sent. */
  timestamp: number;
  packets: number;
  octets: number;
  cname: string;
}

/** A sender report, our name, and, at the end, a goodbye (RFC 3550 §6.4.1, §6.5, §6.6); `nowMs` since 1970. */
export function makeReport(
  { ssrc, timestamp, packets, octets, cname }: Sender,
  nowMs: number,
  isLast: boolean,
): Buffer {
  const report = Buffer.alloc(28);
  report.writeUInt32BE(0x80c8_0006, 0);
  report.writeUInt32BE(ssrc, 4);
  report.writeUInt32BE((Math.floor(nowMs / 1_000) + ntpOffset) % 2 ** 32, 8);
  report.writeUInt32BE(Math.floor(((nowMs % 1_000) / 1_000) * 2 ** 32), 12);
  report.writeUInt32BE(timestamp, 16);
  report.writeUInt32BE(packets % 2 ** 32, 20);
  report.writeUInt32BE(octets % 2 ** 32, 24);
  const name = Buffer.from(cname);
  // SSRC, type and length of the item, the name, and one to four zeros that end the list on a word.
  const words = Math.ceil((4 + 2 + name.length + 1) / 4);
  const description = Buffer.alloc(4 + 4 * words);
  description.writeUInt8(0x81, 0);
  description.writeUInt8(sourceDescription, 1);
  description.writeUInt16BE(words, 2);
  description.writeUInt32BE(ssrc, 4);
  description.writeUInt8(1, 8);
  description.writeUInt8(name.length, 9);
  name.copy(description, 10);
  if (!isLast) return Buffer.concat([report, description]);
  const bye = Buffer.alloc(8);
  bye.writeUInt8(0x81, 0);
  bye.writeUInt8(goodbye, 1);
  bye.writeUInt16BE(1, 2);
  bye.writeUInt32BE(ssrc, 4);
  return Buffer.concat([report, description, bye]);
}

/** What a compound packet reports about one of our sources; null where it says nothing of it. */
export function reportAbout(packet: Buffer, ssrc: number, clockRate: number): ReceiverReport | null {
  let found: ReceiverReport | null = null;
  for (let at = 0; at + 8 <= packet.length; at += 4 * (packet.readUInt16BE(at + 2) + 1)) {
    const type = packet.readUInt8(at + 1);
    if (type !== senderReport && type !== receiverReport) continue;
    const end = Math.min(at + 4 * (packet.readUInt16BE(at + 2) + 1), packet.length);
    const blocks = packet.readUInt8(at) & 0x1f;
    for (let block = 0; block < blocks; block += 1) {
      const start = at + (type === senderReport ? 28 : 8) + block * blockBytes;
      if (start + blockBytes > end || packet.readUInt32BE(start) !== ssrc) continue;
      found = {
        fractionLost: packet.readUInt8(start + 4) / 256,
        lost: packet.readIntBE(start + 5, 3),
        jitterMs: (packet.readUInt32BE(start + 12) * 1_000) / clockRate,
      };
    }
  }
  return found;
}
