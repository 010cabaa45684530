import type { ChannelRef } from '../../control-plane.ts';
import type { AmiMessage } from '../ami/codec.ts';
import { parkingCode } from '../dialplan/held.ts';
import { type Hands, notDone, refused, variableIn } from './hands.ts';
import { demandAnswered } from './holding.ts';
import { tenantOf } from './tenant-of.ts';

const patienceMs = 3000;
/** Two digits name a slot. */
const slots = Array.from({ length: 100 }, (_, slot) => String(slot).padStart(2, '0'));
const userVariable = 'SIPCTL_USER';

/**
 * Parks a party in a slot of its tenant, with music; Asterisk's own parking lot is one for all tenants. When the time is over
 * the party goes to the user that it talked to, or is hung up where there was none.
 * @throws like `ControlPlane`, and `refused` where the dialplan lacks the slots, or all are taken
 */
export async function park(
  hands: Hands,
  leg: ChannelRef,
  { seconds }: { seconds: number },
): Promise<{ slot: string }> {
  const tenant = tenantOf(await demandAnswered(hands, leg));
  const context = `t-${tenant}.parked`;
  if (!(await hands.hasExtension(context, slots[0] as string))) {
    throw refused(
      'routine_missing',
      `the dialplan that runs has no [${context}]`,
      `'sipctl apply' brings it`,
    );
  }
  const all = await hands.all(userVariable);
  const taken = slotsIn(all, context);
  const slot = slots.find((one) => !taken.includes(one));
  if (slot === undefined)
    throw refused('all_slots_taken', `all slots of ${tenant} are taken`, 'take a call back first');
  for (const [name, value] of [
    ['SIPCTL_SECONDS', String(Math.ceil(seconds))],
    ['SIPCTL_BACK', userBeside(leg, all)],
  ] as const) {
    await hands.act('Setvar', { Channel: leg.channel, Variable: name, Value: value });
  }
  await hands.act('Redirect', { Channel: leg.channel, Context: context, Exten: slot, Priority: 1 });
  const there = await hands.until(async () => {
    const status = await hands.demand(leg);
    return status.get('Context') === context && status.get('Exten') === slot ? true : null;
  }, patienceMs);
  if (there === null) throw notDone('not_parked', `Asterisk did not park ${leg.channel}`);
  // Somebody else may have had the same thought at the same time.
  if (slotsIn(await hands.all(), context).filter((one) => one === slot).length > 1) {
    return await park(hands, leg, { seconds });
  }
  return { slot: `${parkingCode}${slot}` };
}

const slotsIn = (channels: readonly AmiMessage[], context: string): string[] =>
  channels.filter((one) => one.get('Context') === context).map((one) => one.get('Exten') ?? '');

/** The extension of the user that a party talks to; empty where it talks to none. */
function userBeside(leg: ChannelRef, all: readonly AmiMessage[]): string {
  const own = all.find((one) => one.get('Uniqueid') === leg.id);
  const bridge = own?.get('BridgeID') ?? '';
  const beside = all.find((one) => bridge !== '' && one !== own && one.get('BridgeID') === bridge);
  return beside === undefined ? '' : (variableIn(beside, userVariable) ?? '');
}
