import { describe, expect, it } from 'vitest';
import { AmiMessage } from '../../../src/platforms/asterisk/ami/codec.ts';
import { compareObject } from '../../../src/platforms/asterisk/compare-object.ts';
import {
  fieldOf,
  incomparable,
  isShown,
  type ShownType,
} from '../../../src/platforms/asterisk/expected-values.ts';
import { optionOf } from '../../../src/platforms/asterisk/options.ts';
import type { PjsipObject } from '../../../src/platforms/asterisk/pjsip-object.ts';
import { callerId, networks, tos } from '../../../src/platforms/asterisk/shown-forms.ts';

const object = (type: string, options: Record<string, string>): PjsipObject => ({
  type,
  id: 'x',
  options: Object.entries(options),
});
const shown = (fields: Record<string, string>): AmiMessage =>
  new AmiMessage(
    Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join(''),
  );
const compare = (
  type: string,
  options: Record<string, string>,
  fields: Record<string, string>,
  version = '22.10.1',
): string[] => compareObject(object(type, options), null, shown(fields), version);

describe('a running object', () => {
  it('differs by every option that has another value', () => {
    expect(
      compare(
        'endpoint',
        { direct_media: 'no', allow: 'ulaw,alaw', context: 'default' },
        { DirectMedia: 'true', Allow: '(alaw|ulaw)', Context: 'default' },
      ),
    ).toEqual([`direct_media is 'true', delivered 'no'`, `allow is '(alaw|ulaw)', delivered 'ulaw,alaw'`]);
  });

  it('differs by an option that it does not show', () => {
    expect(compare('aor', { max_contacts: '1' }, {})).toEqual(['max_contacts is not shown']);
  });

  it.each([
    'password',
    'md5_cred',
    'password_digest',
    'oauth_secret',
    'refresh_token',
  ])('never shows a %s', (option) => {
    const [difference = ''] = compare(
      'auth',
      { [option]: 'delivered-one' },
      { [fieldOf('auth', option)]: 'running-one' },
    );
    expect(difference).toBe(`${option} differs`);
    const gone = compareObject(
      object('auth', {}),
      object('auth', { [option]: 'old-one' }),
      shown({ [fieldOf('auth', option)]: 'old-one' }),
      '22',
    );
    expect(gone.join()).not.toContain('old-one');
  });

  it('shows a long or disturbing value cut and cleaned', () => {
    const [difference = ''] = compare(
      'aor',
      { mailboxes: 'a@b' },
      { Mailboxes: `\u001b[31m${'x'.repeat(500)}` },
    );
    expect(difference).toMatch(/^mailboxes is ' \[31mx+…', delivered 'a@b'$/);
    expect(difference.length).toBeLessThan(200);
  });

  it('must be back at the default of an option that is gone', () => {
    const gone = (before: string, found: string): string[] =>
      compareObject(
        object('endpoint', {}),
        object('endpoint', { dtmf_mode: before }),
        shown({ DtmfMode: found }),
        '22',
      );
    expect(gone('info', 'info')).toEqual([`dtmf_mode is still 'info', and is no longer delivered`]);
    expect(gone('info', 'rfc4733')).toEqual([]);
    expect(gone('rfc4733', 'rfc4733')).toEqual([]);
  });

  it('may show what webrtc sets in place of what was written, and nothing else', () => {
    const fields = {
      Webrtc: 'yes',
      UseAvpf: 'true',
      IceSupport: 'true',
      RtcpMux: 'true',
      Bundle: 'true',
      MediaUseReceivedTransport: 'true',
      MediaEncryption: 'dtls',
      DtlsVerify: 'Fingerprint',
      DtlsSetup: 'actpass',
      DtlsAutoGenerateCert: 'Yes',
    };
    expect(compare('endpoint', { webrtc: 'yes', ice_support: 'no' }, fields)).toEqual([]);
    expect(compare('endpoint', { webrtc: 'yes' }, { ...fields, Bundle: 'false' })).toEqual([
      `bundle is 'false', delivered 'yes'`,
    ]);
    expect(compare('endpoint', { webrtc: 'yes' }, { ...fields, DtlsVerify: 'Yes' }, '16.28.0')).toEqual([]);
    expect(compare('endpoint', { webrtc: 'yes' }, { ...fields, DtlsVerify: 'Yes' })).toEqual([
      `dtls_verify is 'Yes', delivered 'fingerprint'`,
    ]);
  });

  it('may have phones at an AOR that takes phones, and at no other', () => {
    const contacts = { Contacts: 'x/sip:192.0.2.1,x/sip:phone@203.0.113.9', MaxContacts: '2' };
    expect(compare('aor', { contact: 'sip:192.0.2.1', max_contacts: '2' }, contacts)).toEqual([]);
    expect(compare('aor', { contact: 'sip:192.0.2.1' }, contacts)).toHaveLength(1);
    expect(compare('aor', { contact: 'sip:192.0.2.2', max_contacts: '2' }, contacts)).toHaveLength(1);
  });

  it('is not compared where what was found cannot be foretold', () => {
    expect(compare('identify', { match: 'sip.example.com' }, { Match: '192.0.2.1/255.255.255.255' })).toEqual(
      [],
    );
    expect(compare('endpoint', { allow: 'all' }, { Allow: '(ulaw|alaw)' })).toEqual([]);
  });
});

describe('the forms of values', () => {
  it.each([
    ['192.0.2.0/28', '192.0.2.0/255.255.255.240', true],
    ['10.1.2.3/8', '10.0.0.0/255.0.0.0', true],
    ['192.0.2.1', '192.0.2.1/255.255.255.255', true],
    ['192.0.2.1', '192.0.2.1/255.255.255.254', false],
    ['2001:DB8::1/33', '2001:db8::/ffff:ffff:8000::', true],
    ['::/0', '::/::', true],
    ['0.0.0.0/0', '0.0.0.0/0.0.0.0', true],
    ['192.0.2.1,192.0.2.2', '192.0.2.2/255.255.255.255,192.0.2.1/255.255.255.255', true],
    ['192.0.2.1', '192.0.2.2/255.255.255.255', false],
  ])('networks: %s is shown as %s: %s', (written, found, same) => {
    expect(networks(written) === networks(found)).toBe(same);
  });

  it.each([
    ['af11', '40'],
    ['af43', '152'],
    ['cs7', '224'],
    ['EF', '184'],
    ['0xb8', '184'],
    ['7', '7'],
  ])('TOS: %s is shown as %s', (written, found) => {
    expect(tos(written)).toBe(found);
  });

  it('caller IDs stay what they are when they are read again', () => {
    for (const written of ['"Ann" <2001>', 'Ann', '"a\\"b\\\\" <1>', '<2001>', '"<x>" <2>', '555-1234', '']) {
      expect(callerId(callerId(written))).toBe(callerId(written));
    }
  });

  it('declare as incomparable only what the table of options knows', () => {
    for (const [type, options] of Object.entries(incomparable)) {
      expect(isShown(type)).toBe(true);
      for (const { option } of options) expect(optionOf(type as ShownType, option), option).toBeDefined();
    }
  });

  it('name the fields that the table of options was measured with', () => {
    for (const [type, option] of [
      ['endpoint', 't38_udptl_ec'],
      ['endpoint', '100rel'],
      ['endpoint', 'srtp_tag_32'],
      ['aor', 'qualify_2xx_only'],
      ['registration', 'server_uri'],
    ] as const) {
      expect(fieldOf(type, option)).toBe(optionOf(type, option)?.ami);
    }
  });
});
