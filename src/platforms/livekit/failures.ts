import { type Outcome, SipctlError } from '../../errors.ts';
import { printable } from '../control/failures.ts';
import { TwirpRefusal } from './twirp.ts';

/** Who was asked: for the words of a failure, and what must not stand in them. */
export interface Asked {
  /** The address of the project. */
  url: string;
  apiKey: string;
  /** Masked wherever the server says them. */
  secrets: readonly string[];
}

interface Finding {
  outcome: Outcome;
  code: string;
  message: string;
  hint: string;
}

/** @param what was asked for, for example `creating the inbound trunk` */
export function livekitFailure(error: unknown, what: string, asked: Asked): SipctlError {
  if (error instanceof SipctlError) return error;
  const { outcome, ...problem } =
    error instanceof TwirpRefusal ? refusal(error, what, asked) : unanswered(error, what, asked);
  return new SipctlError(outcome, problem, { cause: withoutText(error) });
}

/** True where the server knows no such trunk or rule. */
export const isGone = (error: unknown): boolean =>
  error instanceof SipctlError && error.problems.some(({ code }) => code === 'livekit_gone');

/** The run was interrupted while the server was asked. */
export const livekitInterrupted = (what: string, cause: unknown): SipctlError =>
  new SipctlError(
    'interrupted',
    {
      code: 'interrupted',
      message: `${what} was interrupted: whether LiveKit did it is not known`,
      hint: 'run the command again; what is there already is found by its name',
    },
    { cause },
  );

function refusal({ status, code, message: said }: TwirpRefusal, what: string, asked: Asked): Finding {
  const told = (did: string): string =>
    `LiveKit at ${asked.url} ${did} ${what}: ${quoted(said, asked)} (${code ?? `HTTP ${status}`})`;
  const message = told('refused');
  if (status === 401 || code === 'unauthenticated')
    return {
      outcome: 'refused',
      code: 'livekit_credentials',
      message: `LiveKit at ${asked.url} does not take the API key ${asked.apiKey} and its secret: ${quoted(said, asked)}`,
      hint: 'check that key and secret are of this project, and that the clock of this machine is right: sipctl livekit set <name> --api-key … --api-secret-stdin',
    };
  if (status === 403 || code === 'permission_denied')
    return {
      outcome: 'refused',
      code: 'livekit_denied',
      message,
      hint: 'make an API key in the settings of the project: the one given may not administer SIP',
    };
  if (code === 'not_found')
    return {
      outcome: 'notFound',
      code: 'livekit_gone',
      message,
      hint: 'run the command again: it makes what is missing',
    };
  if (status === 404 || code === 'bad_route' || (status >= 300 && status < 400))
    return {
      outcome: 'notFound',
      code: 'livekit_no_project',
      message: `there is no LiveKit project at ${asked.url}: ${quoted(said, asked)} (HTTP ${status})`,
      hint: 'check the address in the settings of the project: sipctl livekit set <name> --url wss://…',
    };
  if (status === 429 || code === 'resource_exhausted')
    return {
      outcome: 'unreachable',
      code: 'livekit_busy',
      message,
      hint: 'LiveKit takes no more requests at the moment, or the project has as many trunks as it may: wait, then run the command again',
    };
  if (status === 408 || (status >= 500 && status !== 501)) return troubled(told('failed at'), said);
  return {
    outcome: status === 409 || code === 'already_exists' ? 'conflict' : 'failed',
    code: 'livekit_refused',
    message,
    hint: /conflicting/i.test(said)
      ? 'another trunk or rule of the project takes calls to the same numbers: remove the number there, or that trunk, then run the command again'
      : 'the message of LiveKit says what it does not take',
  };
}

const troubled = (message: string, said: string): Finding => ({
  outcome: 'unreachable',
  code: 'livekit_trouble',
  message,
  hint: /not connected|redis/i.test(said)
    ? 'a LiveKit server of your own needs Redis, and the SIP service beside it'
    : 'see https://status.livekit.io, or the log of your own server, then run the command again',
});

const certificates = /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO_/;

function unanswered(error: unknown, what: string, asked: Asked): Finding {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { name = '', message = String(cause) } = cause instanceof Error ? cause : {};
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (name === 'TimeoutError')
    return {
      outcome: 'unreachable',
      code: 'livekit_timeout',
      message: `LiveKit at ${asked.url} did not answer ${what} in time`,
      hint: 'run the command again; what was made all the same is found by its name',
    };
  // So `fetch` tells that there was no connection, or that it broke in the middle of the answer.
  if (!(error instanceof TypeError && error.cause instanceof Error))
    return {
      outcome: 'failed',
      code: 'livekit_answer',
      message: `what ${asked.url} answers to ${what} is not LiveKit’s: ${quoted(message, asked)}`,
      hint: 'check the address in the settings of the project: sipctl livekit set <name> --url wss://…',
    };
  const said = quoted(message || code, asked);
  return {
    outcome: 'unreachable',
    code: certificates.test(code) ? 'livekit_certificate' : 'livekit_unreachable',
    message: `cannot reach LiveKit at ${asked.url}: ${said}`,
    hint: certificates.test(code)
      ? 'name the PEM file of the authority in NODE_EXTRA_CA_CERTS, and the server as its certificate does'
      : 'check the address of the project, and that this machine reaches it',
  };
}

function quoted(said: string, { secrets }: Asked): string {
  let text = printable(said) || 'no reason given';
  for (const secret of secrets) text = text.replaceAll(secret, '[secret]');
  return text;
}

// Text of the server in a cause would be shown by --debug, with what it repeats of the request.
const withoutText = (error: unknown): Error =>
  new Error(error instanceof Error ? error.name : 'no error object');
