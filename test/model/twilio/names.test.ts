import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  chooseTrunkNames,
  isChosenDomain,
  isChosenName,
  trunkDomain,
} from '../../../src/model/twilio/names.ts';
import { generateSipPassword } from '../../../src/model/twilio/password.ts';
import { domainPrefix, sipPassword, sipUsername } from '../../../src/model/twilio/rules.ts';

const at = new Date('2026-11-21T12:00:00.123Z');

describe('the names of a trunk at Twilio', () => {
  it('tell the tenant and the time', () => {
    expect(chooseTrunkNames('acme', at)).toEqual({
      domainPrefix: 'user-acme-1795262400123',
      friendlyName: 'main-trunk-acme-1795262400123',
      sipUsername: 'sip-acme',
    });
    expect(trunkDomain('user-acme-1')).toBe('user-acme-1.pstn.twilio.com');
  });

  it.each([
    'a',
    'acme',
    '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    'a'.repeat(40),
    `${'a'.repeat(38)}-b`,
    'x-'.repeat(19).concat('xx'),
  ])('are such as Twilio takes for %s', (tenant) => {
    const names = chooseTrunkNames(tenant, at);
    expect(domainPrefix(names.domainPrefix)).toMatchObject({ ok: true });
    expect(sipUsername(names.sipUsername)).toMatchObject({ ok: true });
    expect(names.friendlyName.length).toBeLessThanOrEqual(64);
    expect(isChosenName(names.friendlyName)).toBe(true);
    expect(isChosenDomain(trunkDomain(names.domainPrefix))).toBe(true);
  });

  it('stay apart where they are shortened, and the same for the same tenant', () => {
    const tenants = ['3f2504e0-4f89-41d3-9a0c-0305e82c3301', '3f2504e0-4f89-41d3-9a0c-0305e82c3302'];
    const [one, other] = tenants.map((tenant) => chooseTrunkNames(tenant, at).sipUsername);
    expect(one).not.toBe(other);
    expect(chooseTrunkNames(tenants[0] as string, new Date(0)).sipUsername).toBe(one);
    expect(one).toMatch(/^sip-3f2504e0-4f89-.*[a-z0-9]{10,}$/);
  });

  it('are told from those of others', () => {
    for (const name of [
      'office',
      'main-trunk',
      'main-trunk-acme',
      'main-trunk-acme-2',
      'my main-trunk-a-1700000000',
    ])
      expect(isChosenName(name), name).toBe(false);
    for (const domain of [
      'acme.pstn.twilio.com',
      'user-acme.pstn.twilio.com',
      'user-a-1700000000.example.com',
    ])
      expect(isChosenDomain(domain), domain).toBe(false);
  });
});

describe('a generated SIP password', () => {
  it('is one that Twilio takes, whatever chance says', () => {
    for (const pick of [() => 0, (below: number) => below - 1, randomInt]) {
      for (let count = 0; count < 200; count += 1) {
        const password = generateSipPassword(pick as (below: number) => number).reveal();
        expect(password).toHaveLength(16);
        expect(sipPassword(password)).toMatchObject({ ok: true });
      }
    }
  });

  it('begins with any kind of letter', () => {
    const first = Array.from(
      { length: 500 },
      () => generateSipPassword((below) => randomInt(below)).reveal()[0],
    );
    expect(first.some((letter) => /[0-9]/.test(letter ?? ''))).toBe(true);
    expect(first.some((letter) => /[a-z]/.test(letter ?? ''))).toBe(true);
    expect(first.some((letter) => /[A-Z]/.test(letter ?? ''))).toBe(true);
    expect(new Set(first).size).toBeGreaterThan(10);
  });
});
