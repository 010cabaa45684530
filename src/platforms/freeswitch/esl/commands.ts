import { unsendable } from './codec.ts';
import { EslError } from './failures.ts';
import { type Ask, count, flatXml, isObject, json, quoted, rows, run, truth, word } from './replies.ts';

/**
 * FreeSWITCH's API commands, each with its own reading of what it prints: a line that merely begins with `+OK` proves
 * nothing (`+OK [[error near line 185]: …]` is a failed reload). All of them throw EslError where the command was not
 * done or its answer is none that it can give, and SipctlError `invalid` for an argument that cannot be sent.
 */

const parsedTree = '[Success]';

/** Reads all XML files again. A tree that cannot be parsed leaves the old one in force. @throws EslError */
export async function reloadXml(ask: Ask): Promise<void> {
  const reply = await run(ask, 'reloadxml');
  if (reply.trimEnd() !== `+OK ${parsedTree}`) throw new EslError('reloadxml', reply.replace(/^\+OK /, ''));
}

/** Reads all XML files again and adds the profile's new gateways; those it has stay as they are. @throws EslError */
export async function rescanProfile(ask: Ask, profile: string): Promise<void> {
  const reply = await run(ask, 'sofia', 'profile', word('profile', profile), 'rescan');
  const lines = reply.trimEnd().split('\n');
  // The second line says that all is well also where the first one does not.
  if (lines.length !== 2 || lines[0] !== `Reload XML ${parsedTree}` || lines[1] !== '+OK scan complete')
    throw new EslError('sofia', reply);
}

/** Marks a gateway for deletion, which takes a second or two; false where there is none. @throws EslError */
export async function killGateway(ask: Ask, profile: string, gateway: string): Promise<boolean> {
  if (gateway === '_all_') throw unsendable('gateway', 'is the word for every gateway');
  const reply = await run(
    ask,
    'sofia',
    'profile',
    word('profile', profile),
    'killgw',
    word('gateway', gateway),
  );
  if (reply === '-ERR no such gateway.\n') return false;
  if (reply !== '+OK gateway marked for deletion.\n') throw new EslError('sofia', reply);
  return true;
}

/** A gateway as it runs. */
export interface GatewayStatus {
  name: string;
  profile: string;
  proxy: string;
  username: string;
  /** The registration: NOREG, TRYING, REGISTER, REGED, UNREGED, FAILED, FAIL_WAIT, … */
  state: string;
  /** UP or DOWN; UP is also a peer that nobody asks whether it is there. */
  status: string;
  /** Everything that FreeSWITCH says of it, by its own names. */
  all: ReadonlyMap<string, string>;
}

/** How a gateway stands; null where FreeSWITCH has none of this name. @throws EslError */
export async function gatewayStatus(ask: Ask, gateway: string): Promise<GatewayStatus | null> {
  const reply = await run(ask, 'sofia', 'xmlstatus', 'gateway', word('gateway', gateway));
  if (reply === 'Invalid Gateway!\n') return null;
  return statusOf(flatXml(reply), reply);
}

function statusOf(all: ReadonlyMap<string, string>, reply: string): GatewayStatus {
  const get = (name: string): string => {
    const value = all.get(name);
    if (value === undefined) throw new EslError('sofia', reply);
    return value;
  };
  return {
    ...{ name: get('name'), profile: get('profile'), proxy: get('proxy'), username: get('username') },
    ...{ state: get('state'), status: get('status'), all },
  };
}

/** How all gateways stand. @throws EslError */
export async function allGateways(ask: Ask): Promise<GatewayStatus[]> {
  const reply = await run(ask, 'sofia', 'xmlstatus', 'gateway');
  if (!reply.includes('<gateways>')) throw new EslError('sofia', reply);
  return reply
    .split('<gateway>')
    .slice(1)
    .map((text) => statusOf(flatXml(text), text));
}

/** A SIP profile as it runs. */
export interface ProfileStatus {
  name: string;
  /** RUNNING or DOWN; ALIASED for a further name of another one. */
  state: string;
  /** The address it listens on, or the profile that it is a further name of. */
  data: string;
  /** Its gateways with the states of their registrations. */
  gateways: readonly { name: string; state: string }[];
}

/** All SIP profiles and their gateways. @throws EslError */
export async function sofiaStatus(ask: Ask): Promise<ProfileStatus[]> {
  const reply = await run(ask, 'sofia', 'jsonstatus');
  const parsed = json('sofia', reply);
  if (!isObject(parsed) || !isObject(parsed.profiles)) throw new EslError('sofia', reply);
  return Object.entries(parsed.profiles).map(([name, profile]) => {
    if (!isObject(profile) || !isObject(profile.status)) throw new EslError('sofia', reply);
    const { gateways = {} } = profile;
    if (!isObject(gateways)) throw new EslError('sofia', reply);
    return {
      name,
      state: String(profile.status.state),
      data: String(profile.status.data ?? ''),
      gateways: Object.entries(gateways).map(([gateway, about]) => ({
        name: gateway,
        state: isObject(about) ? String(about.state) : '',
      })),
    };
  });
}

/**
 * The XML of the first element `tag` whose attribute has this value, for example `dialplan context name acme`, from
 * where FreeSWITCH itself looks it up; null where there is none. @throws EslError
 */
export async function xmlLocate(
  ask: Ask,
  section: string,
  tag: string,
  attribute: string,
  value: string,
): Promise<string | null> {
  const path = [word('section', section), word('tag', tag), word('attribute', attribute)];
  const reply = await run(ask, 'xml_locate', ...path, quoted('value', value));
  if (reply === "can't find anything\n") return null;
  if (!reply.startsWith('<')) throw new EslError('xml_locate', reply);
  return reply;
}

/** True where the directory has this domain. @throws EslError */
export async function domainExists(ask: Ask, domain: string): Promise<boolean> {
  return truth('domain_exists', await run(ask, 'domain_exists', word('domain', domain)));
}

/** True where the directory has this user in this domain. @throws EslError */
export async function userExists(ask: Ask, user: string, domain: string): Promise<boolean> {
  return truth(
    'user_exists',
    await run(ask, 'user_exists', 'id', word('user', user), word('domain', domain)),
  );
}

/** How many phones of a user are registered now. @throws EslError */
export async function contactsOf(ask: Ask, user: string, domain: string): Promise<number> {
  const reply = await run(ask, 'sofia_contact', `*/${word('user', user)}@${word('domain', domain)}`);
  // Contacts write a comma of their own as %2C.
  return reply.split(',').filter((contact) => /^sofia\//.test(contact)).length;
}

/** A variable, parameter or attribute of a user of the directory; null where it has none. @throws EslError */
export async function userData(
  ask: Ask,
  user: string,
  domain: string,
  kind: 'var' | 'param' | 'attr',
  name: string,
): Promise<string | null> {
  const who = `${word('user', user)}@${word('domain', domain)}`;
  return (await run(ask, 'user_data', who, kind, word('name', name))) || null;
}

/** What `show` lists. */
export type Shown = 'calls' | 'channels' | 'codec' | 'modules' | 'registrations';

/** The rows of `show`, with FreeSWITCH's names of their columns. @throws EslError also under `-nosql` */
export async function show(ask: Ask, what: Shown): Promise<Readonly<Record<string, string>>[]> {
  return rows('show', await run(ask, 'show', what, 'as', 'json'));
}

/** A variable of a channel; null where it is not set. @throws EslError also where there is no such channel */
export async function channelVariable(ask: Ask, uuid: string, name: string): Promise<string | null> {
  const reply = await run(ask, 'uuid_getvar', word('uuid', uuid), word('name', name));
  if (reply === '-ERR No such channel!\n') throw new EslError('uuid_getvar', reply);
  return reply === '_undef_' ? null : reply;
}

/** Sets a variable of a channel. @throws EslError also where there is no such channel */
export async function setChannelVariable(ask: Ask, uuid: string, name: string, value: string): Promise<void> {
  await perform(ask, 'uuid_setvar', uuid, word('name', name), quoted('value', value));
}

/** True where there is a channel of this UUID. @throws EslError */
export async function channelExists(ask: Ask, uuid: string): Promise<boolean> {
  return truth('uuid_exists', await run(ask, 'uuid_exists', word('uuid', uuid)));
}

/** Hangs a channel up; false where there is none. @throws EslError */
export async function killChannel(ask: Ask, uuid: string, cause: string): Promise<boolean> {
  const reply = await run(ask, 'uuid_kill', word('uuid', uuid), word('cause', cause));
  if (reply === '-ERR No such channel!\n') return false;
  if (reply !== '+OK\n') throw new EslError('uuid_kill', reply);
  return true;
}

/** All variables and facts of a channel, by FreeSWITCH's names. @throws EslError also where there is none */
export async function dumpChannel(ask: Ask, uuid: string): Promise<Readonly<Record<string, unknown>>> {
  const reply = await run(ask, 'uuid_dump', word('uuid', uuid), 'json');
  const parsed = json('uuid_dump', reply);
  if (!isObject(parsed)) throw new EslError('uuid_dump', reply);
  return parsed;
}

/** What listens in on a channel inside of FreeSWITCH: recordings, mutes, supervisors. */
export interface MediaBug {
  /** `session_record`, `audio`, `eavesdrop`. */
  does: string;
  /** The file of a recording. */
  target: string;
}

/** Empty also where there is no such channel. @throws EslError */
export async function mediaBugs(ask: Ask, uuid: string): Promise<MediaBug[]> {
  const reply = await run(ask, 'uuid_buglist', word('uuid', uuid));
  return reply
    .split('<media-bug>')
    .slice(1)
    .map((text) => flatXml(text))
    .map((all) => ({ does: all.get('function') ?? '', target: all.get('target') ?? '' }));
}

/** The files that a channel is recorded to now. @throws EslError */
export async function recordingsOf(ask: Ask, uuid: string): Promise<string[]> {
  const bugs = await mediaBugs(ask, uuid);
  return bugs.filter(({ does }) => does === 'session_record').map(({ target }) => target);
}

/**
 * Any `uuid_…` command that answers `+OK`, with words for its arguments (or what `quoted` made): uuid_record, uuid_hold,
 * uuid_transfer, uuid_send_dtmf, … @throws EslError
 */
export async function perform(ask: Ask, command: string, uuid: string, ...args: string[]): Promise<void> {
  const reply = await run(ask, word('command', command), word('uuid', uuid), ...args);
  if (!/^\+OK\b/.test(reply)) throw new EslError(command, reply);
}

/** A global variable; null where it is not set, or empty. @throws EslError */
export async function globalVariable(ask: Ask, name: string): Promise<string | null> {
  return (await run(ask, 'global_getvar', word('name', name))) || null;
}

/** The version as three numbers, for example `1.10.12`. @throws EslError */
export async function version(ask: Ask): Promise<string> {
  const reply = await run(ask, 'version', 'short');
  // Builds that are no release of their own say so behind it: `1.10.12-release`.
  const [, numbers] = /^(\d+\.\d+\.\d+)\S*\s*$/.exec(reply) ?? [];
  if (numbers === undefined) throw new EslError('version', reply);
  return numbers;
}

/** How FreeSWITCH as a whole stands. */
export interface SystemStatus {
  ready: boolean;
  /** Channels, the legs of calls, that stand now, and how many may. */
  sessions: number;
  maxSessions: number;
}

/** @throws EslError */
export async function systemStatus(ask: Ask): Promise<SystemStatus> {
  const reply = await run(ask, 'status');
  const ready = /^FreeSWITCH \(Version .*\) is (not )?ready/m.exec(reply);
  const now = /^(\d+) session\(s\) - peak/m.exec(reply);
  const most = /^(\d+) session\(s\) max/m.exec(reply);
  if (!ready || !now || !most) throw new EslError('status', reply);
  return { ready: ready[1] === undefined, sessions: Number(now[1]), maxSessions: Number(most[1]) };
}

/** True where the module is loaded. @throws EslError */
export async function moduleExists(ask: Ask, module: string): Promise<boolean> {
  return truth('module_exists', await run(ask, 'module_exists', word('module', module)));
}

/** True where FreeSWITCH's machine has this file. @throws EslError */
export async function fileExists(ask: Ask, path: string): Promise<boolean> {
  return truth('file_exists', await run(ask, 'file_exists', path));
}

/** How much of a limit of the backend `hash` is in use. @throws EslError */
export async function limitUsage(ask: Ask, realm: string, resource: string): Promise<number> {
  const of = [word('realm', realm), word('resource', resource)];
  return count('limit_usage', await run(ask, 'limit_usage', 'hash', ...of));
}

/** The running conferences, as mod_conference describes them. @throws EslError */
export async function conferences(ask: Ask): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return conferenceList(await run(ask, 'conference', 'json_list'));
}

/** One running conference; null where it does not run. @throws EslError */
export async function conference(ask: Ask, name: string): Promise<Readonly<Record<string, unknown>> | null> {
  const reply = await run(ask, 'conference', word('conference', name), 'json_list');
  if (reply === `-ERR Conference ${name} not found\n`) return null;
  return conferenceList(reply)[0] ?? null;
}

function conferenceList(reply: string): Readonly<Record<string, unknown>>[] {
  const parsed = json('conference', reply);
  if (!Array.isArray(parsed) || !parsed.every(isObject)) throw new EslError('conference', reply);
  return parsed;
}

/** What became of a call: its channel, or the cause for which there is none, for example `USER_BUSY`. */
export type Originated = { uuid: string } | { cause: string };

/**
 * Makes a call and waits until it is answered or has failed: to be run in the background. `destination` and
 * `application` are a dial string and what its channel runs (`&park()`), both as FreeSWITCH takes them. @throws EslError
 */
export async function originate(ask: Ask, destination: string, application: string): Promise<Originated> {
  const reply = await run(ask, 'originate', destination, application);
  const [, uuid] = /^\+OK ([0-9A-Za-z-]+)\s*$/.exec(reply) ?? [];
  if (uuid !== undefined) return { uuid };
  const [, cause] = /^-ERR ([A-Z][A-Z0-9_]*)\s*$/.exec(reply) ?? [];
  if (cause !== undefined) return { cause };
  throw new EslError('originate', reply);
}
