import type { LegFacts } from '../../../model/live/changes.ts';
import type { AmiMessage } from '../ami/codec.ts';

/** What Asterisk's messages say of a channel, in our words. */

// Channels that Asterisk makes for itself: halves of Local, voices of conferences, the other side of a spy.
const internal =
  /^(Local|Message|Announcer|Recorder|CBAnn|CBRec|ConfBridgeRecorder|Surrogate|AsyncGoto|Bridge|Snoop|UnicastRTP|MulticastRTP|Parked|VoicemailPlayback|OutgoingSpoolFailed)\//;

/** False for what is between two channels, and no party's. */
export const isParty = (channel: string): boolean => channel !== '' && !internal.test(channel);

/** The halves of one Local channel have it in common; null for any other channel. */
export const localPair = (channel: string): string | null =>
  channel.startsWith('Local/') ? channel.slice(0, -2) : null;

/** Name of the endpoint of a channel of PJSIP, which a number of eight digits follows; null for others. */
export function endpointOf(channel: string): string | null {
  if (!channel.startsWith('PJSIP/')) return null;
  const end = channel.lastIndexOf('-');
  return end === -1 ? null : channel.slice(6, end);
}

/** Null where Asterisk says that there is none; `s` is where a dialplan begins, and nobody's number. */
export const known = (value: string | undefined): string | null =>
  value === undefined || value === '' || value === '<unknown>' || value === '(null)' || value === 's'
    ? null
    : value;

/** The number that is called over a trunk: `+4912345@acme.main`; null for a phone, which its address follows. */
export const numberDialled = (dialString: string | undefined): string | null =>
  /^(?:PJSIP\/)?([+*#0-9]+)@[^/,&]+(?:,|$)/.exec(dialString ?? '')?.[1] ?? null;

/** `ulaw` of `(ulaw)`, and of `(ulaw|alaw)`. */
export const codecIn = (formats: string | undefined): string | null =>
  /^\(?([^()|]+)/.exec(formats ?? '')?.[1] ?? null;

/** ChannelState 6 is `Up`: it was answered. */
export const isUp = (message: AmiMessage): boolean => message.get('ChannelState') === '6';

/** What every message about a channel says of it, besides its state. */
export function identityOf(message: AmiMessage): Pick<LegFacts, 'callId' | 'account' | 'number' | 'name'> {
  return {
    callId: message.get('Linkedid') ?? '',
    account: known(message.get('AccountCode')),
    number: known(message.get('CallerIDNum')),
    name: known(message.get('CallerIDName')),
  };
}

/** A whole number above 0, else null. */
export function countIn(message: AmiMessage, header: string): number | null {
  const value = Number(message.get(header) ?? 0);
  return Number.isInteger(value) && value > 0 ? value : null;
}

/** Where a held or parked party waits, by the name that the dialplan gives the place. */
export const isPlaceOfHeld = (context: string | undefined): boolean => /\.(held|parked)$/.test(context ?? '');

/** True for a party that waits there: one that was taken back still has the name of the place, but talks in a bridge. */
export const isHeldHere = (status: AmiMessage): boolean =>
  isPlaceOfHeld(status.get('Context')) && (status.get('BridgeID') ?? '') === '';
