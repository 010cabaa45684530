import { trunkId } from '../../../model/identity.ts';
import type { CallEnd, Quality } from '../../../model/live/call.ts';
import type { LegFacts } from '../../../model/live/changes.ts';

/** What FreeSWITCH says of a channel, by its own names: an event, or the channel's dump. */
export interface ChannelText {
  get(name: string): string | undefined;
}

/** All that is read of a channel's events, and of dumps: they have hundreds of others. */
export const channelHeaders = [
  'Answer-State',
  'Bridge-A-Unique-ID',
  'Bridge-B-Unique-ID',
  'Call-Direction',
  'Caller-Caller-ID-Name',
  'Caller-Caller-ID-Number',
  'Caller-Channel-Answered-Time',
  'Caller-Channel-Created-Time',
  'Caller-Destination-Number',
  'Channel-Call-State',
  'Channel-HIT-Dialplan',
  'Channel-Name',
  'Channel-Read-Codec-Name',
  'Event-Date-Timestamp',
  'Event-Name',
  'Event-Sequence',
  'Hangup-Cause',
  'Other-Leg-Unique-ID',
  'Other-Type',
  'Record-File-Path',
  'Unique-ID',
  'variable_SIPCTL_DIRECTION',
  'variable_SIPCTL_TENANT',
  'variable_SIPCTL_TRUNK',
  'variable_accountcode',
  'variable_dialed_domain',
  'variable_dialed_user',
  'variable_domain_name',
  'variable_effective_caller_id_name',
  'variable_effective_caller_id_number',
  'variable_hangup_cause_q850',
  'variable_originating_leg_uuid',
  'variable_other_loopback_leg_uuid',
  'variable_presence_id',
  'variable_proto_specific_hangup_cause',
  'variable_rtp_audio_in_media_packet_count',
  'variable_rtp_audio_in_mos',
  'variable_rtp_audio_in_quality_percentage',
  'variable_rtp_use_codec_name',
  'variable_signal_bond',
  'variable_sip_gateway',
  'variable_sip_gateway_name',
  'variable_sip_req_user',
  'variable_sip_term_status',
  'variable_sip_to_user',
  'variable_sipctl_came_over',
  'variable_sipctl_dialled',
  'variable_sipctl_held',
  'variable_user_name',
] as const;

/** A dump, to be read as an event is. */
export const textOf = (all: Readonly<Record<string, unknown>>): ChannelText => ({
  get: (name) => {
    const value = Object.hasOwn(all, name) ? all[name] : undefined;
    return value === undefined || value === null
      ? undefined
      : String(Array.isArray(value) ? value[0] : value);
  },
});

/** What of a channel no other tells: everything but the call that it belongs to. */
export type OwnFacts = Omit<LegFacts, 'callId' | 'recorded'>;

/** `loopback/…` are FreeSWITCH's own: a call of the dialplan to itself. */
export const isLoopback = (channel: ChannelText): boolean =>
  channel.get('Channel-Name')?.startsWith('loopback/') ?? false;

/** Milliseconds since 1970 of a time in microseconds; null for 0, which says that it did not come so far. */
export function millis(microseconds: string | undefined): number | null {
  const value = Number(microseconds ?? 0);
  return value > 0 ? Math.floor(value / 1000) : null;
}

/** @param at when this was so, in milliseconds since 1970 */
export function ownFacts(channel: ChannelText, at: number): OwnFacts {
  const way = channel.get('Call-Direction') === 'outbound' ? 'out' : 'in';
  return {
    id: channel.get('Unique-ID') ?? '',
    channel: channel.get('Channel-Name') ?? '',
    way,
    ...(way === 'in' ? caller(channel) : callee(channel)),
    ...standing(channel, at),
    startedAt: millis(channel.get('Caller-Channel-Created-Time')) ?? at,
  };
}

/** True of a phone that holds, and of a channel that sipctl had wait with music. */
const isHeld = (channel: ChannelText): boolean =>
  channel.get('Channel-Call-State') === 'HELD' || channel.get(heldVariable) === 'true';

/** The variable of a channel that says so. */
export const heldVariable = 'variable_sipctl_held';

/** How far a channel is, which is what changes most. */
export function standing(channel: ChannelText, at: number): Pick<LegFacts, 'state' | 'codec' | 'answeredAt'> {
  if (channel.get('Answer-State') !== 'answered') return { state: 'ringing', codec: null, answeredAt: null };
  return {
    state: isHeld(channel) ? 'held' : 'answered',
    codec: channel.get('variable_rtp_use_codec_name') ?? channel.get('Channel-Read-Codec-Name') ?? null,
    answeredAt: millis(channel.get('Caller-Channel-Answered-Time')) ?? at,
  };
}

type Who = Pick<LegFacts, 'endpoint' | 'account' | 'number' | 'name' | 'dialled'>;

// What a phone writes of itself is its own affair: whom it signed in as says the directory.
function caller(channel: ChannelText): Who {
  const { user, trunk, account } = origin(channel);
  const ofUser = user === null ? undefined : channel.get('variable_effective_caller_id_number');
  return {
    endpoint: user ?? trunk,
    account,
    number: ofUser ?? channel.get('Caller-Caller-ID-Number') ?? null,
    name:
      (user === null ? undefined : channel.get('variable_effective_caller_id_name')) ??
      channel.get('Caller-Caller-ID-Name') ??
      null,
    dialled: dialled(channel),
  };
}

/** Whose call a leg is that came in, as far as it is known by now. */
export function origin(channel: ChannelText): {
  user: string | null;
  trunk: string | null;
  account: string | null;
} {
  const [name, domain] = [channel.get('variable_user_name'), channel.get('variable_domain_name')];
  const account = channel.get('variable_SIPCTL_TENANT') ?? channel.get('variable_accountcode') ?? null;
  const user = name === undefined || domain === undefined ? null : `${name}@${domain.toLowerCase()}`;
  return { user, trunk: user === null ? trunkOf(channel, account) : null, account };
}

function trunkOf(channel: ChannelText, tenant: string | null): string | null {
  const gateway = channel.get('variable_sip_gateway');
  if (gateway !== undefined) return gateway;
  // Routes out write their own trunk over it, also in a call that came in.
  const now =
    channel.get('variable_SIPCTL_DIRECTION') === 'inbound' ? channel.get('variable_SIPCTL_TRUNK') : undefined;
  const trunk = channel.get('variable_sipctl_came_over') ?? now;
  return tenant === null || trunk === undefined || trunk === '' ? null : trunkId(tenant, trunk);
}

// The dialplan sends a call from number to number; what the request was for stays.
function dialled(channel: ChannelText): string | null {
  const now = channel.get('Caller-Destination-Number') ?? null;
  if (channel.get('Channel-HIT-Dialplan') === 'true' && channel.get('Event-Name') === 'CHANNEL_CREATE')
    return now;
  const [requested, to] = [channel.get('variable_sip_req_user'), channel.get('variable_sip_to_user')];
  return (requested?.startsWith('gw+') ? to : requested) ?? now;
}

function callee(channel: ChannelText): Who {
  const gateway = channel.get('variable_sip_gateway_name');
  const user = gateway === undefined ? rungUser(channel) : null;
  return {
    endpoint: gateway ?? user,
    account: channel.get('variable_SIPCTL_TENANT') ?? channel.get('variable_accountcode') ?? null,
    // What a phone registered as says nothing to anybody.
    number:
      channel.get(user === null ? 'Caller-Destination-Number' : 'variable_effective_caller_id_number') ??
      null,
    name: (user === null ? undefined : channel.get('variable_effective_caller_id_name')) ?? null,
    // Of a call that sipctl itself made.
    dialled: channel.get('variable_sipctl_dialled') ?? null,
  };
}

// A leg that dials on gets the variables of whom it dials, but for this one.
function rungUser(channel: ChannelText): string | null {
  const presence = channel.get('variable_presence_id');
  if (presence !== undefined) return presence.replace(/@.*$/, (domain) => domain.toLowerCase());
  const [user, domain] = [channel.get('variable_dialed_user'), channel.get('variable_dialed_domain')];
  return user === undefined || domain === undefined ? null : `${user}@${domain.toLowerCase()}`;
}

/** Why a channel ended: of its CHANNEL_HANGUP_COMPLETE. */
export function endOf(channel: ChannelText): CallEnd {
  const q850 = Number(channel.get('variable_hangup_cause_q850') ?? 0);
  const status = Number(
    channel.get('variable_sip_term_status') ??
      /^sip:(\d{3})$/.exec(channel.get('variable_proto_specific_hangup_cause') ?? '')?.[1] ??
      0,
  );
  return {
    q850: q850 > 0 ? q850 : null,
    // A BYE or CANCEL says nothing but that.
    sip: status >= 300 ? status : null,
    text: channel.get('Hangup-Cause') ?? '',
  };
}

/**
 * What FreeSWITCH measured of the media that came in. It has no jitter in milliseconds, and without RTCP no round trip.
 */
export function qualityOf(channel: ChannelText): Quality | null {
  const mos = Number(channel.get('variable_rtp_audio_in_mos') ?? Number.NaN);
  const packets = Number(channel.get('variable_rtp_audio_in_media_packet_count') ?? 0);
  if (!(mos > 0) || packets === 0) return null;
  const percent = Number(channel.get('variable_rtp_audio_in_quality_percentage') ?? Number.NaN);
  return {
    mos,
    lossPercent: Number.isFinite(percent) ? Math.round((100 - percent) * 100) / 100 : null,
    jitterMs: null,
    rttMs: null,
  };
}
