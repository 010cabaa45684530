import { defaultTenant } from '../../../model/identity.ts';
import type {
  ConferenceChange,
  ConferenceRef,
  DialledTarget,
  Inviting,
  LiveConference,
  LiveMember,
  Originated,
} from '../../control-plane.ts';
import { namesOf } from '../dialplan/plan.ts';
import { conference, conferences as listConferences, perform } from '../esl/commands.ts';
import { EslError } from '../esl/failures.ts';
import { type Ask, isObject, run, word } from '../esl/replies.ts';
import { recordingFile } from './media-verbs.ts';
import { dialThrough } from './outward.ts';
import { demand, type Verbs, verbError } from './verbs.ts';

type Room = Readonly<Record<string, unknown>>;

/** The rooms in which somebody is. @throws EslError */
export async function conferences(ask: Ask): Promise<LiveConference[]> {
  return (await listConferences(ask)).flatMap((room) => {
    const [tenant, ...rest] = String(room.conference_name ?? '').split('.');
    if (tenant === undefined || rest.length === 0) return [];
    return [
      {
        tenant: tenant === '' ? defaultTenant : tenant,
        name: rest.join('.'),
        locked: room.locked === true,
        recorded: isRecorded(room),
        members: membersOf(room).map(memberOf),
      },
    ];
  });
}

// A recording is a member too, of another type.
const membersOf = (room: Room): Room[] =>
  (Array.isArray(room.members) ? room.members.filter(isObject) : []).filter(({ type }) => type === 'caller');

const isRecorded = (room: Room): boolean =>
  Array.isArray(room.members) && room.members.some((one) => isObject(one) && one.type === 'recording_node');

function memberOf(member: Room): LiveMember {
  const flags = isObject(member.flags) ? member.flags : {};
  const since = Number(member.join_time);
  return {
    id: String(member.id),
    leg: String(member.uuid),
    number: text(member.caller_id_number),
    name: text(member.caller_id_name),
    role: flags.is_moderator === true ? 'moderator' : 'participant',
    muted: flags.can_speak === false,
    talking: flags.talking === true,
    joinedAt: Number.isFinite(since) ? Date.now() - since * 1000 : null,
  };
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** @throws SipctlError `notFound` for a room that is empty, or a member that left */
export async function changeConference(
  ask: Ask,
  ref: ConferenceRef,
  change: ConferenceChange,
): Promise<void> {
  const name = nameOf(ref);
  const room = await roomOf(ask, ref);
  const ran = async (...parts: string[]): Promise<void> => {
    const reply = await run(ask, 'conference', name, ...parts);
    if (/^-?ERR/m.test(reply)) throw new EslError('conference', reply);
  };
  const becomes = (what: string, isSo: (now: Room | null) => boolean): Promise<void> =>
    demand(`${ref.name} ${what}`, async () => isSo(await conference(ask, name)));
  const has = (now: Room | null, id: string): Room | undefined =>
    now === null ? undefined : membersOf(now).find((one) => String(one.id) === id);
  switch (change.verb) {
    case 'mute':
    case 'unmute':
    case 'kick': {
      const { verb, member } = change;
      if (has(room, member) === undefined) throw noMember(ref, member);
      await ran(verb, word('member', member));
      if (verb === 'kick') return becomes(`still has ${member}`, (now) => has(now, member) === undefined);
      const isDone = (now: Room | null): boolean => {
        const one = has(now, member);
        return one === undefined || memberOf(one).muted === (verb === 'mute');
      };
      return becomes(`did not ${verb} ${member}`, isDone);
    }
    case 'lock':
    case 'unlock':
      await ran(change.verb);
      return becomes(
        `did not ${change.verb}`,
        (now) => now === null || (now.locked === true) === (change.verb === 'lock'),
      );
    case 'record': {
      if (isRecorded(room))
        throw verbError('refused', 'is_recorded', `${ref.name} is recorded already`, 'stop that first');
      await ran('recording', 'start', await recordingFile(ask, change.path));
      return becomes('is not recorded', (now) => now !== null && isRecorded(now));
    }
    case 'stop-recording':
      if (!isRecorded(room))
        throw verbError('notFound', 'not_recorded', `${ref.name} is not recorded`, 'start a recording first');
      await ran('recording', 'stop', 'all');
      return becomes('is still recorded', (now) => now === null || !isRecorded(now));
  }
}

/** Calls somebody into a room, which has not to be there before. */
export async function invite(
  verbs: Verbs,
  ref: ConferenceRef,
  to: DialledTarget,
  inviting: Inviting,
): Promise<Originated> {
  const name = nameOf(ref);
  const made = await dialThrough(verbs, to, inviting);
  if (!('leg' in made)) return made;
  await perform(verbs.ask, 'uuid_transfer', made.leg, `conference:${name}@${name}`, 'inline');
  await demand(`${to.dialled} is not in ${ref.name}`, async () => {
    const room = await conference(verbs.ask, name);
    return room !== null && membersOf(room).some(({ uuid }) => uuid === made.leg);
  });
  return { answered: true, callId: made.leg, q850: null, sip: null, text: 'answered' };
}

const nameOf = ({ tenant, name }: ConferenceRef): string => word('conference', namesOf(tenant).object(name));

async function roomOf(ask: Ask, ref: ConferenceRef): Promise<Room> {
  const room = await conference(ask, nameOf(ref));
  if (room !== null) return room;
  throw verbError(
    'notFound',
    'no_conference',
    `nobody is in conference ${ref.name}`,
    'see which ones run: sipctl conference live',
  );
}

const noMember = ({ name }: ConferenceRef, member: string) =>
  verbError(
    'notFound',
    'no_member',
    `conference ${name} has no member ${member}`,
    `see who is in it: sipctl conference members ${name}`,
  );
