import type { Finding } from '../finding.ts';
import { parseNameAddress } from '../message/fields.ts';
import type { Header, SipResponse } from '../message/message.ts';
import { headerOf, headersOf } from '../message/message.ts';
import { contactUri, newRequest, newToken, transportParameter } from '../message/requests.ts';
import { type Answered, authenticated } from '../transport/authenticate.ts';
import type { Connection } from '../transport/connection.ts';
import { endpointText } from '../transport/endpoint.ts';
import { stopwatch } from './clock.ts';
import { connectionTo } from './next-hop.ts';
import { notAgain } from './not-again.ts';
import type { ProbeSettings, ProbeSurroundings } from './settings.ts';
import { answerFacts, causeOfStatus } from './status-cause.ts';

const mostRedirects = 3;

interface Registration {
  answered: Answered;
  connection: Connection;
  /** Seconds that were asked for at last. */
  expiry: number;
  redirects: string[];
  /** The last redirect names a place that could not be reached. */
  stranded: boolean;
}

/** Requests for one binding share a Call-ID, and their numbers rise (RFC 3261 §10.2). */
interface Binding {
  callId: string;
  cseq: number;
  user: string;
}

/**
 * Registers, and takes the binding away again: REGISTER of RFC 3261 §10 with digest; 423 is answered with the interval that
 * the server wants, 301, 302 and 305 are followed. A rejected account is tried once.
 */
export async function register(
  connection: Connection,
  settings: ProbeSettings,
  around: ProbeSurroundings,
): Promise<{ finding: Finding; response: SipResponse | null; serviceRoute: string[] }> {
  const since = stopwatch();
  const once = around.accountOnce ?? ((attempt) => attempt());
  const binding: Binding = { callId: newToken(), cseq: 0, user: settings.user ?? 'sipctl' };
  const ended = await once(async () => {
    // It may have waited for another trunk of the account: what was not begun needs no end.
    around.signal.throwIfAborted();
    const registration = await registerAnywhere(connection, binding, settings, around);
    const { exchange, attempts, refusal } = registration.answered;
    // Where no answer to a challenge was sent, the carrier has nothing to count against the account.
    const rejected = (attempts > 0 && refusal !== null) || exchange.final?.status === 403;
    return { registration, rejected };
  });
  if (ended === null) return { finding: notAgain('register', since()), response: null, serviceRoute: [] };
  const { registration } = ended;
  const response = registration.answered.exchange.final;
  const registered = response !== null && response.status < 300;
  try {
    const removed = registered ? await unregister(registration.connection, binding, settings, around) : null;
    return {
      finding: found(registration, binding, removed, since()),
      response,
      serviceRoute: registered ? headersOf(response, 'Service-Route') : [],
    };
  } finally {
    if (registration.connection !== connection) await registration.connection.close();
  }
}

async function registerAnywhere(
  first: Connection,
  binding: Binding,
  settings: ProbeSettings,
  around: ProbeSurroundings,
): Promise<Registration> {
  let connection = first;
  let expiry = settings.register?.expiry ?? 0;
  const redirects: string[] = [];
  for (let interval = 0; ; ) {
    const answered = await attempt(connection, binding, expiry, settings, around).catch(async (error) => {
      // Interrupted while an answer was on its way: it may have been a yes.
      await unregister(connection, binding, settings, around);
      if (connection !== first) await connection.close();
      throw error;
    });
    const { final } = answered.exchange;
    const registration = { answered, connection, expiry, redirects, stranded: false };
    const wanted = final?.status === 423 && interval++ === 0 ? minExpires(final) : null;
    if (wanted !== null && wanted > expiry) {
      expiry = wanted;
      continue;
    }
    const next = redirects.length < mostRedirects ? redirectOf(final) : null;
    if (next === null) return registration;
    redirects.push(next);
    const moved = await connectionTo(next, connection, around);
    if (moved === null) return { ...registration, stranded: true };
    if (connection !== first) await connection.close();
    connection = moved;
  }
}

/** Seconds; what no registrar needs is longer, and a binding that is left behind would stay as long. */
const longestExpiry = 86_400;

function minExpires(response: SipResponse): number | null {
  const wanted = seconds(headerOf(response, 'Min-Expires'));
  return wanted !== null && wanted <= longestExpiry ? wanted : null;
}

function attempt(
  connection: Connection,
  binding: Binding,
  expiry: number,
  settings: ProbeSettings,
  around: ProbeSurroundings,
): Promise<Answered> {
  const { registrar, domain, credentials } = settings;
  const fromTag = newToken();
  const build = (cseq: number, answers: readonly Header[]) => {
    binding.cseq = cseq;
    return newRequest(connection, {
      method: 'REGISTER',
      uri: `sip:${registrar}${transportParameter(connection.transport)}`,
      from: `sip:${binding.user}@${domain}`,
      fromTag,
      to: `sip:${binding.user}@${domain}`,
      callId: binding.callId,
      cseq,
      contact: { user: binding.user, params: `;expires=${expiry}` },
      userAgent: around.userAgent,
      more: [{ name: 'Expires', value: String(expiry) }, { name: 'Supported', value: 'path' }, ...answers],
    });
  };
  const { timeoutMs, signal } = around;
  return authenticated(connection, build, credentials, { timeoutMs, signal, cseq: binding.cseq + 1 });
}

function redirectOf(final: SipResponse | null): string | null {
  if (final === null || final.status < 300 || final.status > 305) return null;
  const [contact] = headersOf(final, 'Contact');
  return contact === undefined ? null : (parseNameAddress(contact)?.uri ?? null);
}

/** Milliseconds for taking a binding away: its own limit, as it is done after Ctrl-C, too. */
const unregisterMs = 3000;

async function unregister(
  connection: Connection,
  binding: Binding,
  settings: ProbeSettings,
  around: ProbeSurroundings,
): Promise<boolean> {
  const limited = {
    ...around,
    signal: AbortSignal.timeout(unregisterMs),
    timeoutMs: Math.min(unregisterMs, around.timeoutMs),
  };
  // A registrar that falls silent half-way uses up the limit of the whole.
  const answered = await attempt(connection, binding, 0, settings, limited).catch((error) => {
    if (!limited.signal.aborted) throw error;
    return null;
  });
  const final = answered?.exchange.final ?? null;
  return final !== null && final.status < 300;
}

function found(registration: Registration, binding: Binding, removed: boolean | null, ms: number): Finding {
  const { answered, connection, expiry, redirects } = registration;
  const { exchange, attempts, challenge, refusal } = answered;
  const { final, failure } = exchange;
  const facts = {
    ...connection.remote,
    sent: exchange.sent,
    attempts,
    ...(final === null && exchange.provisional.length > 0 ? { promised: true } : {}),
    ...(final === null ? {} : answerFacts(final)),
    ...(challenge === null ? {} : { realm: challenge.realm, algorithm: challenge.algorithm }),
    ...(redirects.length === 0 ? {} : { redirects }),
  };
  const base = { stage: 'register', ms } as const;
  const fail = (cause: string, detail: string): Finding => ({
    ...base,
    status: 'failed',
    cause,
    detail,
    facts,
  });
  if (failure !== null) return fail(failure.reason, failure.message);
  if (final === null) {
    const promised = exchange.provisional.length === 0 ? '' : ' but 100';
    return fail(
      'no_answer',
      `${endpointText(connection.remote)}: no answer${promised}, sent ${exchange.sent} times`,
    );
  }
  const said = `${final.status} ${final.reason}`;
  if (refusal !== null) return fail(refusal, `${said}, realm '${challenge?.realm ?? ''}'`);
  if (final.status >= 300 && final.status < 400)
    return fail(redirectCause(registration), `${said}: ${redirects.join(', ') || 'to no place'}`);
  if (final.status >= 300)
    return fail(final.status === 404 ? 'unknown_user' : causeOfStatus(final.status), said);
  const granted = grantedExpiry(final, connection, binding.user) ?? expiry;
  return {
    ...base,
    status: removed === false ? 'warning' : 'ok',
    cause: removed === false ? 'not_unregistered' : null,
    detail: `${said} for ${granted} s${removed === true ? ', and unregistered' : ''}`,
    facts: {
      ...facts,
      expires: granted,
      unregistered: removed,
      serviceRoute: headersOf(final, 'Service-Route'),
    },
  };
}

const redirectCause = ({ redirects, stranded }: Registration): string =>
  stranded || redirects.length === 0 ? 'redirect_unreachable' : 'redirect_loop';

// The server may grant less than was asked for, and says so at the contact or in Expires (RFC 3261 §10.3).
function grantedExpiry(response: SipResponse, connection: Connection, user: string): number | null {
  const own = contactUri(connection, user);
  for (const contact of headersOf(response, 'Contact')) {
    const parsed = parseNameAddress(contact);
    const expires = seconds(parsed?.params.expires);
    if (parsed?.uri === own && expires !== null) return expires;
  }
  return seconds(headerOf(response, 'Expires'));
}

/** RFC 3261 §20.19: below 2**32. */
function seconds(text: string | null | undefined): number | null {
  const whole = /^\s*(\d{1,10})(?!\d)/.exec(text ?? '')?.[1];
  return whole === undefined ? null : Number(whole);
}
