import { type CallOutcome, conductCall } from '../call/call.ts';
import type { MediaParty } from '../call/call-media.ts';
import type { Finding } from '../finding.ts';
import { readWebRtcAnswer, type WebRtcAnswer, webRtcOffer } from '../media/webrtc-description.ts';
import { transportParameter } from '../message/requests.ts';
import type { Connection } from '../transport/connection.ts';
import { stopwatch } from './clock.ts';
import type { ProbeSettings, ProbeSurroundings } from './settings.ts';
import { answerFacts, causeOfStatus } from './status-cause.ts';

/**
 * Offers a number what a browser would offer, reads the answer, and ends the call with it: nothing less shows whether a server
 * has DTLS and ICE for this account.
 * @throws the reason of the signal, when the call is ended
 */
export async function offerWebRtc(
  connection: Connection,
  number: string,
  routes: readonly string[],
  settings: ProbeSettings,
  around: ProbeSurroundings,
): Promise<Finding> {
  const since = stopwatch();
  const { registrar, domain, credentials } = settings;
  const user = settings.user ?? 'sipctl';
  const described = new AbortController();
  const offered = new Offered(() => described.abort());
  const call = await conductCall(
    {
      uri: `sip:${number}@${registrar}${transportParameter(connection.transport)}`,
      from: `sip:${user}@${domain}`,
      user,
      credentials,
      routes,
      headers: [],
      ringMs: around.timeoutMs,
      talkMs: 0,
      graceMs,
      userAgent: around.userAgent,
    },
    connection,
    offered,
    AbortSignal.any([around.signal, described.signal]),
  );
  around.signal.throwIfAborted();
  const verdict = judge(call, offered.read);
  return {
    stage: 'webrtc',
    ...verdict,
    ms: since(),
    facts: { number, ...factsOf(call), ...offered.read },
  };
}

/** Milliseconds for the end of the call. */
const graceMs = 3000;

/** The media of such a call: an offer, and the first answer to it. */
class Offered implements MediaParty {
  /** Null: none came. */
  read: WebRtcAnswer | null = null;
  /** A description came, whatever stood in it. */
  agreed = false;
  readonly #offer = webRtcOffer();
  readonly #described: () => void;

  constructor(described: () => void) {
    this.#described = described;
  }

  offer(): Buffer {
    return this.#offer;
  }

  // The call ends with the first answer: what is offered after it comes too late.
  answer(): null {
    return null;
  }

  accept(description: Buffer): null {
    if (this.agreed || description.length === 0) return null;
    this.agreed = true;
    this.read = readWebRtcAnswer(description);
    // After whoever is at work now: what is known is enough, and the call goes no further.
    queueMicrotask(this.#described);
    return null;
  }

  markAnswered(): void {}
}

function judge(call: CallOutcome, answer: WebRtcAnswer | null): Pick<Finding, 'status' | 'cause' | 'detail'> {
  if (answer !== null) return judgeAnswer(answer);
  const failed = (cause: string, detail: string) => ({ status: 'failed', cause, detail }) as const;
  const { failure, refusal, final, cancelled, provisional } = call;
  const said = final === null ? 'no answer' : `${final.status} ${final.reason}`;
  if (failure !== null) return failed(failure.reason, failure.message);
  if (refusal !== null) return failed(refusal, said);
  const rang = provisional.some(({ status }) => status > 100);
  if (cancelled) return failed(rang ? 'not_answered' : 'no_answer', `${said}, cancelled`);
  if (final === null) return failed('no_answer', said);
  if (final.status >= 300) return failed(causeOfStatus(final.status), said);
  return failed('not_acceptable', `${said}, without a description of sound`);
}

function judgeAnswer(answer: WebRtcAnswer): Pick<Finding, 'status' | 'cause' | 'detail'> {
  const { profile, fingerprint, setup, ice, candidates, rtcpMux, codecs } = answer;
  const parts = [
    profile,
    fingerprint === null ? 'no DTLS' : `DTLS ${fingerprint}${setup === null ? '' : ` ${setup}`}`,
    ice ? `ICE with ${candidates.length} candidate${candidates.length === 1 ? '' : 's'}` : 'no ICE',
    rtcpMux ? 'rtcp-mux' : 'no rtcp-mux',
    codecs.join(','),
  ];
  const detail = parts.join(', ');
  if (fingerprint === null) return { status: 'failed', cause: 'webrtc_no_dtls', detail };
  if (!ice || candidates.length === 0) return { status: 'failed', cause: 'webrtc_no_ice', detail };
  return rtcpMux
    ? { status: 'ok', cause: null, detail }
    : { status: 'warning', cause: 'webrtc_no_rtcp_mux', detail };
}

function factsOf(call: CallOutcome): Record<string, unknown> {
  const { final, challenge, failure: _, refusal: __, ...course } = call;
  return {
    ...(final === null ? {} : answerFacts(final)),
    ...(challenge === null ? {} : { realm: challenge.realm, algorithm: challenge.algorithm }),
    ...course,
  };
}
