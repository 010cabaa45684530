import { createHash } from 'node:crypto';
import { type Destination, hangupCauses } from '../../../model/destination.ts';
import type { CallFlow, FlowUser } from '../../../model/flow/call-flow.ts';
import { word } from '../words.ts';
import { type Action, action, hangup, set, share, transfer } from './dialplan.ts';

/** A tenant's flow with what rendering looks up in it. */
export interface Plan {
  flow: CallFlow;
  /** The SIP domain of its users; empty where it has none. */
  domain: string;
  names: Names;
  users: ReadonlyMap<string, FlowUser>;
}

/** Names in the dialplan. A dot can stand in no tenant's name, so what belongs to two tenants never meets. */
export interface Names {
  tenant: string;
  /** A context of the tenant: `t-acme.users`. */
  context(name: string): string;
  /** The context of one object: `t-acme.group.sales`. */
  of(kind: 'group' | 'ivr' | 'conference' | 'hours', name: string): string;
  /** A conference room with its profile, or a menu: `acme.board`. */
  object(name: string): string;
}

export function planOf(flow: CallFlow, domain: string | null): Plan {
  const users = new Map(flow.users.map((user) => [user.name, user]));
  return { flow, domain: domain?.toLowerCase() ?? '', names: namesOf(flow.tenant), users };
}

export const namesOf = (tenant: string): Names => ({
  tenant,
  context: (name) => `t-${tenant}.${name}`,
  of: (kind, name) => shortened(`t-${tenant}.${kind}.${name}`),
  object: (name) => shortened(`${tenant}.${name}`),
});

const longestName = 79;

// The end of a digest keeps two long names apart.
function shortened(name: string): string {
  if (name.length <= longestName) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, longestName - 9)}.${digest}`;
}

/** Sends a call to its destination; nothing after it is done. */
export function sendTo(plan: Plan, destination: Destination): Action[] {
  const { names } = plan;
  switch (destination.kind) {
    case 'user':
      return [transfer(names.context('users'), word(userOf(plan, destination.name).extension))];
    case 'group':
    case 'ivr':
    case 'conference':
      return [transfer(names.of(destination.kind, destination.name))];
    case 'voicemail':
      return takeMessage(plan, userOf(plan, destination.name));
    case 'app':
      return [transfer(word(destination.context), '${sipctl_number}')];
    case 'external':
      return [transfer(names.context('external'), word(destination.number))];
    case 'hangup':
      return hangup(hangupCauses[destination.cause].q850);
  }
}

/** The voicemail profile that every FreeSWITCH ships with. */
export const voicemailProfile = 'default';

export const takeMessage = ({ domain }: Plan, { name }: FlowUser): Action[] => [
  action('answer'),
  action('voicemail', `${voicemailProfile} ${word(domain)} ${word(name)}`),
  ...hangup(16),
];

export function userOf({ users }: Pick<Plan, 'users'>, name: string): FlowUser {
  const user = users.get(name);
  if (user === undefined) throw new TypeError(`there is no user ${name} in the flow`);
  return user;
}

/** Counts the call under a name of the tenant's own; -1 counts, and refuses nothing. */
export const limit = ({ names }: Plan, of: string, most: number | string): Action =>
  action('limit', `hash ${realm(names)} ${of} ${most === 0 ? -1 : most} !USER_BUSY`);

/** Counts the call for as long as an application runs, which is not started at all where there is no room. */
export const limited = ({ names }: Plan, of: string, most: number, { application, data }: Action): Action =>
  most === 0
    ? { application, data }
    : action('limit_execute', `hash ${realm(names)} ${of} ${most} ${application} ${data}`);

/** How many calls are counted under a name. */
export const usage = ({ names }: Plan, of: string): string => `\${limit_usage(hash ${realm(names)} ${of})}`;

const realm = ({ tenant }: Names): string => `sipctl.${tenant}`;

/** What every call carries. Limits would forget a call that is transferred, and everything here is. */
export const carried = ({ names }: Plan, direction: 'internal' | 'inbound'): Action[] => [
  set('accountcode', names.tenant),
  share('SIPCTL_TENANT', names.tenant),
  share('SIPCTL_DIRECTION', direction),
  set('limit_ignore_transfer', 'true'),
  set('hangup_after_bridge', 'true'),
  set('continue_on_fail', 'true'),
  ...transferable(names, direction === 'internal' ? '${sipctl_caller}' : ''),
];

/**
 * What a call carries for the case that a phone or a carrier transfers it (REFER, RFC 3515). By itself FreeSWITCH would
 * hold the new number against the context of the other one's call, which may be behind all questions of who may call
 * where. Each leg knows whom it is transferred by: the one at its other end, where that is a user.
 */
const transferable = (names: Names, caller: '' | '${sipctl_caller}'): Action[] => [
  share('force_transfer_context', names.context('transferred')),
  share(`nolocal:${transferor}`, caller),
];

/** Says of the caller's own leg who is at its other end from now on: the extension of a user, or nobody who may dial. */
export const transferredBy = (extension: string | null): Action =>
  set(transferor, extension === null ? '' : word(extension));

/** The variable that says who is at the other end of a leg. */
export const transferor = 'sipctl_transferor';

/** The names that calls are counted under. */
export const counted = {
  tenant: 'tenant',
  user: (extension: string): string => `user.${word(extension)}`,
  trunk: (name: string): string => `trunk.${word(name)}`,
} as const;
