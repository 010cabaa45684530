import type { Problem } from '../errors.ts';
import { checkTrunk } from '../model/check.ts';
import { numberArrivesIn } from '../model/inbound-trunk.ts';
import type { Trunk } from '../model/nouns.ts';
import type { ResolvedTrunk } from '../model/site.ts';
import type { Catalog } from '../model/template.ts';
import type { Finding } from '../sip/finding.ts';

/**
 * What can be said of a trunk before a packet is sent: its fields against its provider template, and what calls in need. The
 * complaints name fields and remedies already, and stand in `facts.problems`.
 */
export function checkConfiguration(trunk: Trunk, resolved: ResolvedTrunk, catalog: Catalog): Finding {
  const problems = checkTrunk(trunk, catalog);
  const cautions = [...unreachable(resolved), ...exposed(resolved), ...idle(resolved)];
  const [worst] = [...problems, ...cautions];
  const status = problems.length > 0 ? 'failed' : cautions.length > 0 ? 'warning' : 'ok';
  return {
    stage: 'configuration',
    status,
    cause: worst?.code ?? null,
    detail:
      worst === undefined
        ? fitting(resolved)
        : [...problems, ...cautions].map(({ message }) => message).join('; '),
    ms: 0,
    facts: {
      provider: resolved.template.id,
      verified: resolved.template.verified,
      ...(resolved.inbound ? { numbersArriveIn: numberArrivesIn(resolved) } : {}),
      problems: [...problems, ...cautions],
    },
  };
}

function fitting(trunk: ResolvedTrunk): string {
  const { template, authType, registration, transport, host, inbound } = trunk;
  const auth =
    authType === 'ip' ? 'by address' : registration ? 'by registration' : 'by digest, without registration';
  const arrival = numberArrivesIn(trunk) === 'to' ? 'To' : 'the request URI';
  const calls = inbound ? `; called numbers arrive in ${arrival}` : '';
  return `${template.displayName}: ${host} over ${transport}, ${auth}${calls}`;
}

// Calls in are told apart by a registration or by the address that they come from: one of the two must be there.
function unreachable({ inbound, registration, networks, template }: ResolvedTrunk): Problem[] {
  if (!inbound || registration || networks.length > 0) return [];
  return [
    {
      code: 'identify_cannot_match',
      message: `networks: nothing tells a PBX which calls come from ${template.displayName}`,
      field: 'networks',
      hint: 'give --networks with the addresses that the carrier calls from, or --no-inbound',
    },
  ];
}

function exposed({ srtp, transport }: ResolvedTrunk): Problem[] {
  if (!srtp || transport === 'tls') return [];
  return [
    {
      code: 'keys_in_the_clear',
      message: `transport: the keys of SRTP travel readable over ${transport}`,
      field: 'transport',
      hint: 'give --transport tls',
    },
  ];
}

function idle({ inbound, outbound }: ResolvedTrunk): Problem[] {
  if (inbound || outbound) return [];
  return [
    {
      code: 'trunk_idle',
      message: 'inbound, outbound: the trunk takes no calls either way',
      field: 'inbound',
      hint: 'give --inbound or --outbound',
    },
  ];
}
