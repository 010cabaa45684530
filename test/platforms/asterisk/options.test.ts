import { expect, test } from 'vitest';
import { isType, knownIn, optionOf, valuesIn } from '../../../src/platforms/asterisk/options.ts';

test('an option is found by type and name only', () => {
  expect(optionOf('endpoint', 'direct_media')).toMatchObject({ kind: 'boolean', ami: 'DirectMedia' });
  expect(optionOf('auth', 'direct_media')).toBeUndefined();
  expect(optionOf('endpoint', 'call_limit')).toBeUndefined();
  expect(optionOf('constructor', 'name')).toBeUndefined();
  expect(isType('aor')).toBe(true);
  expect(isType('toString')).toBe(false);
});

test.each([
  ['16', 'endpoint', 'direct_media', true],
  ['22', 'endpoint', 'direct_media', true],
  ['16', 'endpoint', 'send_aoc', false],
  // Came with 18.16 and 20.1: the first 18 and 20 lack it, 21 has it from its start.
  ['18', 'endpoint', 'send_aoc', false],
  ['18.16.0', 'endpoint', 'send_aoc', true],
  ['20.0.1', 'endpoint', 'send_aoc', false],
  ['20.1', 'endpoint', 'send_aoc', true],
  ['21', 'endpoint', 'send_aoc', true],
  ['23', 'endpoint', 'send_aoc', true],
  ['16', 'registration', 'security_negotiation', false],
  ['20', 'registration', 'security_negotiation', false],
  ['21', 'registration', 'security_negotiation', true],
  ['16.30.0', 'global', 'all_codecs_on_empty_reinvite', true],
  ['16', 'global', 'all_codecs_on_empty_reinvite', false],
  ['22', 'endpoint', 'no_such_option', false],
] as const)('in Asterisk %s, %s has %s: %s', (version, type, option, known) => {
  expect(knownIn(version, type, option)).toBe(known);
});

test('every option that 16 has, each later version has', () => {
  for (const version of ['18', '20', '21', '22', '23']) {
    expect(knownIn(version, 'endpoint', 'webrtc')).toBe(true);
    expect(knownIn(version, 'identify', 'match')).toBe(true);
  }
});

test('values follow the version', () => {
  const authType = optionOf('auth', 'auth_type');
  expect(authType && valuesIn('16', authType)).toEqual(['md5', 'userpass']);
  expect(authType && valuesIn('22', authType)).toContain('digest');
});
