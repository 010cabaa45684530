import { describe, expect, it } from 'vitest';
import { parseCSeq, parseNameAddress, parseUri, parseVia } from '../../../src/sip/message/fields.ts';

describe('a SIP URI', () => {
  it.each([
    ['sip:example.com', { scheme: 'sip', user: null, host: 'example.com', port: null, params: {} }],
    [
      'SIPS:+15550100:secret@[2001:db8::1]:5061;transport=TCP;LR?Subject=x',
      {
        scheme: 'sips',
        user: '+15550100',
        host: '2001:db8::1',
        port: 5061,
        params: { transport: 'TCP', lr: null },
      },
    ],
    ['sip:j%C3%B6rg@h', { scheme: 'sip', user: 'jörg', host: 'h', port: null, params: {} }],
    ['sip:a@h;x=', { scheme: 'sip', user: 'a', host: 'h', port: null, params: { x: '' } }],
  ])('is read: %s', (text, uri) => {
    expect(parseUri(text)).toEqual(uri);
  });

  it.each([
    'tel:+15550100',
    'example.com',
    'sip:',
    'sip:@h',
    'sip:a@b@c',
    'sip:a b@c',
    'sip:a@h:65536',
    'sip:a@h:x',
    'sip:a%4@h',
    'sip:a@h;;lr',
    'sip:a@[::1',
    '<sip:a@h>',
  ])('is none: %s', (text) => {
    expect(parseUri(text)).toBeNull();
  });

  it('keeps a parameter named like a property of every object', () => {
    const params = parseUri('sip:h;__proto__=x;constructor')?.params ?? {};
    expect(Object.entries(params).sort()).toEqual([
      ['__proto__', 'x'],
      ['constructor', null],
    ]);
  });
});

describe('an address with a name', () => {
  it.each([
    ['<sip:a@h>', { displayName: null, uri: 'sip:a@h', params: {} }],
    ['sip:a@h;tag=1', { displayName: null, uri: 'sip:a@h', params: { tag: '1' } }],
    [
      '"A \\"B\\" <x>" <sip:a@h;lr>;TAG=1;tag=2',
      { displayName: 'A "B" <x>', uri: 'sip:a@h;lr', params: { tag: '1' } },
    ],
    ['Anna   Berg <tel:+1>', { displayName: 'Anna Berg', uri: 'tel:+1', params: {} }],
    [
      '<sip:a@h>;+sip.instance="<urn:uuid:1>";expires=60;q',
      {
        displayName: null,
        uri: 'sip:a@h',
        params: { '+sip.instance': '<urn:uuid:1>', expires: '60', q: null },
      },
    ],
  ])('is read: %s', (text, address) => {
    expect(parseNameAddress(text)).toEqual(address);
  });

  it.each([
    '',
    '*',
    '<>',
    '"" <>',
    'Anna',
    '<sip:a@h',
    '"Anna <sip:a@h>',
    '"Anna" Berg <sip:a@h>',
    'An"na <sip:a@h>',
    '<sip:a@h>;;',
    '<sip:a@h>;tag=a b',
    '<sip:a@h> x',
    'sip:a@h?x=y',
  ])('is none: %s', (text) => {
    expect(parseNameAddress(text)).toBeNull();
  });
});

describe('a Via', () => {
  it('is read with where the request really came from', () => {
    expect(
      parseVia('SIP/2.0/udp [2001:db8::9]:5062;received=[::1];rport=40000;branch=z9hG4bKx;ttl=1'),
    ).toEqual({
      transport: 'UDP',
      host: '2001:db8::9',
      port: 5062,
      branch: 'z9hG4bKx',
      received: '::1',
      rport: 40_000,
      params: { received: '[::1]', rport: '40000', branch: 'z9hG4bKx', ttl: '1' },
    });
    expect(parseVia('SIP/2.0/WSS df7jal23ls0d.invalid;rport')).toMatchObject({
      transport: 'WSS',
      rport: null,
      branch: null,
    });
    expect(parseVia('SIP/2.0/TCP h : 5060 ;received=2001:db8::1')).toMatchObject({
      port: 5060,
      received: '2001:db8::1',
    });
  });

  it.each([
    'SIP/3.0/UDP h',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP h x',
    'SIP/2.0/UDP h;;',
    'SIP/2.0/UDP h;rport=x',
    'UDP h',
    '',
  ])('is none: %s', (text) => {
    expect(parseVia(text)).toBeNull();
  });
});

describe('a CSeq', () => {
  it('is a number below 2**31 and a method', () => {
    expect(parseCSeq('2147483647  INVITE')).toEqual({ number: 2_147_483_647, method: 'INVITE' });
    for (const text of ['2147483648 INVITE', '-1 INVITE', '1', 'INVITE 1', '1 IN VITE', '1 IN(V', ''])
      expect(parseCSeq(text), text).toBeNull();
  });
});
