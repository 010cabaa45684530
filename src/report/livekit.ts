import type { LivekitSetup } from '../model/livekit.ts';
import { masked } from '../model/secret.ts';
import { plain, type Style } from './style.ts';
import { listing } from './table.ts';

/** What LiveKit, or anything else that speaks SIP, needs to know of a trunk at Twilio. */
export interface SipConfig {
  domainName: string;
  sipUsername: string;
  /** Masked, unless it was asked for. */
  sipPassword: string;
  trunkSid: string;
  credentialListSid: string;
}

export const sipConfigText = (config: SipConfig, style: Style = plain): string =>
  listing(Object.entries(config), style);

/** What stands in the rule of `lk` while the inbound trunk has no id yet. */
export const unknownTrunkId = 'ID-OF-THE-INBOUND-TRUNK';

const encryptions = { disable: 'SIP_MEDIA_ENCRYPT_DISABLE', require: 'SIP_MEDIA_ENCRYPT_REQUIRE' } as const;
const transports = { auto: 'SIP_TRANSPORT_AUTO', tls: 'SIP_TRANSPORT_TLS' } as const;

/**
 * The same as `livekit ensure` makes, as files for LiveKit's own command: `lk sip inbound create`, `lk sip outbound
 * create` and `lk sip dispatch create` take one each.
 * @see https://docs.livekit.io/reference/developer-tools/livekit-cli/telephony/
 */
export function lkFiles(
  { name, inbound, outbound, encryption, rule }: LivekitSetup,
  { reveal, trunkId }: { reveal: boolean; trunkId: string | null },
): Record<string, object> {
  const media = { encryption: encryptions[encryption] };
  const { transport, authPassword, ...told } = outbound;
  const password = reveal ? authPassword.reveal() : masked;
  const agents = rule.agents.map((agentName) => ({ agentName }));
  return {
    'inbound-trunk.json': { trunk: { name, ...inbound, media } },
    'outbound-trunk.json': {
      trunk: { name, ...told, transport: transports[transport], authPassword: password, media },
    },
    'dispatch-rule.json': {
      dispatchRule: {
        name,
        trunkIds: [trunkId ?? unknownTrunkId],
        rule: { dispatchRuleIndividual: { roomPrefix: rule.roomPrefix } },
        ...(agents.length === 0 ? {} : { roomConfig: { agents } }),
      },
    },
  };
}
