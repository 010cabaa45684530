import type { Connection } from './connection.ts';
import { answerChallenge, type Challenge, challengesOf, chooseChallenge } from './digest.ts';
import type { Header, SipRequest, SipResponse } from './message.ts';
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

/**
 * Sends a request and answers what challenges it: each realm once, and once more where the nonce was stale, so that a wrong
 * password is tried once only (RFC 3261 §22.3, RFC 7616 §3.3).
 * @param build makes the request for a CSeq number, with the answers to the challenges so far
 */
export async function authenticated(
  connection: Connection,
  build: (cseq: number, answers: readonly Header[]) => SipRequest,
  credentials: Credentials | null,
  options: ExchangeOptions & { cseq?: number },
): Promise<Answered> {
  const answers = new Map<string, Header>();
  let staleBefore = false;
  let attempts = 0;
  for (let cseq = options.cseq ?? 1; ; cseq++) {
    const request = build(cseq, [...answers.values()]);
    const done = await exchange(connection, request, options);
    const challenges = done.final === null ? [] : challengesOn(done.final);
    if (done.final === null || !isChallenge(done.final)) {
      return { exchange: done, attempts, challenge: null, refusal: null };
    }
    const challenge = chosen(challenges, credentials);
    const refuse = (refusal: ChallengeRefusal): Answered => ({
      exchange: done,
      attempts,
      challenge: challenge ?? challenges[0] ?? null,
      refusal,
    });
    if (credentials === null) return refuse('credentials_missing');
    if (challenge === null) {
      const foreign = chooseChallenge(challenges) !== null;
      return refuse(foreign ? 'realm_mismatch' : 'unsupported_challenge');
    }
    const key = `${challenge.proxy} ${challenge.realm}`;
    if (answers.has(key)) {
      if (!challenge.stale) return refuse('credentials_rejected');
      if (staleBefore) return refuse('challenge_loop');
      staleBefore = true;
    }
    answers.set(key, answerChallenge(challenge, credentials, request, 1));
    attempts++;
  }
}

const isChallenge = ({ status }: SipResponse): boolean => status === 401 || status === 407;

const challengesOn = (response: SipResponse): Challenge[] =>
  isChallenge(response) ? challengesOf(response) : [];

function chosen(challenges: readonly Challenge[], credentials: Credentials | null): Challenge | null {
  const realm = credentials?.realm ?? null;
  return chooseChallenge(challenges.filter((challenge) => realm === null || challenge.realm === realm));
}
