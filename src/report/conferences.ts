import { visible } from './calls.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';

/** A room in which somebody is. */
interface RunningRoom {
  node: string;
  tenant: string;
  name: string;
  locked: boolean;
  recorded: boolean;
  members: readonly RoomMember[];
}

interface RoomMember {
  id: string;
  number: string | null;
  name: string | null;
  role: string;
  muted: boolean;
  talking: boolean;
  joinedAt: number | null;
}

export const roomsText = (rooms: readonly RunningRoom[], style: Style, withTenant: boolean): string =>
  table(
    rooms,
    [
      { title: 'ROOM', value: ({ name }) => name },
      ...(withTenant ? [{ title: 'TENANT', value: ({ tenant }: RunningRoom) => tenant }] : []),
      { title: 'NODE', value: ({ node }) => node },
      { title: 'MEMBERS', value: ({ members }) => String(members.length), align: 'right' },
      {
        title: 'MODERATORS',
        value: ({ members }) => String(members.filter(({ role }) => role === 'moderator').length),
        align: 'right',
      },
      { title: 'LOCKED', value: ({ locked }) => (locked ? 'yes' : '') },
      { title: 'REC', value: ({ recorded }) => (recorded ? 'yes' : '') },
    ],
    style,
  );

export const membersText = (members: readonly RoomMember[], style: Style): string =>
  table(
    members,
    [
      { title: 'MEMBER', value: ({ id }) => visible(id) },
      { title: 'NUMBER', value: ({ number }) => visible(number ?? '-') },
      { title: 'NAME', value: ({ name }) => visible(name ?? '-') },
      { title: 'ROLE', value: ({ role }) => role },
      { title: 'MUTED', value: ({ muted }) => (muted ? 'yes' : ''), style: () => style.warn },
      { title: 'TALKS', value: ({ talking }) => (talking ? 'yes' : ''), style: () => style.good },
      {
        title: 'JOINED',
        value: ({ joinedAt }) => (joinedAt === null ? '-' : new Date(joinedAt).toISOString().slice(11, 19)),
      },
    ],
    style,
  );

/** What JSON tells of a room. */
export const roomData = (room: RunningRoom): Record<string, unknown> => ({
  ...room,
  members: room.members.map((member) => ({
    ...member,
    joinedAt: member.joinedAt === null ? null : new Date(member.joinedAt).toISOString(),
  })),
});
