import { type CallResult, placeCall } from '../call/call.ts';
import type { CallSettings as Placed } from '../call/call-settings.ts';
import type { Finding } from '../finding.ts';
import type { CodecName } from '../media/codec.ts';
import { transportParameter } from '../message/requests.ts';
import type { Connection } from '../transport/connection.ts';
import { TransportFailure } from '../transport/transport-failure.ts';
import { stopwatch } from './clock.ts';
import { connectionTo, isThere } from './next-hop.ts';
import { notAgain } from './not-again.ts';
import type { CallSettings, ProbeSettings, ProbeSurroundings } from './settings.ts';
import { answerFacts, causeOfStatus } from './status-cause.ts';

/** Milliseconds that somebody is given to take the call, and that the end of it may take. */
const patience = { ringMs: 30_000, graceMs: 3000 };

/** Percent of lost packets that people begin to hear; ITU-T G.113 gives G.711 an R of 80 and less beyond it. */
const audibleLoss = 5;

/** Calls a number, sends sound and counts what comes back, and hangs up. */
export async function callNumber(
  connection: Connection,
  call: CallSettings,
  routes: readonly string[],
  settings: ProbeSettings,
  around: ProbeSurroundings,
): Promise<Finding> {
  const since = stopwatch();
  const once = around.accountOnce ?? ((attempt) => attempt());
  const place = async () => {
    const settled = {
      ...callFor(call, routes, settings, connection, around),
      // Many carriers take ACK and BYE elsewhere than the INVITE (RFC 3261 §12.2.1.1).
      reach: async (uri: string) => (isThere(uri, connection) ? null : connectionTo(uri, connection, around)),
    };
    const result = await placeCall(settled, connection, around.signal).catch(orNoPort);
    return { result, rejected: 'refusal' in result && result.refusal === 'credentials_rejected' };
  };
  const ended = settings.credentials === null ? await place() : await once(place);
  if (ended === null) return notAgain('call', since());
  const { result } = ended;
  return found(result, call.number, since());
}

function found(result: CallResult | TransportFailure, number: string, ms: number): Finding {
  const stage = 'call';
  if (result instanceof TransportFailure) {
    const { reason, message } = result;
    return { stage, status: 'failed', cause: reason, detail: message, ms, facts: { number } };
  }
  const cause = causeOf(result);
  const status = cause === null ? 'ok' : 'failed';
  return { stage, status, cause, detail: `${number}: ${said(result)}`, ms, facts: factsOf(result, number) };
}

/** A machine that has no port left for the sound places no call. */
function orNoPort(error: unknown): TransportFailure {
  if (error instanceof TransportFailure) return error;
  throw error;
}

function callFor(
  call: CallSettings,
  routes: readonly string[],
  settings: ProbeSettings,
  { transport }: Connection,
  { timeoutMs, userAgent }: ProbeSurroundings,
): Placed {
  const codecs = call.codecs.flatMap((codec) => payloads[codec] ?? []);
  return {
    uri: `sip:${call.number}@${settings.registrar}${transportParameter(transport)}`,
    from: `sip:${call.caller}@${settings.domain}`,
    user: settings.user ?? call.caller,
    credentials: settings.credentials,
    routes,
    headers: [],
    codecs: codecs.length === 0 ? ['PCMU', 'PCMA'] : codecs,
    audio: 'tone',
    srtp: call.srtp,
    talkMs: call.seconds * 1000,
    userAgent,
    ringMs: Math.min(patience.ringMs, timeoutMs * 4),
    graceMs: patience.graceMs,
  };
}

/** Asterisk's and FreeSWITCH's names of codecs, as RTP calls them. */
const payloads: Readonly<Record<string, CodecName>> = {
  ulaw: 'PCMU',
  alaw: 'PCMA',
  g722: 'G722',
  opus: 'opus',
};

function causeOf(result: CallResult): string | null {
  const { final, failure, refusal, cancelled, media, provisional } = result;
  if (refusal !== null) return refusal;
  if (failure !== null) return failure.reason;
  if (cancelled) return provisional.some(({ status }) => status > 100) ? 'not_answered' : 'no_answer';
  if (final === null) return 'no_answer';
  if (final.status >= 300) return causeOfStatus(final.status);
  if (media.problem !== null) return media.problem === 'srtp_refused' ? 'srtp_refused' : 'not_acceptable';
  return causeOfSilence(result);
}

function causeOfSilence({ media }: CallResult): string | null {
  // What the other side reports of our sound is the only word about it from over there.
  const unheard = media.reported !== null && media.reported.fractionLost > 0.95;
  if (media.received === 0) return 'no_audio_received';
  if (unheard) return 'no_audio_sent';
  return lostPercent(media) > audibleLoss ? 'audio_lost' : null;
}

const lostPercent = ({ lost, received }: CallResult['media']): number =>
  Math.round((100 * lost) / Math.max(1, lost + received));

function said(result: CallResult): string {
  const { final, failure, ringMs, answerMs, cancelled, media, provisional } = result;
  if (failure !== null) return failure.message;
  const rang = ringMs === null ? '' : `rang after ${ringMs} ms, `;
  if (cancelled) return `${rang}not answered, cancelled`;
  if (final === null) return `no answer${provisional.length === 0 ? '' : ' but 100'}`;
  if (final.status >= 300) return `${rang}${final.status} ${final.reason}`;
  const sound =
    media.received === 0
      ? `no sound came, ${media.sent} packets sent`
      : `${media.received} packets came, ${media.sent} sent, ${lostPercent(media)} % lost, jitter ${(media.jitterMs ?? 0).toFixed(1)} ms`;
  return `${rang}answered after ${answerMs} ms, ${media.codec ?? 'no codec'}${media.srtp ? ' with SRTP' : ''}, ${sound}`;
}

function factsOf(result: CallResult, number: string): Record<string, unknown> {
  const { final, challenge, failure: _, refusal: __, media, ...times } = result;
  return {
    number,
    ...(final === null && times.provisional.length > 0 ? { promised: true } : {}),
    ...(final === null ? {} : answerFacts(final)),
    ...(challenge === null ? {} : { realm: challenge.realm, algorithm: challenge.algorithm }),
    ...times,
    media: { ...media, lostPercent: lostPercent(media) },
    lostPercent: lostPercent(media),
  };
}
