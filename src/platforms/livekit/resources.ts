import type { LivekitEncryption, LivekitSetup, LivekitTransport } from '../../model/livekit.ts';
import type { HeldResource, Resource } from '../../plan/service-plan.ts';
import type { Held } from './held.ts';

/** The three things of a project, in the order in which they are made: a rule without trunks would take every call. */
export const keys = {
  inbound: 'inbound-trunk',
  outbound: 'outbound-trunk',
  rule: 'dispatch-rule',
} as const;

/** As LiveKit's protocol numbers them. */
export const transports = { auto: 0, udp: 1, tcp: 2, tls: 3 } as const;
export const encryptions = { disable: 0, allow: 1, require: 2 } as const;

const wordOf = (words: Readonly<Record<string, number>>, number: number): string =>
  Object.entries(words).find(([, one]) => one === number)?.[0] ?? String(number);

/** All that a project is to hold for a tenant. */
export function desiredResources(setup: LivekitSetup): Resource[] {
  const { name, inbound, outbound, encryption, rule } = setup;
  const { authPassword, transport, ...told } = outbound;
  return [
    {
      key: keys.inbound,
      name,
      values: { name, ...inbound, authUsername: '', encryption: encryption satisfies LivekitEncryption },
    },
    {
      key: keys.outbound,
      name,
      values: { name, ...told, transport: transport satisfies LivekitTransport, encryption },
      secrets: { authPassword },
    },
    {
      key: keys.rule,
      name,
      values: { name, trunks: [name], kind: 'individual', ...rule },
    },
  ];
}

/**
 * The same fields of what a project holds.
 * @param trunkName what the inbound trunk is called here
 */
export function heldResources({ inbound, outbound, rule }: Held, trunkName: string): HeldResource[] {
  const held: HeldResource[] = [];
  if (inbound !== undefined)
    held.push({
      key: keys.inbound,
      id: inbound.sipTrunkId,
      values: {
        name: inbound.name,
        numbers: inbound.numbers.toSorted(),
        allowedAddresses: inbound.allowedAddresses.toSorted(),
        authUsername: inbound.authUsername,
        encryption: encryptionOf(inbound),
      },
    });
  if (outbound !== undefined)
    held.push({
      key: keys.outbound,
      id: outbound.sipTrunkId,
      values: {
        name: outbound.name,
        numbers: outbound.numbers.toSorted(),
        address: outbound.address,
        authUsername: outbound.authUsername,
        transport: wordOf(transports, outbound.transport),
        encryption: encryptionOf(outbound),
      },
    });
  if (rule !== undefined) held.push(heldRule(rule, inbound?.sipTrunkId, trunkName));
  return held;
}

function heldRule(
  rule: NonNullable<Held['rule']>,
  trunkId: string | undefined,
  trunkName: string,
): HeldResource {
  const dispatch = rule.rule?.rule;
  return {
    key: keys.rule,
    id: rule.sipDispatchRuleId,
    values: {
      name: rule.name,
      // Of the trunk that sipctl holds, people know the name; of any other there is only the id.
      trunks: rule.trunkIds.map((id) => (id === trunkId ? trunkName : id)),
      kind: kinds[dispatch?.case ?? ''] ?? 'other',
      roomPrefix: dispatch?.case === 'dispatchRuleIndividual' ? dispatch.value.roomPrefix : '',
      agents: rule.roomConfig?.agents.map(({ agentName }) => agentName) ?? [],
    },
  };
}

const kinds: Readonly<Record<string, string>> = {
  dispatchRuleIndividual: 'individual',
  dispatchRuleDirect: 'direct',
  dispatchRuleCallee: 'callee',
};

/** Servers of before 2026 write it into a field of its own. */
const encryptionOf = (trunk: NonNullable<Held['inbound'] | Held['outbound']>): string =>
  wordOf(encryptions, trunk.media?.encryption ?? trunk.mediaEncryption);
