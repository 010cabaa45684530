import { randomBytes, randomInt } from 'node:crypto';
import { type CodecName, knownCodecs, telephoneEvent } from '../media/codec.ts';
import { type MediaPlan, type MediaStatistics, RtpSession } from '../media/rtp.ts';
import {
  audioOf,
  chosenCodec,
  type LocalMedia,
  type MediaDescription,
  makeAnswer,
  makeOffer,
  parseSdp,
} from '../media/sdp.ts';
import { type Endpoint, endpointText } from '../transport/endpoint.ts';

/** What the audio of a call is to be. */
export interface MediaSettings {
  codecs: readonly CodecName[];
  /** What we send. */
  audio: 'tone' | 'silence';
  /** Offers SRTP with keys in the description (RFC 4568), and nothing else. */
  srtp: boolean;
}

/** Why there is nothing to hear although the call was answered. */
export type MediaProblem = 'description_missing' | 'audio_refused' | 'codec_mismatch' | 'srtp_refused';

/** The audio of one call, from the first early packet to the last. */
export interface CallMedia extends MediaStatistics {
  /** What we sent in; null where no description was agreed on. */
  codec: string | null;
  srtp: boolean;
  /** Packets that came before the answer. */
  early: number;
  /** Where the peer said that its audio comes from, as `address:port`; the last place that it named. */
  described: string | null;
  /** Whether all RTP came from the places that the peer named; null where none came. */
  fromDescribed: boolean | null;
  problem: MediaProblem | null;
}

/** What a call asks of its media: descriptions of ours, and what becomes of the peer's. */
export interface MediaParty {
  offer(): Buffer;
  /** Our answer to an offer of the peer, which takes effect; null where it cannot be met. */
  answer(offer: Buffer): Buffer | null;
  /** Lets a description of the peer take effect; otherwise what is wrong with it. */
  accept(description: Buffer): MediaProblem | null;
  /** Whether a description of the peer has taken effect. */
  readonly agreed: boolean;
  markAnswered(): void;
}

/** Our end of the audio: describes it, lets descriptions of the peer take effect, and counts. */
export class MediaEnd implements MediaParty {
  readonly #session: RtpSession;
  readonly #local: LocalMedia;
  readonly #signal: MediaPlan['signal'];
  readonly #described: string[] = [];
  #version = 0;
  #codec: string | null = null;
  #early = 0;
  #problem: MediaProblem | null = null;

  private constructor(session: RtpSession, { codecs, srtp, audio }: MediaSettings) {
    this.#session = session;
    this.#signal = audio;
    const key = srtp ? { key: randomBytes(16), salt: randomBytes(14) } : null;
    this.#local = { endpoint: session.local, codecs, sessionId: randomInt(2 ** 31), key };
  }

  /** @throws the error of the socket */
  static async open(settings: MediaSettings, address: string): Promise<MediaEnd> {
    return new MediaEnd(await RtpSession.open(address), settings);
  }

  offer(): Buffer {
    this.#version += 1;
    return makeOffer(this.#local, this.#version);
  }

  answer(offer: Buffer): Buffer | null {
    const parts = parseSdp(offer);
    const made = parts && makeAnswer(this.#local, this.#version + 1, parts);
    if (!made || this.accept(offer) !== null) return null;
    this.#version += 1;
    return made;
  }

  accept(description: Buffer): MediaProblem | null {
    const plan = this.#planOf(description);
    this.#problem = typeof plan === 'string' ? plan : null;
    if (typeof plan === 'string') return plan;
    this.#codec = plan.codec.name;
    this.#session.play(plan);
    return null;
  }

  #planOf(description: Buffer): MediaPlan | MediaProblem {
    const parts = description.length > 0 ? parseSdp(description) : null;
    if (!parts) return 'description_missing';
    const audio = audioOf(parts);
    if (!audio) return 'audio_refused';
    const codec = chosenCodec(audio, this.#local.codecs);
    if (!codec) return 'codec_mismatch';
    const remoteKey = audio.crypto.find(({ key }) => key !== null)?.key;
    const { key } = this.#local;
    if (key && !(remoteKey && audio.profile.includes('SAVP'))) return 'srtp_refused';
    const place = placeOf(audio);
    if (place) this.#described.push(endpointText(place));
    const hears = audio.direction === 'sendrecv' || audio.direction === 'recvonly';
    return {
      remote: hears ? place : null,
      rtcpPort: audio.rtcpPort,
      codec,
      signal: this.#signal,
      expected: [...this.#local.codecs.map((name) => knownCodecs[name]), telephoneEvent, ...audio.codecs],
      keys: key && remoteKey ? { local: key, remote: remoteKey } : null,
    };
  }

  get agreed(): boolean {
    return this.#codec !== null;
  }

  /** What came until now came before the answer. */
  markAnswered(): void {
    this.#early = this.#session.statistics.received;
  }

  get result(): CallMedia {
    const statistics = this.#session.statistics;
    const { sources } = statistics;
    return {
      ...statistics,
      codec: this.#codec,
      srtp: this.#local.key !== null,
      early: this.#early,
      described: this.#described.at(-1) ?? null,
      fromDescribed: sources.length > 0 ? sources.every((source) => this.#described.includes(source)) : null,
      problem: this.#problem,
    };
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}

/** Null on hold in the old way, by an address of zeros (RFC 3264 §8.4). */
function placeOf({ address, port }: MediaDescription): Endpoint | null {
  return address === null || address === '0.0.0.0' || address === '::' ? null : { address, port };
}
