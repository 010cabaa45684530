import type { ChannelRef } from '../../control-plane.ts';
import {
  globalVariable,
  mediaBugs,
  moduleExists,
  perform,
  recordingsOf,
  setChannelVariable,
} from '../esl/commands.ts';
import { EslError } from '../esl/failures.ts';
import { type Ask, run, word } from '../esl/replies.ts';
import { notAnswered } from './call-verbs.ts';
import { channelOf, demand, dumpOf, gone, isAnswered, peerOf, verbError } from './verbs.ts';

/** Puts the party at `leg` on hold: it hears music, and `other`, who holds, hears nothing of it. */
export async function hold(ask: Ask, leg: ChannelRef, other: ChannelRef | null): Promise<void> {
  const holder = await holderOf(ask, leg, other);
  const channel = await dumpOf(ask, holder);
  if (channel === null) throw gone(holder);
  if (isHeld(channel)) return;
  await setChannelVariable(ask, holder, 'hold_music', await musicFor(ask, channel));
  await perform(ask, 'uuid_hold', holder);
  await demand(`${leg.channel} is not held`, () => hasState(ask, holder, true));
}

/** Lets both talk again. */
export async function unhold(ask: Ask, leg: ChannelRef, other: ChannelRef | null): Promise<void> {
  const holder = await holderOf(ask, leg, other);
  if (!(await hasState(ask, holder, true))) return;
  await perform(ask, 'uuid_hold', 'off', holder);
  await demand(`${leg.channel} is still held`, () => hasState(ask, holder, false));
}

async function holderOf(ask: Ask, leg: ChannelRef, other: ChannelRef | null): Promise<string> {
  const channel = await channelOf(ask, leg);
  if (!isAnswered(channel)) throw notAnswered(leg);
  const peer = peerOf(channel);
  if (peer === null || (other !== null && other.id !== peer))
    throw verbError(
      'refused',
      'not_connected',
      `${leg.channel} talks to nobody who could hold it`,
      'only one party of two can be held',
    );
  return peer;
}

const isHeld = (channel: { get(name: string): string | undefined }): boolean =>
  channel.get('Channel-Call-State') === 'HELD';

async function hasState(ask: Ask, id: string, held: boolean): Promise<boolean> {
  const channel = await dumpOf(ask, id);
  return channel !== null && isHeld(channel) === held;
}

const musicStream = 'local_stream://moh';

/** What somebody hears who waits for the party at this channel. Where FreeSWITCH has no music, a soft tone says that the line is not dead. */
export async function musicFor(
  ask: Ask,
  channel: { get(name: string): string | undefined },
): Promise<string> {
  const own = channel.get('variable_hold_music');
  if (own !== undefined) return own;
  if (!(await moduleExists(ask, 'mod_local_stream'))) return waitingTone;
  const reply = await ask('show_local_stream moh').catch(() => '');
  return /^moh\b|rate:|total:/im.test(reply) ? musicStream : waitingTone;
}

const waitingTone = 'tone_stream://v=-20;%(300,3700,420);loops=-1';

/** Silences what the party at a channel says, or lets it be heard again. */
export async function mute(ask: Ask, leg: ChannelRef, on: boolean): Promise<void> {
  if (!isAnswered(await channelOf(ask, leg))) throw notAnswered(leg);
  if ((await isMuted(ask, leg)) === on) return;
  await perform(ask, 'uuid_audio', leg.id, ...(on ? ['start', 'read', 'mute', '1'] : ['stop']));
  await demand(
    `${leg.channel} is ${on ? 'still' : 'not'} heard`,
    async () => (await isMuted(ask, leg)) === on,
  );
}

const isMuted = async (ask: Ask, { id }: ChannelRef): Promise<boolean> =>
  (await mediaBugs(ask, id)).some(({ does }) => does === 'audio');

/** @param path relative to FreeSWITCH's folder of recordings */
export async function startRecording(ask: Ask, leg: ChannelRef, path: string): Promise<void> {
  if (!isAnswered(await channelOf(ask, leg))) throw notAnswered(leg);
  const file = await recordingFile(ask, path);
  const running = await runningRecordings(ask, leg);
  if (running.length > 0)
    throw verbError('refused', 'is_recorded', `${leg.channel} is recorded already`, 'stop that first');
  await perform(ask, 'uuid_record', leg.id, 'start', file);
  await demand(`${leg.channel} is not recorded`, async () =>
    (await recordingsOf(ask, leg.id)).includes(file),
  );
}

/** The file below FreeSWITCH's folder of recordings. @throws SipctlError `invalid` for a path that leads out of there */
export async function recordingFile(ask: Ask, path: string): Promise<string> {
  const isInside = /^[\w@+-][\w.@+-]*(?:\/[\w@+-][\w.@+-]*)*$/.test(path);
  const folder = await globalVariable(ask, 'recordings_dir');
  if (isInside && folder !== null) return word('path', `${folder}/${path}`);
  throw verbError(
    'invalid',
    'invalid_path',
    'this is no path below the folder of recordings',
    'give names divided by /',
  );
}

/** Stops whatever the call of a channel is recorded to. */
export async function stopRecording(ask: Ask, leg: ChannelRef): Promise<void> {
  for (const { id, file } of await recordingsOfCall(ask, leg)) {
    await perform(ask, 'uuid_record', id, 'stop', word('file', file));
    await demand(
      `${leg.channel} is still recorded`,
      async () => !(await recordingsOf(ask, id)).includes(file),
    );
  }
}

/** Writes silence into the recording, or what is said. */
export async function pauseRecording(ask: Ask, leg: ChannelRef, on: boolean): Promise<void> {
  for (const { id, file } of await recordingsOfCall(ask, leg)) {
    const reply = await run(ask, 'uuid_record', id, on ? 'mask' : 'unmask', word('file', file));
    if (!reply.startsWith('+OK Success')) throw new EslError('uuid_record', reply);
  }
}

async function recordingsOfCall(ask: Ask, leg: ChannelRef): Promise<{ id: string; file: string }[]> {
  const found = await runningRecordings(ask, leg);
  if (found.length > 0) return found;
  throw verbError('notFound', 'not_recorded', `${leg.channel} is not recorded`, 'start a recording first');
}

// The dialplan may have started it at the other end.
async function runningRecordings(ask: Ask, leg: ChannelRef): Promise<{ id: string; file: string }[]> {
  const peer = peerOf(await channelOf(ask, leg));
  const ends = [leg.id, ...(peer === null ? [] : [peer])];
  const found = await Promise.all(
    ends.map(async (id) => (await recordingsOf(ask, id)).map((file) => ({ id, file }))),
  );
  return found.flat();
}
