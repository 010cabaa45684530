import { connect, type Socket } from 'node:net';
import type { Connection, OpenOptions } from './connection.ts';
import type { Target } from './dns.ts';
import { endpointText } from './endpoint.ts';
import { StreamConnection } from './stream.ts';
import { systemFailure, TransportFailure } from './transport-failure.ts';

/** Opens a TCP connection. @throws TransportFailure, or the reason of the signal */
export async function openTcp(target: Target, options: OpenOptions): Promise<Connection> {
  const socket = await connectTcp(target, options);
  const failureOf = (error: unknown) => systemFailure(error, target);
  return new StreamConnection(socket, { transport: 'tcp', tls: null, trace: options.trace, failureOf });
}

/** A connected socket. @throws TransportFailure, or the reason of the signal */
export async function connectTcp(target: Target, options: OpenOptions): Promise<Socket> {
  options.signal.throwIfAborted();
  const { address: host, port, family } = target;
  const socket = connect({ host, port, family, ...(options.bind ? { localAddress: options.bind } : {}) });
  // SIP messages are whole when they are written: waiting for more only makes them late.
  socket.setNoDelay(true);
  const silence = `${endpointText(target)} did not accept a TCP connection within ${options.timeoutMs} ms`;
  await opened(socket, 'connect', options, {
    late: () => new TransportFailure('connection_timeout', silence),
    failed: (error) => systemFailure(error, target),
    closed: () => new TransportFailure('connection_closed', `${endpointText(target)} closed the connection`),
  });
  return socket;
}

/** What to say where an opening does not succeed. */
export interface OpeningWords {
  late: () => TransportFailure;
  failed: (error: unknown) => TransportFailure;
  closed: () => TransportFailure;
}

/**
 * Waits until a socket is open; one that fails, ends, is late or no longer wanted is destroyed.
 * @throws TransportFailure, or the reason of the signal
 */
export function opened(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { timeoutMs, signal }: Pick<OpenOptions, 'timeoutMs' | 'signal'>,
  words: OpeningWords,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off(event, open).off('error', fail).off('close', close);
      finish();
    };
    const refuse = (reason: unknown): void => {
      settle(() => reject(reason));
      // What a dying socket still complains about is of no interest, and must not end the process.
      socket.on('error', () => {});
      socket.destroy();
    };
    const open = () => settle(resolve);
    const fail = (error: unknown) => refuse(words.failed(error));
    const close = () => refuse(words.closed());
    const abort = () => refuse(signal.reason);
    const timer = setTimeout(() => refuse(words.late()), timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    socket.once(event, open).once('error', fail).once('close', close);
  });
}
