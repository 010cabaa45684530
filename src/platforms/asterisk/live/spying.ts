import type { Spying, SpyMode, SpyRequest } from '../../control-plane.ts';
import { gone, type Hands, notDone } from './hands.ts';
import { phonesOf } from './originate.ts';
import { ring } from './ringing.ts';

/** Options of ChanSpy: q no beep, E ends with the call, w whispers to the spied party, B is heard by both. */
const modes: Readonly<Record<SpyMode, string>> = { listen: 'qE', whisper: 'qwE', barge: 'qBE' };
const startMs = 3000;
const pollMs = 1000;

/**
 * Rings a supervisor's phones, and lets the one that is picked up listen to a leg.
 * @throws like `ControlPlane`, and `failed` where nobody picks up
 */
export async function spy(hands: Hands, { supervisor, leg, mode, signal }: SpyRequest): Promise<Spying> {
  const spied = (await hands.demand(leg)).get('Channel') ?? leg.channel;
  const rung = await ring(hands, {
    channels: await phonesOf(hands, supervisor),
    does: { Application: 'ChanSpy', Data: `${spied},${modes[mode]}` },
    tenant: supervisor.tenant,
    ringSeconds: supervisor.ringSeconds,
    signal,
  });
  if (rung.id === null) {
    throw notDone('not_picked_up', `${supervisor.username} did not pick up: ${rung.text || 'no answer'}`);
  }
  const id = rung.id;
  const begun = performance.now();
  const listens = await hands.until(async () => {
    const status = await hands.look({ id });
    if (status === null)
      throw gone(`the call of ${leg.channel} was over before ${supervisor.username} came to it`);
    return status.get('Application') === 'ChanSpy' ? true : null;
  }, startMs);
  const stop = async (): Promise<void> => {
    if ((await hands.look({ id })) !== null) await hands.act('Hangup', { Channel: id, Cause: 16 });
  };
  if (listens === null) {
    await stop();
    throw notDone(
      'not_spying',
      `Asterisk did not let ${supervisor.username} listen: is app_chanspy.so loaded?`,
    );
  }
  const ended = untilGone(hands, id, begun);
  // Nobody has to wait for it.
  ended.catch(() => undefined);
  return { id, ended, stop };
}

async function untilGone(hands: Hands, id: string, begun: number): Promise<number> {
  while ((await hands.look({ id })) !== null) await new Promise((resolve) => setTimeout(resolve, pollMs));
  return Math.round((performance.now() - begun) / 1000);
}
