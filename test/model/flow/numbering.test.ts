import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { numberingPlan, planOfNumber } from '../../../src/model/flow/numbering.ts';
import { numberingPlansText } from '../../support/numbering-plans.ts';

const file = fileURLToPath(new URL('../../../src/model/flow/numbering-plans.json', import.meta.url));

describe('numbering plans', () => {
  it('are those of the installed libphonenumber-js (UPDATE_GOLDEN=1 writes them again)', () => {
    const text = numberingPlansText();
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it.each([
    ['DE', '49', ['00'], '0', []],
    ['US', '1', ['011'], '1', [10]],
    ['GB', '44', ['00'], '0', []],
    ['FR', '33', ['00'], '0', []],
    ['IT', '39', ['00'], '', [6, 7, 8, 9, 10, 11, 12]],
    ['ES', '34', ['00'], '', [9]],
    ['DK', '45', ['00'], '', [8]],
    ['IN', '91', ['00'], '0', []],
    ['RU', '7', ['810'], '8', []],
    ['AU', '61', ['0011', '0014', '0015', '0016', '0018', '0019', '1411', '1414', '1434'], '0', []],
    ['SG', '65', ['00X', '01X', '02X', '03X'], '', [8, 10, 11]],
    ['HU', '36', ['00'], '06', []],
    ['HK', '852', ['00'], '', expect.arrayContaining([8])],
  ])('say how %s dials', (country, code, international, national, bare) => {
    const plan = numberingPlan(country);
    expect(plan).toMatchObject({ callingCode: code, nationalPrefix: national, bareLengths: bare });
    expect(
      plan?.internationalPrefixes.map((prefix) => prefix.slice(0, 4)).slice(0, international.length),
    ).toEqual(international);
  });

  it('know the carriers that Brazil chooses by two digits', () => {
    const plan = numberingPlan('BR');
    expect(plan?.carrierSelection).toMatchObject({ lengths: [10, 11] });
    expect(plan?.carrierSelection?.prefixes).toContain('015');
    expect(plan?.internationalPrefixes).toContain('0021');
  });

  it('find the country of a number, the main one of those that share a code', () => {
    const countries = ['+15551234567', '+4930123456', '+79161234567', '+441624123456', '+3545551234'].map(
      (number) => planOfNumber(number)?.country,
    );
    expect(countries).toEqual(['US', 'DE', 'RU', 'GB', 'IS']);
    expect(planOfNumber('+80012345678')).toBeNull();
    expect(numberingPlan('XX')).toBeNull();
    expect(numberingPlan('toString')).toBeNull();
  });
});
