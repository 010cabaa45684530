import type { ChannelRef } from '../../control-plane.ts';
import { parkingCode, parkingRealm, parkingSlots } from '../dialplan/parking.ts';
import { perform, xmlLocate } from '../esl/commands.ts';
import { EslError } from '../esl/failures.ts';
import { type Ask, quoted, run, word } from '../esl/replies.ts';
import { notAnswered } from './call-verbs.ts';
import { musicFor } from './media-verbs.ts';
import { channelOf, demand, dumpOf, isAnswered, peerOf, setVariables, verbError } from './verbs.ts';

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
  const peer = peerOf(channel);
  await setVariables(ask, leg.id, { sipctl_parked: number });
  // Whatever is in the name of the music, it ends no word of the transfer.
  const wait = `m:^:endless_playback:${await musicFor(ask, channel)}`;
  await perform(ask, 'uuid_transfer', leg.id, quoted('music', wait), 'inline');
  await perform(ask, 'sched_hangup', `+${Math.ceil(seconds)}`, leg.id, 'NO_ANSWER');
  await demand(`${leg.channel} was not parked`, async () => {
    const now = await dumpOf(ask, leg.id);
    return now !== null && peerOf(now) !== peer;
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
