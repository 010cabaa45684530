import fc from 'fast-check';
import {
  getCountryCallingCode,
  parsePhoneNumberFromString,
  validatePhoneNumberLength,
} from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/metadata.min.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import type { Dialled, DialPattern, WireFormat } from '../../../src/model/flow/call-flow.ts';
import {
  comparePatterns,
  countryRules,
  formatPattern,
  inOrder,
  matches,
  parsePattern,
} from '../../../src/model/flow/dialled.ts';
import { inboundForms } from '../../../src/model/flow/inbound-forms.ts';
import { isE164, type NumberingPlan, numberingPlan } from '../../../src/model/flow/numbering.ts';
import { fromWire, toWire, wireFormat } from '../../../src/model/flow/wire-format.ts';

const countries = [
  'DE',
  'US',
  'GB',
  'FR',
  'IT',
  'ES',
  'DK',
  'BR',
  'AU',
  'IN',
  'RU',
  'SG',
  'MX',
  'HU',
] as const;

const digits = (least: number, most: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: least, maxLength: most });

/** A number of the country, valid to libphonenumber. */
const numberOf = (country: (typeof countries)[number]) =>
  digits(6, 12)
    .map((national) => `+${getCountryCallingCode(country, metadata as never)}${national}`)
    .filter((number) => {
      const parsed = parsePhoneNumberFromString(number, metadata as never);
      // It forgives a national prefix inside an international number: that is another number then.
      // And a calling code may be shared: Canada has numbers of seven digits, the United States have none.
      return parsed?.isValid() === true && parsed.number === number && parsed.country === country;
    });

const planOf = (country: string): NumberingPlan => numberingPlan(country) as NumberingPlan;

function canonical(rules: readonly Dialled[], dialled: string): string | null {
  const rule = rules.find(({ pattern }) => matches(pattern, dialled));
  if (rule?.action.kind !== 'canonical') return null;
  return rule.action.prepend + dialled.slice(rule.action.strip);
}

describe.each(countries)('in %s', (country) => {
  const plan = planOf(country);
  const rules = inOrder(countryRules(plan));
  const abroad = numberOf(country === 'DE' ? 'GB' : 'DE');

  it('canonical numbers stay as they are', () => {
    fc.assert(
      fc.property(numberOf(country), (number) => {
        expect(canonical(rules, number)).toBe(number);
      }),
    );
  });

  it('people reach their own country as they dial it', () => {
    fc.assert(
      fc.property(numberOf(country), (number) => {
        const national = number.slice(1 + plan.callingCode.length);
        expect(canonical(rules, plan.nationalPrefix + national)).toBe(number);
        if (plan.bareLengths.includes(national.length)) expect(canonical(rules, national)).toBe(number);
      }),
    );
  });

  it('people reach other countries as they dial them', () => {
    fc.assert(
      fc.property(abroad, fc.constantFrom(...plan.internationalPrefixes), (number, prefix) => {
        expect(canonical(rules, prefix.replaceAll('X', '1') + number.slice(1))).toBe(number);
      }),
    );
  });

  it('what is understood is what libphonenumber understands', () => {
    fc.assert(
      fc.property(numberOf(country), (number) => {
        const national = plan.nationalPrefix + number.slice(1 + plan.callingCode.length);
        const parsed = parsePhoneNumberFromString(national, country, metadata as never);
        fc.pre(parsed?.isValid() === true);
        expect(canonical(rules, national)).toBe(parsed?.number);
      }),
    );
  });

  it('numbers come back from every wire format', () => {
    const formats = (['plus', 'digits', 'national'] as const).map((kind) => wireFormat(kind, plan));
    fc.assert(
      fc.property(fc.oneof(numberOf(country), abroad), fc.constantFrom(...formats), (number, format) => {
        expect(fromWire(toWire(number, format), format)).toBe(number);
      }),
    );
  });

  it('a carrier may write a number in each of its formats', () => {
    const formats = (['plus', 'digits', 'national'] as const).map((kind) => wireFormat(kind, plan));
    fc.assert(
      fc.property(numberOf(country), fc.constantFrom(...formats), (number, format) => {
        expect(inboundForms([number], plan).get(number)).toContain(toWire(number, format));
      }),
    );
  });
});

it('lengths that are dialled bare are lengths of the country', () => {
  for (const country of countries) {
    const plan = planOf(country);
    for (const length of plan.bareLengths) {
      expect(validatePhoneNumberLength('5'.repeat(length), country, metadata as never)).not.toBe('TOO_LONG');
    }
  }
});

it('what has no plus is sent as it is', () => {
  fc.assert(
    fc.property(digits(1, 15), fc.constantFrom('plus', 'digits', 'national'), (number, kind) => {
      expect(toWire(number, wireFormat(kind as WireFormat['kind'], planOf('DE')))).toBe(number);
    }),
  );
});

describe('forms of numbers', () => {
  const numbers = fc.uniqueArray(fc.oneof(...countries.map(numberOf)), { minLength: 1, maxLength: 8 });

  it('belong to one number each, and the canonical one to its own', () => {
    fc.assert(
      fc.property(numbers, (all) => {
        const forms = inboundForms(all, planOf('US'));
        const every = [...forms.values()].flat();
        expect(new Set(every).size).toBe(every.length);
        for (const number of all) expect(forms.get(number)?.[0]).toBe(number);
      }),
    );
  });

  it('that two numbers claim belong to neither', () => {
    const forms = inboundForms(['+4915551234567', '+15551234567', '+4930123456'], planOf('DE'));
    expect(forms.get('+15551234567')).not.toContain('15551234567');
    expect(forms.get('+4915551234567')).not.toContain('15551234567');
    expect(forms.get('+4930123456')).toEqual([
      '+4930123456',
      '4930123456',
      '030123456',
      '30123456',
      '004930123456',
      '0114930123456',
    ]);
  });
});

describe('the order of patterns', () => {
  const pattern: fc.Arbitrary<DialPattern> = fc.record({
    literal: fc.string({ unit: fc.constantFrom(...'+0129*#'), maxLength: 4 }),
    anyDigits: fc.integer({ min: 0, max: 4 }),
    more: fc.boolean(),
  });
  const some = fc.uniqueArray(pattern, { minLength: 1, maxLength: 12, selector: formatPattern });
  const dialled = fc.string({ unit: fc.constantFrom(...'0129*#'), minLength: 1, maxLength: 9 });
  const plain: Dialled['action'] = { kind: 'voicemail-menu', box: 'any' };

  it('gives the same first match as Asterisk’s own', () => {
    fc.assert(
      fc.property(some, dialled, (patterns, text) => {
        const ours = inOrder(patterns.map((one) => ({ pattern: one, why: '', action: plain }))).find((one) =>
          matches(one.pattern, text),
        );
        const theirs = asterisk(patterns.map(formatPattern)).find((one) => matches(parsePattern(one), text));
        expect(ours === undefined ? undefined : formatPattern(ours.pattern)).toBe(theirs);
      }),
      { numRuns: 3000 },
    );
  });

  it('is one order, whatever is compared first', () => {
    fc.assert(
      fc.property(pattern, pattern, pattern, (one, two, three) => {
        expect(Math.sign(comparePatterns(one, two))).toBe(-Math.sign(comparePatterns(two, one)) + 0);
        if (comparePatterns(one, two) < 0 && comparePatterns(two, three) < 0)
          expect(comparePatterns(one, three)).toBeLessThan(0);
      }),
    );
  });

  it('keeps the first of equal patterns', () => {
    const entries = ['first', 'second'].map((why) => ({ pattern: parsePattern('112'), why, action: plain }));
    expect(inOrder(entries).map(({ why }) => why)).toEqual(['first']);
  });

  // Asterisk's pbx.c, ext_cmp_pattern and ext_cmp: exact extensions first; else position by position, where a set of
  // few characters comes before one of many, that before `.`, and that before the end.
  function asterisk(patterns: readonly string[]): string[] {
    const rank = (character: string | undefined): number => {
      if (character === undefined) return 0x30000;
      if (character === '.') return 0x18000;
      return character === 'X' ? 0x0a00 + 0x30 : 0x0100 + character.charCodeAt(0);
    };
    const isPattern = (text: string): boolean => /[X.]/.test(text);
    return [...patterns].sort((one, other) => {
      if (isPattern(one) !== isPattern(other)) return isPattern(one) ? 1 : -1;
      for (let at = 0; at < Math.max(one.length, other.length); at++) {
        const difference = rank(one[at]) - rank(other[at]);
        if (difference !== 0) return difference;
      }
      return 0;
    });
  }
});

it('takes seven to fifteen digits for E.164', () => {
  fc.assert(
    fc.property(digits(0, 20), (text) => {
      expect(isE164(`+${text}`)).toBe(text.length >= 7 && text.length <= 15);
    }),
  );
});
