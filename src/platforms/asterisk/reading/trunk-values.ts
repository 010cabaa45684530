import type { Value } from '../../../model/field.ts';
import { trunk } from '../../../model/nouns.ts';
import * as rule from '../../../model/rules.ts';
import { Secret } from '../../../model/secret.ts';
import { codecField } from './codec-list.ts';
import { last, listed, type ObjectGroup, type PlacedObject } from './groups.ts';
import { type SipAddress, sipAddress } from './sip-address.ts';

type Values = Record<string, Value>;

/** What the objects of a trunk say in words of its fields, whoever the carrier is. What cannot be said stays null. */
export function trunkValues(group: ObjectGroup, protocols: ReadonlyMap<string, string>): Values {
  const { endpoint, outboundAuth, identifies, aors } = group;
  const [registration = null] = group.registrations;
  const [aor = null] = aors;
  const contact = sipAddress(listed(aor, 'contact')[0] ?? '');
  const server = sipAddress(last(registration, 'server_uri') ?? '');
  const address = contact ?? server;
  const username = accountOf(registration, outboundAuth, address);
  const authUsername = kept('authUsername', last(outboundAuth, 'username'));
  const password = last(outboundAuth, 'password');
  const from = fromOf(last(endpoint, 'from_user'), username);
  return {
    host: kept('host', address?.host ?? null),
    port: address?.port ?? null,
    transport:
      address?.transport ??
      protocolOf(last(endpoint, 'transport') ?? last(registration, 'transport'), protocols),
    authType: outboundAuth === null ? 'ip' : 'credential',
    username,
    authUsername: authUsername === username ? null : authUsername,
    ...(password === null || password === '' ? {} : { password: new Secret(password) }),
    realm: kept('realm', last(outboundAuth, 'realm')),
    ...from,
    fromDomain: kept('fromDomain', last(endpoint, 'from_domain')),
    registration: outboundAuth === null ? null : registration !== null,
    codecs: codecField(endpoint.options),
    dtmf: kept('dtmf', last(endpoint, 'dtmf_mode')),
    srtp: last(endpoint, 'media_encryption') === 'sdes' ? true : null,
    context: kept('context', last(endpoint, 'context')),
    networks: networksOf(identifies),
    outboundProxy: proxyOf(last(endpoint, 'outbound_proxy')),
    maxCalls: limitOf(endpoint),
    outbound: listed(endpoint, 'aors').length > 0,
    inbound: takesCalls(group),
  };
}

// Who registers wants calls, however they are told to be its own; of a trunk of sipctl it is known.
function takesCalls({ endpoint, registrations, identifies }: ObjectGroup): boolean {
  const registration = registrations[0] ?? null;
  if (identifies.length > 0 || last(registration, 'line') === 'yes') return true;
  return variableOf(endpoint, 'SIPCTL_TRUNK') === null && registration !== null;
}

/** The value where the field can hold it. */
function kept(field: keyof typeof trunk.fields, text: string | null): Value {
  if (text === null || text === '') return null;
  const parsed = trunk.fields[field].rule(text);
  return parsed.ok ? parsed.value : null;
}

function accountOf(
  registration: PlacedObject | null,
  auth: PlacedObject | null,
  address: SipAddress | null,
): string | null {
  const texts = [
    sipAddress(last(registration, 'client_uri') ?? '')?.user ?? null,
    address?.user ?? null,
    last(auth, 'username'),
    last(registration, 'contact_user'),
  ];
  return (texts.map((text) => kept('username', text)).find((one) => one !== null) ?? null) as string | null;
}

function fromOf(fromUser: string | null, username: string | null): Values {
  if (fromUser === null || fromUser === '') return { fromUser: 'caller', did: null };
  if (fromUser === username) return { fromUser: 'account', did: null };
  if (rule.e164(fromUser).ok) return { fromUser: 'did-plus', did: fromUser };
  if (rule.e164(`+${fromUser}`).ok) return { fromUser: 'did', did: `+${fromUser}` };
  return { fromUser: 'caller', did: null };
}

// Names are resolved once, when Asterisk loads, and one that does not resolve drops the whole section.
function networksOf(identifies: readonly PlacedObject[]): Value {
  const addresses = identifies
    .flatMap((one) => listed(one, 'match'))
    .flatMap((match) => {
      const parsed = rule.network(match);
      return parsed.ok ? [parsed.value] : [];
    });
  return addresses.length === 0 ? null : [...new Set(addresses)];
}

const proxyOf = (uri: string | null): Value => {
  const address = uri === null ? null : sipAddress(uri);
  return address === null || address.port !== null ? null : kept('outboundProxy', address.host);
};

const protocolOf = (transport: string | null, protocols: ReadonlyMap<string, string>): Value => {
  const said =
    protocols.get(transport ?? '') ?? /(?:^|[-_])(udp|tcp|tls)(?:[-_]|$)/i.exec(transport ?? '')?.[1];
  return kept('transport', said ?? null);
};

/** CALL_LIMIT of the channel variables; 0, no limit, where there is none. */
export function limitOf(endpoint: PlacedObject): number {
  const limit = rule.integer(0, 100_000)(variableOf(endpoint, 'CALL_LIMIT') ?? '');
  return limit.ok ? limit.value : 0;
}

/** The value of a channel variable that an endpoint sets. */
export function variableOf(endpoint: PlacedObject, name: string): string | null {
  const line = endpoint.options.findLast(
    ({ option, value }) => option === 'set_var' && value.replace(/^_{1,2}/, '').startsWith(`${name}=`),
  );
  return line === undefined ? null : line.value.slice(line.value.indexOf('=') + 1);
}
