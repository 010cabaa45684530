import type {
  ConferenceChange,
  ConferenceRef,
  DialledTarget,
  Inviting,
  LiveConference,
  LiveMember,
  Originated,
} from '../../control-plane.ts';
import type { AmiMessage } from '../ami/codec.ts';
import { invited } from '../dialplan/menus.ts';
import { namesOf } from '../dialplan/names.ts';
import { known, localPair } from './channel.ts';
import { dialable, gone, type Hands, notDone, refused } from './hands.ts';
import { ring } from './ringing.ts';
import { isRecorded, noteRecording } from './room-recording.ts';

const patienceMs = 2000;

/** Every room that somebody is in. @throws like `ControlPlane` */
export async function conferences(hands: Hands): Promise<LiveConference[]> {
  const rooms = await hands.list('ConfbridgeListRooms');
  if (rooms.length === 0) return [];
  const channels = await hands.all();
  const found: LiveConference[] = [];
  for (const room of rooms) {
    const name = room.get('Conference') ?? '';
    const dot = name.indexOf('.');
    // A room of the operator's own.
    if (dot === -1) continue;
    found.push({
      tenant: name.slice(0, dot),
      name: name.slice(dot + 1),
      locked: isYes(room.get('Locked')),
      recorded: await isRecorded(hands, name, channels),
      members: await membersOf(hands, name, channels),
    });
  }
  return found;
}

const isYes = (value: string | undefined): boolean => /^yes$/i.test(value ?? '');

async function membersOf(hands: Hands, room: string, channels: readonly AmiMessage[]): Promise<LiveMember[]> {
  const items = await hands.list('ConfbridgeList', { Conference: room }).catch((error: unknown) => {
    // The last one may have left since.
    if (/no (active conference|conference)/i.test(String((error as Error).message))) return [];
    throw error;
  });
  return items
    .filter((item) => item.get('Event') === 'ConfbridgeList')
    .map((item) => memberOf(item, partyOf(item, channels)));
}

/** Who was called into the room is behind a Local channel: in the bridge of its other half. */
function partyOf(item: AmiMessage, channels: readonly AmiMessage[]): AmiMessage {
  const channel = item.get('Channel') ?? '';
  const pair = localPair(channel);
  if (pair === null) return item;
  const half = channels.find((one) => {
    const name = one.get('Channel') ?? '';
    return name !== channel && localPair(name) === pair;
  });
  const bridge = half?.get('BridgeID') ?? '';
  return channels.find((one) => bridge !== '' && one !== half && one.get('BridgeID') === bridge) ?? item;
}

const memberOf = (item: AmiMessage, party: AmiMessage): LiveMember => ({
  id: item.get('Channel') ?? '',
  leg: party.get('Uniqueid') ?? '',
  number: known(item.get('CallerIDNum')) ?? known(party.get('CallerIDNum')),
  name: known(item.get('CallerIDName')),
  role: isYes(item.get('Admin')) ? 'moderator' : 'participant',
  muted: isYes(item.get('Muted')),
  talking: isYes(item.get('Talking')),
  joinedAt: null,
});

/** Changes a room, or a member of it, and sees whether it came about. @throws like `ControlPlane` */
export async function changeConference(
  hands: Hands,
  { tenant, name }: ConferenceRef,
  change: ConferenceChange,
): Promise<void> {
  const room = namesOf(tenant).room(name);
  const before = await roomOf(hands, room);
  if (before === null) throw gone(`nobody is in the conference ${name}`);
  if ('member' in change && !before.members.some(({ id }) => id === change.member)) {
    throw gone(`${change.member} is not in the conference ${name}`);
  }
  await actions[change.verb](hands, room, change);
  const isThere = async () => (isDone(await roomOf(hands, room), change) ? true : null);
  if ((await hands.until(isThere, patienceMs)) !== null) return;
  // Who still hears the announcements of coming in is not kicked by it, and would go on from there to be hung up.
  if (change.verb === 'kick') await hands.act('Hangup', { Channel: change.member, Cause: 16 });
  if ((await hands.until(isThere, patienceMs)) === null) {
    throw notDone('conference_unchanged', `Asterisk did not ${change.verb} in the conference ${name}`);
  }
}

type Act = (hands: Hands, room: string, change: ConferenceChange) => Promise<unknown>;

const ofMember =
  (action: string): Act =>
  (hands, room, change) =>
    hands.act(action, { Conference: room, Channel: 'member' in change ? change.member : '' });

const ofRoom =
  (action: string): Act =>
  (hands, room) =>
    hands.act(action, { Conference: room });

const actions: Readonly<Record<ConferenceChange['verb'], Act>> = {
  mute: ofMember('ConfbridgeMute'),
  unmute: ofMember('ConfbridgeUnmute'),
  kick: ofMember('ConfbridgeKick'),
  lock: ofRoom('ConfbridgeLock'),
  unlock: ofRoom('ConfbridgeUnlock'),
  record: async (hands, room, change) => {
    const file = 'path' in change ? change.path : '';
    await hands.act('ConfbridgeStartRecord', { Conference: room, RecordFile: file });
    await noteRecording(hands, room, true);
  },
  'stop-recording': async (hands, room) => {
    await hands.act('ConfbridgeStopRecord', { Conference: room });
    await noteRecording(hands, room, false);
  },
};

type Room = Pick<LiveConference, 'locked' | 'recorded' | 'members'>;

async function roomOf(hands: Hands, room: string): Promise<Room | null> {
  const rooms = await hands.list('ConfbridgeListRooms');
  const found = rooms.find((one) => one.get('Conference') === room);
  if (found === undefined) return null;
  const channels = await hands.all();
  return {
    locked: isYes(found.get('Locked')),
    recorded: await isRecorded(hands, room, channels),
    members: await membersOf(hands, room, channels),
  };
}

function isDone(room: Room | null, change: ConferenceChange): boolean {
  if (room === null) return change.verb === 'kick' || change.verb === 'stop-recording';
  const member = 'member' in change ? room.members.find(({ id }) => id === change.member) : undefined;
  switch (change.verb) {
    case 'kick':
      return member === undefined;
    case 'mute':
      return member?.muted === true;
    case 'unmute':
      return member?.muted === false;
    case 'lock':
    case 'unlock':
      return room.locked === (change.verb === 'lock');
    case 'record':
    case 'stop-recording':
      return room.recorded === (change.verb === 'record');
  }
}

/** Calls somebody, and lets who answers into a room, as a participant and without a PIN. @throws like `ControlPlane` */
export async function invite(
  hands: Hands,
  { tenant, name }: ConferenceRef,
  to: DialledTarget,
  { ringSeconds, signal }: Inviting,
): Promise<Originated> {
  const context = namesOf(tenant).of('conference', name);
  if (!(await hands.hasExtension(context, invited))) {
    throw refused(
      'routine_missing',
      `the dialplan that runs has no [${context}]`,
      `'sipctl apply' brings it`,
    );
  }
  const { id: _, ...outcome } = await ring(hands, {
    channels: [await wayTo(hands, to)],
    does: { Context: context, Exten: invited, Priority: 1 },
    tenant,
    ringSeconds,
    signal,
  });
  return outcome;
}

/** An extension of the tenant, or a number outside that the tenant itself calls, in nobody's name. */
async function wayTo(hands: Hands, { tenant, dialled }: DialledTarget): Promise<string> {
  const number = dialable(dialled);
  for (const context of ['extensions', 'external']) {
    if (await hands.hasExtension(`t-${tenant}.${context}`, number))
      return `Local/${number}@t-${tenant}.${context}/n`;
  }
  throw refused(
    'leads_nowhere',
    `${number} is neither an extension of ${tenant} nor a number in E.164`,
    'write a number of the outside as +15551234567',
  );
}
