import { SipctlError } from '../errors.ts';
import { emptyFlow, resolveFlow } from './flow/resolve-flow.ts';
import { trunkContext, trunkId, userContext, userId, voicemailContext } from './identity.ts';
import type { Tenant, Trunk, User } from './nouns.ts';
import { host as isHost } from './rules.ts';
import type { ResolvedSite, ResolvedTrunk, ResolvedUser, TenantSite } from './site.ts';
import type { Catalog, DtmfMode, ProviderTemplate, Transport, UserTemplate } from './template.ts';

/**
 * Fills what a tenant's objects leave open from their templates. Disabled objects are not there at all.
 * @throws SipctlError `notFound` where a template that is used is gone
 */
export function resolveSite(site: TenantSite, catalog: Catalog): ResolvedSite {
  const { tenant } = site;
  if (!tenant.enabled) return { tenant, trunks: [], users: [], flow: emptyFlow(tenant.name) };
  const trunks = site.trunks
    .filter((trunk) => trunk.enabled)
    .map((trunk) => resolveTrunk(trunk, tenant, providerOf(trunk, catalog)));
  const users = site.users
    .filter((user) => user.enabled)
    .map((user) => resolveUser(user, tenant, userTemplateOf(user, catalog)));
  return { tenant, trunks, users, flow: resolveFlow(site, trunks, users) };
}

export function resolveTrunk(trunk: Trunk, tenant: Tenant, template: ProviderTemplate): ResolvedTrunk {
  const authType = trunk.authType ?? template.authTypes[0] ?? 'credential';
  const transport = trunk.transport ?? template.transports[0] ?? 'udp';
  const host = trunk.host ?? templateHost(trunk, template) ?? '';
  const credential = authType === 'credential';
  return {
    id: trunkId(tenant.name, trunk.name),
    name: trunk.name,
    tenant: tenant.name,
    template,
    authType,
    host,
    port: trunk.port ?? templatePort(template, transport),
    portGiven: trunk.port !== null || templatePort(template, transport) !== defaultPort(transport),
    transport,
    username: trunk.username,
    authUsername: trunk.authUsername ?? trunk.username,
    password: credential ? trunk.password : null,
    realm: trunk.realm ?? template.realm,
    did: trunk.did,
    fromUser: trunk.fromUser ?? fromUserRule(trunk, template),
    fromDomain: trunk.fromDomain ?? asHost(trunk.realm) ?? host,
    registration: credential && registers(trunk, template),
    expiry: template.registration.expiry ?? defaultExpiry,
    codecs: trunk.codecs ?? template.codecs,
    dtmf: (trunk.dtmf as DtmfMode | null) ?? template.dtmf,
    srtp: trunk.srtp ?? template.srtp === 'required',
    context: trunk.context ?? trunkContext(tenant.name),
    networks: trunk.networks ?? template.networks?.cidrs ?? [],
    numberFormat: trunk.numberFormat ?? template.numberFormat ?? 'plus',
    techPrefix: trunk.techPrefix,
    outboundProxy: trunk.outboundProxy,
    maxCalls: trunk.maxCalls,
    inbound: trunk.inbound,
    outbound: trunk.outbound,
    qualifyFrequency: template.qualifyFrequency,
    options: trunk.options ?? [],
  };
}

// A realm is any text (RFC 3261 §22.1), and often the carrier's domain: only then can it stand in a URI.
const asHost = (realm: string | null): string | null => (realm !== null && isHost(realm).ok ? realm : null);

export function resolveUser(user: User, tenant: Tenant, template: UserTemplate): ResolvedUser {
  const audio = user.codecs ?? template.codecs;
  const voicemail = user.voicemail ?? template.voicemail;
  const video = (user.video ?? []).filter((codec) => !audio.includes(codec));
  return {
    id: userId(tenant.domain, user.username),
    username: user.username,
    tenant: tenant.name,
    domain: tenant.domain,
    template,
    password: user.password,
    extension: user.extension,
    displayName: user.displayName,
    codecs: [...audio, ...video],
    dtmf: (user.dtmf as DtmfMode | null) ?? 'rfc4733',
    maxContacts: user.maxContacts ?? template.maxContacts,
    qualifyFrequency: user.qualifyFrequency ?? template.qualifyFrequency,
    transport: user.transport,
    context: user.context ?? tenant.context ?? template.context ?? userContext(tenant.name),
    callerId: user.callerId ?? tenant.defaultCallerId,
    mailbox: shownBoxes(user, voicemail, tenant.name),
    voicemail,
    maxCalls: user.maxCalls,
    options: user.options ?? [],
  };
}

// The own box, and the one that was named, which is somebody else's or kept by another system.
function shownBoxes({ extension, mailbox }: User, voicemail: boolean, tenant: string): string | null {
  const own = voicemail ? `${extension}@${voicemailContext(tenant)}` : null;
  const boxes = [...new Set([own, mailbox])].filter((box) => box !== null);
  return boxes.length === 0 ? null : boxes.join(',');
}

/** Seconds; what the documents register for where the carrier says nothing. */
const defaultExpiry = 300;

const defaultPort = (transport: Transport): number => (transport === 'tls' ? 5061 : 5060);

const templatePort = (template: ProviderTemplate, transport: Transport): number =>
  template.ports[transport] ?? defaultPort(transport);

function templateHost(trunk: Trunk, template: ProviderTemplate): string | undefined {
  const region = template.hosts.find((one) => one.region.toLowerCase() === trunk.region?.toLowerCase());
  return (region ?? template.hosts[0])?.host;
}

// "optional" means: where the carrier's own addresses are unknown, registering is how calls come in.
export function registers(trunk: Pick<Trunk, 'registration'>, template: ProviderTemplate): boolean {
  if (template.registration.mode === 'none') return false;
  return trunk.registration ?? true;
}

// A rule that needs the main number falls back to the account where the trunk has none.
function fromUserRule(trunk: Trunk, template: ProviderTemplate): ResolvedTrunk['fromUser'] {
  const wantsDid = template.fromUser === 'did' || template.fromUser === 'did-plus';
  return wantsDid && trunk.did === null ? 'account' : template.fromUser;
}

const providerOf = (trunk: Trunk, { providers }: Catalog): ProviderTemplate =>
  templateOf(providers, trunk.provider, `trunk ${trunk.name} of tenant ${trunk.tenant}`, 'provider');

const userTemplateOf = (user: User, { users }: Catalog): UserTemplate =>
  templateOf(users, user.template, `user ${user.username} of tenant ${user.tenant}`, 'user-template');

// A template of the operator's own may be taken away while something still uses it.
function templateOf<T>(templates: ReadonlyMap<string, T>, id: string, user: string, kind: TemplateKind): T {
  const template = templates.get(id);
  if (template !== undefined) return template;
  throw new SipctlError('notFound', {
    code: `${kind.replace('-', '_')}_gone`,
    message: `${user} uses the ${kind} '${id}', which is not there any more`,
    field: kind === 'provider' ? 'provider' : 'template',
    hint: `put its file back, or choose another one: sipctl ${kind} list`,
  });
}

type TemplateKind = 'provider' | 'user-template';
