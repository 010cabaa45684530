import type { Conference, Group, Ivr, Schedule } from '../call-nouns.ts';
import { parseOpenHours } from '../call-rules.ts';
import { type Destination, storedDestination } from '../destination.ts';
import { voicemailContext } from '../identity.ts';
import type { PhoneNumber, User } from '../nouns.ts';
import type { ResolvedTrunk, ResolvedUser, TenantSite } from '../site.ts';
import type {
  CallFlow,
  Dialled,
  FlowConference,
  FlowGroup,
  FlowIvr,
  FlowMailbox,
  FlowSchedule,
  FlowUser,
  InboundNumber,
} from './call-flow.ts';
import { countryRules, exactly, inOrder, parsePattern } from './dialled.ts';
import { type Showable, type WaysOut, waysOut } from './hops.ts';
import { inboundForms } from './inbound-forms.ts';
import { type NumberingPlan, numberingPlan } from './numbering.ts';

/** The flow of a tenant that has nothing, or is disabled. */
export function emptyFlow(tenant: string): CallFlow {
  return {
    tenant,
    maxCalls: 0,
    callingCode: '',
    callerId: null,
    record: false,
    recordTone: null,
    users: [],
    groups: [],
    ivrs: [],
    conferences: [],
    schedules: [],
    dialled: [],
    inbound: [],
    trunks: [],
    accounts: [],
    routes: [],
  };
}

/** Where the calls of an enabled tenant go. Its trunks and users are the enabled ones, resolved. */
export function resolveFlow(
  site: TenantSite,
  trunks: readonly ResolvedTrunk[],
  users: readonly ResolvedUser[],
): CallFlow {
  const { tenant } = site;
  const plan = numberingPlan(tenant.country);
  const showable = showableNumbers(site.numbers);
  const storedUsers = new Map(site.users.map((user) => [user.username, user]));
  const callerId = showable(tenant.defaultCallerId);
  const lead = destinations(site, users);
  const flowUsers = users.map((user) =>
    flowUser(user, storedUsers.get(user.username) as User, { lead, callerId, showable }),
  );
  const out = waysOut(site, trunks, plan, showable);
  const recorded = new Set(site.trunks.filter(({ record }) => record).map(({ name }) => name));
  const flow = {
    groups: byName(enabled(site.groups)).map((group) => flowGroup(group, users, lead)),
    ivrs: byName(enabled(site.ivrs)).map((ivr) => flowIvr(ivr, lead)),
    conferences: byName(enabled(site.conferences)).map(flowConference),
    schedules: byName(enabled(site.schedules)).map((schedule) => flowSchedule(schedule, lead)),
  };
  return {
    tenant: tenant.name,
    maxCalls: tenant.maxCalls,
    callingCode: plan?.callingCode ?? '',
    callerId,
    record: tenant.record,
    recordTone: tenant.recordTone,
    users: byName(flowUsers),
    ...flow,
    dialled: dialledBy(site, users, out, plan),
    inbound: inboundNumbers(site, trunks, plan, lead),
    trunks: byName(trunks)
      .filter((trunk) => trunk.inbound)
      .map(({ name, id, maxCalls }) => ({ name, endpoint: id, maxCalls, record: recorded.has(name) })),
    accounts: accountsOf(trunks),
    routes: out.routes,
  };
}

const enabled = <T extends { enabled: boolean }>(objects: readonly T[]): T[] =>
  objects.filter((object) => object.enabled);

// By code unit: a store gives objects in any order, and the same site has to give the same flow on every machine.
const sortedBy = <T>(objects: readonly T[], nameOf: (object: T) => string): T[] =>
  [...objects].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));

const byName = <T extends { name: string }>(objects: readonly T[]): T[] =>
  sortedBy(objects, ({ name }) => name);

// A number of the tenant that takes no part in outside calls is not shown on them either.
function showableNumbers(numbers: readonly PhoneNumber[]): Showable {
  const hidden = new Set(numbers.filter(({ outbound }) => !outbound).map(({ number }) => number));
  return (number) => (number === null || hidden.has(number) ? null : number);
}

/** A stored destination as it is in force. */
type Lead = (text: string) => Destination;

/** What a destination leads to that is disabled, gone, or has no voicemail box. */
const nowhere: Destination = { kind: 'hangup', cause: 'unavailable' };

function destinations(site: TenantSite, users: readonly ResolvedUser[]): Lead {
  const there = new Set([
    ...users.map(({ username }) => `user:${username}`),
    ...users.filter(({ voicemail }) => voicemail).map(({ username }) => `voicemail:${username}`),
    ...(['group', 'ivr', 'conference'] as const).flatMap((kind) =>
      enabled(site[`${kind}s`] as readonly { enabled: boolean; name: string }[]).map(
        ({ name }) => `${kind}:${name}`,
      ),
    ),
  ]);
  return (text) => {
    const destination = storedDestination(text);
    return 'name' in destination && !there.has(text) ? nowhere : destination;
  };
}

interface UserSurroundings {
  lead: Lead;
  callerId: string | null;
  showable: Showable;
}

function flowUser(
  user: ResolvedUser,
  stored: User,
  { lead, callerId, showable }: UserSurroundings,
): FlowUser {
  return {
    name: user.username,
    endpoint: user.id,
    extension: user.extension,
    maxCalls: user.maxCalls,
    ringTime: stored.ringTime,
    unanswered: stored.unanswered === null ? null : lead(stored.unanswered),
    mailbox: user.voicemail ? mailboxOf(user, stored) : null,
    callerId: showable(stored.callerId) ?? callerId,
    tollClass: stored.tollClass,
    record: stored.record,
  };
}

const mailboxOf = (user: ResolvedUser, { voicemailPin, email }: User): FlowMailbox => ({
  box: user.extension,
  context: voicemailContext(user.tenant),
  pin: voicemailPin,
  displayName: user.displayName ?? user.username,
  email,
  timeZone: null,
});

const flowGroup = (group: Group, users: readonly ResolvedUser[], lead: Lead): FlowGroup => ({
  name: group.name,
  strategy: group.strategy,
  members: group.members.flatMap((member): FlowGroup['members'] => {
    if (member.startsWith('external:')) return [{ kind: 'external', number: member.slice(9) }];
    return users.some(({ username }) => username === member) ? [{ kind: 'user', name: member }] : [];
  }),
  ringTime: group.ringTime,
  unanswered: group.unanswered === null ? null : lead(group.unanswered),
});

function flowIvr(ivr: Ivr, lead: Lead): FlowIvr {
  const unanswered = ivr.unanswered === null ? nowhere : lead(ivr.unanswered);
  return {
    name: ivr.name,
    greeting: ivr.greeting,
    invalidSound: ivr.invalidSound,
    keys: ivr.keys.map((key) => [key.slice(0, 1), lead(key.slice(2))]),
    directDial: ivr.directDial,
    timeout: ivr.timeout,
    attempts: ivr.attempts,
    unanswered,
    invalid: ivr.invalid === null ? unanswered : lead(ivr.invalid),
  };
}

const flowConference = (room: Conference): FlowConference => ({
  name: room.name,
  pin: room.pin,
  moderatorPin: room.moderatorPin,
  profile: room.profile,
  waitForModerator: room.waitForModerator,
  maxMembers: room.maxMembers,
  announce: room.announce,
  record: room.record,
});

const flowSchedule = (schedule: Schedule, lead: Lead): FlowSchedule => ({
  name: schedule.name,
  timeZone: schedule.timeZone,
  open: schedule.open.map((text) => {
    const parsed = parseOpenHours(text);
    if (!parsed.ok) throw new TypeError(`stored open hours: ${parsed.message}`);
    return parsed.value;
  }),
  holidays: schedule.holidays ?? [],
  closed: lead(schedule.closed),
});

// Of equal patterns the earlier one counts, so this order is a ranking: nothing hides an emergency number.
function dialledBy(
  site: TenantSite,
  users: readonly ResolvedUser[],
  { emergencies, digitRoutes }: WaysOut,
  plan: NumberingPlan | null,
): Dialled[] {
  const others = (['group', 'ivr', 'conference'] as const).flatMap((kind) =>
    enabled<{ enabled: boolean; name: string; extension: string | null }>([...site[`${kind}s`]]).flatMap(
      ({ name, extension }) => (extension === null ? [] : [extensionOf(kind, name, extension)]),
    ),
  );
  // Callers of menus dial extensions at most.
  if (users.length === 0) return inOrder(others);
  return inOrder([
    ...emergencies.map((emergency) => ({
      pattern: exactly(emergency.number),
      why: 'emergency number',
      action: { kind: 'emergency' as const, emergency },
    })),
    ...users.map((user) => extensionOf('user', user.username, user.extension)),
    ...others,
    ...featureCodes,
    ...digitRoutes.map((route) => ({
      pattern: parsePattern(route.match),
      why: `route ${route.name}`,
      action: { kind: 'route' as const, route },
    })),
    ...countryRules(plan),
  ]);
}

const featureCodes: readonly Dialled[] = [
  { pattern: exactly('*97'), why: 'own voicemail box', action: { kind: 'voicemail-menu', box: 'own' } },
  { pattern: exactly('*98'), why: 'any voicemail box', action: { kind: 'voicemail-menu', box: 'any' } },
];

const extensionOf = (
  kind: 'user' | 'group' | 'ivr' | 'conference',
  name: string,
  extension: string,
): Dialled => ({
  pattern: exactly(extension),
  why: `extension of ${kind} ${name}`,
  action: { kind: 'reach', to: { kind, name } },
});

function inboundNumbers(
  site: TenantSite,
  trunks: readonly ResolvedTrunk[],
  plan: NumberingPlan | null,
  lead: Lead,
): InboundNumber[] {
  const numbers = sortedBy(
    enabled(site.numbers).filter(({ inbound }) => inbound),
    ({ number }) => number,
  );
  const forms = inboundForms(
    numbers.map(({ number }) => number),
    plan,
  );
  const inUse = new Set([
    ...trunks.map(({ name }) => `trunk ${name}`),
    ...enabled(site.schedules).map(({ name }) => `schedule ${name}`),
  ]);
  return numbers.map((number) => ({
    number: number.number,
    forms: forms.get(number.number) ?? [number.number],
    trunk: inUse.has(`trunk ${number.trunk}`) ? number.trunk : null,
    schedule: inUse.has(`schedule ${number.schedule}`) ? number.schedule : null,
    destination: lead(number.destination ?? 'hangup:unallocated'),
    record: number.record,
    variables: (number.variables ?? []).map((text) => {
      const at = text.indexOf('=');
      return [text.slice(0, at), text.slice(at + 1)] as const;
    }),
  }));
}

// A registered contact is called under the account's name, whatever number was dialled.
const accountsOf = (trunks: readonly ResolvedTrunk[]): string[] =>
  [
    ...new Set(
      trunks
        .filter(({ inbound, registration, username }) => inbound && registration && username !== null)
        .map(({ username }) => username as string),
    ),
  ].sort();
