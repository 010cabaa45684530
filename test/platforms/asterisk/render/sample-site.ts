import { fileURLToPath } from 'node:url';
import { compileShipped } from '../../../../src/catalog/compile.ts';
import { emptyFlow } from '../../../../src/model/flow/resolve-flow.ts';
import type { Tenant, Trunk, User } from '../../../../src/model/nouns.ts';
import { resolveTrunk, resolveUser } from '../../../../src/model/resolve.ts';
import { Secret } from '../../../../src/model/secret.ts';
import type { ResolvedSite, ResolvedTrunk, ResolvedUser } from '../../../../src/model/site.ts';
import type { AuthType, Catalog, ProviderTemplate, UserTemplate } from '../../../../src/model/template.ts';

export const templatesDir = fileURLToPath(new URL('../../../../templates', import.meta.url));

/** The shipped templates, read from their files. */
export async function shippedCatalog(): Promise<Catalog> {
  const { providers, users, digest } = await compileShipped(templatesDir);
  return {
    providers: new Map(providers.map((one) => [one.id, one])),
    users: new Map(users.map((one) => [one.id, one])),
    digest,
  };
}

export const tenantOf = (values: Partial<Tenant> = {}): Tenant =>
  ({ name: 'acme', domain: 'acme.example', context: null, defaultCallerId: null, ...values }) as Tenant;

/** A trunk as an operator adds one, with nothing set that its provider does not ask for. */
export function trunkOf(
  template: ProviderTemplate,
  authType: AuthType,
  values: Partial<Trunk> = {},
): ResolvedTrunk {
  const credential = authType === 'credential';
  const trunk = {
    name: 'main',
    provider: template.id,
    region: null,
    host: template.hosts.length === 0 ? 'sip.carrier.example' : null,
    port: null,
    transport: null,
    authType,
    username: credential ? '1234567890' : null,
    authUsername: null,
    password: credential ? new Secret('pass;word') : null,
    realm: null,
    did: '+15551234567',
    fromUser: null,
    fromDomain: null,
    registration: null,
    codecs: null,
    srtp: null,
    context: null,
    networks: template.networks === null && !credential ? ['192.0.2.0/24', '2001:db8::1'] : null,
    techPrefix: null,
    outboundProxy: null,
    maxCalls: 5,
    inbound: true,
    outbound: true,
    ...values,
  };
  return resolveTrunk(trunk as Trunk, tenantOf(), template);
}

export function userOf(
  template: UserTemplate,
  values: Partial<User> = {},
  tenant = tenantOf(),
): ResolvedUser {
  const user = {
    username: 'ann',
    extension: '1001',
    password: new Secret('pass;word'),
    displayName: 'Ann Example',
    template: template.id,
    codecs: null,
    video: null,
    maxContacts: null,
    qualifyFrequency: null,
    transport: null,
    context: null,
    callerId: null,
    mailbox: '1001@default',
    maxCalls: 5,
    ...values,
  };
  return resolveUser(user as User, tenant, template);
}

export const siteOf = (parts: Partial<ResolvedSite>): ResolvedSite => ({
  tenant: tenantOf(),
  trunks: [],
  users: [],
  flow: emptyFlow('acme'),
  ...parts,
});
