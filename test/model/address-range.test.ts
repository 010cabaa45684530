import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rangeOf } from '../../src/model/address-range.ts';

it('knows the first and the last address', () => {
  expect(rangeOf('192.0.2.1')).toEqual({ version: 4, first: 0xc0000201n, last: 0xc0000201n });
  expect(rangeOf('192.0.2.0/24')).toEqual({ version: 4, first: 0xc0000200n, last: 0xc00002ffn });
  expect(rangeOf('::1')).toEqual({ version: 6, first: 1n, last: 1n });
  expect(rangeOf('2001:db8::/32').last - rangeOf('2001:db8::/32').first).toBe((1n << 96n) - 1n);
  expect(rangeOf('1:2:3:4:5:6:7:8').first).toBe(0x00010002000300040005000600070008n);
  expect(rangeOf('1::8').first).toBe((1n << 112n) + 8n);
  // Host bits of IPv6 are let in: the network is meant.
  expect(rangeOf('2001:db8::5/64').first).toBe(rangeOf('2001:db8::/64').first);
});

it('agrees with Node about what lies in a network', () => {
  const four = fc.tuple(fc.ipV4(), fc.ipV4(), fc.integer({ min: 8, max: 32 }), fc.constant('ipv4' as const));
  const group = fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16));
  const six = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':'));
  const other = fc.tuple(six, six, fc.integer({ min: 8, max: 128 }), fc.constant('ipv6' as const));
  fc.assert(
    fc.property(fc.oneof(four, other), ([address, near, length, family]) => {
      const list = new BlockList();
      list.addSubnet(address, length, family);
      const range = rangeOf(`${address}/${length}`);
      for (const one of [address, near]) {
        const { first } = rangeOf(one);
        expect(range.first <= first && first <= range.last).toBe(list.check(one, family));
      }
    }),
  );
});
