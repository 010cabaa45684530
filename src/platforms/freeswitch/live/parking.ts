import type { ChannelRef } from '../../control-plane.ts';
import { parkingCode, parkingRealm, parkingSlots } from '../dialplan/parking.ts';
import { xmlLocate } from '../esl/commands.ts';
import { EslError } from '../esl/failures.ts';
import { type Ask, run, word } from '../esl/replies.ts';
import { notAnswered } from './call-verbs.ts';
import { isPlaying, musicFor, waitWithMusic } from './media-verbs.ts';
import { channelOf, demand, dumpOf, isAnswered, peerOf, setVariables, verbError } from './verbs.ts';

/** Seconds; FreeSWITCH takes one for none. */
const shortest = 2;

/**
 * Parks the party at a channel: it hears music until somebody dials the slot, and is hung up when its time is over. Which
 * channel is in which slot FreeSWITCH keeps under the tenant's name, where the dialplan looks it up.
 */
export async function park(
  ask: Ask,
  leg: ChannelRef,
  { seconds }: { seconds: number },
): Promise<{ slot: string }> {
  const channel = await channelOf(ask, leg);
  if (!isAnswered(channel)) throw notAnswered(leg);
  const tenant = word(
    'tenant',
    channel.get('variable_SIPCTL_TENANT') ?? channel.get('variable_accountcode') ?? '-',
  );
  const context = await xmlLocate(ask, 'dialplan', 'context', 'name', `t-${tenant}`);
  if (context === null || !context.includes(parkingRealm(tenant)))
    throw verbError(
      'refused',
      'no_parking',
      `nobody of tenant ${tenant} could take ${leg.channel} back: this FreeSWITCH has no slots of it`,
      'run sipctl apply, and reload what it says',
    );
  const number = await freeSlot(ask, tenant);
  await hash(ask, `insert/${parkingRealm(tenant)}/${number}/${leg.id}`);
  await setVariables(ask, leg.id, { sipctl_parked: number, sipctl_held: 'false', current_application: '' });
  // A hangup that is scheduled would come when the call was taken back, too.
  const timed = `set:playback_timeout_sec=${Math.max(shortest, Math.ceil(seconds))}`;
  await waitWithMusic(ask, leg, [timed], await musicFor(ask, channel));
  await demand(`${leg.channel} was not parked`, async () => {
    const now = await dumpOf(ask, leg.id);
    return now !== null && peerOf(now) === null && isPlaying(now);
  });
  return { slot: `${parkingCode}${number}` };
}

async function freeSlot(ask: Ask, tenant: string): Promise<string> {
  for (const number of parkingSlots) {
    const taken = await hash(ask, `select/${parkingRealm(tenant)}/${number}`);
    if (taken === '' || (await dumpOf(ask, taken))?.get('variable_sipctl_parked') !== number) return number;
  }
  throw verbError('refused', 'no_slot', 'all slots are taken', 'take a parked call back first');
}

async function hash(ask: Ask, what: string): Promise<string> {
  const reply = (await run(ask, 'hash', what)).trim();
  if (reply.startsWith('-ERR') && !/no reply|not found/i.test(reply)) throw new EslError('hash', reply);
  return reply.startsWith('-ERR') || reply === '+OK' ? '' : reply;
}
