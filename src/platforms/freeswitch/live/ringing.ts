import type { ChannelRef } from '../../control-plane.ts';
import type { Ask } from '../esl/replies.ts';
import { hangup } from './call-verbs.ts';
import { musicFor, waitWithMusic } from './media-verbs.ts';
import { channelOf, demand, isAnswered, verbError } from './verbs.ts';

/** Takes a call that rings, in the place of the phones that do; it hears music until something is done with it. */
export async function answer(ask: Ask, leg: ChannelRef): Promise<void> {
  const channel = await ringing(ask, leg, 'answered');
  if (channel.get('Call-Direction') !== 'inbound')
    throw verbError(
      'refused',
      'not_incoming',
      `${leg.channel} is a phone that rings: only its user can answer`,
      'name the leg of the caller',
    );
  // Were it only answered, the phones would go on ringing, and their no would end the call.
  await waitWithMusic(ask, leg, ['answer'], await musicFor(ask, channel));
  await demand(`${leg.channel} was not answered`, async () => isAnswered(await channelOf(ask, leg)));
}

/** Refuses a call that rings. */
export async function reject(ask: Ask, leg: ChannelRef, q850: number): Promise<void> {
  await ringing(ask, leg, 'rejected');
  await hangup(ask, leg, q850);
}

async function ringing(ask: Ask, leg: ChannelRef, what: string) {
  const channel = await channelOf(ask, leg);
  if (!isAnswered(channel)) return channel;
  throw verbError(
    'refused',
    'is_answered',
    `${leg.channel} cannot be ${what}: it talks already`,
    'hang it up instead',
  );
}
