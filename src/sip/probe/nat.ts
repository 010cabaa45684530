import { isIPv4 } from 'node:net';
import type { Finding } from '../finding.ts';
import { parseVia } from '../message/fields.ts';
import type { SipResponse } from '../message/message.ts';
import { headersOf } from '../message/message.ts';
import type { Connection } from '../transport/connection.ts';
import { locate } from '../transport/dns.ts';
import type { Endpoint } from '../transport/endpoint.ts';
import { endpointText } from '../transport/endpoint.ts';
import { stunBinding } from '../transport/stun.ts';
import { stopwatch } from './clock.ts';
import type { ProbeSettings, ProbeSurroundings } from './settings.ts';

/**
 * Compares the address that we send from with the one that the server saw: `received` and `rport` of the topmost Via
 * (RFC 3261 §18.2.1, RFC 3581), and with what a STUN server sees where one is named.
 */
export async function natView(
  connection: Connection,
  responses: readonly SipResponse[],
  { stun }: ProbeSettings,
  around: ProbeSurroundings,
): Promise<Finding> {
  const since = stopwatch();
  const { local } = connection;
  const seen = responses.map((response) => seenFrom(response, local)).find((one) => one !== null) ?? null;
  const mapped = stun === null ? null : await askStun(stun, local, around);
  const facts = {
    local,
    seen,
    ...(stun === null ? {} : { stun: mapped === null ? null : mapped.address }),
  };
  const finding = (status: Finding['status'], cause: string | null, detail: string): Finding => ({
    stage: 'nat',
    status,
    cause,
    detail,
    ms: since(),
    facts,
  });
  if (seen === null) return finding('skipped', null, 'no answer tells how the server sees us');
  if (stun !== null && mapped === null) {
    return finding('warning', 'stun_silent', `the STUN server ${stun.host}:${stun.port} does not answer`);
  }
  if (mapped !== null && mapped.address !== seen.address) {
    return finding(
      'warning',
      'stun_differs',
      `the carrier sees ${seen.address}, the STUN server ${mapped.address}`,
    );
  }
  if (seen.address === local.address) return finding('ok', null, `no NAT: seen as ${endpointText(seen)}`);
  return finding(
    'warning',
    'address_translated',
    `sent from ${endpointText(local)}, seen as ${endpointText(seen)}: there is a NAT on the way`,
  );
}

/** What a STUN server sees of this machine; null where it does not answer, or has no address of our family. */
async function askStun(
  { host, port }: { host: string; port: number },
  local: Endpoint,
  { dns, signal, timeoutMs }: ProbeSurroundings,
): Promise<Endpoint | null> {
  const transport = 'udp';
  const { targets } = await locate({ host, port, transport }, dns, signal);
  const server = targets.find(({ family }) => family === (isIPv4(local.address) ? 4 : 6));
  if (server === undefined) return null;
  return (await stunBinding({ server, signal, timeoutMs })).mapped;
}

// A server that says nothing of `received` saw what the Via says.
function seenFrom(response: SipResponse, local: Endpoint): Endpoint | null {
  const [top] = headersOf(response, 'Via');
  const via = top === undefined ? null : parseVia(top);
  if (via === null) return null;
  if (via.received === null && via.rport === null) return null;
  return { address: via.received ?? local.address, port: via.rport ?? via.port ?? local.port };
}
