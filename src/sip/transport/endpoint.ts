/** How SIP messages travel: datagrams, streams, or frames of a websocket. */
export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** Over HTTP's ports and with its handshake (RFC 7118). */
export const isWebSocket = (transport: Transport): boolean => transport === 'ws' || transport === 'wss';

/** One end of a connection; the address is a literal without brackets. */
export interface Endpoint {
  address: string;
  port: number;
}

/** For example `192.0.2.1:5060` or `[2001:db8::1]:5060`. */
export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
