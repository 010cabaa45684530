import { lookup, Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { DnsSource } from './dns.ts';

/** How patient each question is. */
export interface DnsPatience {
  /** Milliseconds until a server counts as silent. */
  timeoutMs: number;
  /** How often each server is asked. */
  tries: number;
}

const usual: DnsPatience = { timeoutMs: 2000, tries: 2 };

/**
 * The DNS as this machine sees it, or as the given servers (`192.0.2.53`, `192.0.2.53:5353`, `[::1]:53`) tell it.
 * Addresses come from the hosts file before the DNS is asked, as other programs do it.
 */
export function systemDns(servers?: readonly string[], patience: DnsPatience = usual): DnsSource {
  // One resolver per question: cancelling one ends all of its questions, and those of other trunks must go on.
  const ask = async <T>(signal: AbortSignal, question: (resolver: Resolver) => Promise<T>): Promise<T> => {
    const resolver = new Resolver({ timeout: patience.timeoutMs, tries: patience.tries });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await question(resolver);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
  const addresses = async (name: string, family: 4 | 6, signal: AbortSignal): Promise<string[]> => {
    const question = (resolver: Resolver) =>
      family === 4 ? resolver.resolve4(name) : resolver.resolve6(name);
    if (servers !== undefined) return ask(signal, question);
    const local = await fromHostsFile(name, family);
    return local.length > 0 ? local : ask(signal, question).catch(orAsOthersDo(name, family));
  };
  return {
    naptr: (name, signal) => ask(signal, (resolver) => resolver.resolveNaptr(name)),
    srv: (name, signal) => ask(signal, (resolver) => resolver.resolveSrv(name)),
    a: (name, signal) => addresses(name, 4, signal),
    aaaa: (name, signal) => addresses(name, 6, signal),
  };
}

async function fromHostsFile(name: string, family: 4 | 6): Promise<string[]> {
  const text = await readFile('/etc/hosts', 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/);
    return isIP(address) === family && names.includes(name.toLowerCase()) ? [address] : [];
  });
}

/**
 * What the DNS does not know, the machine may know otherwise: search domains, multicast DNS, its own name. Only after
 * a clear no: where the DNS is silent, getaddrinfo(3) would be so too, for longer, and cannot be stopped.
 */
function orAsOthersDo(name: string, family: 4 | 6): (error: NodeJS.ErrnoException) => Promise<string[]> {
  return async (error) => {
    if (error.code !== 'ENOTFOUND' && error.code !== 'ENODATA' && error.code !== 'ECONNREFUSED') throw error;
    const found = await lookup(name, { family, all: true }).catch(() => []);
    if (found.length === 0) throw error;
    return found.map(({ address }) => address);
  };
}
