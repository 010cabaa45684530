/** The parts of a SIP URI that a trunk has fields for. */
export interface SipAddress {
  user: string | null;
  /** In lower case; an IPv6 address in its brackets. */
  host: string;
  port: number | null;
  /** null: not said, which is UDP. */
  transport: 'udp' | 'tcp' | 'tls' | null;
}

const shape = /^<?(sips?):(?:([^@]*)@)?(\[[^\]]+\]|[^:;?>]+)(?::([0-9]+))?([;?][^>]*)?>?$/i;

/** RFC 3261 §19.1.1; null for anything else. */
export function sipAddress(uri: string): SipAddress | null {
  const [, scheme, user, host, port, rest = ''] = shape.exec(uri.trim()) ?? [];
  if (scheme === undefined || host === undefined) return null;
  const [, said] = /;transport=(udp|tcp|tls)\b/i.exec(rest) ?? [];
  const transport = (said?.toLowerCase() as SipAddress['transport'] | undefined) ?? null;
  return {
    user: user === undefined || user === '' ? null : (user.split(':', 1)[0] as string),
    host: host.toLowerCase(),
    port: port === undefined ? null : Number(port),
    transport: transport ?? (scheme.toLowerCase() === 'sips' ? 'tls' : null),
  };
}
