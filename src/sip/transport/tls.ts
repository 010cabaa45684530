import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Connection, OpenOptions } from './connection.ts';
import type { Target } from './dns.ts';
import { type Endpoint, endpointText } from './endpoint.ts';
import { StreamConnection } from './stream.ts';
import { connectTcp, opened } from './tcp.ts';
import { type CertificateFault, readTlsFacts, type TlsFacts } from './tls-facts.ts';
import { errorCode, type FailureCause, systemFailure, TransportFailure } from './transport-failure.ts';

/** Opens a TLS connection. @throws TransportFailure, or the reason of the signal */
export async function openTls(target: Target, options: OpenOptions): Promise<Connection> {
  const { socket, tls, failureOf } = await connectTls(target, options);
  return new StreamConnection(socket, { transport: 'tls', tls, trace: options.trace, failureOf });
}

/** A socket behind a handshake, what it showed, and what its errors mean. */
export interface SecureSocket {
  socket: TLSSocket;
  tls: TlsFacts;
  failureOf: (error: unknown) => TransportFailure;
}

/** A secure socket whose certificate was judged. @throws TransportFailure, or the reason of the signal */
export async function connectTls(target: Target, options: OpenOptions): Promise<SecureSocket> {
  const started = performance.now();
  const socket = await connectTcp(target, options);
  const host = options.tls?.servername ?? target.name;
  const secure = connect({
    socket,
    // Verified below, where more can be said about it.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    minVersion: 'TLSv1.2',
    // An address is not allowed as a server name (RFC 6066 §3).
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(options.tls?.ca === undefined ? {} : { ca: options.tls.ca }),
  });
  const left = Math.max(1, Math.ceil(options.timeoutMs - (performance.now() - started)));
  await opened(secure, 'secureConnect', { timeoutMs: left, signal: options.signal }, handshakeWords(target));
  const tls = readTlsFacts(secure, host);
  if (tls.fault !== null && options.tls?.verify !== false) throw untrusted(secure, tls, target, host);
  const failureOf = (error: unknown) => tlsFailure(error, target, tls);
  return { socket: secure, tls, failureOf };
}

function handshakeWords(target: Target) {
  const words = (what: string) => () =>
    new TransportFailure('tls_failed', `${endpointText(target)} ${what}; it may not speak TLS on this port`);
  return {
    late: words('accepted the connection and did not answer the TLS handshake'),
    closed: words('closed the connection during the TLS handshake'),
    failed: (error: unknown) =>
      errorCode(error) === 'ECONNRESET'
        ? words('closed the connection during the TLS handshake')()
        : tlsFailure(error, target, null),
  };
}

const faultWords: Record<CertificateFault, (facts: TlsFacts, host: string) => string> = {
  tls_expired: ({ notAfter }) =>
    `has expired (it was valid until ${notAfter}, or one of its chain was so earlier)`,
  tls_not_yet_valid: ({ notBefore }) =>
    `is not valid yet (it, or one of its chain, is so from ${notBefore} on)`,
  tls_untrusted: ({ issuer }) => `comes from an authority that is not trusted here (${issuer})`,
  tls_name_mismatch: ({ names }, host) =>
    `is not for '${host}' but for ${names.join(', ') || 'no name at all'}`,
};

function untrusted(socket: TLSSocket, tls: TlsFacts, target: Target, host: string): TransportFailure {
  socket.on('error', () => {});
  socket.destroy();
  const reason = tls.fault ?? 'tls_failed';
  const fault = tls.fault === null ? '' : faultWords[tls.fault](tls, host);
  return new TransportFailure(reason, `the certificate of ${endpointText(target)} ${fault}`, { tls });
}

/** Codes of OpenSSL, without their beginning `ERR_SSL_`, by what they say about the other side. */
const tlsErrors: readonly (readonly [codes: RegExp, reason: FailureCause, message: string])[] = [
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/, 'not_tls', 'does not speak TLS on this port'],
  [/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|VERSION_TOO_LOW/, 'tls_protocol', 'speaks no TLS 1.2 or newer'],
  [/CERTIFICATE_REQUIRED/, 'tls_client_certificate', 'demands a client certificate'],
  // TLS 1.2 has one alert for both.
  [
    /ALERT_HANDSHAKE_FAILURE/,
    'tls_failed',
    'ended the TLS handshake: no common cipher, or it demands a certificate',
  ],
];

function tlsFailure(error: unknown, remote: Endpoint, tls: TlsFacts | null): TransportFailure {
  const code = errorCode(error);
  if (!code.startsWith('ERR_SSL_')) return systemFailure(error, remote, tls);
  const [, reason, message] = tlsErrors.find(([codes]) => codes.test(code)) ?? [
    null,
    'tls_failed' as const,
    `ended in TLS: ${code.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ')}`,
  ];
  return new TransportFailure(reason, `${endpointText(remote)} ${message}`, { tls, cause: error });
}
