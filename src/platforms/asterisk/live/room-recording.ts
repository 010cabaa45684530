import type { AmiMessage } from '../ami/codec.ts';
import { AmiError } from '../ami/failures.ts';
import type { Hands } from './hands.ts';

/**
 * Whether a room is recorded. No action of Asterisk says so, and the channel that records is in no list: what its profile
 * says is true from the first member on, and what sipctl did since is noted in a variable, with the bridge that it was done
 * to, because a room that was empty in between is another one.
 */
export async function isRecorded(
  hands: Hands,
  room: string,
  channels: readonly AmiMessage[],
): Promise<boolean> {
  const bridge = bridgeOf(room, channels);
  const noted = await hands.ami.action('Getvar', { Variable: noteOf(room) }).catch(unlessRefused);
  const [where, what] = (noted?.get('Value') ?? '').split(' ');
  if (bridge !== '' && where === bridge) return what === 'on';
  const answer = await hands.ami
    .action('GetConfig', { Filename: 'confbridge.conf', Category: room })
    .catch(unlessRefused);
  const lines = answer?.entries ?? [];
  return lines.some(([name, value]) => name.startsWith('Line-') && /^record_conference ?= ?yes$/.test(value));
}

/** Notes what was done to a room. @throws like `ControlPlane` */
export async function noteRecording(hands: Hands, room: string, on: boolean): Promise<void> {
  const bridge = bridgeOf(room, await hands.all());
  await hands.act('Setvar', { Variable: noteOf(room), Value: `${bridge} ${on ? 'on' : 'off'}` });
}

const noteOf = (room: string): string => `GLOBAL(SIPCTL_RECORDED_${room})`;

/** Members of a room are in its bridge, once they have heard the announcements. */
const bridgeOf = (room: string, channels: readonly AmiMessage[]): string =>
  channels
    .filter((one) => one.get('Application') === 'ConfBridge' && one.get('Data') === room)
    .map((one) => one.get('BridgeID') ?? '')
    .find((bridge) => bridge !== '') ?? '';

// A session without the right to know knows less.
function unlessRefused(error: unknown): null {
  if (error instanceof AmiError) return null;
  throw error;
}
