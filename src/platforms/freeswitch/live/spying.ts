import { randomUUID } from 'node:crypto';
import type { Spying, SpyMode, SpyRequest } from '../../control-plane.ts';
import { killChannel, mediaBugs } from '../esl/commands.ts';
import type { EslConnection } from '../esl/connection.ts';
import { notAnswered, phonesOf, ring } from './call-verbs.ts';
import { becomesTrue, channelOf, dumpOf, isAnswered, type Verbs, verbError } from './verbs.ts';

/** FreeSWITCH names the one who is watched the B leg, and the other one the A leg. */
const variables: Readonly<Record<SpyMode, Readonly<Record<string, string>>>> = {
  listen: {},
  whisper: { eavesdrop_whisper_bleg: 'true' },
  barge: { eavesdrop_whisper_aleg: 'true', eavesdrop_whisper_bleg: 'true' },
};

/** Rings the supervisor's phones, and lets whoever answers hear a call. @throws SipctlError */
export async function spy(verbs: Verbs, { supervisor, leg, mode, signal }: SpyRequest): Promise<Spying> {
  const { ask } = verbs;
  // FreeSWITCH would ring the supervisor also for a call that is not there.
  if (!isAnswered(await channelOf(ask, leg))) throw notAnswered(leg);
  const esl = await verbs.open();
  try {
    const mark = randomUUID();
    await esl.filter('variable_sipctl_spying', mark);
    const feed = esl.events();
    await esl.subscribe(['CHANNEL_HANGUP_COMPLETE']);
    const made = await ring(verbs, phonesOf(supervisor), `&eavesdrop(${leg.id})`, {
      ringSeconds: supervisor.ringSeconds,
      shown: supervisor.extension,
      signal,
      variables: { ...variables[mode], sipctl_spying: mark, eavesdrop_enable_dtmf: 'false' },
    });
    const id = made.callId;
    if (id === null)
      throw verbError(
        'failed',
        'not_answered',
        `${supervisor.username} did not answer: ${made.text}`,
        'the call is heard on the phone of the user: register it, and pick it up',
      );
    const began = performance.now();
    const ended = watchEnd(esl, feed, verbs, id, began);
    if (!(await becomesTrue(async () => hears(verbs, leg.id)))) {
      await killChannel(ask, id, 'NORMAL_CLEARING');
      throw verbError(
        'failed',
        'not_heard',
        `${leg.channel} ended before it could be heard`,
        'see what runs: sipctl call list',
      );
    }
    return { id, ended, stop: () => stop(verbs, id) };
  } catch (error) {
    await esl.close();
    throw error;
  }
}

const hears = async ({ ask }: Verbs, id: string): Promise<boolean> =>
  (await mediaBugs(ask, id)).some(({ does }) => does === 'eavesdrop');

async function stop({ ask }: Verbs, id: string): Promise<void> {
  await killChannel(ask, id, 'NORMAL_CLEARING');
}

// Told, and not asked for: a supervisor may listen for hours. The end is also that of the connection.
async function watchEnd(
  esl: EslConnection,
  feed: AsyncIterable<{ get(name: string): string | undefined }>,
  { ask }: Verbs,
  id: string,
  began: number,
): Promise<number> {
  try {
    // It may be over since before the events were asked for.
    if ((await dumpOf(ask, id)) !== null)
      for await (const event of feed) if (event.get('Unique-ID') === id) break;
  } catch {
    // FreeSWITCH is gone, and the call with it; whoever watches the node is told why.
  } finally {
    await esl.close();
  }
  return Math.round((performance.now() - began) / 1000);
}
