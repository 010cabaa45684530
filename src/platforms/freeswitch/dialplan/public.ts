import type { ResolvedTrunk } from '../../../model/site.ts';
import { word } from '../words.ts';
import { contextOf } from './contexts.ts';
import { type Condition, condition, type Extension, extension, set, transfer } from './dialplan.ts';
import { calledFields, inChunks, knownForms } from './numbers.ts';
import type { Plan } from './plan.ts';

/**
 * Extensions of the context in which the profile puts calls that name no gateway of ours: from the networks of a trunk, for
 * a number of its tenant. Two tenants may have the same carrier; the number tells whose call it is.
 */
export function publicExtensions(plan: Plan, trunks: readonly ResolvedTrunk[]): Extension[] {
  const known = inChunks(knownForms(plan));
  return trunks
    .filter(({ inbound, networks }) => inbound && networks.length > 0)
    .flatMap((trunk) => {
      const from = fromNetworks(trunk.networks);
      const go = [
        set('SIPCTL_TENANT', trunk.tenant),
        set('SIPCTL_TRUNK', word(trunk.name)),
        transfer(word(contextOf(trunk)), '$1'),
      ];
      const expressions = calledFields.flatMap((field) =>
        known.map((expression) => [field, expression] as const),
      );
      return expressions.map(([field, expression], at) =>
        extension(`trunk ${word(trunk.id)}, ${at + 1}`, [from, condition(field, expression, go)]),
      );
    });
}

/** True of a call that comes from one of these networks. */
export const fromNetworks = (networks: readonly string[]): Condition =>
  condition(`\${acl(\${network_addr} ${listOf(networks)})}`, '^true$');

// FreeSWITCH takes a list of networks, each with its length; a name would be that of a list of acl.conf.
const listOf = (networks: readonly string[]): string =>
  networks
    .map((network) => (network.includes('/') ? network : `${network}/${network.includes(':') ? 128 : 32}`))
    .join(',');
