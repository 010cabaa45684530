import type { Finding } from '../finding.ts';
import type { SipResponse } from '../message/message.ts';
import { headerOf } from '../message/message.ts';
import { newRequest, newToken, transportParameter } from '../message/requests.ts';
import type { Connection } from '../transport/connection.ts';
import { endpointText } from '../transport/endpoint.ts';
import { type Exchange, exchange } from '../transport/transaction.ts';
import { stopwatch } from './clock.ts';
import type { ProbeSettings, ProbeSurroundings } from './settings.ts';
import { answerFacts, causeOfStatus } from './status-cause.ts';

interface Answer {
  connection: Connection;
  exchange: Exchange;
}

/**
 * Sends OPTIONS to every connection (RFC 3261 §11). Any answer but 5xx shows a SIP server that is up: many refuse OPTIONS of
 * strangers. Says which connections answered, and which neither answered nor failed, the first of them first.
 */
export async function sendOptions(
  connections: readonly Connection[],
  settings: ProbeSettings,
  around: ProbeSurroundings,
): Promise<{ finding: Finding; answering: Connection[]; silent: Connection[]; responses: SipResponse[] }> {
  const since = stopwatch();
  const { signal, timeoutMs } = around;
  const answers = await Promise.all(
    connections.map(async (connection): Promise<Answer> => {
      const request = optionsRequest(connection, settings, around.userAgent);
      return { connection, exchange: await exchange(connection, request, { signal, timeoutMs }) };
    }),
  );
  const answering = answers.filter(({ exchange: { final } }) => final !== null);
  const verdicts = answers
    .map((answer) => ({ answer, ...judged(settings)(answer) }))
    .sort((a, b) => grave[b.status] - grave[a.status]);
  const [worst] = verdicts;
  const someServe = verdicts.some(({ status }) => status !== 'failed');
  const status = worst === undefined ? 'skipped' : softened(worst.status, someServe);
  return {
    finding: {
      stage: 'options',
      status,
      cause: worst?.cause ?? null,
      detail: answers.map(said).join('; '),
      ms: since(),
      // What explains the cause stands at the top, as in other stages.
      facts: { ...(worst === undefined ? {} : shown(worst.answer)), answers: answers.map(shown) },
    },
    answering: answering.map(({ connection }) => connection),
    silent: answers.filter(isSilent).map(({ connection }) => connection),
    responses: answering.map(({ exchange: { final } }) => final as SipResponse),
  };
}

const grave = { ok: 0, skipped: 0, warning: 1, failed: 2 } as const;

const isSilent = ({ connection, exchange: { final, failure } }: Answer): boolean =>
  final === null && failure === null && connection.incomplete === 0;

// One address of several that is dead costs calls only while it is tried first.
const softened = (status: Finding['status'], someServe: boolean): Finding['status'] =>
  status === 'failed' && someServe ? 'warning' : status;

function optionsRequest(connection: Connection, settings: ProbeSettings, userAgent: string) {
  return newRequest(connection, {
    method: 'OPTIONS',
    uri: `sip:${settings.registrar}${transportParameter(connection.transport)}`,
    from: `sip:${settings.user ?? 'sipctl'}@${settings.domain}`,
    fromTag: newToken(),
    to: `sip:${settings.registrar}`,
    callId: newToken(),
    cseq: 1,
    contact: { user: settings.user ?? 'sipctl' },
    userAgent,
    more: [{ name: 'Accept', value: 'application/sdp' }],
  });
}

const judged =
  (settings: ProbeSettings) =>
  ({ connection, exchange: { final, failure } }: Answer): Pick<Finding, 'status' | 'cause'> => {
    if (failure !== null) return { status: 'failed', cause: failure.reason };
    if (final === null && connection.incomplete > 0) return { status: 'failed', cause: 'incomplete_answer' };
    // A REGISTER that follows asks the same question in words that a server cannot leave unanswered.
    if (final === null)
      return {
        status: settings.answersOptions && settings.register === null ? 'failed' : 'warning',
        cause: 'no_answer',
      };
    const { status } = final;
    if (status < 300 || status === 401 || status === 407) return { status: 'ok', cause: null };
    if (status === 503) return { status: 'failed', cause: 'service_unavailable' };
    if (status === 403) {
      return { status: settings.credentials === null ? 'failed' : 'warning', cause: 'forbidden' };
    }
    return status >= 500
      ? { status: 'warning', cause: causeOfStatus(status) }
      : { status: 'ok', cause: null };
  };

function said({ connection, exchange: { final, failure, provisional, sent, ms } }: Answer): string {
  const place = endpointText(connection.remote);
  if (failure !== null) return failure.message;
  const times = sent > 1 ? `, sent ${sent} times` : '';
  if (final === null && connection.incomplete > 0)
    return `${place}: ${connection.incomplete} bytes of an answer that did not end`;
  if (final === null) return `${place}: no answer${provisional.length === 0 ? '' : ' but 100'}${times}`;
  const [elsewhere] = connection.elsewhere;
  const from = elsewhere === undefined ? '' : `, from ${endpointText(elsewhere)}`;
  return `${place}: ${final.status} ${final.reason} after ${Math.round(ms)} ms${times}${from}`;
}

function shown({
  connection,
  exchange: { final, failure, provisional, sent, ms },
}: Answer): Record<string, unknown> {
  return {
    ...connection.remote,
    sent,
    ms: Math.round(ms),
    ...(final === null && provisional.length > 0 ? { promised: true } : {}),
    ...(final === null ? {} : answerFacts(final)),
    ...(final === null ? {} : { allow: headerOf(final, 'Allow') }),
    ...(failure === null ? {} : { cause: failure.reason }),
  };
}
