import { parseUri } from '../message/fields.ts';
import type { Connection } from '../transport/connection.ts';
import { locate } from '../transport/dns.ts';
import { isWebSocket } from '../transport/endpoint.ts';
import { openConnection } from '../transport/transport.ts';
import { TransportFailure } from '../transport/transport-failure.ts';
import { leadsInward } from './inward.ts';
import type { ProbeSurroundings } from './settings.ts';

/** A connection to where a redirect or a dialog leads; null where that cannot be reached, or must not be followed. */
export async function connectionTo(
  uri: string,
  from: Connection,
  around: ProbeSurroundings,
): Promise<Connection | null> {
  const parsed = parseUri(uri);
  // A browser has one address of its server, and no other transport.
  if (parsed === null || isWebSocket(from.transport)) return null;
  const given = parsed.params.transport?.toLowerCase();
  // What began with TLS is never sent to where it is less protected.
  const transport = from.transport === 'tls' ? 'tls' : given === 'tcp' || given === 'tls' ? given : 'udp';
  const { targets } = await locate(
    { host: parsed.host, port: parsed.port, transport },
    around.dns,
    around.signal,
  );
  const [target] = targets;
  if (target === undefined || leadsInward(from.remote.address, target.address)) return null;
  try {
    const { timeoutMs, signal, trace, ca } = around;
    return await openConnection(target, {
      timeoutMs,
      signal,
      ...(trace === undefined ? {} : { trace }),
      ...(ca === undefined ? {} : { tls: { ca } }),
    });
  } catch (error) {
    if (!(error instanceof TransportFailure)) throw error;
    return null;
  }
}

/** Whether the next hop of a dialog is where its connection leads anyway. */
export function isThere(uri: string, { remote, transport }: Connection): boolean {
  const parsed = parseUri(uri);
  const port = parsed?.port ?? (transport === 'tls' ? 5061 : 5060);
  return parsed?.host === remote.address && port === remote.port;
}
