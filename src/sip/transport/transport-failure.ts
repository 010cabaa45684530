import { OversizedMessage } from '../message/framer.ts';
import type { MalformedMessage } from '../message/message.ts';
import { type Endpoint, endpointText } from './endpoint.ts';
import type { CertificateFault, TlsFacts } from './tls-facts.ts';

/** Why a connection does not work, as a stable machine word. */
export type FailureCause =
  | 'connection_refused'
  | 'connection_timeout'
  | 'host_unreachable'
  | 'network_unreachable'
  | 'connection_reset'
  | 'connection_closed'
  /** Any other complaint of this machine: a local firewall, an address that is not its own. */
  | 'connection_failed'
  | 'address_in_use'
  | CertificateFault
  /** The server speaks TLS 1.0 or 1.1 only. */
  | 'tls_protocol'
  /** The server wants a certificate from us. */
  | 'tls_client_certificate'
  | 'tls_failed'
  | 'not_tls'
  | 'malformed_answer'
  | 'oversized_answer'
  /** An HTTP server that answers, and not with 101. */
  | 'ws_refused'
  /** A WebSocket that is not one for SIP. */
  | 'ws_subprotocol'
  /** What listens speaks no HTTP, or ends the handshake in a way of its own. */
  | 'not_websocket';

/** A connection that could not be opened, ended, or brought something that is no SIP. */
export class TransportFailure extends Error {
  readonly reason: FailureCause;
  /** What the handshake showed, where it came to one. */
  readonly tls: TlsFacts | null;
  /** Particulars for machines, for example the status of an HTTP server. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(
    reason: FailureCause,
    message: string,
    options: { tls?: TlsFacts | null; cause?: unknown; facts?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TransportFailure';
    this.reason = reason;
    this.tls = options.tls ?? null;
    this.facts = options.facts ?? {};
  }
}

const systemFailures: Readonly<Record<string, readonly [reason: FailureCause, message: string]>> = {
  ECONNREFUSED: ['connection_refused', 'refused the connection: nothing listens there'],
  ETIMEDOUT: ['connection_timeout', 'did not answer'],
  EHOSTUNREACH: ['host_unreachable', 'cannot be reached: no way to this host'],
  EHOSTDOWN: ['host_unreachable', 'cannot be reached: the host is down'],
  ENETUNREACH: ['network_unreachable', 'cannot be reached: this machine has no route to its network'],
  ENETDOWN: ['network_unreachable', 'cannot be reached: the network is down'],
  EAFNOSUPPORT: ['network_unreachable', 'cannot be reached: this machine does not speak its version of IP'],
  ECONNRESET: ['connection_reset', 'reset the connection'],
  EPIPE: ['connection_closed', 'closed the connection'],
  EADDRINUSE: ['address_in_use', 'cannot be reached from the local address: it is in use'],
  EADDRNOTAVAIL: [
    'connection_failed',
    'cannot be reached from the local address: this machine does not have it',
  ],
  EMFILE: ['connection_failed', 'cannot be reached: this process has too many open files, see ulimit -n'],
  EPERM: ['connection_failed', 'cannot be reached: this machine does not permit it, perhaps its firewall'],
  EACCES: ['connection_failed', 'cannot be reached: this machine does not permit it, perhaps its firewall'],
};

/** What an error of the operating system means for a connection. */
export function systemFailure(
  error: unknown,
  remote: Endpoint,
  tls: TlsFacts | null = null,
): TransportFailure {
  const code = errorCode(error);
  const [reason, message] = systemFailures[code] ?? [
    'connection_failed',
    `cannot be reached: ${code || error}`,
  ];
  return new TransportFailure(reason, `${endpointText(remote)} ${message}`, { tls, cause: error });
}

/** A message that came and is none. */
export function malformedFailure(
  malformed: MalformedMessage,
  remote: Endpoint,
  tls: TlsFacts | null,
): TransportFailure {
  const reason = malformed instanceof OversizedMessage ? 'oversized_answer' : 'malformed_answer';
  const message = `${endpointText(remote)} sent what is no SIP message: ${malformed.message}`;
  return new TransportFailure(reason, message, { tls, cause: malformed });
}

/** `ECONNREFUSED` and the like; empty where the error has no code. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
