import type { SipctlError } from '../../errors.ts';
import { interruptedError, unansweredError } from './failures.ts';

/** How long, how often and how patiently Twilio is asked. Time and chance come from outside. */
export interface Patience {
  /** For one answer, in milliseconds. */
  timeoutMs: number;
  /** Requests in all, the first one included. */
  attempts: number;
  /** Longest wait before the second request, in milliseconds; it doubles with every further one. */
  baseMs: number;
  /** No wait is longer than this, in milliseconds, unless Twilio itself names one. */
  capMs: number;
  /** Where Twilio asks for a longer wait than this, in milliseconds, it is given up. */
  longestWaitMs: number;
  /** Rejects when its signal ends the wait. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** A number from 0 up to 1. */
  random: () => number;
  /** Is told of each request and what became of it; of nothing that it carries. */
  trace?: ((line: string) => void) | undefined;
}

/** One request, as the official client hands it over. */
export interface Asked {
  method: string;
  uri: string;
  /** True where a recording is asked for: all else is JSON. */
  isSound?: boolean;
}

/** One answer, as the official client takes it. */
export interface Answer {
  statusCode: number;
  body: unknown;
  headers?: unknown;
}

/**
 * Sends a request until it is answered. What only reads, changes something to a given state, or takes away, may be sent
 * twice. What makes something new may not: after a lost answer nobody knows whether it is there, and who asked has to look.
 *
 * ```
 *               answered    429                     5xx, reset, time-out
 *   read, set   →           wait, again             wait, again
 *   make        →           wait, again             `twilio_no_answer`, or the 5xx itself
 * ```
 * @throws SipctlError `unreachable`, `interrupted`
 */
export async function askPatiently<A extends Answer>(
  asked: Asked,
  send: () => Promise<A>,
  patience: Patience,
  signal?: AbortSignal,
): Promise<A> {
  for (let tried = 1; ; tried += 1) {
    const got = await attempt(asked, send, patience, signal);
    patience.trace?.(traceOf(asked, got));
    const isLast = tried >= patience.attempts;
    let wait = patience.random() * Math.min(patience.capMs, patience.baseMs * 2 ** (tried - 1));
    if ('answer' in got) {
      const { answer } = got;
      if (!isPassing(answer.statusCode) || isLast) return answer;
      if (answer.statusCode !== 429 && !isRepeatable(asked)) return answer;
      const named = retryAfterMs(answer.headers);
      if (named > patience.longestWaitMs) return answer;
      wait = Math.max(wait, named);
    } else if (isLast || !got.mayPass || !(got.isUnsent || isRepeatable(asked))) throw got.error;
    await patience.sleep(Math.round(wait), signal).catch(() => {
      throw interruptedError();
    });
  }
}

const traceOf = <A extends Answer>({ method, uri }: Asked, got: Attempt<A>): string =>
  `${method.toUpperCase()} ${new URL(uri).pathname}: ${'answer' in got ? got.answer.statusCode : got.error.message}`;

const isPassing = (status: number): boolean => status === 429 || status >= 500;

/** True for what may be done twice: POST to a thing that has a SID, or that is there once for its trunk, sets it. */
function isRepeatable({ method, uri }: Asked): boolean {
  return method.toLowerCase() !== 'post' || /\/(?:[A-Z]{2}[0-9a-fA-F]{32}|Recording)(?:\.json)?$/.test(uri);
}

const headerOf = (headers: unknown, name: string): unknown =>
  (headers as Record<string, unknown> | undefined)?.[name];

/** Twilio names seconds. @returns 0 where it names none */
function retryAfterMs(headers: unknown): number {
  const seconds = Number(headerOf(headers, 'retry-after') ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

type Attempt<A> = { answer: A } | Lost;

interface Lost {
  error: SipctlError;
  /** The server cannot have got it. */
  isUnsent: boolean;
  /** It can be otherwise in a moment. */
  mayPass: boolean;
}

async function attempt<A extends Answer>(
  asked: Asked,
  send: () => Promise<A>,
  { timeoutMs }: Patience,
  signal?: AbortSignal,
): Promise<Attempt<A>> {
  if (signal?.aborted) throw interruptedError();
  try {
    const answer = await send();
    return isFromElsewhere(asked, answer) ? strangeAnswer(hostOf(asked)) : { answer };
  } catch (error) {
    if (signal?.aborted) throw interruptedError();
    return unanswered(asked, error as NodeJS.ErrnoException, timeoutMs);
  }
}

/** True for a page of a proxy, or of another server. */
function isFromElsewhere({ isSound = false }: Asked, { statusCode, body, headers }: Answer): boolean {
  if (statusCode < 200 || statusCode >= 400 || statusCode === 204) return false;
  if (isSound) return /^(?:text|application\/(?:json|xml))\b/.test(String(headerOf(headers, 'content-type')));
  return !isTwilios(body);
}

/** Twilio answers with a thing that has a SID, with a page of such, or with what is recorded. */
const isTwilios = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && ['sid', 'meta', 'page', 'mode'].some((key) => key in body);

const hostOf = ({ uri }: Asked): string => new URL(uri).host;

const strangeAnswer = (host: string): Lost =>
  lost(
    `what answers at ${host} is not Twilio's API`,
    'see whether a proxy stands in between, and whether SIPCTL_TWILIO_API is right',
  );

/** Nothing of the error itself is passed on but its code: the client's errors hold the whole request, with the token. */
function unanswered(asked: Asked, error: NodeJS.ErrnoException, timeoutMs: number): Lost {
  const code = error.code ?? 'no connection';
  const host = hostOf(asked);
  const goesOn = 'run the command again: it goes on where it stopped';
  if (code === 'ECONNABORTED' || code === 'ETIMEDOUT')
    return lost(`Twilio (${host}) did not answer within ${timeoutMs / 1000} s`, goesOn);
  const message = `cannot reach Twilio (${host}): ${code}`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    const hint =
      'the certificate is not trusted: a proxy that opens TLS needs its authority in NODE_EXTRA_CA_CERTS';
    return { ...lost(message, hint), isUnsent: true, mayPass: false };
  }
  if (code === 'ENOTFOUND') {
    const hint = 'see whether this machine can resolve names of the internet';
    return { ...lost(message, hint), isUnsent: true, mayPass: false };
  }
  const isUnsent = ['ECONNREFUSED', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH'].includes(code);
  return { ...lost(message, `see whether this machine reaches the internet, and ${goesOn}`), isUnsent };
}

const lost = (message: string, hint: string): Lost => ({
  error: unansweredError({ code: 'twilio_no_answer', message, hint }),
  isUnsent: false,
  mayPass: true,
});
