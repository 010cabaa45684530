import type { ChannelRef } from '../../control-plane.ts';
import { globalVariable, mediaBugs, moduleExists, perform, recordingsOf } from '../esl/commands.ts';
import { EslError } from '../esl/failures.ts';
import { type Ask, quoted, run, word } from '../esl/replies.ts';
import { notAnswered } from './call-verbs.ts';
import { type ChannelText, heldVariable } from './channel.ts';
import { heldEvent } from './channel-changes.ts';
import {
  channelOf,
  demand,
  dumpOf,
  isAnswered,
  peerOf,
  setVariables,
  type Verbs,
  verbError,
} from './verbs.ts';

/** Puts the party at `leg` on hold: it hears music, and neither of both hears the other. */
export async function hold(verbs: Verbs, leg: ChannelRef, other: ChannelRef | null): Promise<void> {
  const { ask } = verbs;
  const channel = await connected(ask, leg, other);
  if (channel.get(heldVariable) === 'true') return;
  // FreeSWITCH's own hold asks the phone of the holder to be silent, and plays music to a caller only.
  // Both stay as an earlier one left them.
  await setVariables(ask, leg.id, { current_application: '', playback_ms: '', playback_timeout_sec: '' });
  await perform(ask, 'uuid_broadcast', leg.id, quoted('music', await musicFor(ask, channel)), 'aleg');
  await demand(`${leg.channel} hears no music`, async () => isPlaying(await channelOf(ask, leg)));
  await releaseAtEnd(ask, leg, peerOf(channel));
  await setHeld(verbs, leg, true);
}

// While it hears music, a channel does not see that the other one is gone, and the music has no end.
async function releaseAtEnd(ask: Ask, leg: ChannelRef, peer: string | null): Promise<void> {
  const other = peer === null ? null : await dumpOf(ask, peer);
  if (peer === null || other === null || other.get('variable_api_hangup_hook') !== undefined) return;
  await setVariables(ask, peer, { api_hangup_hook: `${endMusic} ${leg.id} all` });
}

const endMusic = 'uuid_break';

/** Lets both talk again. */
export async function unhold(verbs: Verbs, leg: ChannelRef, other: ChannelRef | null): Promise<void> {
  const { ask } = verbs;
  const channel = await connected(ask, leg, other);
  if (channel.get(heldVariable) !== 'true') return;
  await perform(ask, endMusic, leg.id, 'all');
  const peer = peerOf(channel);
  const end = peer === null ? null : await dumpOf(ask, peer);
  if (peer !== null && end?.get('variable_api_hangup_hook') === `${endMusic} ${leg.id} all`)
    await setVariables(ask, peer, { api_hangup_hook: '' });
  await demand(
    `${leg.channel} is still held`,
    async () => (await channelOf(ask, leg)).get('variable_playback_ms') !== undefined,
  );
  await setHeld(verbs, leg, false);
}

async function setHeld({ ask, tell }: Verbs, { id }: ChannelRef, on: boolean): Promise<void> {
  const value = String(on);
  await setVariables(ask, id, { [heldVariable.replace('variable_', '')]: value });
  await tell(heldEvent, { 'Unique-ID': id, [heldVariable]: value });
}

async function connected(ask: Ask, leg: ChannelRef, other: ChannelRef | null): Promise<ChannelText> {
  const channel = await channelOf(ask, leg);
  if (!isAnswered(channel)) throw notAnswered(leg);
  const peer = peerOf(channel);
  if (peer !== null && (other === null || other.id === peer)) return channel;
  throw verbError(
    'refused',
    'not_connected',
    `${leg.channel} talks to nobody who could hold it`,
    'only one party of two can be held',
  );
}

export const isPlaying = (channel: ChannelText): boolean =>
  channel.get('variable_current_application') === 'playback';

/** Takes a channel out of whatever it is in, to hear music, after these applications. */
export async function waitWithMusic(
  ask: Ask,
  { id }: ChannelRef,
  before: readonly string[],
  music: string,
): Promise<void> {
  // Commas, which divide applications by themselves, are in the name of the music.
  const inline = `m:^:${[...before, `playback:${music}`, 'hangup:NO_ANSWER'].join('^')}`;
  await perform(ask, 'uuid_transfer', id, quoted('music', inline), 'inline');
}

const musicStream = 'local_stream://moh';

/** What somebody hears who waits for the party at this channel. Where FreeSWITCH has no music, a soft tone says that the line is not dead. */
export async function musicFor(ask: Ask, channel: ChannelText): Promise<string> {
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
