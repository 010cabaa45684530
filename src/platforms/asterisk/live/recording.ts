import { recordingPath } from '../../../model/recording.ts';
import type { ChannelRef } from '../../control-plane.ts';
import type { AmiMessage } from '../ami/codec.ts';
import { AmiError } from '../ami/failures.ts';
import { gone, type Hands, notDone, refused, variableIn } from './hands.ts';
import { tenantOf } from './tenant-of.ts';

/** What a channel is recorded to; Asterisk sets it when MixMonitor begins. */
const fileVariable = 'MIXMONITOR_FILENAME';
/** Set where sipctl has silenced a recording: Asterisk tells nobody. */
const pausedVariable = 'SIPCTL_RECORDING_PAUSED';
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
  await demandBegun(hands, leg);
}

async function demandBegun(hands: Hands, leg: ChannelRef): Promise<void> {
  const begun = await hands.until(async () => {
    const now = await hands.look(leg, fileVariable);
    if (now === null) throw gone(`the channel ${leg.channel} was hung up`);
    return variableIn(now, fileVariable);
  }, patienceMs);
  if (begun === null) throw notDone('not_recorded', `Asterisk did not begin to record ${leg.channel}`);
}

/**
 * Goes on with the recording of a call that was transferred, on the party that stays, in a further file; a recording that is
 * paused stays so. (What stands on a party that leaves ends with it. Asterisk 22 writes one side only, about every second
 * time, where another party has come to the other end of a Local channel.)
 * @param before what `recordedOf` said before the transfer
 * @throws like `ControlPlane`
 */
export async function recordWhoStays(
  hands: Hands,
  stays: ChannelRef,
  before: readonly AmiMessage[],
): Promise<void> {
  const others = before.filter((one) => one.get('Uniqueid') !== stays.id);
  if (others.length === before.length && before.length > 0) {
    const status = await hands.demand(stays);
    const channel = status.get('Channel') ?? stays.channel;
    const id = `${status.get('Linkedid')}--${stays.id}`;
    const File = recordingPath(tenantOf(status), new Date().toISOString().slice(0, 10), id);
    // Appended to what an earlier transfer may have left there.
    await hands.act('MixMonitor', { Channel: channel, File, Options: 'a' });
    if (before.some((one) => variableIn(one, pausedVariable) !== null)) await silence(hands, channel, true);
    await demandBegun(hands, stays);
  }
  // Who has left is recorded no more.
  for (const one of others) await end(hands, one.get('Channel') ?? '').catch(() => undefined);
}

/** @throws like `ControlPlane`, and `refused` where nothing is recorded */
export async function stopRecording(hands: Hands, leg: ChannelRef): Promise<void> {
  const channel = await demandRecorded(hands, leg);
  try {
    await end(hands, channel);
  } catch (error) {
    throw error instanceof AmiError ? notRecorded(leg) : error;
  }
}

async function end(hands: Hands, channel: string): Promise<void> {
  await hands.act('StopMixMonitor', { Channel: channel });
  // Asterisk leaves the name of the file there, by which everybody else would take the call for a recorded one.
  await hands.act('Setvar', { Channel: channel, Variable: fileVariable, Value: '' });
}

/** Silence is written while it is paused. @throws like `ControlPlane`, and `refused` where nothing is recorded */
export async function pauseRecording(hands: Hands, leg: ChannelRef, on: boolean): Promise<void> {
  const channel = await demandRecorded(hands, leg);
  try {
    await silence(hands, channel, on);
  } catch (error) {
    throw error instanceof AmiError ? notRecorded(leg) : error;
  }
}

async function silence(hands: Hands, channel: string, on: boolean): Promise<void> {
  await hands.act('MixMonitorMute', { Channel: channel, Direction: 'both', State: on ? 1 : 0 });
  await hands.act('Setvar', { Channel: channel, Variable: pausedVariable, Value: on ? 'yes' : '' });
}

async function demandRecorded(hands: Hands, leg: ChannelRef): Promise<string> {
  const recorded = await recordedChannel(hands, leg);
  if (recorded === null) throw notRecorded(leg);
  return recorded.get('Channel') ?? '';
}

/** The channel of the leg's call that is recorded: the dialplan may have begun it at another one. */
async function recordedChannel(hands: Hands, leg: ChannelRef): Promise<AmiMessage | null> {
  const recorded = await recordedOf(hands, leg);
  return recorded.find((one) => one.get('Uniqueid') === leg.id) ?? recorded[0] ?? null;
}

/** The channels of the leg's call that are recorded. */
export async function recordedOf(hands: Hands, leg: ChannelRef): Promise<AmiMessage[]> {
  const call = (await hands.demand(leg)).get('Linkedid');
  const all = await hands.all(`${fileVariable},${pausedVariable}`);
  return all.filter((one) => one.get('Linkedid') === call && variableIn(one, fileVariable) !== null);
}

const notRecorded = (leg: ChannelRef): Error =>
  refused('not_recorded', `the call of ${leg.channel} is not recorded`, 'start a recording first');
