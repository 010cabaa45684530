import { type Header, headerOf, headersOf, type SipRequest, type SipResponse } from '../message/message.ts';
import { contactUri } from '../message/requests.ts';
import type { Connection } from '../transport/connection.ts';
import type { MediaParty } from './call-media.ts';
import { allow, type Dialog, responseTo, sequenceOf, tagIn } from './dialog.ts';

const [defaultT1, t2] = [500, 4_000];
/** Requests of the peer whose answers are kept for their repetitions. */
const mostKept = 32;

/** What the answering side of a call must know of the call. */
export interface AnsweringOptions {
  callId: string;
  /** Of our side. */
  tag: string;
  user: string;
  t1: number | undefined;
  media: MediaParty;
  /** The dialog with that tag of the peer, if there is one. */
  dialog: (remoteTag: string) => Dialog | null;
  /** The peer has hung up. */
  onBye: (remoteTag: string) => void;
}

/** Answers what the peer asks while a call of ours goes on (RFC 3261 §8.2, §12.2.2, §14.2, §15.1.2). */
export class PeerAnswers {
  readonly #connection: Connection;
  readonly #options: AnsweringOptions;
  /** By transaction: a request that comes again gets the same answer again (RFC 3261 §17.2). */
  readonly #given = new Map<string, SipResponse>();
  /** Answers to INVITEs, repeated until they are acknowledged (RFC 3261 §13.3.1.4); by the number of the INVITE. */
  readonly #unacknowledged = new Map<number, NodeJS.Timeout>();
  /** The INVITE whose 200 carried an offer of ours: its ACK brings the answer. */
  #offeredTo: number | null = null;

  constructor(connection: Connection, options: AnsweringOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  take(request: SipRequest): void {
    if (request.method === 'ACK') {
      this.#acknowledge(request);
      return;
    }
    const key = `${headersOf(request, 'Via')[0]} ${headerOf(request, 'CSeq')}`;
    const response = this.#given.get(key) ?? this.#answer(request);
    this.#connection.send(response);
    if (this.#given.has(key)) return;
    this.#given.set(key, response);
    const [oldest] = this.#given.keys();
    if (this.#given.size > mostKept && oldest !== undefined) this.#given.delete(oldest);
    if (request.method === 'INVITE' && response.status < 300) this.#repeat(sequenceOf(request), response);
  }

  #answer(request: SipRequest): SipResponse {
    const { callId, tag } = this.#options;
    const isOurs = headerOf(request, 'Call-ID') === callId && tagIn(headerOf(request, 'To')) === tag;
    const dialog = isOurs ? this.#options.dialog(tagIn(headerOf(request, 'From'))) : null;
    if (dialog) return this.#answerWithin(dialog, request);
    if (tagIn(headerOf(request, 'To'))) return this.#respond(request, 481, 'Call/Transaction Does Not Exist');
    if (request.method === 'INVITE') return this.#respond(request, 486, 'Busy Here');
    return this.#answerAnybody(request);
  }

  #answerWithin(dialog: Dialog, request: SipRequest): SipResponse {
    switch (request.method) {
      case 'BYE':
        this.#options.onBye(dialog.remoteTag);
        return this.#respond(request, 200, 'OK');
      case 'INVITE':
      case 'UPDATE':
        dialog.refresh(request);
        return this.#negotiate(request);
      default:
        return this.#answerAnybody(request);
    }
  }

  #answerAnybody(request: SipRequest): SipResponse {
    switch (request.method) {
      case 'OPTIONS':
        return this.#respond(request, 200, 'OK', [allow, { name: 'Accept', value: 'application/sdp' }]);
      case 'INFO':
      case 'NOTIFY':
        return this.#respond(request, 200, 'OK');
      case 'CANCEL':
        return this.#respond(request, 481, 'Call/Transaction Does Not Exist');
      default:
        return this.#respond(request, 405, 'Method Not Allowed', [allow]);
    }
  }

  #negotiate(request: SipRequest): SipResponse {
    const { media, user } = this.#options;
    const contact = { name: 'Contact', value: `<${contactUri(this.#connection, user)}>` };
    if (request.body.length > 0) {
      const answer = media.answer(request.body);
      if (!answer) return this.#respond(request, 488, 'Not Acceptable Here');
      return this.#respond(request, 200, 'OK', [contact, allow], answer);
    }
    if (request.method !== 'INVITE') return this.#respond(request, 200, 'OK', [contact, allow]);
    this.#offeredTo = sequenceOf(request);
    return this.#respond(request, 200, 'OK', [contact, allow], media.offer());
  }

  #respond(
    request: SipRequest,
    status: number,
    reason: string,
    headers: readonly Header[] = [],
    body: Buffer = Buffer.alloc(0),
  ): SipResponse {
    return responseTo(request, status, reason, { tag: this.#options.tag, headers, body });
  }

  #repeat(sequence: number, response: SipResponse): void {
    const t1 = this.#options.t1 ?? defaultT1;
    const again = (interval: number, left: number): void => {
      if (left <= 0) return;
      const timer = setTimeout(() => {
        this.#connection.send(response);
        again(Math.min(2 * interval, t2), left - interval);
      }, interval);
      this.#unacknowledged.set(sequence, timer);
    };
    again(t1, 64 * t1);
  }

  #acknowledge(request: SipRequest): void {
    const sequence = sequenceOf(request);
    clearTimeout(this.#unacknowledged.get(sequence));
    this.#unacknowledged.delete(sequence);
    if (this.#offeredTo !== sequence) return;
    this.#offeredTo = null;
    if (request.body.length > 0) this.#options.media.accept(request.body);
  }

  close(): void {
    for (const timer of this.#unacknowledged.values()) clearTimeout(timer);
    this.#unacknowledged.clear();
  }
}
