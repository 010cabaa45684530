import type { Noun } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import * as services from '../model/service-nouns.ts';
import type { Catalog } from '../model/template.ts';
import type { Records, StoredOf } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/** An object of a tenant. */
type Owned<N> = StoredOf<N> & { tenant: string };

/** A trunk at Twilio with everything that the database says of it. */
export interface DescribedTwilioTrunk {
  kind: 'twilio';
  account: Owned<typeof services.twilioAccount>;
  trunk: Owned<typeof services.twilioTrunk>;
  originations: Owned<typeof services.twilioOrigination>[];
  /** Of the tenant, on the trunk that PBXs have for it. */
  numbers: Owned<typeof nouns.number>[];
}

/** A LiveKit project with the trunk that it is connected with. */
export interface DescribedLivekit {
  kind: 'livekit';
  livekit: Owned<typeof services.livekit>;
  trunk: Owned<typeof services.twilioTrunk>;
  numbers: Owned<typeof nouns.number>[];
  /** Where calls of Twilio come from. */
  networks: readonly string[];
}

export type DescribedService = DescribedTwilioTrunk | DescribedLivekit;

/** Which services are meant. One that is named is meant even where it is disabled. */
export interface ServiceFilter {
  kind?: DescribedService['kind'];
  tenant?: string;
  name?: string;
  /** They are to go: nothing is desired of them. */
  areToGo?: boolean;
}

/** What the database describes of services, those first that others need. */
export async function describedServices(
  store: Store,
  catalog: () => Promise<Catalog>,
  filter: ServiceFilter,
): Promise<DescribedService[]> {
  const isMeant = await meantBy(store, filter);
  const { records } = store;
  const found: DescribedService[] = [];
  if (filter.kind !== 'livekit') {
    const trunks = (await owned(records, services.twilioTrunk, filter.tenant)).filter(isMeant);
    for (const trunk of trunks) {
      const described = await describedTrunk(records, trunk);
      if (described.account.enabled || filter.name !== undefined) found.push(described);
    }
  }
  if (filter.kind !== 'twilio') {
    const projects = (await owned(records, services.livekit, filter.tenant)).filter(isMeant);
    for (const livekit of projects) found.push(await describedLivekit(records, livekit, await catalog()));
  }
  return found;
}

// Every row of theirs names its tenant.
const owned = async <N extends Noun>(records: Records, noun: N, tenant?: string): Promise<Owned<N>[]> =>
  (await records.list(noun, { tenant: tenant ?? null })) as Owned<N>[];

interface Meant {
  tenant: string;
  name: string;
  enabled: boolean;
}

async function meantBy(store: Store, { name }: ServiceFilter): Promise<(one: Meant) => boolean> {
  if (name !== undefined) return (one) => one.name === name;
  const states = await store.tenantStates();
  const enabled = new Set(states.filter((state) => state.enabled).map((state) => state.name));
  return (one) => one.enabled && enabled.has(one.tenant);
}

async function describedTrunk(
  records: Records,
  trunk: DescribedTwilioTrunk['trunk'],
): Promise<DescribedTwilioTrunk> {
  const tenant = trunk.tenant;
  const originations = await owned(records, services.twilioOrigination, tenant);
  return {
    kind: 'twilio',
    trunk,
    account: (await records.get(services.twilioAccount, {
      tenant,
      name: trunk.account,
    })) as DescribedTwilioTrunk['account'],
    originations: originations.filter((one) => one.twilioTrunk === trunk.name),
    numbers: await numbersOn(records, trunk),
  };
}

async function numbersOn(
  records: Records,
  { tenant, trunk }: DescribedTwilioTrunk['trunk'],
): Promise<DescribedTwilioTrunk['numbers']> {
  if (trunk === null) return [];
  const numbers = await owned(records, nouns.number, tenant);
  return numbers.filter((one) => one.trunk === trunk);
}

async function describedLivekit(
  records: Records,
  livekit: DescribedLivekit['livekit'],
  catalog: Catalog,
): Promise<DescribedLivekit> {
  const ref = { tenant: livekit.tenant, name: livekit.twilioTrunk };
  const trunk = (await records.get(services.twilioTrunk, ref)) as DescribedLivekit['trunk'];
  const networks = catalog.providers.get('twilio')?.networks?.cidrs ?? [];
  return { kind: 'livekit', livekit, trunk, numbers: await numbersOn(records, trunk), networks };
}
