import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { type Endpoint, endpointText } from '../transport/endpoint.ts';
import { type Codec, packetMs, payloadSource } from './codec.ts';
import { isRtcp, makeReport, type ReceiverReport, reportAbout } from './rtcp.ts';
import { type Reception, RtpReceiver } from './rtp-receiver.ts';
import { type SrtpKey, SrtpStream } from './srtp.ts';

/** Where audio goes and what it is, as an answer settled it. */
export interface MediaPlan {
  /** Null where the peer named an address that is none, or does not want to hear us. */
  remote: Endpoint | null;
  rtcpPort: number;
  codec: Codec;
  signal: 'tone' | 'silence';
  /** What may arrive, by our numbers. */
  expected: readonly Codec[];
  keys: { local: SrtpKey; remote: SrtpKey } | null;
}

/** All that a session can tell of itself. */
export interface MediaStatistics extends Reception {
  sent: number;
  /** Packets that are neither RTP nor RTCP, or whose SRTP tag is wrong. */
  refused: number;
  /** Where RTP came from, as `address:port`. */
  sources: string[];
  /** The last report of the peer about what it got from us; null where none came. */
  reported: ReceiverReport | null;
}

const attempts = 20;
/** A first report early, as calls are short; RFC 3550 §6.2 lets a session start with half of five seconds. */
const reportMs = 2_500;
/** After a pause of the process only so many packets are made up for. */
const longestBurst = 5;

/** The audio of one call on a pair of UDP ports: sends and receives on the same one, counts, and reports. */
export class RtpSession {
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #receiver = new RtpReceiver();
  readonly #sources = new Set<string>();
  readonly #ssrc = randomBytes(4).readUInt32BE();
  /** Below 2**15, so that SRTP cannot lose count of the rollovers at the start (RFC 3711 §3.3.1). */
  #sequence = randomInt(2 ** 15);
  #timestamp = randomBytes(4).readUInt32BE();
  #octets = 0;
  #sent = 0;
  #refused = 0;
  #reported: ReceiverReport | null = null;
  #plan: MediaPlan | null = null;
  #outgoing: SrtpStream | null = null;
  #incoming: SrtpStream | null = null;
  #timers: NodeJS.Timeout[] = [];

  private constructor(rtp: Socket, rtcp: Socket) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    rtp.on('message', (packet, from) => this.#receive(packet, from));
    rtcp.on('message', (packet) => this.#receiveReport(packet));
    // ICMP errors and the like: what they mean is seen in the counts.
    for (const socket of [rtp, rtcp]) socket.on('error', () => {});
  }

  /**
   * Opens an even port and the odd one behind it (RFC 3550 §11) on a local address.
   * @throws the error of the socket where no pair is free, or the address is not ours
   */
  static async open(address: string): Promise<RtpSession> {
    for (let attempt = 1; ; attempt += 1) {
      const rtp = await bound(address, 0);
      const { port } = rtp.address();
      const rtcp = port % 2 === 0 ? await bound(address, port + 1).catch(() => null) : null;
      if (rtcp) return new RtpSession(rtp, rtcp);
      rtp.close();
      if (attempt === attempts) throw new Error(`No two neighbouring UDP ports are free on ${address}`);
    }
  }

  get local(): Endpoint {
    const { address, port } = this.#rtp.address();
    return { address, port };
  }

  /** Sends what the plan says from now on; a second plan replaces the first. */
  play(plan: MediaPlan): void {
    this.pause();
    if (plan.keys) {
      this.#outgoing ??= new SrtpStream(plan.keys.local);
      const isSame = this.#plan?.keys?.remote.key.equals(plan.keys.remote.key);
      if (!isSame) this.#incoming = new SrtpStream(plan.keys.remote);
    }
    this.#plan = plan;
    if (!plan.remote || isIP(plan.remote.address) === 0) return;
    this.#sendPackets(plan, plan.remote);
  }

  #sendPackets(plan: MediaPlan, remote: Endpoint): void {
    const next = payloadSource(plan.codec, plan.signal);
    const startedAt = performance.now();
    let made = 0;
    const sendDue = (): void => {
      const due = Math.floor((performance.now() - startedAt) / packetMs) + 1;
      made = Math.max(made, due - longestBurst);
      for (; made < due; made += 1) this.#send(plan.codec, next(), remote, made === 0);
    };
    sendDue();
    const report = (): void => this.#report(remote.address, plan.rtcpPort, false);
    this.#timers = [setInterval(sendDue, packetMs), setInterval(report, reportMs)];
  }

  #send(codec: Codec, payload: Buffer, remote: Endpoint, isFirst: boolean): void {
    const header = Buffer.alloc(12);
    header.writeUInt8(0x80, 0);
    header.writeUInt8(codec.payloadType | (isFirst ? 0x80 : 0), 1);
    header.writeUInt16BE(this.#sequence, 2);
    header.writeUInt32BE(this.#timestamp, 4);
    header.writeUInt32BE(this.#ssrc, 8);
    const packet = Buffer.concat([header, payload]);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + (codec.clockRate * packetMs) / 1_000) % 2 ** 32;
    this.#octets += payload.length;
    this.#sent += 1;
    this.#rtp.send(this.#outgoing?.protect(packet) ?? packet, remote.port, remote.address, () => {});
  }

  #report(address: string, port: number, isLast: boolean): void {
    const sender = {
      ssrc: this.#ssrc,
      timestamp: this.#timestamp,
      packets: this.#sent,
      octets: this.#octets,
      cname: this.#ssrc.toString(16),
    };
    const packet = makeReport(sender, Date.now(), isLast);
    this.#rtcp.send(this.#outgoing?.protectRtcp(packet) ?? packet, port, address, () => {});
  }

  #receive(packet: Buffer, from: RemoteInfo): void {
    if (isRtcp(packet)) {
      this.#receiveReport(packet);
      return;
    }
    // Before the answer there is no key; the header, which is what is counted, is never encrypted.
    const plain = this.#incoming ? this.#incoming.unprotect(packet) : packet;
    const clockRate = (payloadType: number): number | null => {
      const codec = this.#plan?.expected.find((one) => one.payloadType === payloadType);
      return codec && codec.name !== 'telephone-event' ? codec.clockRate : null;
    };
    if (plain && this.#receiver.receive(plain, performance.now(), clockRate))
      this.#sources.add(endpointText(from));
    else this.#refused += 1;
  }

  #receiveReport(packet: Buffer): void {
    const plain = this.#incoming ? this.#incoming.unprotectRtcp(packet) : packet;
    if (!plain) this.#refused += 1;
    else if (this.#plan)
      this.#reported = reportAbout(plain, this.#ssrc, this.#plan.codec.clockRate) ?? this.#reported;
  }

  get statistics(): MediaStatistics {
    return {
      ...this.#receiver.reception,
      sent: this.#sent,
      refused: this.#refused,
      sources: [...this.#sources],
      reported: this.#reported,
    };
  }

  /** Sends nothing more, and goes on counting what arrives. */
  pause(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  /** Says goodbye where something was said, and gives the ports back. */
  async close(): Promise<void> {
    this.pause();
    const { remote, rtcpPort } = this.#plan ?? {};
    if (this.#sent > 0 && remote && rtcpPort) this.#report(remote.address, rtcpPort, true);
    await Promise.all(
      [this.#rtp, this.#rtcp].map((socket) => new Promise<void>((done) => socket.close(done))),
    );
  }
}

async function bound(address: string, port: number): Promise<Socket> {
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  socket.bind(port, address);
  try {
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
