import { randomUUID } from 'node:crypto';
import type { ChannelRef, DialledTarget, Inviting, Originated } from '../../control-plane.ts';
import { killChannel, perform } from '../esl/commands.ts';
import type { Ask } from '../esl/replies.ts';
import { ofTenant, ring } from './call-verbs.ts';
import { hold, unhold } from './media-verbs.ts';
import { placeOf } from './targets.ts';
import {
  becomesTrue,
  channelOf,
  demand,
  dumpOf,
  isAnswered,
  peerOf,
  type Verbs,
  verbError,
} from './verbs.ts';

/**
 * Dials what a tenant has through the tenant's own dialplan, as a call to itself, of which then the far end is taken:
 *
 *   loopback a ~ loopback b ─ leg
 * @returns the leg of whoever answered; how it went where nobody did
 */
export async function dialThrough(
  verbs: Verbs,
  to: DialledTarget,
  { ringSeconds, signal }: Inviting,
): Promise<{ leg: string; halves: readonly string[] } | Originated> {
  const { ask } = verbs;
  const { extension, context } = await placeOf(ask, to);
  const made = await ring(verbs, `loopback/${extension}/${context}/XML`, '&park()', {
    ringSeconds,
    signal,
    shown: extension,
    // Both halves stay until the far end was taken.
    variables: {
      ...ofTenant(to.tenant),
      loopback_bowout: 'false',
      SIPCTL_TENANT: to.tenant,
      sipctl_call: randomUUID(),
    },
  });
  if (made.callId === null) return made;
  const near = made.callId;
  const far = (await dumpOf(ask, near))?.get('variable_other_loopback_leg_uuid');
  let leg: string | null = null;
  await becomesTrue(async () => {
    const half = far === undefined ? null : await dumpOf(ask, far);
    leg = half === null ? null : peerOf(half);
    return leg !== null;
  });
  const halves = far === undefined ? [near] : [near, far];
  if (leg !== null) return { leg, halves };
  // A menu or a room answered, which is no party: FreeSWITCH itself is at the far end.
  for (const half of halves) await killChannel(ask, half, 'NORMAL_CLEARING');
  throw verbError(
    'refused',
    'no_party',
    `${to.dialled} is answered by FreeSWITCH itself, and not by a phone or a trunk`,
    'give the extension of a user, or a number outside',
  );
}

/**
 * Rings `to` while `other` hears music; once that party answers, both are connected, and `leg` leaves. Where it does not
 * answer, everything is as it was.
 */
export async function attendedTransfer(
  verbs: Verbs,
  leg: ChannelRef,
  other: ChannelRef,
  to: DialledTarget,
  ringSeconds: number,
): Promise<void> {
  const { ask } = verbs;
  const channel = await channelOf(ask, other);
  if (!isAnswered(channel) || peerOf(channel) !== leg.id)
    throw verbError(
      'refused',
      'not_connected',
      `${other.channel} does not talk to ${leg.channel}`,
      'name a call of two that stands',
    );
  await hold(verbs, other, leg);
  const made = await consult(verbs, leg, other, to, ringSeconds);
  await unhold(verbs, other, leg);
  await connect(ask, other, made);
  await becomesTrue(async () => (await dumpOf(ask, leg.id)) === null);
  await killChannel(ask, leg.id, 'NORMAL_CLEARING');
}

async function consult(
  verbs: Verbs,
  leg: ChannelRef,
  other: ChannelRef,
  to: DialledTarget,
  ringSeconds: number,
): Promise<string> {
  try {
    const made = await dialThrough(verbs, to, { ringSeconds });
    if ('leg' in made) return made.leg;
    throw verbError(
      'failed',
      'not_answered',
      `${to.dialled} did not answer: ${made.text}`,
      'the call goes on as it was',
    );
  } catch (error) {
    await unhold(verbs, other, leg).catch(() => undefined);
    throw error;
  }
}

async function connect(ask: Ask, other: ChannelRef, party: string): Promise<void> {
  await perform(ask, 'uuid_bridge', other.id, party);
  await demand(`${other.channel} was not connected`, async () => {
    const channel = await dumpOf(ask, other.id);
    return channel !== null && peerOf(channel) === party;
  });
}
