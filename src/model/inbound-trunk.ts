import type { Trunk } from './nouns.ts';
import { registers } from './resolve.ts';
import type { ResolvedTrunk } from './site.ts';
import type { ProviderTemplate } from './template.ts';

/** What is stored of a trunk that decides which calls in are taken for its own. */
export type StoredInbound = Pick<
  Trunk,
  'tenant' | 'name' | 'provider' | 'authType' | 'registration' | 'networks' | 'context' | 'codecs' | 'srtp'
>;

/** A trunk as calls from its carrier find it. */
export interface InboundTrunk {
  tenant: string;
  name: string;
  /** Where its calls come from. */
  networks: readonly string[];
  /** True where calls come to a contact that was registered, and are told apart by that. */
  registered: boolean;
  /** null: the tenant's own. */
  context: string | null;
  codecs: readonly string[];
  srtp: boolean;
}

export function inboundTrunk(trunk: StoredInbound, template: ProviderTemplate): InboundTrunk {
  const { tenant, name, context } = trunk;
  return {
    tenant,
    name,
    networks: trunk.networks ?? template.networks?.cidrs ?? [],
    registered: (trunk.authType ?? template.authTypes[0]) !== 'ip' && registers(trunk, template),
    context,
    codecs: trunk.codecs ?? template.codecs,
    srtp: trunk.srtp ?? template.srtp === 'required',
  };
}

/**
 * Where a called number stands in the carrier's INVITE. Where the carrier does not say: a registered contact is called under
 * the account's name, and the number stands in To.
 */
export function numberArrivesIn({
  registration,
  username,
  template,
}: Pick<ResolvedTrunk, 'registration' | 'username' | 'template'>): 'request-uri' | 'to' {
  if (template.didSource !== null) return template.didSource === 'to' ? 'to' : 'request-uri';
  return registration && username !== null ? 'to' : 'request-uri';
}
