/**
 * Names on a PBX. A node is one namespace: tenants that have no SIP domain share it, and the database keeps
 * every name in one unique column, so that a clash is refused when it is written and not when it is rendered.
 */

/** A user's endpoint: `user@domain` where the tenant has a domain, else the bare user name. */
export const userId = (domain: string | null, username: string): string =>
  domain === null ? username : `${username}@${domain}`;

/**
 * A trunk's endpoint. It must not hold `@`, which ends the number in a dial string, and the dot cannot stand
 * in a tenant's or trunk's name, so two tenants' trunks never meet.
 */
export const trunkId = (tenant: string, name: string): string =>
  tenant === defaultTenant ? name : `${tenant}.${name}`;

/** The tenant that exists from the start and is meant where none is named. */
export const defaultTenant = 'default';

/** The dialplan context of a tenant's users, unless the tenant or the user has one set. */
export const userContext = (tenant: string): string => (tenant === defaultTenant ? 'default' : `t-${tenant}`);

/** The dialplan context of calls from a tenant's trunks, unless the trunk has one set. */
export const trunkContext = (tenant: string): string =>
  tenant === defaultTenant ? 'from-trunk' : `from-trunk-${tenant}`;

/** The voicemail context of a tenant: its boxes are extensions, which other tenants may have, too. */
export const voicemailContext = (tenant: string): string => `t-${tenant}`;
