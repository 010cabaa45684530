import type { Connection, OpenOptions } from './connection.ts';
import type { Target } from './dns.ts';
import { endpointText, type Transport } from './endpoint.ts';
import { openTcp } from './tcp.ts';
import { openTls } from './tls.ts';
import { TransportFailure } from './transport-failure.ts';
import { openUdp } from './udp.ts';

type Opener = (target: Target, options: OpenOptions) => Promise<Connection>;

const openers: Partial<Record<Transport, Opener>> = { udp: openUdp, tcp: openTcp, tls: openTls };

/** Opens a way to one place where a server may be. @throws TransportFailure, or the reason of the signal */
export async function openConnection(target: Target, options: OpenOptions): Promise<Connection> {
  const open = openers[target.transport];
  if (open !== undefined) return open(target, options);
  const message = `${endpointText(target)} would be spoken to over ${target.transport}, which is not supported`;
  throw new TransportFailure('transport_unsupported', message);
}
