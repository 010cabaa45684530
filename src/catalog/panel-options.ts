import type { Rule } from '../model/field.ts';
import * as rule from '../model/rules.ts';
import type { FromUserRule, Transport } from '../model/template.ts';
import type { PanelOption } from './panel-section.ts';

/** A carrier as far as it is understood: the facts for every engine, and the options of Asterisk that are left. */
export interface PanelFacts {
  authType: 'credential' | 'ip';
  host: string | null;
  port: number;
  transports: Transport[] | null;
  codecs: readonly string[] | null;
  expiry: number | null;
  qualifyFrequency: number | null;
  realm: string | null;
  fromUser: FromUserRule | null;
  pai: boolean;
  rpid: boolean;
  t38: boolean;
  srtp: boolean;
  dtmf: string | null;
  networks: string[];
  /** Section → option → expression. */
  asterisk: Record<string, Record<string, string>>;
}

/** `ours`: sipctl writes it by itself. `kept`: it goes into the sections as it is. Anything else says why it cannot. */
type Fate = 'ours' | 'kept' | { left: string };
type Take = (value: string, facts: PanelFacts) => Fate;

const isYes = (value: string): boolean => /^(?:yes|y|true|t|1|on)$/i.test(value);
const isNo = (value: string): boolean => /^(?:no|n|false|f|0|off)$/i.test(value);

/** Takes one option over: as a fact where a template has a word for it. The answer is why it cannot be, or null. */
export function takeOption({ section, option, value }: PanelOption, facts: PanelFacts): string | null {
  if (
    /^(?:password|md5_cred|password_digest|oauth_.*|refresh_token)$/.test(option) &&
    value !== '{{password}}'
  )
    return 'a secret is no part of a template: give it with the trunk';
  if (/\{\{password\}\}/.test(value) && option !== 'password')
    return 'the password would stand outside of the option password';
  const fate = takes[`${section}.${option}`]?.(value, facts) ?? 'kept';
  if (typeof fate !== 'string') return fate.left;
  if (fate === 'kept') keep(facts, section, option, value);
  return null;
}

function keep({ asterisk }: PanelFacts, section: string, option: string, value: string): void {
  const options = asterisk[section] ?? {};
  const lines = Object.keys(options).filter((key) => key.startsWith(`${option}.`)).length;
  const key = option === 'set_var' ? `${option}.panel${lines + 1}` : option;
  asterisk[section] = { ...options, [key]: value };
}

const same =
  (...known: string[]): Take =>
  (value) =>
    known.includes(value) ? 'ours' : 'kept';

const onlySame =
  (message: string, ...known: string[]): Take =>
  (value) =>
    known.includes(value) ? 'ours' : { left: message };

// All objects of a trunk have its name, so a name made of it in another way means the same object.
const reference: Take = (value) =>
  value.includes('{{id}}') ? 'ours' : { left: 'it names an object that does not belong to the trunk' };

const whole =
  (lowest: number, highest: number, own: string, set: (facts: PanelFacts, value: number) => void): Take =>
  (value, facts) => {
    const parsed = rule.integer(lowest, highest)(value);
    if (parsed.ok) set(facts, parsed.value);
    return parsed.ok || value === own ? 'ours' : 'kept';
  };

const flag =
  (set: (facts: PanelFacts, value: boolean) => void): Take =>
  (value, facts) => {
    if (!isYes(value) && !isNo(value)) return 'kept';
    set(facts, isYes(value));
    return 'ours';
  };

const transport: Take = (value, facts) => {
  const named = (/udp|tcp|tls/i.exec(value)?.[0].toLowerCase() ?? null) as Transport | null;
  const isOpen = /\{\{transport(?:Name)?\}\}/.test(value);
  if (named === null && !isOpen) return { left: 'its name does not say udp, tcp or tls' };
  facts.transports ??= named === null ? ['udp', 'tcp', 'tls'] : [named];
  return named === null || facts.transports.includes(named)
    ? 'ours'
    : { left: 'a trunk has one transport, and another option names it' };
};

/** `sip:user@host:port;transport=x`, as far as a trunk says it by its fields. */
const address =
  /^sip:(?:([^@]*)@)?(\[[^\]]+\]|\{\{\w+\}\}|[^:;{}\s]+)(?::(\{\{port\}\}|\d+))?(?:;transport=(\{\{transport\}\}|udp|tcp|tls))?$/i;

const uri =
  (users: readonly string[]): Take =>
  (value, facts) => {
    if (/:[^@/;]*:[^@]*@/.test(value)) return { left: 'a URI with a password would show it' };
    // What a panel calls the carrier's address stands for its host where a request is sent to.
    const text = value.replaceAll('{{networks}}', '{{host}}');
    const [, user = '', host = '', port, protocol] = address.exec(text) ?? [];
    const isHost = ['{{host}}', '{{hostPort}}', '{{fromDomain}}'].includes(host) || host === facts.host;
    if (!isHost && facts.host === null && rule.host(host).ok) facts.host = host;
    else if (!isHost) return keptAs(value, text);
    const isPort = port === undefined || port === '{{port}}' || Number(port) === facts.port;
    if (!isPort || !users.includes(user)) return keptAs(value, text);
    return protocol === undefined ? 'ours' : transport(protocol, facts);
  };

const keptAs = (value: string, text: string): Fate =>
  value === text ? 'kept' : { left: 'an address to match calls by cannot stand in a URI: name the host' };

const codecs: Take = (value, facts) => {
  if (value === '{{codecs}}') return 'ours';
  const parsed = rule.codecs(value.replaceAll(/\s/g, '').replace(/^!all,/, ''));
  if (!parsed.ok) return { left: parsed.message };
  facts.codecs = parsed.value;
  return 'ours';
};

const fromUsers: Readonly<Record<string, FromUserRule>> = {
  '{{did}}': 'did-plus',
  '+{{did}}': 'did-plus',
  '{{username}}': 'account',
  '{{authUsername}}': 'account',
  '{{contactUser}}': 'account',
  '{{fromUser}}': 'account',
};

const fromUser: Take = (value, facts) => {
  const known = Object.hasOwn(fromUsers, value) ? fromUsers[value] : undefined;
  facts.fromUser = known ?? 'account';
  return known === undefined ? 'kept' : 'ours';
};

const ownHost: Take = (value, { host }) =>
  ['{{host}}', '{{fromDomain}}', host].includes(value) ? 'ours' : 'kept';

const realm: Take = (value, facts) => {
  if (value.includes('{{')) return value === '{{realm}}' ? 'ours' : 'kept';
  facts.realm = value;
  return 'ours';
};

const dtmf: Take = (value, facts) => {
  if (value.includes('{{')) return value === '{{dtmf}}' ? 'ours' : 'kept';
  facts.dtmf = value;
  return ['rfc4733', 'inband', 'info', 'auto', 'auto_info'].includes(value) ? 'ours' : 'kept';
};

const encryption: Take = (value, facts) => {
  facts.srtp = value === 'sdes';
  return value === 'sdes' || isNo(value) ? 'ours' : 'kept';
};

const network: Rule<string> = rule.network;
const match: Take = (value, facts) => {
  const [known, names] = [[] as string[], [] as string[]];
  for (const one of value.split(',').map((word) => word.trim())) {
    if (network(one).ok) known.push(one);
    else if (one !== '{{networks}}') names.push(one);
  }
  facts.networks.push(...known.filter((one) => !facts.networks.includes(one)));
  if (names.length === 0) return 'ours';
  return { left: 'calls in are matched by addresses, not by a host name: give --networks with the trunk' };
};

const takes: Readonly<Record<string, Take>> = {
  'registration.transport': transport,
  'registration.outbound_auth': reference,
  'registration.endpoint': reference,
  'registration.server_uri': uri(['']),
  'registration.client_uri': uri(['{{username}}', '{{authUsername}}']),
  'registration.contact_user': same('{{username}}', '{{contactUser}}'),
  'registration.expiration': whole(10, 86_400, '{{expiry}}', (facts, value) => {
    facts.expiry = value;
  }),
  'registration.line': (value) => (isYes(value) ? 'ours' : 'kept'),
  'auth.auth_type': onlySame('a trunk signs in by user name and password', 'userpass'),
  'auth.username': same('{{username}}', '{{authUsername}}'),
  'auth.password': onlySame('a secret is no part of a template', '{{password}}'),
  'auth.realm': realm,
  'aor.contact': uri(['']),
  'aor.qualify_frequency': whole(0, 86_400, '{{qualifyFrequency}}', (facts, value) => {
    facts.qualifyFrequency = value;
  }),
  'endpoint.transport': transport,
  'endpoint.context': onlySame('the context is the trunk’s own: give it with --context', '{{context}}'),
  'endpoint.disallow': onlySame('only all is disallowed, before allow', 'all'),
  'endpoint.allow': codecs,
  'endpoint.outbound_auth': reference,
  'endpoint.auth': () => ({ left: 'a carrier is not asked for a password' }),
  'endpoint.aors': reference,
  'endpoint.from_user': fromUser,
  'endpoint.from_domain': ownHost,
  'endpoint.send_pai': flag((facts, value) => {
    facts.pai = value;
  }),
  'endpoint.send_rpid': flag((facts, value) => {
    facts.rpid = value;
  }),
  'endpoint.t38_udptl': flag((facts, value) => {
    facts.t38 = value;
  }),
  'endpoint.dtmf_mode': dtmf,
  'endpoint.media_encryption': encryption,
  'endpoint.identify_by': onlySame('a name in From is no proof of who calls', 'ip'),
  'identify.endpoint': reference,
  'identify.match': match,
};
