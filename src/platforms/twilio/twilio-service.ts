import { SipctlError } from '../../errors.ts';
import type { HeldResource, Plain, Remembered, Resource, ResourceChange } from '../../plan/service-plan.ts';
import type { Service } from '../hosted-service.ts';
import { association, number, origination, recording } from './below-trunk.ts';
import { type TwilioAccess, TwilioApi } from './client.ts';
import { credential, credentialList } from './credentials.ts';
import { interruptedError, isUndecided } from './failures.ts';
import { objectionsTo } from './objections.ts';
import { type Kind, kindOf, kinds, type TrunkDescription, trunkResources } from './resources.ts';
import type { Asked, Found, Thing } from './thing.ts';
import { trunk } from './trunk.ts';

/** A trunk of a tenant, and the account that holds it. */
export interface TwilioServiceParts extends TrunkDescription {
  account: TwilioAccess['account'];
  trunk: TrunkDescription['trunk'] & { name: string; tenant?: string };
}

export interface TwilioServiceSettings extends Omit<TwilioAccess, 'account'> {
  /** Nothing of it is to be there: all that is remembered goes. */
  isToGo?: boolean;
}

const things: Readonly<Record<Kind, Thing>> = {
  'credential-list': credentialList,
  credential,
  trunk,
  association,
  recording,
  origination,
  number,
};

/** A trunk at Twilio with its credentials, addresses and numbers. @throws SipctlError `invalid` like `TwilioApi` */
export function twilioService(
  { account, ...description }: TwilioServiceParts,
  { isToGo = false, ...access }: TwilioServiceSettings = {},
): Service {
  const api = new TwilioApi({ account, ...access });
  const { name, tenant = '' } = description.trunk;
  const desired = isToGo ? [] : trunkResources(description);
  return {
    kind: 'twilio',
    tenant,
    name,
    desired,
    held: (remembered, signal) => lookAround(api, wantedOf(desired, remembered), signal),
    objections: (changes, signal) => objectionsTo(api, changes, signal),
    perform: (change, ids, signal) => perform(api, change, ids, signal),
  };
}

type Wanted = Pick<Remembered, 'key' | 'name' | 'id'>;

/** What is desired or remembered, each once, in the order in which things are made. */
function wantedOf(desired: readonly Resource[], remembered: readonly Remembered[]): Wanted[] {
  const byKey = new Map<string, Wanted>(desired.map(({ key, name }) => [key, { key, name, id: null }]));
  // The name that is desired counts: the remembered one may be about to change.
  for (const { key, name, id } of remembered) byKey.set(key, { key, name: byKey.get(key)?.name ?? name, id });
  return [...byKey.values()].toSorted((one, other) => rank(one.key) - rank(other.key));
}

const rank = (key: string): number => kinds.indexOf(kindOf(key));

/** What all else stands in, or below. */
const isRoot = ({ key }: Wanted): boolean => key === 'credential-list' || key === 'trunk';

async function lookAround(
  api: TwilioApi,
  wanted: readonly Wanted[],
  signal: AbortSignal | undefined,
): Promise<HeldResource[]> {
  const ids = new Map<string, string>();
  const lists = new Map<string, Promise<unknown>>();
  const once: Asked['once'] = (what, list) => {
    if (!lists.has(what)) lists.set(what, list());
    return lists.get(what) as ReturnType<typeof list>;
  };
  const held = new Map<string, HeldResource>();
  for (const level of [wanted.filter(isRoot), wanted.filter((one) => !isRoot(one))]) {
    const look = async ({ key, name, id }: Wanted) => {
      const found = await things[kindOf(key)].find({ api, signal, ids, name, id, once });
      if (found !== null) held.set(key, { key, ...found });
    };
    await Promise.all(level.map(look));
    for (const { key, id } of held.values()) ids.set(key, id);
  }
  return wanted.flatMap(({ key }) => held.get(key) ?? []);
}

async function perform(
  api: TwilioApi,
  { action, key, name, id, desired }: ResourceChange,
  ids: ReadonlyMap<string, string>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const thing = things[kindOf(key)];
  const asked: Asked = { api, signal, ids, name, id, once: (_, list) => list() };
  if (desired === null) {
    if (id !== null) await takeAway(thing, { ...asked, id });
    return id ?? '';
  }
  if (action === 'update' && id !== null) return thing.update({ ...asked, id }, desired);
  return ensure(thing, { ...asked, id: null }, desired);
}

/** Twilio may say of what was made a moment ago that it is not there: what is still there when looked for is not gone. */
async function takeAway(thing: Thing, asked: Asked & { id: string }): Promise<void> {
  await thing.remove(asked);
  if ((await thing.find(asked)) !== null) await thing.remove(asked);
}

/** Makes a thing, unless it is there already: from a run that was cut off, or from a request whose answer was lost. */
async function ensure(thing: Thing, asked: Asked, resource: Resource): Promise<string> {
  const { patience } = asked.api;
  for (let tried = 1; ; tried += 1) {
    const there = await thing.find(asked);
    if (there !== null) return adopt(thing, asked, there, resource);
    try {
      return await thing.make(asked, resource);
    } catch (error) {
      if (!isUndecided(error) || tried >= patience.attempts) return orAdopt(thing, asked, resource, error);
      const longest = Math.min(patience.capMs, patience.baseMs * 2 ** (tried - 1));
      await patience.sleep(Math.round(patience.random() * longest), asked.signal).catch(() => {
        throw interruptedError();
      });
    }
  }
}

/** The last word was an error, but what nobody answered for may be there, and a name that is taken may be taken by it. */
async function orAdopt(thing: Thing, asked: Asked, resource: Resource, error: unknown): Promise<string> {
  const isLeft =
    isUndecided(error) || (error instanceof SipctlError && ['conflict', 'failed'].includes(error.outcome));
  const there = isLeft ? await thing.find(asked) : null;
  if (there === null) throw error;
  return adopt(thing, asked, there, resource);
}

/** What is told again is only what differs; secrets always, as nobody can read them. */
async function adopt(thing: Thing, asked: Asked, { id, values }: Found, resource: Resource): Promise<string> {
  const differs = Object.entries(resource.values).some(([field, value]) => !isSame(values[field], value));
  if (!differs && resource.secrets === undefined) return id;
  return thing.update({ ...asked, id }, resource);
}

const isSame = (one: Plain | undefined, other: Plain): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
