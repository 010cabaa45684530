import type { ResolvedTrunk } from '../../../model/site.ts';
import { contactParameter, registeredContextOf } from '../dialplan/registered.ts';
import { codecList, dtmfType, word } from '../words.ts';
import { attributeOf, type Element, element, param } from '../xml/element.ts';
import { withRawOptions } from './raw-options.ts';

/** The SIP profile that speaks to carriers. */
export const carrierProfile = 'external';

/**
 * A trunk as a gateway of mod_sofia (`parse_gateways` in sofia.c). Its name is unique over all tenants and nodes; on one
 * of another form FreeSWITCH passes the gateway over without a word to whoever asked for the reload.
 */
export function gateway(trunk: ResolvedTrunk): Element {
  const settings = [...account(trunk), ...peer(trunk), ...registration(trunk), ...callsIn(trunk)];
  return element('gateway', { name: word(trunk.id) }, [
    ...withRawOptions(
      settings.map(([name, value]) => param(name, value)),
      trunk.options,
      'gateway',
      param,
    ),
    element('variables', {}, gatewayVariables(trunk)),
  ]);
}

type Settings = readonly (readonly [name: string, value: string | number])[];

const given = (name: string, value: string | null): Settings =>
  value === null || value === '' ? [] : [[name, value]];

/** FreeSWITCH passes a gateway over that registers and has no user name or no password. */
function account(trunk: ResolvedTrunk): Settings {
  const { username, authUsername, password, realm } = trunk;
  return [
    ...given('username', username),
    ...(authUsername === username ? [] : given('auth-username', authUsername)),
    ...given('password', password?.reveal() ?? null),
    ...given('realm', realm),
  ];
}

function peer(trunk: ResolvedTrunk): Settings {
  const from = fromUser(trunk);
  return [
    ['proxy', trunk.portGiven ? `${trunk.host}:${trunk.port}` : trunk.host],
    ...given('outbound-proxy', trunk.outboundProxy),
    ...given('register-proxy', trunk.outboundProxy),
    ['register-transport', trunk.transport],
    ...given('from-user', from),
    ['from-domain', trunk.fromDomain],
    ['caller-id-in-from', String(from === null)],
    // Without OPTIONS, a peer that does not register counts as up even where nobody is there.
    ...(trunk.qualifyFrequency === 0
      ? []
      : ([['ping', Math.max(shortestPing, trunk.qualifyFrequency)]] as const)),
  ];
}

/** Seconds; anything shorter switches the OPTIONS off. */
const shortestPing = 5;

function registration(trunk: ResolvedTrunk): Settings {
  if (!trunk.registration) return [['register', 'false']];
  return [
    ['register', 'true'],
    ['expire-seconds', trunk.expiry],
    ['retry-seconds', retrySeconds],
    ...given('contact-params', contactParameter(trunk)),
  ];
}

/** After a refusal, FreeSWITCH waits as long again with each further one. */
const retrySeconds = 60;

// `auto`: a call to our registered contact, which names the gateway, is for the number in To; any other is for the
// number in its request URI.
const callsIn = (trunk: ResolvedTrunk): Settings => [
  ['context', registeredContextOf(trunk) ?? closedContext],
  ['extension', 'auto'],
];

/** Stands in no dialplan: a call that names the gateway of a trunk that registers nowhere is refused. */
const closedContext = 'sipctl.closed';

const digits = (e164: string | null): string | null => e164?.replace(/^\+/, '') ?? null;

/** null: the number of whoever calls. */
function fromUser(trunk: ResolvedTrunk): string | null {
  switch (trunk.fromUser) {
    case 'account':
      return trunk.username;
    case 'did':
      return digits(trunk.did);
    case 'did-plus':
      return trunk.did;
    case 'caller':
      return null;
  }
}

const variable = (direction: 'inbound' | 'outbound', name: string, value: string): Element =>
  element('variable', { name, value, direction });

function gatewayVariables(trunk: ResolvedTrunk): Element[] {
  const own = variables(trunk);
  return (['inbound', 'outbound'] as const).flatMap((direction) =>
    withRawOptions(
      own.filter((one) => attributeOf(one, 'direction') === direction),
      trunk.options,
      direction,
      (name, value) => variable(direction, name, value),
    ),
  );
}

/** Channel variables of its calls. */
function variables(trunk: ResolvedTrunk): Element[] {
  const { pai, rpid } = trunk.template.callerIdHeaders;
  const dtmf = dtmfType(trunk.dtmf);
  return [
    variable('inbound', 'SIPCTL_TENANT', trunk.tenant),
    variable('inbound', 'SIPCTL_TRUNK', trunk.name),
    variable('outbound', 'absolute_codec_string', codecList(trunk.codecs)),
    // RFC 3325 §9.1, or Remote-Party-ID, or neither.
    variable('outbound', 'sip_cid_type', pai ? 'pid' : rpid ? 'rpid' : 'none'),
    ...(trunk.srtp ? [variable('outbound', 'rtp_secure_media', 'mandatory')] : []),
    ...(dtmf === null ? [] : [variable('outbound', 'dtmf_type', dtmf)]),
    ...(trunk.template.t38 === true ? [variable('outbound', 't38_passthru', 'true')] : []),
  ];
}
