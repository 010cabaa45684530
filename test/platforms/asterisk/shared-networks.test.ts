import { expect, it } from 'vitest';
import type { InboundTrunk } from '../../../src/model/inbound-trunk.ts';
import { sharedNetworks } from '../../../src/platforms/asterisk/shared-networks.ts';

const trunk = (tenant: string, values: Partial<InboundTrunk> = {}): InboundTrunk => ({
  tenant,
  name: 'main',
  networks: ['192.0.2.1'],
  registered: false,
  context: null,
  codecs: ['ulaw'],
  srtp: false,
  ...values,
});
const told = (...trunks: InboundTrunk[]): string[] =>
  sharedNetworks(trunks, () => true).map(({ message }) => message);

it('names both trunks, what becomes of calls, and what to do', () => {
  expect(sharedNetworks([trunk('acme'), trunk('beta')], () => true)).toEqual([
    {
      code: 'shared_networks',
      field: 'networks',
      message: expect.stringMatching(
        /^trunks main of tenant acme and main of tenant beta .*\(192\.0\.2\.1\): Asterisk takes every call .* one/,
      ),
      hint: expect.stringMatching(
        /^give all of them one --context, and let .* called number; .*--no-inbound/,
      ),
    },
  ]);
});

it.each([
  ['the same network', ['192.0.2.0/24'], ['192.0.2.0/24']],
  ['an address of a network', ['198.51.100.0/24', '192.0.2.77'], ['192.0.2.0/24']],
  ['a network in a network', ['192.0.0.0/16'], ['203.0.113.1', '192.0.2.0/24']],
  ['the same network of IPv6, written otherwise', ['2001:db8::/32'], ['2001:0db8:0::1']],
])('sees %s', (_, one, other) => {
  expect(told(trunk('acme', { networks: one }), trunk('beta', { networks: other }))).toHaveLength(1);
  expect(
    told(trunk('acme', { networks: other }), trunk('acme', { name: 'two', networks: one })),
  ).toHaveLength(1);
});

it('says nothing of trunks whose calls come from elsewhere', () => {
  const networks = [['192.0.2.0/25'], ['192.0.2.128/25'], ['2001:db8::/33'], ['2001:db8:8000::/33'], []];
  expect(told(...networks.map((some, at) => trunk(`t${at}`, { networks: some })))).toEqual([]);
});

it('says nothing where calls are told apart by the contact that was registered', () => {
  const registered = { registered: true };
  expect(told(trunk('acme', registered), trunk('beta', registered))).toEqual([]);
  expect(told(trunk('acme', registered), trunk('beta'))).toHaveLength(1);
});

it('says nothing where it makes no difference which trunk is taken', () => {
  const shared = { context: 'from-carrier' };
  expect(told(trunk('acme', shared), trunk('beta', shared))).toEqual([]);
  expect(told(trunk('acme', shared), trunk('beta', { context: 'other' }))).toHaveLength(1);
  const [problem] = sharedNetworks(
    [trunk('acme', shared), trunk('beta', { ...shared, srtp: true })],
    () => true,
  );
  expect(problem?.hint).toContain('the same --codecs and --srtp');
});

it('speaks of new trunks only, those first, and counts the rest', () => {
  const many = Array.from({ length: 12 }, (_, at) =>
    trunk(`t${at}`, { networks: ['192.0.2.1', '192.0.2.2'] }),
  );
  expect(sharedNetworks(many, () => false)).toEqual([]);
  const problems = sharedNetworks(many, ({ tenant }) => tenant === 't7');
  expect(problems).toHaveLength(1);
  expect(problems[0]?.message).toMatch(
    /^trunks main of tenant t7, main of tenant t0, main of tenant t1, main of tenant t2 and 8 more take/,
  );
  expect(told(...many.slice(0, 3))[0]).toMatch(
    /^trunks main of tenant t0, main of tenant t1 and main of tenant t2 take/,
  );
});
