import { hostname } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { locate } from '../../../src/sip/transport/dns.ts';
import { systemDns } from '../../../src/sip/transport/system-dns.ts';
import { dnsServer, type Zone } from '../../support/dns-server.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const never = new AbortController().signal;

async function find(zone: Zone, server: { port?: number; transport?: 'udp' | 'tcp' | 'tls' } = {}) {
  const dns = await dnsServer(zone);
  ends.push(dns.close);
  const source = systemDns([dns.address], { timeoutMs: 100, tries: 1 });
  const asked = { host: 'carrier.example', port: server.port ?? null, transport: server.transport ?? null };
  const { targets, lookups, cause } = await locate(asked, source, never, () => 0.99);
  return {
    places: targets.map(({ transport, address, port }) => `${transport} ${address} ${port}`),
    errors: Object.fromEntries(lookups.map(({ type, name, error }) => [`${type} ${name}`, error])),
    lookups,
    cause,
    questions: dns.questions,
  };
}

describe('a DNS server', () => {
  it('is asked for NAPTR, SRV, A and AAAA', async () => {
    const found = await find({
      'NAPTR carrier.example': [
        '20 10 "s" "SIP+D2U" "" _sip._udp.carrier.example',
        '10 10 "S" "SIPS+D2T" "" _sips._tcp.carrier.example',
      ],
      'SRV _sips._tcp.carrier.example': ['1 0 5061 edge.carrier.example'],
      'SRV _sip._udp.carrier.example': [
        '20 1 5060 backup.carrier.example',
        '10 90 5060 big.carrier.example',
        '10 10 5062 small.carrier.example',
      ],
      'A edge.carrier.example': ['192.0.2.1'],
      'AAAA edge.carrier.example': ['2001:db8:0:0:0:0:0:1'],
      'A big.carrier.example': ['192.0.2.2', '192.0.2.3'],
      'A small.carrier.example': ['192.0.2.4'],
      'A backup.carrier.example': ['192.0.2.5'],
    });
    expect([
      ...found.places.slice(0, 2),
      ...found.places.slice(2, 4).sort(),
      ...found.places.slice(4),
    ]).toEqual([
      'tls 192.0.2.1 5061',
      'tls 2001:db8::1 5061',
      'udp 192.0.2.2 5060',
      'udp 192.0.2.3 5060',
      'udp 192.0.2.4 5062',
      'udp 192.0.2.5 5060',
    ]);
    expect(found.lookups[0]?.answers).toContain('20 10 "s" "SIP+D2U" "" _sip._udp.carrier.example');
    expect(found.errors).toMatchObject({
      'A edge.carrier.example': null,
      'AAAA big.carrier.example': 'no_records',
    });
    expect(found.questions).toContain('AAAA backup.carrier.example');
  });

  it('says that a name does not exist', async () => {
    expect(await find({})).toMatchObject({ places: [], cause: 'dns_not_found' });
  });

  it('says that a name has no address', async () => {
    expect(await find({ 'NAPTR carrier.example': [] })).toMatchObject({
      places: [],
      cause: 'dns_no_address',
    });
  });

  it.each([
    ['SERVFAIL', 'server_failed'],
    ['REFUSED', 'refused'],
    ['silence', 'timeout'],
  ] as const)('fails by %s', async (way, error) => {
    const found = await find({ 'A carrier.example': way, 'AAAA carrier.example': way }, { port: 5060 });
    expect(found).toMatchObject({ places: [], cause: 'dns_failed' });
    expect(found.errors).toEqual({ 'A carrier.example': error, 'AAAA carrier.example': error });
  });

  it('may fail for NAPTR alone', async () => {
    const found = await find({ 'NAPTR carrier.example': 'SERVFAIL', 'A carrier.example': ['192.0.2.9'] });
    expect(found).toMatchObject({ places: ['udp 192.0.2.9 5060'], cause: null });
    expect(found.errors['NAPTR carrier.example']).toBe('server_failed');
  });

  it('is given up when the answer is no longer wanted, and others go on', async () => {
    const dns = await dnsServer({ 'A silent.example': 'silence', 'A here.example': ['192.0.2.1'] });
    ends.push(dns.close);
    const source = systemDns([dns.address]);
    const stop = new AbortController();
    const silent = locate({ host: 'silent.example', port: 5060, transport: null }, source, stop.signal);
    const here = locate({ host: 'here.example', port: 5060, transport: null }, source, never);
    stop.abort(new Error('enough'));
    await expect(silent).rejects.toThrow('enough');
    expect((await here).targets).toHaveLength(1);
  });
});

describe('this machine', () => {
  it('knows its own names without a DNS server', async () => {
    const source = systemDns(undefined, { timeoutMs: 100, tries: 1 });
    expect(await source.a('LOCALHOST', never)).toContain('127.0.0.1');
  });

  it('hands on what the DNS said of a name that nobody knows', async () => {
    const source = systemDns(undefined, { timeoutMs: 100, tries: 1 });
    await expect(source.a(`${hostname()}.invalid`, never)).rejects.toHaveProperty('code');
  });
});
