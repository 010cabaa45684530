import { SipctlError } from '../../../errors.ts';
import { userContext as flowContext } from '../../../model/identity.ts';
import type { ResolvedTrunk, ResolvedUser } from '../../../model/site.ts';
import { escapeValue, valueGuard } from '../conf/write.ts';

/**
 * What the expressions of a template may name, ready for a line: texts are escaped, what is not set is empty,
 * what is true says yes and what is false is empty. A `…Guard` stands before its value at the start of a line.
 */
export type TrunkContext = ReturnType<typeof trunkContext>;
export type UserContext = ReturnType<typeof userContext>;

/** Transport of a trunk → name of the transport object on the node. */
export type TransportNames = Readonly<Record<string, string>>;

export function trunkContext(trunk: ResolvedTrunk, transports: TransportNames) {
  const object = `trunk ${trunk.name}`;
  checkName(trunk.name, object);
  checkName(trunk.id, object);
  const value = (option: string, text: string | null): string =>
    text === null ? '' : escapeValue(text, object, option);
  const hostPort = trunk.portGiven ? `${trunk.host}:${trunk.port}` : trunk.host;
  const uri = `sip:${hostPort}${transportParameter(trunk)}`;
  const authUsername = value('authUsername', trunk.authUsername);
  const password = value('password', trunk.password?.reveal() ?? null);
  const realm = value('realm', trunk.realm);
  return {
    id: trunk.id,
    name: trunk.name,
    tenant: trunk.tenant,
    username: value('username', trunk.username),
    authUsername,
    authUsernameGuard: valueGuard(authUsername),
    password,
    passwordGuard: valueGuard(password),
    realm,
    realmGuard: valueGuard(realm),
    host: value('host', trunk.host),
    port: trunk.port,
    hostPort: value('host', hostPort),
    transport: trunk.transport as string,
    transportName: value('transport', transports[trunk.transport] ?? `transport-${trunk.transport}`),
    context: value('context', trunk.context),
    codecs: value('codecs', trunk.codecs.join(',')),
    dtmf: trunk.dtmf as string,
    fromUser: value('fromUser', fromUser(trunk)),
    fromDomain: value('fromDomain', trunk.fromDomain),
    did: value('did', trunk.did),
    contactUser: value('username', userPart(trunk.username ?? digits(trunk.did))),
    // An identify object is there to accept calls: without calls in, there is nothing to match.
    networks: trunk.inbound ? value('networks', trunk.networks.join(',')) : '',
    registration: yesOrEmpty(trunk.registration),
    expiry: trunk.expiry,
    srtp: yesOrEmpty(trunk.srtp),
    serverUri: value('host', uri),
    // An address of record has neither port nor transport: RFC 3261 §19.1.1, table 1, columns To and From.
    clientUri: value('username', `sip:${userAt(trunk.username)}${trunk.fromDomain}`),
    contactUri: value('host', uri),
    outboundProxyUri: value('outboundProxy', proxyUri(trunk)),
    qualifyFrequency: trunk.qualifyFrequency,
    maxCalls: trunk.maxCalls,
    inbound: yesOrEmpty(trunk.inbound),
    outbound: yesOrEmpty(trunk.outbound),
    techPrefix: value('techPrefix', trunk.techPrefix),
    tls: yesOrEmpty(trunk.transport === 'tls'),
    isCredential: yesOrEmpty(trunk.authType === 'credential'),
  };
}

export function userContext(user: ResolvedUser) {
  const object = `user ${user.username}`;
  checkName(user.username, object);
  checkName(user.id, object);
  const password = escapeValue(user.password.reveal(), object, 'password');
  const displayName = user.displayName === null ? '' : escapeValue(user.displayName, object, 'displayName');
  const codecs = escapeValue(user.codecs.join(','), object, 'codecs');
  return {
    id: user.id,
    username: user.username,
    tenant: user.tenant,
    title: user.template.title,
    password,
    passwordGuard: valueGuard(password),
    extension: escapeValue(user.extension, object, 'extension'),
    displayName,
    displayNameGuard: valueGuard(displayName),
    callerid: callerId(user, displayName, object),
    codecs,
    dtmf: user.dtmf as string,
    maxContacts: user.maxContacts,
    qualifyFrequency: user.qualifyFrequency,
    transport: user.transport === null ? '' : escapeValue(user.transport, object, 'transport'),
    context: escapeValue(user.context, object, 'context'),
    mailbox: user.mailbox === null ? '' : escapeValue(user.mailbox, object, 'mailbox'),
    maxCalls: user.maxCalls,
    domain: user.domain === null ? '' : escapeValue(user.domain, object, 'domain'),
  };
}

/** How a variable behaves, as far as that decides which lines are there. */
export interface Variable {
  /** It is never empty: its line is always there. A number is there even as 0. */
  always?: true;
  /** It is not even 0, so that no condition can tell one value from another. */
  certain?: true;
  /** It may start with `>`, so its guard stands before it. */
  guarded?: true;
}

/** The variables of a kind of template, by name. */
export type Known = Readonly<Record<string, Variable>>;

type Variables<Context> = Readonly<Record<Exclude<keyof Context, `${string}Guard`>, Variable>>;

export const trunkVariables: Variables<TrunkContext> = {
  id: { always: true, certain: true },
  name: { always: true, certain: true },
  tenant: { always: true, certain: true },
  username: {},
  authUsername: { guarded: true },
  password: { guarded: true },
  realm: { guarded: true },
  host: { always: true, certain: true },
  port: { always: true },
  hostPort: { always: true, certain: true },
  transport: { always: true, certain: true },
  transportName: { always: true, certain: true },
  context: { always: true, certain: true },
  codecs: {},
  dtmf: { always: true, certain: true },
  fromUser: {},
  fromDomain: {},
  did: {},
  contactUser: {},
  networks: {},
  registration: {},
  expiry: { always: true },
  srtp: {},
  serverUri: { always: true, certain: true },
  clientUri: { always: true, certain: true },
  contactUri: { always: true, certain: true },
  outboundProxyUri: {},
  qualifyFrequency: { always: true },
  maxCalls: { always: true },
  inbound: {},
  outbound: {},
  techPrefix: {},
  tls: {},
  isCredential: {},
};

export const userVariables: Variables<UserContext> = {
  id: { always: true, certain: true },
  username: { always: true, certain: true },
  tenant: { always: true, certain: true },
  title: { always: true, certain: true },
  password: { always: true, certain: true, guarded: true },
  extension: { always: true, certain: true },
  displayName: { guarded: true },
  callerid: { always: true, certain: true },
  codecs: { always: true, certain: true },
  dtmf: { always: true, certain: true },
  maxContacts: { always: true },
  qualifyFrequency: { always: true },
  transport: {},
  context: { always: true, certain: true },
  mailbox: {},
  maxCalls: { always: true },
  domain: {},
};

const nameShape = /^[A-Za-z0-9][A-Za-z0-9._+@-]*$/;

/**
 * Names of sections and markers cannot be escaped; the model's rules let nothing else through.
 * @throws SipctlError `invalid` for a name that would not stay in its place
 */
export function checkName(name: string, object: string): void {
  if (nameShape.test(name)) return;
  throw new SipctlError('invalid', {
    code: 'unwritable_name',
    message: `${JSON.stringify(object)} has a name that cannot stand in pjsip.conf`,
    field: 'name',
    hint: 'remove it, and add it under another name',
  });
}

const yesOrEmpty = (value: boolean): 'yes' | '' => (value ? 'yes' : '');

// UDP is what a SIP URI means without the parameter (RFC 3261 §19.1.2).
const transportParameter = ({ transport }: ResolvedTrunk): string =>
  transport === 'udp' ? '' : `;transport=${transport}`;

// `lr`: a loose router of RFC 3261 §16.12; without it Asterisk would put the proxy into the request line.
const proxyUri = (trunk: ResolvedTrunk): string =>
  trunk.outboundProxy === null ? '' : `sip:${trunk.outboundProxy}${transportParameter(trunk)};lr`;

const userAt = (username: string | null): string => (username === null ? '' : `${userPart(username)}@`);

// RFC 3261 §25.1 `user`: unreserved and user-unreserved characters stand for themselves, so do escapes.
const notInUserPart = /(?:%[0-9A-Fa-f]{2}|[A-Za-z0-9\-_.!~*'()&=+$,;?/])+|(.)/gsu;

function userPart(text: string): string {
  return text.replace(notInUserPart, (kept, other?: string) =>
    other === undefined ? kept : encodeURIComponent(other),
  );
}

const digits = (e164: string | null): string => (e164 ?? '').replace(/^\+/, '');

function fromUser(trunk: ResolvedTrunk): string {
  switch (trunk.fromUser) {
    case 'account':
      return userPart(trunk.username ?? '');
    case 'did':
      return digits(trunk.did);
    case 'did-plus':
      return trunk.did ?? '';
    case 'caller':
      return '';
  }
}

/**
 * `"Ann" <1001>`; inside the quotes Asterisk takes a backslash before a quote or a backslash. Colleagues see the
 * extension, and sipctl's dialplan shows the outside the other number; a context of the operator's own has only this.
 */
function callerId(user: ResolvedUser, displayName: string, object: string): string {
  const shown = user.context === flowContext(user.tenant) ? null : user.callerId;
  const number = escapeValue(shown ?? user.extension, object, 'callerId');
  const name = user.displayName ?? user.extension;
  // Most names stand as they are, and were escaped already.
  if (name === user.displayName && name.length * 3 <= longestName && !/["\\]/.test(name)) {
    return `"${displayName}" <${number}>`;
  }
  const quoted = shortened(name).replace(/["\\]/g, '\\$&');
  return `"${escapeValue(quoted, object, 'displayName')}" <${number}>`;
}

// Bytes that Asterisk keeps of a name (res_pjsip's pjsip_configuration.c, `char cid_name[80]`). It would cut a
// character in two, and what it shows would not be what was written.
const longestName = 79;

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= longestName) return name;
  let kept = '';
  let bytes = 0;
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > longestName) break;
    kept += character;
  }
  return kept.trimEnd();
}
