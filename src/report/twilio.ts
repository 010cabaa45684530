import { masked, type Secret } from '../model/secret.ts';
import type { TwilioTrunk } from '../model/service-nouns.ts';
import { trunkDomain } from '../model/twilio/names.ts';
import { plain, type Style } from './style.ts';
import { listing } from './table.ts';

/** What is known of a thing at Twilio. */
interface Known {
  key: string;
  id: string | null;
}

/** What others need to know of a trunk at Twilio, in the words of `--json`; ids are null until it is provisioned. */
export interface TrunkFacts {
  trunkSid: string | null;
  trunkName: string;
  domainName: string;
  domainPrefix: string;
  credentialListSid: string | null;
  sipUsername: string;
  sipPassword: Secret | string;
}

export const trunkFacts = (
  trunk: Pick<TwilioTrunk, 'friendlyName' | 'domainPrefix' | 'sipUsername' | 'sipPassword'>,
  remembered: readonly Known[],
  reveal = false,
): TrunkFacts => ({
  trunkSid: idOf(remembered, 'trunk'),
  trunkName: trunk.friendlyName,
  domainName: trunkDomain(trunk.domainPrefix),
  domainPrefix: trunk.domainPrefix,
  credentialListSid: idOf(remembered, 'credential-list'),
  sipUsername: trunk.sipUsername,
  sipPassword: reveal ? trunk.sipPassword.reveal() : masked,
});

const idOf = (remembered: readonly Known[], key: string): string | null =>
  remembered.find((one) => one.key === key)?.id ?? null;

/** The facts, line by line. */
export function trunkFactsText(facts: TrunkFacts, style: Style = plain): string {
  const rows: [string, string][] = [
    ['domain', style.bold(facts.domainName)],
    ['trunk', `${facts.trunkName} ${style.dim(facts.trunkSid ?? 'not provisioned yet')}`],
    ['credential list', facts.credentialListSid ?? '-'],
    ['SIP user', facts.sipUsername],
    ['SIP password', String(facts.sipPassword)],
  ];
  return listing(rows, style);
}
