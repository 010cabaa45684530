import { answerChallenge, type Challenge, challengesOf, chooseChallenge } from '../message/digest.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import type { Connection } from './connection.ts';
import { type Exchange, type ExchangeOptions, exchange } from './transaction.ts';

/** A digest account. With a realm, only challenges of that realm are answered. */
export interface Credentials {
  username: string;
  password: string;
  realm: string | null;
}

/** How a request ended that may have been challenged. */
export interface Answered {
  exchange: Exchange;
  /** Requests that carried an answer to a challenge. */
  attempts: number;
  /** The last challenge that was seen; it holds no secret. */
  challenge: Challenge | null;
  /** Why the last challenge was not answered; null where none was left open. */
  refusal: ChallengeRefusal | null;
}

export type ChallengeRefusal =
  | 'credentials_missing'
  | 'unsupported_challenge'
  | 'realm_mismatch'
  | 'credentials_rejected'
  | 'challenge_loop';

/** True for 401 and 407. */
export const isChallenge = ({ status }: SipResponse): boolean => status === 401 || status === 407;

/**
 * Answers challenges for one request: each realm once, and once more where the nonce was stale, so that a wrong password is
 * tried once only (RFC 3261 §22.3, RFC 7616 §3.3).
 */
export class DigestAnswers {
  readonly #credentials: Credentials | null;
  readonly #given = new Map<string, Header>();
  #staleBefore = false;
  /** Answers so far. */
  attempts = 0;
  /** The last challenge that was seen, whether it was answered or not. */
  challenge: Challenge | null = null;

  constructor(credentials: Credentials | null) {
    this.#credentials = credentials;
  }

  /** The headers that the request is to carry when it is sent again; or why it should not be. */
  to(response: SipResponse, request: SipRequest): Header[] | ChallengeRefusal {
    const all = challengesOf(response);
    const credentials = this.#credentials;
    const realm = credentials?.realm ?? null;
    const challenge = chooseChallenge(all.filter((one) => realm === null || one.realm === realm));
    this.challenge = challenge ?? all[0] ?? null;
    if (credentials === null) return 'credentials_missing';
    if (challenge === null) return chooseChallenge(all) === null ? 'unsupported_challenge' : 'realm_mismatch';
    const place = `${challenge.proxy} ${challenge.realm}`;
    if (this.#given.has(place)) {
      if (!challenge.stale) return 'credentials_rejected';
      if (this.#staleBefore) return 'challenge_loop';
      this.#staleBefore = true;
    }
    this.#given.set(place, answerChallenge(challenge, credentials, request, 1));
    this.attempts++;
    return [...this.#given.values()];
  }
}

/**
 * Sends a request, and again with answers to what challenges it.
 * @param build makes the request for a CSeq number, with the answers to the challenges so far
 */
export async function authenticated(
  connection: Connection,
  build: (cseq: number, answers: readonly Header[]) => SipRequest,
  credentials: Credentials | null,
  options: ExchangeOptions & { cseq?: number },
): Promise<Answered> {
  const digest = new DigestAnswers(credentials);
  let answers: Header[] = [];
  for (let cseq = options.cseq ?? 1; ; cseq++) {
    const request = build(cseq, answers);
    const done = await exchange(connection, request, options);
    const ended = (refusal: ChallengeRefusal | null): Answered => ({
      exchange: done,
      attempts: digest.attempts,
      challenge: digest.challenge,
      refusal,
    });
    if (done.final === null || !isChallenge(done.final)) return ended(null);
    const next = digest.to(done.final, request);
    if (typeof next === 'string') return ended(next);
    answers = next;
  }
}
