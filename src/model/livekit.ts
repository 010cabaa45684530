import { type Problem, SipctlError } from '../errors.ts';
import type { PhoneNumber } from './nouns.ts';
import type { Secret } from './secret.ts';
import type { Livekit, TwilioTrunk } from './service-nouns.ts';
import { trunkDomain } from './twilio/names.ts';

/** What a LiveKit project is connected with: a trunk at Twilio, the numbers on it, and where Twilio's calls come from. */
export interface LivekitSite {
  livekit: Livekit & { tenant: string };
  trunk: TwilioTrunk;
  /** Those of the tenant on the linked trunk. */
  numbers: readonly Pick<PhoneNumber, 'number' | 'inbound' | 'outbound' | 'enabled'>[];
  /** As CIDR ranges or addresses; from the provider template. */
  networks: readonly string[];
}

/** How LiveKit spells it: `auto` leaves the transport to LiveKit. */
export type LivekitTransport = 'auto' | 'tls';
export type LivekitEncryption = 'disable' | 'require';

/** What LiveKit is to hold for one tenant, in no one's spelling. */
export interface LivekitSetup {
  /** Of both trunks and of the rule. */
  name: string;
  inbound: { numbers: readonly string[]; allowedAddresses: readonly string[] };
  outbound: {
    numbers: readonly string[];
    address: string;
    transport: LivekitTransport;
    authUsername: string;
    authPassword: Secret;
  };
  encryption: LivekitEncryption;
  rule: { roomPrefix: string; agents: readonly string[] };
}

/** The trunks and the rule of a tenant's `livekit` object bear one name, by which they are found again. */
export const livekitName = (tenant: string, name: string): string => `sipctl-${tenant}-${name}`;

/**
 * Works out what a LiveKit project is to hold. Trunks name their numbers and where calls may come from, always: Twilio's
 * networks serve all its customers, and a trunk for any number would take the calls of each of them.
 * @throws SipctlError `invalid` where the tenant has no number to be called at, or to call from
 */
export function livekitSetup({ livekit, trunk, numbers, networks }: LivekitSite): LivekitSetup {
  const inUse = numbers.filter(({ enabled }) => enabled);
  const called = inUse.filter(({ inbound }) => inbound !== false).map(({ number }) => number);
  const calling = inUse.filter(({ outbound }) => outbound !== false).map(({ number }) => number);
  const problems = [
    ...(called.length === 0 ? [noNumbers(livekit, trunk, 'inbound')] : []),
    ...(calling.length === 0 ? [noNumbers(livekit, trunk, 'outbound')] : []),
  ];
  if (problems.length > 0) throw new SipctlError('invalid', problems);
  const isSecure = trunk.secure === true;
  return {
    name: livekitName(livekit.tenant, livekit.name),
    inbound: { numbers: called.toSorted(), allowedAddresses: networks.toSorted() },
    outbound: {
      numbers: calling.toSorted(),
      address: trunkDomain(trunk.domainPrefix),
      transport: isSecure ? 'tls' : 'auto',
      authUsername: trunk.sipUsername,
      authPassword: trunk.sipPassword,
    },
    // A secure trunk of Twilio takes TLS and SRTP together, and nothing else.
    encryption: isSecure ? 'require' : 'disable',
    rule: {
      roomPrefix: livekit.roomPrefix ?? '',
      agents: livekit.agent === null ? [] : [livekit.agent],
    },
  };
}

const noNumbers = (
  { tenant, name }: LivekitSite['livekit'],
  trunk: TwilioTrunk,
  direction: 'inbound' | 'outbound',
): Problem => ({
  code: 'livekit_no_numbers',
  message: `livekit '${name}': tenant '${tenant}' has no ${direction} number on Twilio trunk '${trunk.name}'`,
  field: 'twilioTrunk',
  hint:
    trunk.trunk === null
      ? `sipctl twilio ensure --tenant ${tenant} makes the trunk that numbers arrive on`
      : `sipctl number ensure <+number> --tenant ${tenant} --trunk ${trunk.trunk} --${direction} puts one there`,
});
