import { describe, expect, it } from 'vitest';
import {
  type DnsSource,
  locate,
  type NaptrRecord,
  type Server,
  type SrvRecord,
} from '../../../src/sip/transport/dns.ts';

type Answer<R> = Readonly<Record<string, readonly R[] | string>>;

interface Records {
  naptr?: Answer<NaptrRecord>;
  srv?: Answer<SrvRecord>;
  a?: Answer<string>;
  aaaa?: Answer<string>;
}

/** Answers from a table; a word in the place of records is the code of an error. */
function source(records: Records): DnsSource {
  const from =
    <R>(table: Answer<R> | undefined) =>
    async (name: string): Promise<R[]> => {
      const found = table?.[name] ?? 'ENOTFOUND';
      if (typeof found === 'string') throw Object.assign(new Error(found), { code: found });
      return [...found];
    };
  return { naptr: from(records.naptr), srv: from(records.srv), a: from(records.a), aaaa: from(records.aaaa) };
}

const naptr = (order: number, preference: number, service: string, replacement: string): NaptrRecord => ({
  order,
  preference,
  flags: 's',
  service,
  regexp: '',
  replacement,
});
const srv = (priority: number, weight: number, port: number, name: string): SrvRecord => ({
  priority,
  weight,
  port,
  name,
});

const never = new AbortController().signal;

async function find(server: Partial<Server>, records: Records, random = () => 0) {
  const asked = { host: 'example.com', port: null, transport: null, ...server };
  const { targets, lookups, cause } = await locate(asked, source(records), never, random);
  return {
    places: targets.map(({ transport, address, port }) => `${transport} ${address} ${port}`),
    names: [...new Set(targets.map(({ name }) => name))],
    asked: lookups.map(({ type, name }) => `${type} ${name}`),
    errors: lookups.map(({ error }) => error),
    answers: lookups.map(({ answers }) => answers),
    cause,
  };
}

describe('an address', () => {
  it.each([
    ['192.0.2.1', null, null, 'udp 192.0.2.1 5060'],
    ['192.0.2.1', 5080, 'tcp', 'tcp 192.0.2.1 5080'],
    ['192.0.2.1', null, 'tls', 'tls 192.0.2.1 5061'],
    ['192.0.2.1', null, 'wss', 'wss 192.0.2.1 443'],
    ['[2001:db8::1]', null, null, 'udp 2001:db8::1 5060'],
    ['2001:db8::1', 5070, null, 'udp 2001:db8::1 5070'],
  ] as const)('%s, port %s, %s is taken as it is', async (host, port, transport, place) => {
    const found = await find({ host, port, transport }, {});
    expect(found).toMatchObject({ places: [place], asked: [], cause: null });
  });
});

describe('a name', () => {
  it('with a port is looked up as a host, over UDP where nothing else is said', async () => {
    const records = {
      a: { 'example.com': ['192.0.2.1', '192.0.2.2'] },
      aaaa: { 'example.com': ['2001:db8::1'] },
    };
    expect(await find({ port: 5080 }, records)).toMatchObject({
      places: ['udp 192.0.2.1 5080', 'udp 192.0.2.2 5080', 'udp 2001:db8::1 5080'],
      asked: ['A example.com', 'AAAA example.com'],
    });
  });

  it('with a transport asks for its SRV records, and no NAPTR', async () => {
    const records = {
      srv: { '_sips._tcp.example.com': [srv(0, 0, 5071, 'edge.example.net')] },
      a: { 'edge.example.net': ['192.0.2.7'] },
    };
    expect(await find({ transport: 'tls' }, records)).toMatchObject({
      places: ['tls 192.0.2.7 5071'],
      // Certificates are for the name that was asked for.
      names: ['example.com'],
      asked: ['SRV _sips._tcp.example.com', 'A edge.example.net', 'AAAA edge.example.net'],
    });
  });

  it('with a transport and without SRV records is a host at the usual port', async () => {
    const records = { a: { 'example.com': ['192.0.2.1'] } };
    expect((await find({ transport: 'tls' }, records)).places).toEqual(['tls 192.0.2.1 5061']);
    expect((await find({ transport: 'tcp' }, records)).places).toEqual(['tcp 192.0.2.1 5060']);
    const websocket = await find({ transport: 'wss' }, records);
    expect(websocket).toMatchObject({
      places: ['wss 192.0.2.1 443'],
      asked: ['A example.com', 'AAAA example.com'],
    });
  });

  it('follows NAPTR by order and preference, and skips what is no service of SIP', async () => {
    const records = {
      naptr: {
        'example.com': [
          naptr(20, 1, 'sip+d2u', '_sip._udp.example.com'),
          naptr(10, 2, 'SIP+D2T', '_sip._tcp.example.com'),
          naptr(10, 1, 'SIPS+D2T', '_sips._tcp.example.com'),
          naptr(1, 1, 'E2U+sip', 'nowhere.example.com'),
          { ...naptr(1, 1, 'SIP+D2U', ''), flags: 'u', regexp: '!^.*$!sip:x@example.com!' },
        ],
      },
      srv: {
        '_sip._udp.example.com': [srv(0, 0, 5060, 'a.example.com')],
        '_sip._tcp.example.com': [srv(0, 0, 5062, 'a.example.com')],
        '_sips._tcp.example.com': [srv(0, 0, 5061, 'a.example.com')],
      },
      a: { 'a.example.com': ['192.0.2.1'] },
    };
    const found = await find({}, records);
    expect(found.places).toEqual(['tls 192.0.2.1 5061', 'tcp 192.0.2.1 5062', 'udp 192.0.2.1 5060']);
    expect(found.answers[0]).toContain('10 2 "s" "SIP+D2T" "" _sip._tcp.example.com');
    expect(found.answers[0]).toContain('1 1 "u" "SIP+D2U" "!^.*$!sip:x@example.com!" .');
  });

  it('without NAPTR takes the services that have SRV records', async () => {
    const records = {
      srv: {
        '_sip._udp.example.com': [srv(0, 0, 5060, 'a.example.com')],
        '_sip._tcp.example.com': [srv(0, 0, 5060, 'a.example.com')],
      },
      a: { 'a.example.com': ['192.0.2.1'] },
    };
    const found = await find({}, records);
    expect(found.places).toEqual(['udp 192.0.2.1 5060', 'tcp 192.0.2.1 5060']);
    expect(found.asked.filter((question) => question.startsWith('A '))).toEqual(['A a.example.com']);
  });

  it('goes on where a resolver knows no NAPTR', async () => {
    const records = { naptr: { 'example.com': 'ESERVFAIL' }, a: { 'example.com': ['192.0.2.1'] } };
    const found = await find({ host: 'example.com.' }, records);
    expect(found).toMatchObject({ places: ['udp 192.0.2.1 5060'], cause: null });
    expect(found.errors[0]).toBe('server_failed');
  });

  it('is said to be without a service by a single dot', async () => {
    const records = {
      srv: { '_sip._udp.example.com': [srv(0, 0, 0, '.')] },
      a: { 'example.com': ['192.0.2.1'] },
    };
    expect(await find({ transport: 'udp' }, records)).toMatchObject({ places: [], cause: 'dns_no_address' });
  });

  it('is tried at each place once', async () => {
    const records = {
      srv: { '_sip._udp.example.com': [srv(0, 0, 5060, 'a.example.com'), srv(1, 0, 5060, 'b.example.com')] },
      a: { 'a.example.com': ['192.0.2.1'], 'b.example.com': ['192.0.2.1', '192.0.2.2'] },
    };
    expect((await find({ transport: 'udp' }, records)).places).toEqual([
      'udp 192.0.2.1 5060',
      'udp 192.0.2.2 5060',
    ]);
  });

  it('stays findable in a zone of thousands', async () => {
    const hosts = Array.from({ length: 2_000 }, (_, index) => srv(index, 0, 5060, `h${index}.example.com`));
    const found = await find({ transport: 'udp' }, { srv: { '_sip._udp.example.com': hosts } });
    expect(found.asked).toHaveLength(1 + 2 * 16);
  });
});

describe('SRV records', () => {
  const records = (...list: SrvRecord[]): Records => ({
    srv: { '_sip._udp.example.com': list },
    a: Object.fromEntries(list.map(({ name }) => [name, [name]])),
  });

  it('come by priority', async () => {
    const list = records(srv(20, 0, 1, '192.0.2.20'), srv(5, 0, 1, '192.0.2.5'), srv(10, 0, 1, '192.0.2.10'));
    const { places } = await find({ transport: 'udp' }, list);
    expect(places).toEqual(['udp 192.0.2.5 1', 'udp 192.0.2.10 1', 'udp 192.0.2.20 1']);
  });

  it('of one priority share by their weights', async () => {
    const list = records(srv(1, 10, 1, 'a'), srv(1, 60, 1, 'b'), srv(1, 30, 1, 'c'), srv(2, 1000, 1, 'd'));
    const first: Record<string, number> = {};
    const draws = 101;
    for (let draw = 0; draw < draws; draw += 1) {
      const { places } = await find({ transport: 'udp' }, list, () => draw / draws);
      first[places[0] ?? ''] = (first[places[0] ?? ''] ?? 0) + 1;
      expect(places[3]).toBe('udp d 1');
    }
    // RFC 2782 draws from 0 to the sum, both included: one number more than the weights have.
    expect(first).toEqual({ 'udp a 1': 11, 'udp c 1': 30, 'udp b 1': 60 });
  });

  it('of weight 0 come first only by the smallest draw', async () => {
    const list = records(srv(1, 5, 1, 'heavy'), srv(1, 0, 1, 'light'));
    expect((await find({ transport: 'udp' }, list, () => 0)).places).toEqual(['udp light 1', 'udp heavy 1']);
    expect((await find({ transport: 'udp' }, list, () => 0.5)).places).toEqual([
      'udp heavy 1',
      'udp light 1',
    ]);
  });
});

describe('no target', () => {
  it.each([
    ['dns_not_found', {}],
    ['dns_no_address', { a: { 'example.com': 'ENODATA' }, aaaa: { 'example.com': 'ENODATA' } }],
    ['dns_no_address', { a: { 'example.com': [] }, aaaa: { 'example.com': [] } }],
    ['dns_failed', { a: { 'example.com': 'ESERVFAIL' } }],
    ['dns_failed', { a: { 'example.com': 'ETIMEOUT' }, aaaa: { 'example.com': 'ENODATA' } }],
    ['dns_failed', { a: { 'example.com': 'ESOMETHING' } }],
  ])('is called %s where the DNS says %j', async (cause, records) => {
    expect(await find({ port: 5060 }, records as Records)).toMatchObject({ places: [], cause });
  });

  it('comes of a service whose hosts do not exist', async () => {
    const records = { srv: { '_sip._tcp.example.com': [srv(0, 0, 5060, 'gone.example.com')] } };
    expect(await find({ transport: 'tcp' }, records)).toMatchObject({ places: [], cause: 'dns_not_found' });
  });
});

it('ends at once when it is no longer wanted', async () => {
  const silent = () => new Promise<never>(() => {});
  const dns: DnsSource = { naptr: silent, srv: silent, a: silent, aaaa: silent };
  const stop = new AbortController();
  const search = locate({ host: 'example.com', port: null, transport: null }, dns, stop.signal);
  stop.abort(new Error('enough'));
  await expect(search).rejects.toThrow('enough');
  await expect(locate({ host: 'x.example', port: 1, transport: null }, dns, stop.signal)).rejects.toThrow(
    'enough',
  );
});
