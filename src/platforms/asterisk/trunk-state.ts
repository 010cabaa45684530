import { setTimeout as sleep } from 'node:timers/promises';
import { trunkId } from '../../model/identity.ts';
import type { Node } from '../../model/nouns.ts';
import {
  type NamedUser,
  type QualifyState,
  type RegistrationState,
  type TrunkLook,
  type TrunkState,
  type UserContact,
  type UserState,
  whileOpen,
} from '../node-view.ts';
import type { AmiMessage } from './ami/codec.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';
import { type EndpointDetails, endpointDetail } from './live-objects.ts';
import { openAmi } from './running-system.ts';
import { cidr, parts } from './shown-forms.ts';
import type { Timeouts } from './timeouts.ts';

const pollMs = 100;
/** Beyond the time that an AOR gives its contact to answer. */
const marginMs = 500;
/** Whatever an AOR gives it. */
const longestQualifyMs = 15_000;

/**
 * How a trunk stands on a running Asterisk; null where it has neither its endpoint nor its registration.
 * @throws SipctlError `unreachable`, `interrupted`, or `refused` where the manager user may not ask
 */
export async function trunkState(
  node: Node,
  timeouts: Timeouts,
  { tenant, trunk }: { tenant: string; trunk: string },
  { signal }: TrunkLook,
): Promise<TrunkState | null> {
  const id = trunkId(tenant, trunk);
  const ami = await openAmi(node, timeouts, signal);
  return whileOpen(ami, `asking ${node.name} for the trunk ${trunk}`, signal, async () => {
    const before = await endpointDetail(ami, id);
    const registration = await shownRegistration(ami, id);
    if (before === null && registration === null) return null;
    const asked = before === null ? null : await askAnew(ami, id, before);
    const details = asked?.details ?? before;
    const qualify = qualifyOf(details, asked?.fresh ?? false);
    return {
      id,
      registration: registrationOf(registration, qualify),
      qualify,
      networks: [...(details?.identifies.values() ?? [])].flatMap((one) =>
        parts(one.get('Match') ?? '').map(cidr),
      ),
      callable: !/^(|Unavailable|Invalid)$/i.test(details?.endpoint?.get('DeviceState') ?? ''),
    };
  });
}

/** Where a user is registered; null where Asterisk does not have the endpoint. @throws like `trunkState` */
export async function userState(
  node: Node,
  timeouts: Timeouts,
  user: NamedUser,
  signal?: AbortSignal,
): Promise<UserState | null> {
  const ami = await openAmi(node, timeouts, signal);
  return whileOpen(ami, `asking ${node.name} for the user ${user.username}`, signal, async () => {
    const before = await endpointDetail(ami, user.id);
    if (before === null) return null;
    const { details } = await askAnew(ami, user.id, before);
    const now = Date.now() / 1000;
    return { id: user.id, contacts: details.contacts.map((contact) => contactOf(contact, details, now)) };
  });
}

/** What is shown of a registration; null where there is none. Its auth, with the password, has the same name. */
async function shownRegistration(ami: AmiConnection, id: string): Promise<AmiMessage | null> {
  const items = await ami.list('PJSIPShowRegistrationsOutbound');
  const found = items.find(
    (item) => item.get('ObjectType') === 'registration' && item.get('ObjectName') === id,
  );
  return found ?? null;
}

const frequencyOf = ({ aors }: EndpointDetails): number =>
  Math.max(0, ...aors.map((aor) => Number(aor.get('QualifyFrequency') ?? 0)));

// Asterisk asks contacts whose AOR has no qualify_frequency, too, and then keeps no account of what they answer.
async function askAnew(
  ami: AmiConnection,
  id: string,
  before: EndpointDetails,
): Promise<{ details: EndpointDetails; fresh: boolean }> {
  if (frequencyOf(before) === 0 || before.contacts.length === 0) return { details: before, fresh: false };
  try {
    await ami.action('PJSIPQualify', { Endpoint: id });
  } catch (error) {
    // Not asked anew, where the manager user may not ask.
    if (error instanceof AmiError) return { details: before, fresh: false };
    throw error;
  }
  const longest = Math.max(...before.aors.map((aor) => Number(aor.get('QualifyTimeout') ?? 0) * 1000));
  const patience = Math.min(longestQualifyMs, longest + marginMs);
  const earlier = before.contacts.map(answerOf);
  for (let waited = 0; ; waited += pollMs) {
    const details = await endpointDetail(ami, id);
    if (details === null) return { details: before, fresh: false };
    const isNew = details.contacts.every((contact) => !earlier.includes(answerOf(contact)));
    // A contact that stays silent keeps what is shown of it, unless it answered before.
    if (isNew || waited >= patience) return { details, fresh: true };
    await sleep(pollMs);
  }
}

const answerOf = (contact: AmiMessage): string =>
  `${contact.get('URI')} ${contact.get('Status')} ${contact.get('RoundtripUsec')}`;

function qualifyOf(details: EndpointDetails | null, fresh: boolean): QualifyState {
  const none = { rttMs: null, fresh };
  if (details === null || details.contacts.length === 0) return { state: 'unknown', ...none };
  if (frequencyOf(details) === 0) return { state: 'off', ...none };
  const all = details.contacts.map((contact) => ({
    state: contactState(contact),
    rttMs: roundTrip(contact),
    fresh,
  }));
  return (
    all.find(({ state }) => state === 'reachable') ??
    all.find(({ state }) => state === 'unreachable') ?? { state: 'unknown', ...none }
  );
}

function contactState(contact: AmiMessage): 'reachable' | 'unreachable' | 'unknown' {
  const word = contact.get('Status')?.toLowerCase();
  return word === 'reachable' || word === 'unreachable' ? word : 'unknown';
}

function roundTrip(contact: AmiMessage): number | null {
  const microseconds = Number(contact.get('RoundtripUsec'));
  return contactState(contact) === 'reachable' && microseconds > 0 ? microseconds / 1000 : null;
}

/**
 * Asterisk says `Rejected` of a carrier that refuses and of one that never answers: whether the carrier answers the
 * OPTIONS tells the two apart.
 */
function registrationOf(shown: AmiMessage | null, qualify: QualifyState): RegistrationState {
  if (shown === null) return { state: 'none', statusCode: null, nextInSeconds: null, detail: '' };
  const word = shown.get('Status') ?? '';
  // 0 where none is planned, and where the version does not tell.
  const next = Number(shown.get('NextReg') ?? 0);
  return {
    state: word === 'Rejected' && qualify.state === 'reachable' ? 'rejected' : (states[word] ?? 'failed'),
    statusCode: null,
    nextInSeconds: next > 0 ? next : null,
    detail: word,
  };
}

/** `Unregistered` is said until the first answer is there, and after the registration was ended. */
const states: Readonly<Record<string, RegistrationState['state']>> = {
  Registered: 'registered',
  Unregistered: 'unregistered',
  Stopping: 'unregistered',
  Stopped: 'unregistered',
  Rejected: 'failed',
};

function contactOf(contact: AmiMessage, details: EndpointDetails, nowSeconds: number): UserContact {
  // Seconds since 1970.
  const expires = Number(contact.get('RegExpire') ?? 0);
  return {
    uri: contact.get('URI') ?? '',
    userAgent: contact.get('UserAgent') || null,
    expiresInSeconds: expires > 0 ? Math.max(0, Math.round(expires - nowSeconds)) : null,
    state: frequencyOf(details) === 0 ? 'off' : contactState(contact),
    rttMs: roundTrip(contact),
  };
}
