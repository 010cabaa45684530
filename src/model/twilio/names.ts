import { longestUsername } from './rules.ts';

/** The names of a tenant's trunk at Twilio; chosen once and then kept, as others may bear the tenant's name too. */
export interface TrunkNames {
  /** Before `.pstn.twilio.com`, where all customers of Twilio share one space of names. */
  domainPrefix: string;
  /** Of the trunk and of its credential list. */
  friendlyName: string;
  sipUsername: string;
}

const longestDomainPrefix = 63;
const longestFriendlyName = 64;

/** What stands behind the prefix of a trunk's domain. */
export const trunkDomain = (domainPrefix: string): string => `${domainPrefix}.pstn.twilio.com`;

/** Chooses names for the trunk of a tenant (its slug). `at` makes them its own: no two are chosen in one millisecond. */
export function chooseTrunkNames(tenant: string, at: Date): TrunkNames {
  const ending = `-${at.getTime()}`;
  return {
    domainPrefix: `${shortened(`user-${tenant}`, longestDomainPrefix - ending.length)}${ending}`,
    friendlyName: `${shortened(`main-trunk-${tenant}`, longestFriendlyName - ending.length)}${ending}`,
    sipUsername: shortened(`sip-${tenant}`, longestUsername),
  };
}

/** True for a name that `chooseTrunkNames` could have given to a trunk and its credential list. */
export const isChosenName = (friendlyName: string): boolean =>
  /^main-trunk-.+-[0-9]{10,}$/.test(friendlyName);

/** True for a domain that `chooseTrunkNames` could have given to a trunk. */
export const isChosenDomain = (domain: string): boolean =>
  /^user-.+-[0-9]{10,}\.pstn\.twilio\.com$/.test(domain);

/** What is too long ends in a digest of all of it: always the same one, and hardly that of another name. */
function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name;
  const digest = fingerprint(name);
  return `${name.slice(0, longest - digest.length - 1).replace(/-+$/, '')}-${digest}`;
}

/** FNV-1a of 64 bits, in base 36. @see https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(36);
}
