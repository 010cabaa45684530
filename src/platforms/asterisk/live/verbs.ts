import type { ChannelRef } from '../../control-plane.ts';
import { type Hands, notDone, refused } from './hands.ts';

/** Milliseconds until a channel that was hung up must be gone. */
const endMs = 3000;
/** Between two digits, and for each. */
const digitMs = 120;
const pauseMs = 180;

/** Ends a channel; one that rings here is refused with the cause. @throws like `ControlPlane` */
export async function hangup(hands: Hands, leg: ChannelRef, q850: number): Promise<void> {
  await hands.demand(leg);
  await hands.act('Hangup', { Channel: leg.id, Cause: q850 });
  const isGone = await hands.until(async () => ((await hands.look(leg)) === null ? true : null), endMs);
  if (isGone === null) throw notDone('not_hung_up', `Asterisk did not end the channel ${leg.channel}`);
}

/** Silences what a party says, for everybody on the call. @throws like `ControlPlane` */
export async function mute(hands: Hands, leg: ChannelRef, on: boolean): Promise<void> {
  const status = await hands.demand(leg);
  await hands.act('MuteAudio', {
    Channel: status.get('Channel') ?? leg.channel,
    Direction: 'in',
    State: on ? 'on' : 'off',
  });
}

/** Sends digits to a party, one after another. @throws like `ControlPlane`, and `refused` before the call is answered */
export async function dtmf(hands: Hands, leg: ChannelRef, digits: string): Promise<void> {
  const status = await hands.demand(leg);
  if (status.get('ChannelState') !== '6') {
    throw refused('not_answered', `${leg.channel} rings: it takes no digits`, 'wait until it is answered');
  }
  const channel = status.get('Channel') ?? leg.channel;
  for (const digit of digits) {
    // `w` is half a second, as in a dial string.
    if (/^w$/i.test(digit)) await wait(500);
    else {
      await hands.act('PlayDTMF', { Channel: channel, Digit: digit, Duration: digitMs });
      await wait(digitMs + pauseMs);
    }
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
