import type { Connection, OpenOptions } from './connection.ts';
import type { Target } from './dns.ts';
import type { Transport } from './endpoint.ts';
import { openTcp } from './tcp.ts';
import { openTls } from './tls.ts';
import { openUdp } from './udp.ts';
import { openWebSocket } from './websocket.ts';

type Opener = (target: Target, options: OpenOptions) => Promise<Connection>;

const openers: Record<Transport, Opener> = {
  udp: openUdp,
  tcp: openTcp,
  tls: openTls,
  ws: openWebSocket,
  wss: openWebSocket,
};

/** Opens a way to one place where a server may be. @throws TransportFailure, or the reason of the signal */
export const openConnection: Opener = (target, options) => openers[target.transport](target, options);
