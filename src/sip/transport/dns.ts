import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';
import type { Transport } from './endpoint.ts';

/** One place where a server may be reached. */
export interface Target {
  /** The host as it was asked for: a certificate must name this one, whatever SRV record led here (RFC 5922 §4). */
  name: string;
  address: string;
  family: 4 | 6;
  port: number;
  transport: Transport;
}

/** What one question to the DNS brought. */
export interface Lookup {
  type: 'NAPTR' | 'SRV' | 'A' | 'AAAA';
  name: string;
  /** The records as a zone file writes them. */
  answers: string[];
  /** `not_found`, `no_records`, `timeout`, `server_failed`, `refused` or `failed`; null where records came. */
  error: LookupError | null;
  ms: number;
}

export type LookupError = 'not_found' | 'no_records' | 'timeout' | 'server_failed' | 'refused' | 'failed';

/** RFC 3403. */
export interface NaptrRecord {
  order: number;
  preference: number;
  flags: string;
  service: string;
  regexp: string;
  replacement: string;
}

/** RFC 2782. */
export interface SrvRecord {
  priority: number;
  weight: number;
  port: number;
  name: string;
}

/** Who answers questions. Each method rejects with the `code` that node:dns uses (`ENOTFOUND`, `ESERVFAIL`, …). */
export interface DnsSource {
  naptr(name: string, signal: AbortSignal): Promise<NaptrRecord[]>;
  srv(name: string, signal: AbortSignal): Promise<SrvRecord[]>;
  a(name: string, signal: AbortSignal): Promise<string[]>;
  aaaa(name: string, signal: AbortSignal): Promise<string[]>;
}

/** The server as the user writes it; null where nothing is said. */
export interface Server {
  host: string;
  port: number | null;
  transport: Transport | null;
}

/** Where a server is, best first, and every question that was asked on the way. */
export interface Location {
  targets: Target[];
  lookups: Lookup[];
  /** Why there are no targets; null where there are. */
  cause: 'dns_not_found' | 'dns_no_address' | 'dns_failed' | null;
}

const defaultPorts: Record<Transport, number> = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 };

/** Websockets have no SRV records: their clients are given an address (RFC 7118 §7). */
const services: Partial<Record<Transport, string>> = {
  udp: '_sip._udp',
  tcp: '_sip._tcp',
  tls: '_sips._tcp',
};

const naptrServices: Readonly<Record<string, Transport>> = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
};

/** A zone can name thousands of hosts; no failover tries more than these. */
const mostHosts = 16;

/**
 * Finds a server as RFC 3263 §4 says, all places in the order in which they are to be tried. Questions that fail are
 * in `lookups` and do not end the search: there are resolvers that know no NAPTR. @throws the reason of the signal
 */
export async function locate(
  server: Server,
  dns: DnsSource,
  signal: AbortSignal,
  random: () => number = Math.random,
): Promise<Location> {
  signal.throwIfAborted();
  const host = server.host.replace(/^\[(.*)\]$/, '$1').replace(/(?<=.)\.$/, '');
  // Many questions run side by side: they listen to a signal of this search, which listens to the caller's once.
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const abort = () => own.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const search = new Search(host, dns, own.signal, random);
    const targets = unique(await search.targets(server.port, server.transport));
    return { targets, lookups: search.lookups, cause: targets.length > 0 ? null : causeOf(search.lookups) };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** A host and port that DNS names for a transport. */
interface Host {
  name: string;
  port: number;
  transport: Transport;
}

class Search {
  readonly lookups: Lookup[] = [];
  readonly #host: string;
  readonly #dns: DnsSource;
  readonly #signal: AbortSignal;
  readonly #random: () => number;

  constructor(host: string, dns: DnsSource, signal: AbortSignal, random: () => number) {
    this.#host = host;
    this.#dns = dns;
    this.#signal = signal;
    this.#random = random;
  }

  async targets(port: number | null, transport: Transport | null): Promise<Target[]> {
    const family = isIP(this.#host);
    const plain = transport ?? 'udp';
    const direct: Host = { name: this.#host, port: port ?? defaultPorts[plain], transport: plain };
    if (family !== 0) return [this.#target(direct, this.#host, family as 4 | 6)];
    if (port !== null) return this.#addresses([direct]);
    const hosts = transport === null ? await this.#anyTransport() : await this.#service(transport);
    return this.#addresses(hosts ?? [direct]);
  }

  /** The hosts of whatever transports the domain offers: by NAPTR, else by the SRV records of all; null: none are named. */
  async #anyTransport(): Promise<Host[] | null> {
    const records = await this.#ask('NAPTR', this.#host, (signal) => this.#dns.naptr(this.#host, signal));
    const offered = records
      .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
      .flatMap(({ flags, service, replacement }) => {
        const transport = naptrServices[service.toUpperCase()];
        return transport !== undefined && flags.toLowerCase() === 's' ? [{ transport, replacement }] : [];
      });
    const asked =
      offered.length > 0
        ? offered.map(({ transport, replacement }) => this.#srv(replacement, transport))
        : (['udp', 'tcp', 'tls'] as const).map((transport) => this.#service(transport));
    const found = (await Promise.all(asked)).filter((hosts) => hosts !== null);
    return found.length > 0 ? found.flat() : null;
  }

  #service(transport: Transport): Promise<Host[] | null> {
    const service = services[transport];
    return service === undefined ? Promise.resolve(null) : this.#srv(`${service}.${this.#host}`, transport);
  }

  /** The hosts of one service; null where there are no records, none where the domain says that it has no such service. */
  async #srv(name: string, transport: Transport): Promise<Host[] | null> {
    const records = await this.#ask('SRV', name, (signal) => this.#dns.srv(name, signal));
    if (records.length === 0) return null;
    return inOrder(records, this.#random)
      .filter((record) => record.name !== '.' && record.name !== '')
      .slice(0, mostHosts)
      .map((record) => ({ name: record.name, port: record.port, transport }));
  }

  async #addresses(hosts: readonly Host[]): Promise<Target[]> {
    const asked = new Map<string, Promise<[string[], string[]]>>();
    const both = (name: string) =>
      Promise.all([
        this.#ask('A', name, (signal) => this.#dns.a(name, signal)),
        this.#ask('AAAA', name, (signal) => this.#dns.aaaa(name, signal)),
      ]);
    const found = hosts.map(async (host) => {
      const addresses = asked.get(host.name) ?? both(host.name);
      asked.set(host.name, addresses);
      const [four, six] = await addresses;
      // IPv4 first: carriers give it to every trunk, and few trunks are let in over IPv6.
      return [
        ...four.map((address) => this.#target(host, address, 4)),
        ...six.map((address) => this.#target(host, address, 6)),
      ];
    });
    return (await Promise.all(found)).flat();
  }

  #target({ port, transport }: Host, address: string, family: 4 | 6): Target {
    return { name: this.#host, address, family, port, transport };
  }

  async #ask<R extends NaptrRecord | SrvRecord | string>(
    type: Lookup['type'],
    name: string,
    question: (signal: AbortSignal) => Promise<R[]>,
  ): Promise<R[]> {
    this.#signal.throwIfAborted();
    const lookup: Lookup = { type, name, answers: [], error: null, ms: 0 };
    // Entered before the answer is there, so that questions that run side by side keep their order.
    this.lookups.push(lookup);
    const started = performance.now();
    try {
      const records = await untilAborted(question(this.#signal), this.#signal);
      lookup.answers = records.map(recordText);
      if (records.length === 0) lookup.error = 'no_records';
      return records;
    } catch (error) {
      this.#signal.throwIfAborted();
      lookup.error = lookupError(error);
      return [];
    } finally {
      lookup.ms = Math.round(performance.now() - started);
    }
  }
}

/** RFC 2782: by priority; within one, by chance in proportion to the weights, those of weight 0 seldom first. */
function inOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = records.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const group = left.filter(({ priority }) => priority === left[0]?.priority);
    const drawn = Math.floor(random() * (group.reduce((sum, { weight }) => sum + weight, 0) + 1));
    let running = 0;
    const index = group.findIndex(({ weight }) => {
      running += weight;
      return running >= drawn;
    });
    ordered.push(...left.splice(index, 1));
  }
  return ordered;
}

const lookupErrors: Readonly<Record<string, LookupError>> = {
  ENOTFOUND: 'not_found',
  ENODATA: 'no_records',
  ETIMEOUT: 'timeout',
  EAI_AGAIN: 'timeout',
  ESERVFAIL: 'server_failed',
  EREFUSED: 'refused',
};

function lookupError(error: unknown): LookupError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return lookupErrors[code] ?? 'failed';
}

function causeOf(lookups: readonly Lookup[]): Location['cause'] {
  const addresses = lookups.filter(({ type }) => type === 'A' || type === 'AAAA');
  const decisive = addresses.length > 0 ? addresses : lookups;
  const failed = ({ error }: Lookup) => error !== null && error !== 'not_found' && error !== 'no_records';
  if (decisive.some(failed)) return 'dns_failed';
  return decisive.every(({ error }) => error === 'not_found') ? 'dns_not_found' : 'dns_no_address';
}

function recordText(record: NaptrRecord | SrvRecord | string): string {
  if (typeof record === 'string') return record;
  if ('weight' in record) return `${record.priority} ${record.weight} ${record.port} ${record.name}`;
  const { order, preference, flags, service, regexp, replacement } = record;
  return `${order} ${preference} "${flags}" "${service}" "${regexp}" ${replacement || '.'}`;
}

function unique(targets: readonly Target[]): Target[] {
  const key = ({ address, port, transport }: Target) => `${transport} ${address} ${port}`;
  return [...new Map(targets.map((target) => [key(target), target])).values()];
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
