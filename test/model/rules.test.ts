import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as rule from '../../src/model/rules.ts';
import type { Secret } from '../../src/model/secret.ts';

const accepts = (of: (text: string) => { ok: boolean }, ...texts: string[]): void => {
  for (const text of texts) expect([text, of(text).ok]).toEqual([text, true]);
};
const refuses = (of: (text: string) => { ok: boolean }, ...texts: string[]): void => {
  for (const text of texts) expect([text, of(text).ok]).toEqual([text, false]);
};

const hostile = [
  'a;b',
  'a;--b',
  '[x]',
  'a\nb',
  'a\rb',
  'a\0b',
  '#include x',
  '#exec x',
  '${x}',
  '>x',
  ' x',
  'x ',
  '',
  '\u202ex',
];

describe('rules of single values', () => {
  it('takes names that can stand in files and dial strings, and nothing else', () => {
    accepts(rule.slug, 'acme', 'a', 'acme-2');
    refuses(rule.slug, ...hostile, 'Acme', '-a', 'a-', 'a.b', '../x', 'x'.repeat(41));
    accepts(rule.trunkName, 'telnyx_main', 'A-1');
    refuses(rule.trunkName, ...hostile, 'a.b', 'a@b', 'x'.repeat(101));
    accepts(rule.sipUser, 'john_doe', '1001', 'a.b+c');
    refuses(rule.sipUser, ...hostile, 'a@b', 'a/b', '.a');
    accepts(rule.extension, '1001', '*97');
    refuses(rule.extension, ...hostile, '12a', '1'.repeat(21));
  });

  it('takes hosts and addresses in the forms of RFC 3261', () => {
    accepts(rule.host, 'sip.telnyx.com', '192.0.2.1', '[2001:db8::1]', 'localhost');
    refuses(
      rule.host,
      ...hostile,
      '256.1.1.1',
      '1.2.3',
      '2001:db8::1',
      '[::1',
      'a..b',
      '-a.b',
      'sip:host',
      'host:5060',
      'x'.repeat(64),
    );
    expect(rule.host('SIP.Example.COM')).toEqual({ ok: true, value: 'sip.example.com' });
  });

  it('takes numbers in E.164 only', () => {
    accepts(rule.e164, '+15551234567', '+4930123456');
    refuses(rule.e164, '15551234567', '+0123456789', '+1555', '+1234567890123456', '+1 555', '5551234567');
  });

  it('refuses networks that would open the PBX to the world, or have host bits set', () => {
    accepts(rule.network, '192.0.2.1', '192.0.2.0/24', '2001:db8::/32');
    refuses(
      rule.network,
      '0.0.0.0/0',
      '10.0.0.0/7',
      '192.0.2.1/24',
      '192.0.2.0/33',
      'carrier.example.com',
      '::/0',
    );
    expect(rule.networks('192.0.2.1/32, 198.51.100.0/28')).toEqual({
      ok: true,
      value: ['192.0.2.1', '198.51.100.0/28'],
    });
    refuses(rule.networks, '192.0.2.1,192.0.2.1', '');
  });

  it('knows codecs by the names of Asterisk', () => {
    expect(rule.codecs('ulaw, ALAW,opus')).toEqual({ ok: true, value: ['ulaw', 'alaw', 'opus'] });
    refuses(rule.codecs, 'pcmu', 'ulaw,ulaw', '!all', 'all', 'ulaw;alaw', '');
  });

  it('takes any password that one line can hold, and keeps it to itself', () => {
    accepts(rule.password, 'a;b#c', '[x]', '>x', '${x}', 'пароль', '😀', '\\', 'x'.repeat(1000));
    refuses(rule.password, '', ' x', 'x ', 'a\nb', 'a\0b', 'x'.repeat(1001));
    fc.assert(
      fc.property(fc.string({ minLength: 6 }), (text) => {
        const parsed = rule.password(text);
        if (!parsed.ok) return !parsed.message.includes(text);
        const secret = parsed.value as Secret;
        const shown = [
          String(secret),
          `${secret}`,
          JSON.stringify({ secret }),
          inspect(secret),
          inspect({ a: [secret] }),
        ];
        return (
          secret.reveal() === text &&
          shown.every((one) => one.includes('[secret]') && !one.includes(text.replace(/"/g, '')))
        );
      }),
      { examples: [['hunter2-hunter2']] },
    );
  });

  it('never lets a control character or a mark that reorders text through any rule', () => {
    const rules = [
      rule.slug,
      rule.trunkName,
      rule.sipUser,
      rule.accountName,
      rule.authUsername,
      rule.extension,
      rule.context,
      rule.host,
      rule.text(1000),
      rule.password,
      rule.mailbox,
      rule.directory,
    ];
    const bad = fc.constantFrom(
      '\n',
      '\r',
      '\0',
      '\t',
      '\u001b',
      '\u0085',
      '\u2028',
      '\u202e',
      '\u2066',
      '\u007f',
    );
    fc.assert(
      fc.property(
        fc.string(),
        bad,
        fc.string(),
        fc.constantFrom(...rules),
        (before, control, after, of) => !of(before + control + after).ok,
      ),
    );
  });
});
