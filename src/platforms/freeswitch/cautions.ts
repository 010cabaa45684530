import type { Problem } from '../../errors.ts';
import { rangeOf } from '../../model/address-range.ts';
import type { InboundTrunk } from '../../model/inbound-trunk.ts';

/**
 * What becomes of calls in that their owners may not expect. A call to a registered contact names its gateway; of any
 * other the address and the called number decide (`publicExtensions`), so trunks of two tenants are told apart by their
 * numbers, and two of one tenant with the same addresses are not: the first by name takes the calls of both.
 * @param isNew only what concerns at least one such trunk is named
 */
export function cautions(
  trunks: readonly InboundTrunk[],
  isNew: (trunk: InboundTrunk) => boolean,
): Problem[] {
  const sorted = [...trunks].sort((one, other) => (one.name < other.name ? -1 : 1));
  return [...sorted.filter(isNew).flatMap(unknownCaller), ...shadowed(sorted, isNew)];
}

function unknownCaller({ name, tenant, networks, registered }: InboundTrunk): Problem[] {
  if (registered || networks.length > 0) return [];
  return [
    {
      code: 'no_networks',
      message: `trunk ${name} of tenant ${tenant} neither registers nor names networks: FreeSWITCH takes no call in for it`,
      field: 'networks',
      hint: `sipctl trunk set ${name} --tenant ${tenant} --networks <where its calls come from>, or --no-inbound`,
    },
  ];
}

function shadowed(trunks: readonly InboundTrunk[], isNew: (trunk: InboundTrunk) => boolean): Problem[] {
  const byTenant = new Map<string, InboundTrunk[]>();
  for (const trunk of trunks) {
    const known = byTenant.get(trunk.tenant);
    if (known === undefined) byTenant.set(trunk.tenant, [trunk]);
    else known.push(trunk);
  }
  const problems: Problem[] = [];
  for (const own of byTenant.values()) {
    for (const [at, trunk] of own.entries()) {
      const first = own.slice(0, at).find((other) => isTakenFor(trunk, other));
      if (first === undefined || !(isNew(trunk) || isNew(first))) continue;
      problems.push({
        code: 'shared_networks',
        message:
          `trunks ${first.name} and ${trunk.name} of tenant ${trunk.tenant} take calls from the same addresses: FreeSWITCH ` +
          `takes every call from there that names no registration for one of ${first.name}, with its context and its limit`,
        field: 'networks',
        hint: 'give one of them --no-inbound, or networks that do not overlap; trunks that register are told apart',
      });
    }
  }
  return problems;
}

const isTakenFor = (trunk: InboundTrunk, first: InboundTrunk): boolean =>
  !(trunk.registered && first.registered) &&
  trunk.networks.some((network) => first.networks.some((other) => overlap(network, other)));

function overlap(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a.version === b.version && a.first <= b.last && b.first <= a.last;
}
