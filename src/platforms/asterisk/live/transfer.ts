import type { ChannelRef, DialledTarget } from '../../control-plane.ts';
import type { AmiMessage } from '../ami/codec.ts';
import { gone, type Hands, notDone, refused, variableIn } from './hands.ts';
import { demandAnswered, demandContext, extra, join, otherVariable, setOther } from './holding.ts';
import { demandDialled, dialContext } from './originate.ts';
import { recordedOf, recordWhoStays } from './recording.ts';

const patienceMs = 3000;
/** Beyond the minute for which the dialplan lets the third party ring. */
const consultMs = 65_000;

/** In whose name a party dials, which the dialplan asks first. */
const userVariable = 'SIPCTL_USER';

/**
 * Sends a party where a user of the tenant would come who dialled the target; whoever it talked to is hung up.
 * @throws like `ControlPlane`
 */
export async function transfer(hands: Hands, leg: ChannelRef, to: DialledTarget): Promise<void> {
  const dialled = await demandDialled(hands, to.tenant, to.dialled);
  const before = await demandAnswered(hands, leg);
  await actFor(hands, leg, before);
  const waiting = await waitsFor(hands, leg);
  await hands.act('Redirect', {
    ...{ Channel: leg.channel, Context: dialContext(to.tenant), Exten: dialled, Priority: 1 },
  });
  const bridge = before.get('BridgeID') ?? '';
  const moved = await hands.until(async () => {
    const status = await hands.look(leg);
    if (status === null)
      throw notDone('transfer_ended', `${leg.channel} was refused at ${dialled}, and hung up`);
    const isElsewhere = status.get('BridgeID') !== bridge || bridge === '';
    return isElsewhere && status.get('Application') !== 'AppDial' ? true : null;
  }, patienceMs);
  if (moved === null) throw notDone('not_transferred', `Asterisk did not send ${leg.channel} to ${dialled}`);
  // In a bridge it would have been hung up; a held one hears music for as long as the channel that it waits for is there.
  if (waiting !== null) await hands.act('Hangup', { Channel: waiting, Cause: 16 }).catch(() => undefined);
}

/** The id of the party that is held, or holds, at the other end of a call; null where both talk. */
async function waitsFor(hands: Hands, { id, channel }: ChannelRef): Promise<string | null> {
  const all = await hands.all(otherVariable);
  const own = all.find((one) => one.get('Uniqueid') === id);
  const other = all.find((one) => one.get('Channel') === (own && variableIn(own, otherVariable)));
  if (other === undefined || variableIn(other, otherVariable) !== channel) return null;
  return other.get('Uniqueid') ?? null;
}

/** A party that called nobody, such as a carrier's, dials in the name of the user that it talks to. */
async function actFor(hands: Hands, leg: ChannelRef, status: AmiMessage): Promise<void> {
  const all = await hands.all(userVariable);
  const own = all.find((one) => one.get('Uniqueid') === leg.id);
  if (own !== undefined && variableIn(own, userVariable) !== null) return;
  const call = status.get('Linkedid');
  const user = all
    .filter((one) => one.get('Linkedid') === call)
    .map((one) => variableIn(one, userVariable))
    .find((one) => one !== null);
  if (user == null) {
    throw refused('nobody_transfers', `no user of the tenant is on the call of ${leg.channel}`, 'hang it up');
  }
  await hands.act('Setvar', { Channel: leg.channel, Variable: userVariable, Value: user });
}

/**
 * `leg` is held nobody's while it talks to the target; when that answers, `other`, which heard music, is joined with it. Where
 * the target does not answer, both are joined again.
 *
 * ```
 * leg ── other        leg ── Local ── target        leg
 *                     other: music            other ── Local ── target
 * ```
 * @throws like `ControlPlane`, and `failed` where the target did not answer
 */
export async function attendedTransfer(
  hands: Hands,
  leg: ChannelRef,
  other: ChannelRef,
  to: DialledTarget,
): Promise<void> {
  const dialled = await demandDialled(hands, to.tenant, to.dialled);
  const context = `t-${to.tenant}.consult`;
  await hands.demandRoutine(context);
  const status = await demandAnswered(hands, leg);
  await demandAnswered(hands, other);
  await actFor(hands, leg, status);
  await setOther(hands, leg, other);
  await setOther(hands, other, leg);
  await hands.act('Setvar', { Channel: leg.channel, Variable: 'SIPCTL_TO', Value: dialled });
  await hands.act('Redirect', {
    ...{ Channel: leg.channel, Context: context, Exten: 's', Priority: 1 },
    ...extra(other, `t-${to.tenant}.held`),
  });
  await demandContext(hands, other, `t-${to.tenant}.held`);
  const target = await answering(hands, leg, other, `t-${to.tenant}.holding`);
  if (target === null) {
    await join(hands, other, leg);
    throw notDone('no_answer', `${dialled} did not answer; ${leg.channel} and ${other.channel} talk again`);
  }
  await setOther(hands, other, target);
  const recorded = await recordedOf(hands, other);
  await join(hands, other, target);
  await recordWhoStays(hands, other, recorded);
  if ((await hands.look(leg)) !== null) await hands.act('Hangup', { Channel: leg.id, Cause: 16 });
}

/** The channel that `leg` talks to, once it does; null where nobody answered. */
async function answering(
  hands: Hands,
  leg: ChannelRef,
  other: ChannelRef,
  failed: string,
): Promise<ChannelRef | null> {
  const outcome = await hands.until(async (): Promise<ChannelRef | 'nobody' | null> => {
    const all = await hands.all();
    const own = all.find((one) => one.get('Uniqueid') === leg.id);
    if (own === undefined) throw gone(`${leg.channel} was hung up before the transfer`);
    if (!all.some((one) => one.get('Uniqueid') === other.id))
      throw gone(`${other.channel} was hung up meanwhile`);
    if (own.get('Context') === failed) return 'nobody';
    const bridge = own.get('BridgeID') ?? '';
    const peer = all.find((one) => bridge !== '' && one.get('BridgeID') === bridge && one !== own);
    if (peer === undefined) return null;
    return { id: peer.get('Uniqueid') ?? '', channel: peer.get('Channel') ?? '' };
  }, consultMs);
  return outcome === 'nobody' ? null : outcome;
}
