import type { ChannelRef } from '../../control-plane.ts';
import type { AmiMessage } from '../ami/codec.ts';
import { AmiError } from '../ami/failures.ts';
import { gone, type Hands, notDone, refused, variableIn } from './hands.ts';

/** What a channel is recorded to; Asterisk sets it when MixMonitor begins. */
const fileVariable = 'MIXMONITOR_FILENAME';
const patienceMs = 2000;

/** Records both directions of a leg. @throws like `ControlPlane`, and `refused` where its call is recorded already */
export async function startRecording(hands: Hands, leg: ChannelRef, path: string): Promise<void> {
  const recorded = await recordedChannel(hands, leg);
  if (recorded !== null) {
    const message = `the call is recorded already, to ${variableIn(recorded, fileVariable)}`;
    throw refused('already_recorded', message, 'stop that recording first');
  }
  const status = await hands.demand(leg);
  await hands.act('MixMonitor', { Channel: status.get('Channel') ?? leg.channel, File: path });
  const begun = await hands.until(async () => {
    const now = await hands.look(leg, fileVariable);
    if (now === null) throw gone(`the channel ${leg.channel} was hung up`);
    return variableIn(now, fileVariable);
  }, patienceMs);
  if (begun === null) throw notDone('not_recorded', `Asterisk did not begin to record ${leg.channel}`);
}

/** @throws like `ControlPlane`, and `refused` where nothing is recorded */
export async function stopRecording(hands: Hands, leg: ChannelRef): Promise<void> {
  const channel = await demandRecorded(hands, leg);
  try {
    await hands.act('StopMixMonitor', { Channel: channel });
  } catch (error) {
    throw error instanceof AmiError ? notRecorded(leg) : error;
  }
  // Asterisk leaves the name of the file there, by which everybody else would take the call for a recorded one.
  await hands.act('Setvar', { Channel: channel, Variable: fileVariable, Value: '' });
}

/** Silence is written while it is paused. @throws like `ControlPlane`, and `refused` where nothing is recorded */
export async function pauseRecording(hands: Hands, leg: ChannelRef, on: boolean): Promise<void> {
  const channel = await demandRecorded(hands, leg);
  try {
    await hands.act('MixMonitorMute', { Channel: channel, Direction: 'both', State: on ? 1 : 0 });
  } catch (error) {
    throw error instanceof AmiError ? notRecorded(leg) : error;
  }
}

async function demandRecorded(hands: Hands, leg: ChannelRef): Promise<string> {
  const recorded = await recordedChannel(hands, leg);
  if (recorded === null) throw notRecorded(leg);
  return recorded.get('Channel') ?? '';
}

/** The channel of the leg's call that is recorded: the dialplan may have begun it at another one. */
async function recordedChannel(hands: Hands, leg: ChannelRef): Promise<AmiMessage | null> {
  const call = (await hands.demand(leg)).get('Linkedid');
  const all = await hands.all(fileVariable);
  const recorded = all.filter(
    (one) => one.get('Linkedid') === call && variableIn(one, fileVariable) !== null,
  );
  return recorded.find((one) => one.get('Uniqueid') === leg.id) ?? recorded[0] ?? null;
}

const notRecorded = (leg: ChannelRef): Error =>
  refused('not_recorded', `the call of ${leg.channel} is not recorded`, 'start a recording first');
