import { rtpHeaderLength } from './srtp.ts';

/** Sequence numbers that jump further than this began anew (RFC 3550 §A.1). */
const maxDropout = 3_000;
const maxMisorder = 100;
/** How far back a packet is told from its copy. */
const remembered = 1_024;

/** What was received of all sources together. */
export interface Reception {
  received: number;
  /** Expected by the sequence numbers, and never seen (RFC 3550 §A.3). */
  lost: number;
  outOfOrder: number;
  duplicates: number;
  /** The interarrival jitter of RFC 3550 §6.4.1, the highest of the sources; null below two packets of audio. */
  jitterMs: number | null;
  payloadTypes: number[];
}

/** The packets of one SSRC, from one point on. */
class Stretch {
  #base: number;
  #highest: number;
  #unique = 0;
  readonly #seen = new Float64Array(remembered).fill(-1);
  #transit: number | null = null;
  /** In units of the timestamp. */
  jitter = 0;
  jitterMs: number | null = null;
  outOfOrder = 0;
  duplicates = 0;

  constructor(sequence: number) {
    // Room below, so that a first packet that was overtaken is no huge number.
    this.#base = 0x1_0000 + sequence;
    this.#highest = this.#base - 1;
  }

  get received(): number {
    return this.#unique + this.duplicates;
  }

  get lost(): number {
    return Math.max(this.#highest - this.#base + 1 - this.#unique, 0);
  }

  /** The distance from the highest packet so far, forwards or backwards. */
  distance(sequence: number): number {
    return ((((sequence - this.#highest) % 0x1_0000) + 0x1_8000) % 0x1_0000) - 0x8000;
  }

  take(sequence: number): void {
    const extended = this.#highest + this.distance(sequence);
    const slot = extended % remembered;
    if (this.#seen[slot] === extended) {
      this.duplicates += 1;
      return;
    }
    this.#seen[slot] = extended;
    this.#unique += 1;
    if (extended > this.#highest) this.#highest = extended;
    else this.outOfOrder += 1;
    this.#base = Math.min(this.#base, extended);
  }

  measureJitter(timestamp: number, clockRate: number, arrivalMs: number): void {
    const transit = (arrivalMs * clockRate) / 1_000 - timestamp;
    if (this.#transit !== null) {
      // Timestamps are 32 bits wide and begin again.
      const change = Math.abs(((transit - this.#transit + 0x1_8000_0000) % 0x1_0000_0000) - 0x8000_0000);
      this.jitter += (change - this.jitter) / 16;
      this.jitterMs = (this.jitter * 1_000) / clockRate;
    }
    this.#transit = transit;
  }
}

/** Keeps count of the RTP packets that arrive, whatever order and source they have. */
export class RtpReceiver {
  readonly #current = new Map<number, { stretch: Stretch; strange: number | null }>();
  readonly #stretches: Stretch[] = [];
  readonly #payloadTypes = new Set<number>();

  /**
   * Counts a packet; false where it is no RTP. `clockRate` answers Hz for a payload type of audio, null for one whose
   * timestamps stand still, such as telephone events.
   */
  receive(packet: Buffer, arrivalMs: number, clockRate: (payloadType: number) => number | null): boolean {
    if (rtpHeaderLength(packet) === null || packet.readUInt8(0) >> 6 !== 2) return false;
    const payloadType = packet.readUInt8(1) & 0x7f;
    const sequence = packet.readUInt16BE(2);
    const stretch = this.#stretchOf(packet.readUInt32BE(8), sequence);
    if (!stretch) return true;
    this.#payloadTypes.add(payloadType);
    stretch.take(sequence);
    const rate = clockRate(payloadType);
    if (rate !== null) stretch.measureJitter(packet.readUInt32BE(4), rate, arrivalMs);
    return true;
  }

  /** Null for one packet that is far from all others: only a second one behind it makes it a new beginning. */
  #stretchOf(ssrc: number, sequence: number): Stretch | null {
    const known = this.#current.get(ssrc);
    if (!known) return this.#begin(ssrc, sequence);
    const distance = known.stretch.distance(sequence);
    if (distance < maxDropout && distance > -maxMisorder) return known.stretch;
    if (known.strange === sequence) return this.#begin(ssrc, sequence);
    known.strange = (sequence + 1) & 0xffff;
    return null;
  }

  #begin(ssrc: number, sequence: number): Stretch {
    const stretch = new Stretch(sequence);
    this.#current.set(ssrc, { stretch, strange: null });
    this.#stretches.push(stretch);
    return stretch;
  }

  get reception(): Reception {
    const sum = (of: (stretch: Stretch) => number) => this.#stretches.reduce((all, one) => all + of(one), 0);
    const jitters = this.#stretches.flatMap(({ jitterMs }) => jitterMs ?? []);
    return {
      received: sum(({ received }) => received),
      lost: sum(({ lost }) => lost),
      outOfOrder: sum(({ outOfOrder }) => outOfOrder),
      duplicates: sum(({ duplicates }) => duplicates),
      jitterMs: jitters.length > 0 ? Math.max(...jitters) : null,
      payloadTypes: [...this.#payloadTypes].sort((a, b) => a - b),
    };
  }
}
