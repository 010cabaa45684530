import * as call from './call-rules.ts';
import { field, noun } from './declare.ts';
import type { ObjectOf, Rule } from './field.ts';
import { rawOptions } from './raw-option.ts';
import * as rule from './rules.ts';

const notes = field('text', 'notes', rule.text(1000), 'free text, never rendered');
const labels = field('list', 'labels', rule.listOf(rule.label), 'labels to select by');

/** A value may hold commas: these lists have a line for each entry. */
const options = field(
  'list',
  'option',
  rawOptions,
  'section.option=value for the PBX, where no other flag says it; may be given again',
  { separator: '\n' },
);

const dtmf = field(
  'text',
  'dtmf',
  rule.oneOf('rfc4733', 'inband', 'info', 'auto', 'auto_info'),
  'how keys are told: rfc4733, info, inband, auto or auto_info; as the template when not set',
);

/** Enforced in the dialplan; the engines' own settings do not limit calls. */
const maxCalls = field(
  'integer',
  'max-calls',
  rule.integer(0, 100_000),
  'concurrent calls allowed; 0: no limit',
  { initial: 5 },
);

export const tenant = noun({
  name: 'tenant',
  table: 'tenants',
  tenantScoped: false,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    displayName: field('text', 'display-name', rule.text(100), 'the customer’s name as people read it'),
    domain: field(
      'text',
      'domain',
      rule.domain,
      'SIP domain of the tenant’s users; gives them a namespace of their own',
    ),
    context: field('text', 'context', rule.context, 'dialplan context of the tenant’s users'),
    country: field('text', 'country', rule.countryCode, 'ISO 3166 country of national numbers', {
      initial: 'US',
    }),
    maxCalls,
    defaultCallerId: field('text', 'caller-id', rule.e164, 'number shown on calls whose user has none'),
    stunServer: field('text', 'stun-server', rule.iceServer('stun'), 'STUN server for phones', {
      initial: 'stun:stun.l.google.com:19302',
    }),
    turnServer: field('text', 'turn-server', rule.iceServer('turn'), 'TURN server for phones'),
    turnUsername: field('text', 'turn-username', rule.authUsername, 'TURN user'),
    turnPassword: field('secret', 'turn-password', rule.password, 'TURN password'),
    record: field('boolean', 'record', rule.boolean, 'record all calls of the tenant', { initial: false }),
    recordTone: field(
      'text',
      'record-tone',
      rule.sound,
      'what both parties hear when a recording begins: tone, or a sound file',
    ),
    recordingDays: field(
      'integer',
      'recording-days',
      rule.integer(1, 36_500),
      'days after which recording prune removes recordings; never when not set',
    ),
    notes,
  },
});

export const trunk = noun({
  name: 'trunk',
  table: 'trunks',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.trunkName,
  fields: {
    provider: field('text', 'provider', rule.templateId, 'provider template: see provider list', {
      required: true,
    }),
    region: field('text', 'region', rule.label, 'which of the provider’s hosts: see provider show'),
    host: field('text', 'host', rule.host, 'the carrier’s SIP host or address'),
    port: field('integer', 'port', rule.port, 'the carrier’s SIP port'),
    transport: field('text', 'transport', rule.oneOf('udp', 'tcp', 'tls'), 'udp, tcp or tls'),
    authType: field('text', 'auth', rule.oneOf('credential', 'ip'), 'credential or ip'),
    username: field('text', 'username', rule.accountName, 'account name at the carrier'),
    authUsername: field('text', 'auth-username', rule.authUsername, 'digest user name where it differs'),
    password: field('secret', 'password', rule.password, 'account password'),
    realm: field('text', 'realm', rule.text(253), 'digest realm; any realm when not set'),
    did: field('text', 'did', rule.e164, 'main number: recorded as a number of the tenant'),
    fromUser: field(
      'text',
      'from-user',
      rule.oneOf('account', 'did', 'did-plus', 'caller'),
      'user part of From: account, did, did-plus or caller',
    ),
    fromDomain: field('text', 'from-domain', rule.host, 'host part of From'),
    registration: field('boolean', 'registration', rule.boolean, 'register at the carrier'),
    codecs: field('list', 'codecs', rule.codecs, 'codecs in order of preference'),
    dtmf,
    srtp: field('boolean', 'srtp', rule.boolean, 'encrypt media with SDES (RFC 4568)'),
    context: field('text', 'context', rule.context, 'dialplan context of calls from the carrier'),
    networks: field('list', 'networks', rule.networks, 'networks the carrier calls from'),
    techPrefix: field(
      'text',
      'tech-prefix',
      rule.techPrefix,
      'digits the carrier wants before each dialled number',
    ),
    numberFormat: field(
      'text',
      'number-format',
      rule.oneOf('plus', 'digits', 'national'),
      'how numbers are written to the carrier: +4930…, 4930… or 030…',
    ),
    outboundProxy: field('text', 'outbound-proxy', rule.host, 'host all requests are sent through'),
    maxCalls,
    inbound: field('boolean', 'inbound', rule.boolean, 'accept calls from the carrier', { initial: true }),
    outbound: field('boolean', 'outbound', rule.boolean, 'send calls to the carrier', { initial: true }),
    priority: field('integer', 'priority', rule.integer(1, 1000), 'lower is tried first', { initial: 10 }),
    isDefault: field('boolean', 'default', rule.boolean, 'the tenant’s default trunk; there is one at most', {
      initial: false,
    }),
    owner: field('reference', 'owner', rule.sipUser, 'user of the tenant who owns the trunk', { to: 'user' }),
    record: field('boolean', 'record', rule.boolean, 'record calls that run over it', { initial: false }),
    options,
    labels,
    notes,
  },
});

export const user = noun({
  name: 'user',
  table: 'users',
  tenantScoped: true,
  key: 'username',
  keyRule: rule.sipUser,
  fields: {
    extension: field('text', 'extension', rule.extension, 'number that reaches the user', { required: true }),
    password: field('secret', 'password', rule.password, 'SIP password', { required: true }),
    displayName: field('text', 'display-name', rule.text(100), 'name shown to the called party'),
    template: field('text', 'template', rule.templateId, 'user template: see user-template list', {
      initial: 'basic_user',
    }),
    codecs: field('list', 'codecs', rule.codecs, 'codecs in order of preference'),
    dtmf,
    video: field('list', 'video', rule.videoCodecList, 'video codecs, for example h264,vp8'),
    maxContacts: field('integer', 'max-contacts', rule.integer(1, 100), 'phones that may register at once'),
    qualifyFrequency: field(
      'integer',
      'qualify-frequency',
      rule.integer(0, 86_400),
      'seconds between OPTIONS; 0: none',
    ),
    transport: field(
      'text',
      'transport',
      rule.objectName,
      'transport object to pin the user to; rarely right',
    ),
    context: field('text', 'context', rule.context, 'dialplan context, where it is not the tenant’s'),
    callerId: field('text', 'caller-id', rule.e164, 'number shown to the outside'),
    mailbox: field('text', 'mailbox', rule.mailbox, 'voicemail box whose waiting messages are shown'),
    maxCalls,
    ringTime: field('integer', 'ring-time', rule.integer(3, 600), 'seconds the phones ring', { initial: 30 }),
    unanswered: field(
      'text',
      'unanswered',
      call.destination,
      'where a call goes that is not answered; the voicemail box when not set',
      { mentions: call.mentionsOfDestination },
    ),
    voicemail: field(
      'boolean',
      'voicemail',
      rule.boolean,
      'keep a voicemail box; as the template when not set',
    ),
    voicemailPin: field('secret', 'voicemail-pin', call.pin, 'PIN of the voicemail box'),
    email: field('text', 'email', call.email, 'address that is told of new voicemail'),
    tollClass: field(
      'text',
      'toll-class',
      rule.oneOf('internal', 'national', 'all'),
      'which calls the user may make; emergency calls always',
      { initial: 'all' },
    ),
    record: field('boolean', 'record', rule.boolean, 'record calls that the user makes or gets', {
      initial: false,
    }),
    options,
    labels,
    notes,
  },
});

export const number = noun({
  name: 'number',
  table: 'numbers',
  tenantScoped: true,
  key: 'number',
  keyRule: rule.e164,
  fields: {
    trunk: field('reference', 'trunk', rule.trunkName, 'trunk the number arrives on', { to: 'trunk' }),
    inbound: field('boolean', 'inbound', rule.boolean, 'accept calls to the number', { initial: true }),
    outbound: field('boolean', 'outbound', rule.boolean, 'allow calls from the number', { initial: true }),
    destination: field('text', 'to', call.destination, 'where its calls go; refused when not set', {
      mentions: call.mentionsOfDestination,
    }),
    schedule: field('reference', 'schedule', rule.slug, 'hours outside of which its calls go elsewhere', {
      to: 'schedule',
    }),
    record: field('boolean', 'record', rule.boolean, 'record its calls', { initial: false }),
    variables: field(
      'list',
      'variables',
      rule.listOf(call.variable),
      'channel variables of its calls: name=value,…',
    ),
    label: field('text', 'label', rule.text(100), 'what the number is for'),
  },
});

export const node = noun({
  name: 'node',
  table: 'nodes',
  tenantScoped: false,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    kind: field('text', 'kind', rule.oneOf('asterisk', 'freeswitch'), 'the engine', { required: true }),
    dir: field('text', 'dir', rule.directory, 'its configuration folder', { required: true }),
    engineVersion: field(
      'text',
      'engine-version',
      rule.oneOf('16', '18', '20', '21', '22', '23'),
      'major version of the engine; the oldest supported one when not set',
    ),
    tenants: field('list', 'tenants', rule.listOf(rule.slug), 'tenants the node serves; all when not set'),
    ami: field('text', 'ami', rule.hostPort, 'host:port of the Asterisk Manager Interface'),
    amiUser: field('text', 'ami-user', rule.authUsername, 'manager user'),
    amiSecret: field('secret', 'ami-secret', rule.password, 'manager secret'),
    amiTls: field('boolean', 'ami-tls', rule.boolean, 'speak TLS to the manager interface', {
      initial: false,
    }),
    amiCa: field('text', 'ami-ca', rule.directory, 'PEM file of the authority that signed its certificate'),
    esl: field('text', 'esl', rule.hostPort, 'host:port of the event socket of FreeSWITCH'),
    eslPassword: field('secret', 'esl-password', rule.password, 'password of the event socket'),
    transports: field(
      'list',
      'transports',
      rule.listOf(transportPair),
      'names of the PBX’s transports where they are not transport-<protocol>: udp=name,…',
    ),
    ssh: field(
      'text',
      'ssh',
      rule.sshTarget,
      'user@host[:port], or a name of ssh’s settings, of its machine; this one when not set',
    ),
    sshConfig: field('text', 'ssh-config', rule.directory, 'file of settings for ssh, instead of the user’s'),
    tunnel: field(
      'boolean',
      'tunnel',
      rule.boolean,
      'go to the control connection through SSH: its host and port are those seen from there',
      { initial: false },
    ),
    labels,
    owner: field('text', 'owner', rule.objectName, 'owner of delivered files'),
    group: field('text', 'group', rule.objectName, 'group of delivered files; the folder’s when not set'),
    keep: field('integer', 'keep', rule.integer(2, 1000), 'generations kept for rollback', { initial: 10 }),
    recordings: field(
      'text',
      'recordings',
      rule.directory,
      'folder of recordings on the PBX; the engine is asked when not set',
    ),
    recordingsSsh: field(
      'text',
      'recordings-ssh',
      rule.sshLogin,
      'user@host or user@host:port where that folder is not on this machine',
    ),
    notes,
  },
});

function transportPair(value: string): ReturnType<Rule<string>> {
  return /^(udp|tcp|tls|ws|wss)=[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)
    ? { ok: true, value }
    : { ok: false, message: `'${value}' is not protocol=name`, hint: 'for example udp=transport-udp' };
}

export type Tenant = ObjectOf<typeof tenant> & {
  /** Changes with every write to the tenant or to anything it owns; never returns to an earlier value. */
  revision: string;
};
export type Trunk = ObjectOf<typeof trunk> & { tenant: string };
export type User = ObjectOf<typeof user> & { tenant: string };
export type PhoneNumber = ObjectOf<typeof number> & { tenant: string };
export type Node = ObjectOf<typeof node>;
