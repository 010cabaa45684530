import type { ChannelRef } from '../../control-plane.ts';
import type { AmiFields, AmiMessage } from '../ami/codec.ts';
import { isHeldHere } from './channel.ts';
import { gone, type Hands, notDone, refused } from './hands.ts';
import { tenantOf } from './tenant-of.ts';

const patienceMs = 3000;

/** The name of the channel that a party waits for, which the dialplan asks. */
export const otherVariable = 'SIPCTL_OTHER';

/**
 * Asterisk has no action that holds: the two parties leave each other, the held one for music and the other one for
 * silence, and `unhold` brings them together again. Each hangs up when the other one is gone.
 * @throws like `ControlPlane`, and `refused` where the dialplan lacks the routines
 */
export async function hold(hands: Hands, leg: ChannelRef, other: ChannelRef | null): Promise<void> {
  const status = await demandAnswered(hands, leg);
  const tenant = tenantOf(status);
  await hands.demandRoutine(`t-${tenant}.held`);
  if (other !== null) await demandAnswered(hands, other);
  await setOther(hands, leg, other);
  if (other !== null) await setOther(hands, other, leg);
  await hands.act('Redirect', {
    ...{ Channel: leg.channel, Context: `t-${tenant}.held`, Exten: 's', Priority: 1 },
    ...(other === null ? {} : extra(other, `t-${tenant}.holding`)),
  });
  await demandContext(hands, leg, `t-${tenant}.held`);
}

/** The second channel of one Redirect: where both are moved at once, neither is hung up. */
export const extra = (other: ChannelRef, context: string, extension = 's'): AmiFields => ({
  ...{ ExtraChannel: other.channel, ExtraContext: context, ExtraExten: extension, ExtraPriority: 1 },
});

/** @throws like `ControlPlane`, and `refused` where the party is not held */
export async function unhold(hands: Hands, leg: ChannelRef, other: ChannelRef | null): Promise<void> {
  const status = await demandAnswered(hands, leg);
  if (!isHeldHere(status)) {
    throw refused(
      'not_held',
      `${leg.channel} is not held by sipctl`,
      'who pressed hold takes the call back at the phone',
    );
  }
  if (other === null) {
    throw refused('nobody_holds', `nobody waits for ${leg.channel}`, `transfer it: 'sipctl call transfer'`);
  }
  await demandAnswered(hands, other);
  await join(hands, leg, other);
}

/** Lets two channels talk to each other, whatever they do now. @throws SipctlError `failed` where they do not */
export async function join(hands: Hands, leg: ChannelRef, other: ChannelRef): Promise<void> {
  await hands.act('Bridge', { Channel1: leg.channel, Channel2: other.channel, Tone: 'no' });
  const together = await hands.until(async () => {
    const [one, two] = [await hands.look(leg), await hands.look(other)];
    if (one === null || two === null) throw gone(`one of ${leg.channel} and ${other.channel} was hung up`);
    const bridge = one.get('BridgeID') ?? '';
    return bridge !== '' && bridge === two.get('BridgeID') ? true : null;
  }, patienceMs);
  if (together === null)
    throw notDone('not_joined', `${leg.channel} and ${other.channel} do not talk to each other`);
  // From here on neither waits for the other: whoever is left alone, for whatever reason, is hung up.
  for (const one of [leg, other]) await setOther(hands, one, nobody);
}

/** A channel that is never there. */
const nobody: ChannelRef = { id: '', channel: 'nobody' };

export async function setOther(hands: Hands, leg: ChannelRef, other: ChannelRef | null): Promise<void> {
  await hands.act('Setvar', { Channel: leg.channel, Variable: otherVariable, Value: other?.channel ?? '' });
}

/** Waits until a channel does what it was sent to do. */
export async function demandContext(hands: Hands, leg: ChannelRef, context: string): Promise<void> {
  const there = await hands.until(async () => {
    const status = await hands.look(leg);
    if (status === null) throw gone(`${leg.channel} was hung up meanwhile`);
    const isThere = status.get('Context') === context && (status.get('BridgeID') ?? '') === '';
    return isThere && status.get('Application') !== 'AppDial' ? true : null;
  }, patienceMs);
  if (there === null) throw notDone('not_moved', `Asterisk did not send ${leg.channel} to ${context}`);
}

/** Until two channels of which one has just answered talk to each other. */
const joiningMs = 1500;

/**
 * A channel that talks. One that has just answered is waited for: a channel that was moved before it was in its bridge was
 * seen to be hung up by Asterisk 16.
 * @throws SipctlError `refused` for a channel that rings
 */
export async function demandAnswered(hands: Hands, leg: ChannelRef): Promise<AmiMessage> {
  const status = await hands.demand(leg);
  if (status.get('ChannelState') !== '6') {
    throw refused('not_answered', `${leg.channel} is not answered yet`, 'wait until it is, or reject it');
  }
  if (!isJoining(status)) return status;
  await hands.until(async () => (isJoining(await hands.demand(leg)) ? null : true), joiningMs);
  return hands.demand(leg);
}

const isJoining = (status: AmiMessage): boolean =>
  /^(App)?Dial$/.test(status.get('Application') ?? '') && (status.get('BridgeID') ?? '') === '';

/** Takes a call that rings, in the place of the phones: the caller hears music. @throws like `ControlPlane` */
export async function answer(hands: Hands, leg: ChannelRef): Promise<void> {
  const status = await hands.demand(leg);
  if (status.get('ChannelState') === '6') {
    throw refused(
      'answered_already',
      `${leg.channel} is answered already`,
      `transfer it: 'sipctl call transfer'`,
    );
  }
  if (status.get('DNID') === '') {
    throw refused(
      'not_a_caller',
      `${leg.channel} is a phone that rings`,
      'only its user can pick it up; answer the leg of the caller',
    );
  }
  const context = `t-${tenantOf(status)}.held`;
  await hands.demandRoutine(context);
  await setOther(hands, leg, null);
  await hands.act('Redirect', { Channel: leg.channel, Context: context, Exten: 's', Priority: 1 });
  await demandContext(hands, leg, context);
  await demandAnswered(hands, leg);
}
