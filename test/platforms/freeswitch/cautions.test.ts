import { expect, it } from 'vitest';
import type { InboundTrunk } from '../../../src/model/inbound-trunk.ts';
import { cautions } from '../../../src/platforms/freeswitch/cautions.ts';

const trunk = (name: string, values: Partial<InboundTrunk> = {}): InboundTrunk => ({
  ...{ tenant: 'acme', name, networks: ['192.0.2.0/24'], registered: false },
  ...{ context: null, codecs: ['ulaw'], srtp: false, ...values },
});
const codes = (trunks: InboundTrunk[], isNew: (trunk: InboundTrunk) => boolean = () => true): string[] =>
  cautions(trunks, isNew).map(({ code, message }) => `${code}: ${message.slice(0, 40)}`);

it('names two trunks of one tenant whose calls cannot be told apart', () => {
  const [problem] = cautions([trunk('b', { networks: ['192.0.2.7'] }), trunk('a')], () => true);
  expect(problem?.code).toBe('shared_networks');
  expect(problem?.message).toContain('trunks a and b of tenant acme');
  expect(problem?.message).toContain('for one of a, with its context and its limit');
});

it('says nothing of trunks that the number or the registration tells apart', () => {
  expect(codes([trunk('a'), trunk('b', { tenant: 'beta' })])).toEqual([]);
  expect(codes([trunk('a', { registered: true }), trunk('b', { registered: true })])).toEqual([]);
  expect(codes([trunk('a'), trunk('b', { networks: ['198.51.100.1'] })])).toEqual([]);
  expect(codes([trunk('a'), trunk('b', { networks: ['2001:db8::/32'] })])).toEqual([]);
});

it('says nothing of what is not new', () => {
  expect(codes([trunk('a'), trunk('b'), trunk('c', { networks: [] })], () => false)).toEqual([]);
  expect(codes([trunk('a'), trunk('b')], ({ name }) => name === 'a')).toHaveLength(1);
});

it('names a trunk that no call in can be known by', () => {
  expect(codes([trunk('a', { networks: [] })])).toEqual([
    expect.stringContaining('no_networks: trunk a of tenant acme'),
  ]);
  expect(codes([trunk('a', { networks: [], registered: true })])).toEqual([]);
});
