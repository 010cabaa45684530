import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { conference } from '../model/call-nouns.ts';
import type { LegFacts } from '../model/live/changes.ts';
import type { Parties } from '../model/live/party.ts';
import { recordingPath } from '../model/recording.ts';
import { notFoundAt, type OpenNode, type OpenNodes, ofNode } from '../pipeline/live-calls.ts';
import type { ConferenceChange, LiveConference, LiveMember } from '../platforms/control-plane.ts';
import { membersText, roomData, roomsText } from '../report/conferences.ts';
import { answerOf } from './call-originate.ts';
import type { Input, OptionSpec, Result, Run, VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { dialledIn, tenantNamed } from './dialled-target.ts';
import { endedBy } from './ended.ts';
import { interruptedResult, scopeOptions, withNodes } from './live-scope.ts';
import { refOf } from './object-ref.ts';
import { secondsOption } from './test-flags.ts';

const live: Run = (app, input) =>
  withNodes(app, input, async (nodes) => {
    const { rooms, failures } = await runningRooms(app, nodes);
    const everywhere = input.options.allTenants === true;
    const ours = rooms.filter(({ room }) => everywhere || room.tenant === app.config.tenant);
    const told = ours.map(({ node, room }) => ({ node, ...room }));
    const errors = [...nodes.failures, ...failures];
    const nobody = errors.length === 0 ? 'nobody is in a room\n' : '';
    return {
      data: { conferences: told.map(roomData), count: told.length },
      text: (style) => (told.length === 0 ? nobody : roomsText(told, style, everywhere)),
      ...endedBy(errors),
    };
  });

interface RunningRoom extends OpenNode {
  room: LiveConference;
}

async function runningRooms(
  app: App,
  { nodes }: Pick<OpenNodes, 'nodes'>,
): Promise<{
  rooms: RunningRoom[];
  failures: SipctlError[];
}> {
  const rooms: RunningRoom[] = [];
  const failures: SipctlError[] = [];
  const parties = await (await app.store()).parties();
  for (const { node, plane } of nodes) {
    try {
      const found = await plane.conferences();
      const legs = found.length === 0 ? [] : await plane.legs();
      for (const room of found) {
        const named = room.members.map((member) => withParty(member, legs, parties));
        rooms.push({ node, plane, room: { ...room, members: named } });
      }
    } catch (error) {
      failures.push(ofNode(node, error));
    }
  }
  return { rooms, failures };
}

// Engines show some members, such as invited ones, by other names than sipctl knows them by.
function withParty(member: LiveMember, legs: readonly LegFacts[], parties: Parties): LiveMember {
  const leg = legs.find(({ id }) => id === member.leg);
  const party = leg?.endpoint ? parties.find(leg.endpoint) : null;
  if (party?.kind === 'user') return { ...member, number: party.extension, name: party.name };
  return { ...member, number: leg?.number ?? member.number };
}

/** Runs something at the node where somebody is in the room that the first word names. */
async function atRoom(
  app: App,
  input: Input,
  work: (running: RunningRoom) => Promise<Result>,
): Promise<Result> {
  const ref = await existingRoom(app, input);
  return withNodes(app, input, async (nodes) => {
    const { rooms, failures } = await runningRooms(app, nodes);
    const [running, ...more] = rooms.filter(
      ({ room }) => room.tenant === ref.tenant && room.name === ref.name,
    );
    if (more.length > 0) throw severalNodes(ref.name, [running as RunningRoom, ...more]);
    if (running !== undefined) return work(running);
    throw notFoundAt(empty(ref.name), [...nodes.failures, ...failures]);
  });
}

async function existingRoom(app: App, input: Input): Promise<{ tenant: string; name: string }> {
  const ref = refOf(conference, app, input);
  await (await app.store()).records.get(conference, ref);
  return { tenant: app.config.tenant, name: ref.name };
}

const empty = (name: string) => ({
  code: 'conference_empty',
  message: `nobody is in the room ${name}`,
  field: 'name',
  hint: 'sipctl conference live shows the rooms in which somebody is',
});

const severalNodes = (name: string, rooms: readonly RunningRoom[]): SipctlError =>
  new SipctlError('invalid', {
    code: 'conference_ambiguous',
    message: `there are people in the room ${name} on ${rooms.map(({ node }) => node).join(', ')}`,
    field: 'node',
    hint: 'name one of them with --node',
  });

const members: Run = (app, input) =>
  atRoom(app, input, async ({ node, room }) => ({
    data: { conference: roomData({ node, ...room }) },
    text: (style) => membersText(room.members, style),
  }));

type MemberVerb = 'mute' | 'unmute' | 'kick';

const past = { mute: 'muted', unmute: 'heard again', kick: 'thrown out' } as const;

// A moderator leads the room: `all` are the others, and only who means it throws one out.
const ofMembers =
  (verb: MemberVerb): Run =>
  (app, input) =>
    atRoom(app, input, async ({ plane, room, node }) => {
      const meant = input.args[1] ?? '';
      const chosen =
        meant === 'all'
          ? room.members.filter(({ role }) => role !== 'moderator')
          : [memberNamed(room, meant)];
      if (verb === 'kick') await demandKick(app, room, meant, chosen);
      const ref = { tenant: room.tenant, name: room.name };
      const changed: LiveMember[] = [];
      const failures: SipctlError[] = [];
      for (const member of chosen) {
        try {
          await plane.changeConference(ref, { verb, member: member.id });
          changed.push(member);
        } catch (error) {
          // Whoever left meanwhile needs no verb; one who did not hear it does not keep it from the others.
          if (!(error instanceof SipctlError) || meant !== 'all') throw error;
          if (error.outcome !== 'notFound') failures.push(error);
        }
      }
      return {
        changed: changed.length > 0,
        data: { verb, node, conference: room.name, members: changed.map(({ id }) => id) },
        text: () =>
          changed.length === 0
            ? `nobody in ${room.name} but moderators\n`
            : `${changed.map(nameOf).join(', ')} in ${room.name}: ${past[verb]}\n`,
        ...endedBy(failures),
      };
    });

async function demandKick(
  app: App,
  room: LiveConference,
  meant: string,
  chosen: readonly LiveMember[],
): Promise<void> {
  const [first] = chosen;
  if (first === undefined) return;
  if (meant === 'all') await confirm(app, `Throw ${chosen.length} people out of ${room.name}?`);
  else if (first.role === 'moderator')
    await confirm(app, `${nameOf(first)} is a moderator of ${room.name}. Throw out all the same?`);
}

const nameOf = ({ number, name, id }: LiveMember): string => number ?? name ?? id;

/** By the id that `members` shows, or by number or name where that is one person's. */
function memberNamed(room: LiveConference, meant: string): LiveMember {
  const byId = room.members.find(({ id, leg }) => id === meant || leg === meant);
  if (byId !== undefined) return byId;
  const [member, ...more] = room.members.filter(({ number, name }) => [number, name].includes(meant));
  if (member !== undefined && more.length === 0) return member;
  throw new SipctlError(more.length > 0 ? 'invalid' : 'notFound', {
    code: more.length > 0 ? 'member_ambiguous' : 'member_not_found',
    message:
      more.length > 0
        ? `member: ${more.length + 1} people in ${room.name} are '${meant}'`
        : `there is no '${meant}' in the room ${room.name}`,
    field: 'member',
    hint: `sipctl conference members ${room.name} --tenant ${room.tenant} shows their ids`,
  });
}

const ofRoom = (change: (app: App, input: Input, room: LiveConference) => ConferenceChange): Run => {
  return (app, input) =>
    atRoom(app, input, async ({ plane, room, node }) => {
      const wanted = change(app, input, room);
      const ref = { tenant: room.tenant, name: room.name };
      if (isSo(room, wanted))
        return {
          data: { node, conference: room.name, ...wanted },
          text: () => `${room.name} is so already\n`,
        };
      await plane.changeConference(ref, wanted);
      if (wanted.verb === 'record' || wanted.verb === 'stop-recording') {
        const detail = { node, ...wanted };
        await (await app.store()).audit({ action: 'record', noun: 'conference', ...ref, detail });
      }
      const path = wanted.verb === 'record' ? ` to ${wanted.path}` : '';
      return {
        changed: true,
        data: { node, conference: room.name, ...wanted },
        text: () => `${room.name}: ${said[wanted.verb]}${path}\n`,
      };
    });
};

// Whether a room is recorded is not told by every engine: it is asked for in any case.
const isSo = (room: LiveConference, { verb }: ConferenceChange): boolean =>
  (verb === 'lock' && room.locked) || (verb === 'unlock' && !room.locked);

const said: Readonly<Record<ConferenceChange['verb'], string>> = {
  ...past,
  lock: 'nobody can enter any more',
  unlock: 'open again',
  record: 'what is said is recorded',
  'stop-recording': 'the recording has ended',
};

const record = ofRoom((app, { options }, { tenant, name }) => {
  if (options.stop === true) return { verb: 'stop-recording' };
  const at = app.now().toISOString();
  const id = `conference-${name}--${at.slice(11, 19).replaceAll(':', '')}`;
  return { verb: 'record', path: recordingPath(tenant, at.slice(0, 10), id) };
});

const invite: Run = async (app, input) => {
  const { to } = input.options;
  if (typeof to !== 'string') throw noGuest();
  const ref = await existingRoom(app, input);
  const dialled = await dialledIn(app, await tenantNamed(app, ref.tenant), to, 'to');
  const ringSeconds = secondsOption(input, 'ring') ?? 30;
  return withNodes(app, input, async (nodes) => {
    // Where people are in the room already, else at the first node.
    const { rooms } = await runningRooms(app, nodes);
    const there = rooms.find(({ room }) => room.tenant === ref.tenant && room.name === ref.name);
    const { node, plane } = there ?? (nodes.nodes[0] as OpenNode);
    if (!app.config.quiet) app.terminal.err(`${dialled} rings\n`);
    const inviting = { ringSeconds, signal: app.signal };
    const made = await plane
      .invite(ref, { tenant: ref.tenant, dialled }, inviting)
      .catch((error: unknown) => {
        if (app.signal.aborted) return null;
        throw error;
      });
    if (made === null) return interruptedResult(`interrupted: ${dialled} does not ring any more`);
    const detail = { node, to: dialled, answered: made.answered };
    await (await app.store()).audit({ action: 'call', noun: 'conference', ...ref, detail });
    const result = answerOf(made, { node, who: dialled, to: ref.name });
    return made.answered ? { ...result, text: () => `${dialled} is in ${ref.name}\n` } : result;
  });
};

const noGuest = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: 'an invitation needs --to',
    field: 'to',
    hint: 'give what a user of the tenant would dial: --to 1002, --to +4930123456',
  });

const nodeOption: OptionSpec = ['--node <names>', 'only these nodes, separated by commas'];
const ofOne = { args: '<name>', options: [nodeOption] };
const member = { args: '<name> <member|all>', options: [nodeOption] };

/** The verbs for rooms in which somebody is. */
export const conferenceLive: readonly VerbSpec[] = [
  { name: 'live', summary: 'list the rooms in which somebody is', options: scopeOptions, run: live },
  { ...ofOne, name: 'members', summary: 'list who is in a room', run: members },
  {
    ...member,
    name: 'mute',
    summary: 'let a member, or all but moderators, not be heard',
    run: ofMembers('mute'),
  },
  { ...member, name: 'unmute', summary: 'let a member be heard again', run: ofMembers('unmute') },
  { ...member, name: 'kick', summary: 'throw a member, or all but moderators, out', run: ofMembers('kick') },
  { ...ofOne, name: 'lock', summary: 'let nobody enter any more', run: ofRoom(() => ({ verb: 'lock' })) },
  { ...ofOne, name: 'unlock', summary: 'let people enter again', run: ofRoom(() => ({ verb: 'unlock' })) },
  {
    name: 'invite',
    summary: 'call somebody into a room',
    args: '<name>',
    options: [
      nodeOption,
      ['--to <number>', 'what a user of the tenant would dial, or a user’s name'],
      ['--ring <s>', 'seconds that it may ring; 30 where not given'],
    ],
    run: invite,
  },
  {
    name: 'record',
    summary: 'record what is said in a room',
    args: '<name>',
    options: [nodeOption, ['--stop', 'end the recording']],
    run: record,
  },
];
