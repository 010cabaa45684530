import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import type { CallFlow } from '../../../src/model/flow/call-flow.ts';
import { trunkId } from '../../../src/model/identity.ts';
import type { Sandbox } from '../../support/run-sipctl.ts';
import type { AsteriskInstance, AsteriskSuite } from '../asterisk.ts';
import { attach, withManager } from '../attached.ts';
import { openFlows } from './agreement.ts';
import { type BreakableLine, startBreakableLine } from './breakable-line.ts';
import { type Outside, startOutside } from './outside.ts';
import { type CarrierAccount, freshAddress, type PhoneAccount } from './outside-config.ts';
import { flagOf, type SiteCommand } from './site-commands.ts';
import { writeTone } from './sound.ts';

/** A PBX that was provisioned by sipctl alone, with its users' phones and its trunks' carriers around it. */
export interface CallSite {
  pbx: AsteriskInstance;
  box: Sandbox;
  outside: Outside;
  /** Tones (Hz) of the PBX's own sounds. */
  sounds: Readonly<Record<string, number>>;
  carrier(name: string): CarrierAccount;
  /** What sipctl knows of a party. */
  place(party: string): PartyPlace;
  carrierOf(tenant: string, trunk: string): string;
  /** Parties that are not there. */
  gone: Readonly<Record<string, 'gone'>>;
  flows: ReadonlyMap<string, CallFlow>;
  /** Cuts the way to a carrier, and waits until the PBX knows; or mends it. */
  cut(party: string): Promise<void>;
  mend(party: string): Promise<void>;
  /** Waits until the PBX has no call of a tenant, and finds its carriers there: a busy machine may take them for dead. */
  ready(tenant: string): Promise<void>;
  stop(): Promise<void>;
}

export interface PartyPlace {
  tenant: string;
  of: 'user' | 'trunk';
  name: string;
  /** Calls are sent to it. */
  called: boolean;
}

export interface SiteText {
  commands: readonly SiteCommand[];
  /** Carriers by name, with the account that their trunks sign with; null: known by address. */
  carriers: Readonly<Record<string, CarrierAccount['credentials']>>;
  /** The ways to the carriers can be cut. */
  breakable?: boolean;
  /** Further files of the PBX's configuration folder. */
  etc?: Readonly<Record<string, string>>;
  /** Users without a phone (`tenant-user`), carriers that do not listen, tenants that are disabled. */
  gone: readonly string[];
  /** Sound files of the PBX, by the tone (Hz) that they are. */
  sounds: Readonly<Record<string, number>>;
}

/** The phones of all users that the commands add. */
function phonesOf({ commands, gone }: SiteText): PhoneAccount[] {
  const domains = new Map<string, string>();
  const phones: PhoneAccount[] = [];
  for (const command of commands) {
    const [noun, verb, username = ''] = command.argv;
    const domain = flagOf(command, 'domain');
    if (noun === 'tenant' && domain !== null) domains.set(username, domain);
    if (noun !== 'user' || verb !== 'add') continue;
    const tenant = flagOf(command, 'tenant') ?? 'default';
    const name = `${tenant}-${username}`;
    if (gone.includes(name)) continue;
    const password = command.secrets.PASSWORD ?? '';
    phones.push({ name, username, password, domain: domains.get(tenant) ?? null });
  }
  return phones;
}

/** What the commands make of each party. */
function placesOf({ commands }: SiteText): Map<string, PartyPlace> {
  const places = new Map<string, PartyPlace>();
  for (const command of commands) {
    const [of, verb, name = ''] = command.argv;
    const tenant = flagOf(command, 'tenant') ?? 'default';
    if (verb !== 'add') continue;
    if (of === 'user') places.set(`${tenant}-${name}`, { tenant, of, name, called: true });
    const host = flagOf(command, 'host');
    if (of === 'trunk' && host?.startsWith('@'))
      places.set(host.slice(1), { tenant, of, name, called: !command.argv.includes('--no-outbound') });
  }
  return places;
}

/** Whether a carrier is there is asked anew every minute only: here until the answer is the expected one. */
async function untilKnown(pbx: AsteriskInstance, { tenant, name }: PartyPlace, state: string): Promise<void> {
  const endpoint = trunkId(tenant, name);
  await withManager(pbx, async (ami) => {
    const states = async (): Promise<string[]> => {
      const items = await ami.list('PJSIPShowEndpoint', { Endpoint: endpoint });
      return items.flatMap((item) => item.get('Status') ?? []);
    };
    for (let asked = 0; asked < 8; asked++) {
      await ami.action('PJSIPQualify', { Endpoint: endpoint });
      const known = vi.waitUntil(async () => (await states()).includes(state), {
        timeout: 5000,
        interval: 100,
      });
      if (await known.catch(() => false)) return;
    }
    throw new Error(`${endpoint} is ${(await states()).join(', ')}`);
  });
}

/** Enters the site, applies it, and waits until every phone is registered, and it is known which carriers are there. */
export async function startCallSite(suite: AsteriskSuite, site: SiteText): Promise<CallSite> {
  const carriers = await carriersOf(site);
  const places = placesOf(site);
  const place = (party: string): PartyPlace => found(places.get(party), party);
  const carrier = (name: string): CarrierAccount =>
    found(
      carriers.find((one) => one.name === name),
      name,
    );
  const pbx = await suite.start({ etc: site.etc ?? {} });
  for (const [file, hertz] of Object.entries(site.sounds)) {
    writeTone(join(dirname(pbx.etc), 'data/sounds', `${file}.wav`), hertz, 0.6);
  }
  // After a menu, a bridge that hands packets on begins a new stream. An Asterisk that is the phone is deaf to it where
  // its sequence numbers happen to be lower.
  await pbx.cli('module unload bridge_native_rtp.so');
  const box = await attach(pbx);
  await enter(box, site, carrier);
  const outside = await startOutside({
    pbx: { host: pbx.host, port: pbx.sip.udp },
    phones: phonesOf(site),
    carriers: carriers.filter(({ name }) => !site.gone.includes(name)),
  });
  const lines = new Map<string, BreakableLine>();
  for (const { name, address, line } of carriers) {
    if (line !== null) lines.set(name, await startBreakableLine(line, address));
  }
  await outside.registered();
  const isUsed = ({ tenant, of, called }: PartyPlace): boolean =>
    of === 'trunk' && called && !site.gone.includes(tenant);
  const known = (party: string, state: string) => untilKnown(pbx, place(party), state);
  const away = new Set(site.gone);
  const carriersThere = (tenants: ReadonlySet<string>) =>
    Promise.all(
      [...places]
        .filter(([party, one]) => isUsed(one) && tenants.has(one.tenant) && !away.has(party))
        .map(([party]) => known(party, 'Reachable')),
    );
  await Promise.all(
    [...places]
      .filter(([party, one]) => isUsed(one) && away.has(party))
      .map(([party]) => known(party, 'Unreachable')),
  );
  const tenants = new Set([...places.values()].map(({ tenant }) => tenant));
  await carriersThere(tenants);
  const { flows, close } = await openFlows(box, [...tenants]);
  return {
    ...{ pbx, box, outside, carrier, place, sounds: site.sounds },
    carrierOf: (tenant, trunk) =>
      [...places].find(([, one]) => one.of === 'trunk' && one.tenant === tenant && one.name === trunk)?.[0] ??
      '',
    gone: Object.fromEntries(site.gone.filter((name) => places.has(name)).map((party) => [party, 'gone'])),
    flows,
    cut: async (party) => {
      lines.get(party)?.cut();
      away.add(party);
      await known(party, 'Unreachable');
    },
    mend: async (party) => {
      lines.get(party)?.mend();
      away.delete(party);
      await known(party, 'Reachable');
    },
    ready: async (tenant) => {
      await untilQuiet(pbx, tenant);
      await carriersThere(new Set([tenant]));
    },
    stop: async () => {
      for (const line of lines.values()) line.close();
      close();
      await outside.stop();
    },
  };
}

function found<T>(one: T | undefined, name: string): T {
  if (one === undefined) throw new Error(`nothing is known of ${name}`);
  return one;
}

async function carriersOf({ carriers, breakable = false }: SiteText): Promise<CarrierAccount[]> {
  const accounts: CarrierAccount[] = [];
  for (const [name, credentials] of Object.entries(carriers)) {
    const line = breakable ? await freshAddress() : null;
    accounts.push({ name, address: await freshAddress(), line, credentials });
  }
  return accounts;
}

async function enter(box: Sandbox, { commands }: SiteText, carrier: CallSite['carrier']): Promise<void> {
  for (const { argv, secrets } of commands) {
    const line = argv.map((word, at) => {
      const [, name = '', rest = ''] = /^@([\w-]+)(.*)$/.exec(word) ?? [];
      if (name === '') return word;
      const { address, line: way } = carrier(name);
      // Calls are sent over the line, and come from the carrier itself.
      return `${argv[at - 1] === '--host' ? (way ?? address) : address}${rest}`;
    });
    await box.ok(line, { env: { ...secrets } });
  }
  const applied = await box.apply();
  if (applied.code !== 0) throw new Error(`apply ended with ${applied.code}:\n${applied.stdout}`);
}

/** Waits until the PBX has no call of a tenant. */
async function untilQuiet(pbx: AsteriskInstance, tenant: string): Promise<void> {
  await withManager(pbx, (ami) =>
    vi.waitFor(
      async () => {
        const channels = await ami.list('CoreShowChannels');
        const own = channels.filter((item) => item.get('AccountCode') === tenant);
        if (own.length > 0) throw new Error(`${own.length} channels of ${tenant}`);
      },
      { timeout: 10_000, interval: 50 },
    ),
  );
}
