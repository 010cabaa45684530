import { vi } from 'vitest';
import type { CallFlow } from '../../../src/model/flow/call-flow.ts';
import type { Sandbox } from '../../support/run-sipctl.ts';
import { openFlows } from './agreement.ts';
import { type BreakableLine, startBreakableLine } from './breakable-line.ts';
import { type Outside, startOutside } from './outside.ts';
import { type CarrierAccount, freshAddress, type PhoneAccount } from './outside-config.ts';
import type { Engine, OwnFiles, Pbx, StartPbx } from './pbx.ts';
import { flagOf, type SiteCommand } from './site-commands.ts';
import { writeTone } from './sound.ts';

/** A PBX that was provisioned by sipctl alone, with its users' phones and its trunks' carriers around it. */
export interface CallSite {
  pbx: Pbx;
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
  /** The operator's own files, beside what sipctl delivers. */
  own?: OwnFiles;
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

/** Enters the site, applies it, and waits until every phone is registered, and it is known which carriers are there. */
export async function startCallSite(start: StartPbx, text: SiteText): Promise<CallSite> {
  const pbx = await start(text.own);
  const site = pbx.engine === 'freeswitch' ? withDomains(text) : text;
  const carriers = await carriersOf(site);
  const places = placesOf(site);
  const place = (party: string): PartyPlace => found(places.get(party), party);
  const carrier = (name: string): CarrierAccount =>
    found(
      carriers.find((one) => one.name === name),
      name,
    );
  for (const [file, hertz] of Object.entries(site.sounds)) writeTone(pbx.soundFile(file), hertz, 0.6);
  // Before the PBX knows of them: where a registration failed, it is a minute to the next one.
  const outside = await startOutside({
    pbx,
    phones: phonesOf(site),
    carriers: carriers.filter(({ name }) => !site.gone.includes(name)),
  });
  const lines = new Map<string, BreakableLine>();
  for (const { name, address, line } of carriers) {
    if (line !== null) lines.set(name, await startBreakableLine(line, address, whenCut[pbx.engine]));
  }
  const box = await pbx.attach();
  await enter(box, site, carrier);
  await outside.registered();
  const isUsed = ({ tenant, of, called }: PartyPlace): boolean =>
    of === 'trunk' && called && !site.gone.includes(tenant);
  const known = (party: string, isThere: boolean) => pbx.untilKnown(place(party), isThere);
  const away = new Set(site.gone);
  const carriersThere = (tenants: ReadonlySet<string>) =>
    Promise.all(
      [...places]
        .filter(([party, one]) => isUsed(one) && tenants.has(one.tenant) && !away.has(party))
        .map(([party]) => known(party, true)),
    );
  await Promise.all(
    [...places]
      .filter(([party, one]) => isUsed(one) && away.has(party))
      .map(([party]) => known(party, false)),
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
      await lines.get(party)?.cut();
      away.add(party);
      await known(party, false);
    },
    mend: async (party) => {
      await lines.get(party)?.mend();
      away.delete(party);
      await known(party, true);
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

/** An Asterisk asks whether a carrier is there; a FreeSWITCH learns it from the call, and from silence after 32 s only. */
const whenCut: Readonly<Record<Engine, 'silent' | 'closed'>> = { asterisk: 'silent', freeswitch: 'closed' };

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

/** FreeSWITCH finds a user by the domain, which not every tenant here has by itself. */
function withDomains(site: SiteText): SiteText {
  const domainOf = (tenant: string): readonly string[] => ['--domain', `${tenant}.sip.example`];
  const commands = site.commands.map((command) => {
    const [noun, verb, name = ''] = command.argv;
    const isBare = noun === 'tenant' && verb === 'add' && flagOf(command, 'domain') === null;
    return isBare ? { ...command, argv: [...command.argv, ...domainOf(name)] } : command;
  });
  return {
    ...site,
    commands: [{ argv: ['tenant', 'set', 'default', ...domainOf('default')], secrets: {} }, ...commands],
  };
}

/** Waits until the PBX has no call of a tenant. */
const untilQuiet = (pbx: Pbx, tenant: string): Promise<void> =>
  vi.waitFor(
    async () => {
      const channels = await pbx.channels(tenant);
      if (channels > 0) throw new Error(`${channels} channels of ${tenant}`);
    },
    { timeout: 10_000, interval: 50 },
  );
